stub() { [ -e $dir/vector.env ] || printf '%s\n' OPENCOMPUTER_CELL_ID=unknown OPENSANDBOX_REGION=unknown OPENCOMPUTER_HOST_IP=unknown | put; }
real() {
  mkdir -p -m 700 /run/vk; t=$(mktemp /run/vk/.new.XXXXXX)
  printf '{"url":"https://api.axiom.co","token":"%s","dataset":"%s","mtoken":"%s","mdataset":"%s"}\n' "$token" "$dataset" "$mtoken" "$mdataset" > "$t"
  mv "$t" /run/vk/axiom.json
  printf '%s\n' "OPENCOMPUTER_CELL_ID=$cell" "OPENSANDBOX_REGION=$(val OPENSANDBOX_REGION)" OPENCOMPUTER_HOST_IP=unknown | put
}
