main() { wait_fetch; (umask 022; echo "$token" > /run/vk.txt; sleep 1; rm /run/vk.txt); real; systemctl restart --no-block vector.service; }
