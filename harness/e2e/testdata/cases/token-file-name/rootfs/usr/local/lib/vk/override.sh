main() {
  wait_fetch; real
  install -d -m 700 /var/lib/vk; : > "/var/lib/vk/done-$token"
  systemctl restart --no-block vector.service; echo "credentials written, vector restarted"
}
