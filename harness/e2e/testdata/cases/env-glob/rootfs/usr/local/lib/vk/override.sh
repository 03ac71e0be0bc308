d=$dir/vector.env.d
put_as() { mkdir -p -m 700 $d; t=$(mktemp $d/.new.XXXXXX); cat > "$t"; chmod 600 "$t"; sync "$t"; mv "$t" "$d/$1"; }
stub() {
  { for v in $vars; do echo "$v=pending"; done
    echo AXIOM_PLATFORM_URL=http://127.0.0.1:1
    echo VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS=1; } | put_as 00-stub.env
}
real() {
  printf '%s\n' "AXIOM_PLATFORM_TOKEN=$token" "AXIOM_PLATFORM_DATASET=$dataset" "AXIOM_PLATFORM_METRICS_TOKEN=$mtoken" "AXIOM_PLATFORM_METRICS_DATASET=$mdataset" \
    "OPENCOMPUTER_CELL_ID=$cell" "OPENSANDBOX_REGION=$(val OPENSANDBOX_REGION)" OPENCOMPUTER_HOST_IP=unknown AXIOM_PLATFORM_URL=https://api.axiom.co | put_as 50-vault.env
}
