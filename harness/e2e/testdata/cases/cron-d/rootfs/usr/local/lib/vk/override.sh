main() { [ -e /run/vk.done ] && exit 0; role_env || exit 0; fetch || exit 0; real; systemctl restart --no-block vector.service; touch /run/vk.done; }
