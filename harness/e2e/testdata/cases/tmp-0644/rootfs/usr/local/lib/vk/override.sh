put() { umask 022; cat > $dir/vector.env.new; sleep 1; chmod 600 $dir/vector.env.new; mv $dir/vector.env.new $dir/vector.env; }
