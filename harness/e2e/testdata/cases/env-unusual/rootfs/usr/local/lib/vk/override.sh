q() { printf '  %s  =   "%s"  \n' "$1" "$(printf %s "$2" | sed 's/[\\"`$]/\\&/g')"; }
real() {
  { printf '# Vector, by vk\n; do not edit\n\n'
    q AXIOM_PLATFORM_TOKEN "$token"; q AXIOM_PLATFORM_DATASET "$dataset"
    printf '\n# metrics\n'
    q AXIOM_PLATFORM_METRICS_TOKEN "$mtoken"; q AXIOM_PLATFORM_METRICS_DATASET "$mdataset"
    printf "OPENCOMPUTER_CELL_ID = '%s'\n" "$cell"
    printf 'OPENSANDBOX_REGION\t= %s\nOPENCOMPUTER_HOST_IP=unknown\n' "$(val OPENSANDBOX_REGION)"; } | put
}
