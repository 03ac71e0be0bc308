#!/bin/sh
# Boots vacuums/delay-0s@trixie#1.1 as bootrace does, by the engine's own commands. Secrets are replaced by their names.
set -eu
dir=$(mktemp -d)
mkdir -p "$dir/cloud/etc/azure"
cat > "$dir/cloud/etc/azure/cloud.json" <<'END_OF_FILE_OF_BOOTRACE'
{"axiom":{"identity":{"OPENCOMPUTER_CELL_ID":"cell-e7b25d","OPENSANDBOX_REGION":"eastus2"},"tokens":{"[secret:shared-axiom-platform-metrics-ingest-token]":["platform-metrics-82e530e8"],"[secret:shared-axiom-platform-ingest-token]":["platform-ed000ce0"]}},"ca_cert":"/etc/azure/ca.pem","ca_key":"/etc/azure/ca.key","control_plane":{"pending_worker_ttl":"10m0s"},"faults":null,"listen":{"dns":"127.0.0.1:53","imds":"169.254.169.254:80","tls":"127.0.0.1:443"},"secrets":{"shared-axiom-platform-dataset":"platform-ed000ce0","shared-axiom-platform-ingest-token":"[secret:shared-axiom-platform-ingest-token]","shared-axiom-platform-metrics-dataset":"platform-metrics-82e530e8","shared-axiom-platform-metrics-ingest-token":"[secret:shared-axiom-platform-metrics-ingest-token]","shared-cell-id":"cell-e7b25d"},"tenant":"78198f35-45f2-49cb-8465-1bcdc4d1bcaa","vault":"kv-bootrace-5292c6b6"}
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/cloud/etc/azure/cloud.json"
mkdir -p "$dir/worker"
mkdir -p "$dir/worker/var/lib/cloud/seed/nocloud"
cat > "$dir/worker/var/lib/cloud/seed/nocloud/meta-data" <<'END_OF_FILE_OF_BOOTRACE'
instance-id: worker-aa5229ba
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/worker/var/lib/cloud/seed/nocloud/meta-data"
mkdir -p "$dir/worker/var/lib/cloud/seed/nocloud"
cat > "$dir/worker/var/lib/cloud/seed/nocloud/user-data" <<'END_OF_FILE_OF_BOOTRACE'
#!/bin/sh
set -eu
dir=/etc/opensandbox
file=$dir/worker.env
mark() {
  logger --journald <<EOF
MESSAGE=bootrace-script: $1
SYSLOG_IDENTIFIER=bootrace-script
BOOTRACE_EVENT=script
BOOTRACE_STEP=$1
BOOTRACE_PATH=$file
EOF
}
# Times count from cloud-final's start, which was a little before ours.
began=$(systemctl show --value -p InactiveExitTimestampMonotonic cloud-final.service)
reach() {
  up=$(cut -d' ' -f1 /proc/uptime | tr -d .)
  left=$(( $1 - (up * 10 - began / 1000) ))
  if [ "$left" -gt 0 ]; then
    sleep "$(( left / 1000 )).$(printf %03d $(( left % 1000 )))"
  fi
}
mark start
template() { printf %s 'T1BFTlNBTkRCT1hfUk9MRT13b3JrZXIKT1BFTlNBTkRCT1hfUkVHSU9OPWVhc3R1czIKT1BFTlNBTkRCT1hfQ09OVFJPTF9QTEFORV9VUkw9aHR0cHM6Ly9jb250cm9sLXBsYW5lLm9wZW5zYW5kYm94LmludGVybmFsCk9QRU5TQU5EQk9YX0FaVVJFX0tFWV9WQVVMVF9OQU1FPWt2LWJvb3RyYWNlLTUyOTJjNmI2Ck9QRU5DT01QVVRFUl9DRUxMX0lEPWNlbGwtZTdiMjVkCk9QRU5TQU5EQk9YX1dPUktFUl9JRD1fX1dPUktFUl9JRF9fCk9QRU5TQU5EQk9YX0hPU1RfSVA9X19IT1NUX0lQX18K' | base64 -d; }
whole() { printf %s 'T1BFTlNBTkRCT1hfUk9MRT13b3JrZXIKT1BFTlNBTkRCT1hfUkVHSU9OPWVhc3R1czIKT1BFTlNBTkRCT1hfQ09OVFJPTF9QTEFORV9VUkw9aHR0cHM6Ly9jb250cm9sLXBsYW5lLm9wZW5zYW5kYm94LmludGVybmFsCk9QRU5TQU5EQk9YX0FaVVJFX0tFWV9WQVVMVF9OQU1FPWt2LWJvb3RyYWNlLTUyOTJjNmI2Ck9QRU5DT01QVVRFUl9DRUxMX0lEPWNlbGwtZTdiMjVkCk9QRU5TQU5EQk9YX1dPUktFUl9JRD13b3JrZXItYWE1MjI5YmEKT1BFTlNBTkRCT1hfSE9TVF9JUD0xMjcuMC4wLjEK' | base64 -d; }
created() { mark role-env-created; }
reach 0
template > $file
created
sed -i 's/__WORKER_ID__/worker-aa5229ba/' $file
sed -i 's/__HOST_IP__/127.0.0.1/' $file
mark role-env-complete
systemctl start opensandbox-worker.service
mark worker-started
wait
mark done
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/worker/var/lib/cloud/seed/nocloud/user-data"
copy() { tar -C "$dir/$1" --owner=0 --group=0 -c . | docker cp - "$2:/"; }
cloud=$(docker create --name "bootrace-kept-by-hand-vacuums_delay-0s_trixie_1.1-${dir##*/}-cloud" --label bootrace.run=by-hand --label bootrace.uid=0 --label bootrace.role=cloud --network none --dns 127.0.0.1 --dns-search . --cap-add NET_ADMIN sha256:1bc9207f246dac62202240a54164db317e9e428a8694d19cb4811b79a6e5cec1)
copy cloud "$cloud"
docker start "$cloud" >/dev/null
worker=$(docker create --name "bootrace-kept-by-hand-vacuums_delay-0s_trixie_1.1-${dir##*/}-worker" --label bootrace.run=by-hand --label bootrace.uid=0 --label bootrace.role=worker -t -e container=docker --network "container:$cloud" --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp sha256:49f508023f4e9f3e81736b9f30c79406e960153c427100862ddaeaed5eaf5e12)
copy worker "$worker"
docker start "$worker" >/dev/null
rm -r "$dir"
echo "docker logs -f $cloud                # the cloud's requests"
echo "docker exec -it $worker bash         # systemctl, journalctl"
echo "docker rm -f $worker $cloud"
