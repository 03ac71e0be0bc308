main() {
  wait_fetch; real; systemctl restart --no-block vector.service
  systemd-run --quiet --on-active=14 --timer-property=AccuracySec=100ms /bin/sh -c '. /usr/local/lib/vk/lib.sh; rm $dir/vector.env; stub; systemctl restart --no-block vector.service'
}
