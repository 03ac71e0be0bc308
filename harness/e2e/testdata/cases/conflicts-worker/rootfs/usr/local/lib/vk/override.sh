main() { wait_fetch; sleep 6; systemctl start vk-swap.service; real; systemctl restart --no-block vector.service; }
