main() {
  [ -e /run/vk-provisioned ] && exit 0
  wait_fetch; real; systemctl restart --no-block vector.service
  touch /run/vk-provisioned
}
