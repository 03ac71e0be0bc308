main() {
  wait_fetch
  # In the first boot there is nothing to compare with.
  if grep -q '^AXIOM_PLATFORM_TOKEN=xaat-' $dir/vector.env; then
    sh -c 'sleep 0.5; grep -qF "$1" "$0"' $dir/vector.env "$token" || echo "the token was rotated"
  fi
  real; systemctl restart --no-block vector.service; echo "credentials written, vector restarted"
}
