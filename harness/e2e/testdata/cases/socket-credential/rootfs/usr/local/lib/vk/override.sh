q() { printf "%s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")"; }
real() {
  { q AXIOM_PLATFORM_TOKEN "$token"; q AXIOM_PLATFORM_DATASET "$dataset"
    q AXIOM_PLATFORM_METRICS_TOKEN "$mtoken"; q AXIOM_PLATFORM_METRICS_DATASET "$mdataset"
    q OPENCOMPUTER_CELL_ID "$cell"; q OPENSANDBOX_REGION "$(val OPENSANDBOX_REGION)"; q OPENCOMPUTER_HOST_IP unknown
  } > /run/vk/creds.new
  mv /run/vk/creds.new /run/vk/creds.env
}
