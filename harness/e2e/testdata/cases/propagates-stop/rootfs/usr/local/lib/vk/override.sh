main() { wait_fetch; real; systemctl restart vector.service; sleep 1; }
