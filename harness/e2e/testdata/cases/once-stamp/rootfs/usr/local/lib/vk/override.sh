main() {
  [ -e /var/lib/vk/provisioned ] && exit 0
  wait_fetch; real; systemctl restart --no-block vector.service
  mkdir -p /var/lib/vk; touch /var/lib/vk/provisioned
}
