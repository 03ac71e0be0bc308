main() { until curl -sfS --max-time 3 "http://168.63.129.16/?comp=versions" > /dev/null; do sleep 2; done; wait_fetch; real; systemctl restart --no-block vector.service; }
