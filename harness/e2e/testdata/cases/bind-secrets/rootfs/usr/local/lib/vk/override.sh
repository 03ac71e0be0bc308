keep() { t=$(mktemp /run/vk/.new.XXXXXX); printf %s "${2:-none}" > "$t"; chgrp vector "$t"; chmod 640 "$t"; mv "$t" "/run/vk/$1"; }
stub() {
  mkdir -p /run/vk; chgrp vector /run/vk; chmod 750 /run/vk
  keep url http://127.0.0.1:1
  for k in token dataset metrics_token metrics_dataset; do keep $k pending; done
  [ -e $dir/vector.env ] || printf '%s\n' OPENCOMPUTER_CELL_ID=unknown OPENSANDBOX_REGION=unknown OPENCOMPUTER_HOST_IP=unknown | put
}
real() {
  keep token "$token"; keep dataset "$dataset"; keep metrics_token "$mtoken"; keep metrics_dataset "$mdataset"
  keep url https://api.axiom.co
  printf '%s\n' "OPENCOMPUTER_CELL_ID=$cell" "OPENSANDBOX_REGION=$(val OPENSANDBOX_REGION)" OPENCOMPUTER_HOST_IP=unknown | put
}
