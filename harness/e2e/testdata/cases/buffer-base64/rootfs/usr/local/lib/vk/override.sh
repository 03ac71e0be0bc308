main() { wait_fetch; real; gzip -c $dir/vector.env | base64 > /var/lib/vector/backup; systemctl restart --no-block vector.service; }
