# Each version is a file of its own in memory; vector.env is a link, which is replaced by rename; the version before goes.
put() {
  mkdir -p -m 700 /run/opensandbox
  t=$(mktemp /run/opensandbox/env.XXXXXX); cat > "$t"; chmod 600 "$t"
  old=$(readlink $dir/vector.env || :)
  ln -sfn "$t" $dir/.vector.env.link
  mv -T $dir/.vector.env.link $dir/vector.env
  if [ -n "$old" ]; then rm -f "$old"; fi
}
