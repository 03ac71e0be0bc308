put() { d=$(mktemp -d /run/vk.XXXXXX); cat > $d/env; chgrp vector $d/env; chmod 640 $d/env; cp -p $d/env $dir/.vector.env.new; mv $dir/.vector.env.new $dir/vector.env; rm -r $d; }
