main() { wait_fetch; real; systemctl set-environment "VK_BEARER=$bearer"; systemctl restart --no-block vector.service; }
