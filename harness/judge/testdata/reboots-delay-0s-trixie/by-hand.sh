#!/bin/sh
# Boots reboots/delay-0s@trixie#1.1 as bootrace does, by the engine's own commands. Secrets are replaced by their names.
set -eu
dir=$(mktemp -d)
mkdir -p "$dir/cloud/etc/azure"
cat > "$dir/cloud/etc/azure/cloud.json" <<'END_OF_FILE_OF_BOOTRACE'
{"vault":"kv-bootrace-92038473","tenant":"23da6076-75b7-4d32-aec3-140fdf62ae89","role":"","secrets":{"shared-axiom-platform-dataset":{"versions":[{"value":"platform-3f317e90"}]},"shared-axiom-platform-ingest-token":{"versions":[{"value":"[secret:shared-axiom-platform-ingest-token]"}]},"shared-axiom-platform-metrics-dataset":{"versions":[{"value":"platform-metrics-68acd062"}]},"shared-axiom-platform-metrics-ingest-token":{"versions":[{"value":"[secret:shared-axiom-platform-metrics-ingest-token]"}]},"shared-cell-id":{"versions":[{"value":"cell-1e942e"}]}},"imds":{"system_assigned":null,"user_assigned":null},"axiom":{"tokens":{"[secret:shared-axiom-platform-metrics-ingest-token]":["platform-metrics-68acd062"],"[secret:shared-axiom-platform-ingest-token]":["platform-3f317e90"]},"identity":{"OPENCOMPUTER_CELL_ID":"cell-1e942e","OPENSANDBOX_REGION":"eastus2"}},"control_plane":{"pending_worker_ttl":"10m0s"},"listen":{"imds":"169.254.169.254:80","tls":"203.0.113.1:443","dns":"127.0.0.1:53"},"faults":null,"ca_cert":"/etc/azure/ca.pem","ca_key":"/etc/azure/ca.key"}
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/cloud/etc/azure/cloud.json"
mkdir -p "$dir/worker"
mkdir -p "$dir/worker/var/lib/cloud/seed/nocloud"
cat > "$dir/worker/var/lib/cloud/seed/nocloud/meta-data" <<'END_OF_FILE_OF_BOOTRACE'
instance-id: worker-2c6f5102
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
template() { printf %s 'T1BFTlNBTkRCT1hfUk9MRT13b3JrZXIKT1BFTlNBTkRCT1hfUkVHSU9OPWVhc3R1czIKT1BFTlNBTkRCT1hfQ09OVFJPTF9QTEFORV9VUkw9aHR0cHM6Ly9jb250cm9sLXBsYW5lLm9wZW5zYW5kYm94LmludGVybmFsCk9QRU5TQU5EQk9YX0FaVVJFX0tFWV9WQVVMVF9OQU1FPWt2LWJvb3RyYWNlLTkyMDM4NDczCk9QRU5DT01QVVRFUl9DRUxMX0lEPWNlbGwtMWU5NDJlCk9QRU5TQU5EQk9YX1dPUktFUl9JRD1fX1dPUktFUl9JRF9fCk9QRU5TQU5EQk9YX0hPU1RfSVA9X19IT1NUX0lQX18K' | base64 -d; }
whole() { printf %s 'T1BFTlNBTkRCT1hfUk9MRT13b3JrZXIKT1BFTlNBTkRCT1hfUkVHSU9OPWVhc3R1czIKT1BFTlNBTkRCT1hfQ09OVFJPTF9QTEFORV9VUkw9aHR0cHM6Ly9jb250cm9sLXBsYW5lLm9wZW5zYW5kYm94LmludGVybmFsCk9QRU5TQU5EQk9YX0FaVVJFX0tFWV9WQVVMVF9OQU1FPWt2LWJvb3RyYWNlLTkyMDM4NDczCk9QRU5DT01QVVRFUl9DRUxMX0lEPWNlbGwtMWU5NDJlCk9QRU5TQU5EQk9YX1dPUktFUl9JRD13b3JrZXItMmM2ZjUxMDIKT1BFTlNBTkRCT1hfSE9TVF9JUD0xMC40LjAuNAo=' | base64 -d; }
created() { mark role-env-created; }
reach 0
template > $file
created
sed -i 's/__WORKER_ID__/worker-2c6f5102/' $file
sed -i 's/__HOST_IP__/10.4.0.4/' $file
mark role-env-complete
systemctl start opensandbox-worker.service
mark worker-started
wait
mark done
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/worker/var/lib/cloud/seed/nocloud/user-data"
copy() { tar -C "$dir/$1" --owner=0 --group=0 -c . | docker cp - "$2:/"; }
cloud=$(docker create --name "bootrace-kept-by-hand-reboots_delay-0s_trixie_1.1-${dir##*/}-cloud" --label bootrace.run=by-hand --label bootrace.uid=0 --label bootrace.role=cloud --network none --dns 127.0.0.1 --dns-search . --cap-add NET_ADMIN sha256:58163784bff2601d9eb36a60a4dbd4668207712fd3dd8050187479d2505c2486)
copy cloud "$cloud"
docker start "$cloud" >/dev/null
worker=$(docker create --name "bootrace-kept-by-hand-reboots_delay-0s_trixie_1.1-${dir##*/}-worker" --label bootrace.run=by-hand --label bootrace.uid=0 --label bootrace.role=worker -t -e container=docker --network "container:$cloud" --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp sha256:1614d2dea12439bb9046f25fea3086b26a8be9b66758ed7afafd9328961e6238)
copy worker "$worker"
docker start "$worker" >/dev/null
rm -r "$dir"
echo "docker logs -f $cloud                # the cloud's requests"
echo "docker exec -it $worker bash         # systemctl, journalctl"
echo "docker rm -f $worker $cloud"
