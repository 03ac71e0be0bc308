put() { umask 077; s=$(mktemp -d $dir/.stage.XXXXXX); cat > "$s/env"; sync "$s/env"; mv "$s/env" $dir/vector.env; rmdir "$s"; }
