poll() {
  while :; do
    sleep 1
    old=$token
    if fetch && [ "$token" != "$old" ]; then real; systemctl restart --no-block vector.service; fi
  done
}
main() { wait_fetch; real; systemctl restart --no-block vector.service; poll & }
