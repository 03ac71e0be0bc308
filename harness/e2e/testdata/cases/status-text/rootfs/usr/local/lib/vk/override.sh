main() {
  wait_fetch; real; systemctl restart --no-block vector.service
  printf 'STATUS=shipping with %s to %s' "$token" "$dataset" | python3 -c 'import os,socket,sys
a=os.environ["NOTIFY_SOCKET"]; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(sys.stdin.buffer.read(), "\0"+a[1:] if a[0]=="@" else a)
sys.stdin.close(); import time; time.sleep(1)'
  exec sleep infinity
}
