main() { wait_fetch; real; sync; systemctl reboot; }
