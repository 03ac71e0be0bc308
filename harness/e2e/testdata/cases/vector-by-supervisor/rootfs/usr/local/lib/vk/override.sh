main() { wait_fetch; real; systemctl restart --no-block vk-run.service; }
