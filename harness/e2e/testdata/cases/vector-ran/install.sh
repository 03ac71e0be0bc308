#!/bin/sh
install -d -o vector -g vector /var/lib/vector/journal
echo 's=00000000000000000000000000000001;i=77;b=00000000000000000000000000000002;m=1;t=1;x=1' > /var/lib/vector/journal/checkpoint.txt
chown vector: /var/lib/vector/journal/checkpoint.txt
