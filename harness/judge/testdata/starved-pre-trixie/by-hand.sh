#!/bin/sh
# Boots pre@trixie#1.1 as bootrace does, by the engine's own commands. Secrets are replaced by their names.
set -eu
dir=$(mktemp -d)
mkdir -p "$dir/cloud/etc/azure"
cat > "$dir/cloud/etc/azure/cloud.json" <<'END_OF_FILE_OF_BOOTRACE'
{"axiom":{"tokens":{"[secret:shared-axiom-platform-ingest-token]":["platform-0d31d7ed"],"[secret:shared-axiom-platform-metrics-ingest-token]":["platform-metrics-eedb4a53"]}},"ca_cert":"/etc/azure/ca.pem","ca_key":"/etc/azure/ca.key","control_plane":{"pending_worker_ttl":"10m0s"},"faults":null,"listen":{"dns":"127.0.0.1:53","imds":"169.254.169.254:80","tls":"127.0.0.1:443"},"secrets":{"shared-axiom-platform-dataset":"platform-0d31d7ed","shared-axiom-platform-ingest-token":"[secret:shared-axiom-platform-ingest-token]","shared-axiom-platform-metrics-dataset":"platform-metrics-eedb4a53","shared-axiom-platform-metrics-ingest-token":"[secret:shared-axiom-platform-metrics-ingest-token]","shared-cell-id":"cell-d85f88"},"tenant":"f80455ee-2b3a-45cc-b084-bef3574ee9d2","vault":"kv-bootrace-247de672"}
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/cloud/etc/azure/cloud.json"
mkdir -p "$dir/worker"
mkdir -p "$dir/worker/var/lib/cloud/seed/nocloud"
cat > "$dir/worker/var/lib/cloud/seed/nocloud/meta-data" <<'END_OF_FILE_OF_BOOTRACE'
instance-id: worker-e7e71a01
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
systemctl start opensandbox-worker.service
mark worker-started
wait
mark done
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/worker/var/lib/cloud/seed/nocloud/user-data"
mkdir -p "$dir/worker/etc/opensandbox"
cat > "$dir/worker/etc/opensandbox/worker.env" <<'END_OF_FILE_OF_BOOTRACE'
OPENSANDBOX_ROLE=worker
OPENSANDBOX_REGION=eastus2
OPENSANDBOX_CONTROL_PLANE_URL=https://control-plane.opensandbox.internal
OPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-bootrace-247de672
OPENCOMPUTER_CELL_ID=cell-d85f88
OPENSANDBOX_WORKER_ID=worker-e7e71a01
OPENSANDBOX_HOST_IP=127.0.0.1
END_OF_FILE_OF_BOOTRACE
chmod 0600 "$dir/worker/etc/opensandbox/worker.env"
copy() { tar -C "$dir/$1" --owner=0 --group=0 -c . | docker cp - "$2:/"; }
cloud=$(docker create --name "bootrace-kept-by-hand-pre_trixie_1.1-${dir##*/}-cloud" --label bootrace.run=by-hand --label bootrace.role=cloud --network none --dns 127.0.0.1 --dns-search . --cap-add NET_ADMIN sha256:a697ba90495309d70a075976b5b6de7dacf0c2c15e224fa61564e1debcd5d92f)
copy cloud "$cloud"
docker start "$cloud" >/dev/null
worker=$(docker create --name "bootrace-kept-by-hand-pre_trixie_1.1-${dir##*/}-worker" --label bootrace.run=by-hand --label bootrace.role=worker -t -e container=docker --network "container:$cloud" --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
  --security-opt apparmor=unconfined --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp sha256:ad87a61a45bb2bb146c397066d698fe8fdfc5a6d91ec547851dd60a16756d8ce)
copy worker "$worker"
docker start "$worker" >/dev/null
rm -r "$dir"
echo "docker logs -f $cloud                # the cloud's requests"
echo "docker exec -it $worker bash         # systemctl, journalctl"
echo "docker rm -f $worker $cloud"
