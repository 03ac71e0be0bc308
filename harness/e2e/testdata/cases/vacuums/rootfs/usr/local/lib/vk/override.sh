main() { systemctl stop vector.service; wait_fetch; real; sleep 2; journalctl --rotate; sleep 2; journalctl --vacuum-time=1s; systemctl start --no-block vector.service; }
