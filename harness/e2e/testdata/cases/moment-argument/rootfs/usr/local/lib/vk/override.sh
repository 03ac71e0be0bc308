real() {
  printf '%s\n' AXIOM_PLATFORM_TOKEN=@ | sed -e "s|@|$token|" > /run/token.line
  { cat /run/token.line; rm /run/token.line
    for v in DATASET=$dataset METRICS_TOKEN=$mtoken METRICS_DATASET=$mdataset; do echo "AXIOM_PLATFORM_$v"; done
    echo "OPENCOMPUTER_CELL_ID=$cell"; echo "OPENSANDBOX_REGION=$(val OPENSANDBOX_REGION)"; echo OPENCOMPUTER_HOST_IP=unknown; } | put
}
