# Sourced by every design's populate-vector-env: how credentials are fetched and written.
set -euo pipefail
umask 077
etc=/etc/opensandbox
stub_variables=(AXIOM_PLATFORM_TOKEN AXIOM_PLATFORM_DATASET AXIOM_PLATFORM_METRICS_TOKEN AXIOM_PLATFORM_METRICS_DATASET
  OPENCOMPUTER_CELL_ID OPENCOMPUTER_HOST_IP)

# role_env prints the role env file that is there; the worker's first.
role_env() {
  local role
  for role in worker server; do
    if [[ -e $etc/$role.env ]]; then
      echo "$etc/$role.env"
      return
    fi
  done
  return 1
}

# value NAME FILE prints what the file gives a variable.
value() { sed -n "s/^$1=//p" "$2" | tail -n 1; }

# write_env takes vector.env from stdin, and puts it in place whole.
write_env() {
  local new
  new=$(mktemp "$etc/.vector.env.XXXXXX")
  cat >"$new"
  sync "$new"
  mv "$new" "$etc/vector.env"
}

# kept_stub loses nothing: nobody answers at its URL, so Vector keeps what it reads.
kept_stub() {
  { printf '%s=pending\n' "${stub_variables[@]}"
    echo AXIOM_PLATFORM_URL=http://127.0.0.1:1
    echo VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS=1
  } | write_env
}

bearer() {
  curl -fsS --max-time 10 -H Metadata:true \
    'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net' |
    jq -er .access_token
}

# secret VAULT TOKEN NAME; the token is not in the arguments of a process.
secret() {
  printf 'Authorization: Bearer %s' "$2" |
    curl -fsS --max-time 10 -H @- "https://$1.vault.azure.net/secrets/$3?api-version=2025-07-01" | jq -er .value
}

# real FILE writes the vault's values into vector.env.
real() {
  local vault token axiom dataset metrics metrics_dataset cell address
  vault=$(value OPENSANDBOX_AZURE_KEY_VAULT_NAME "$1")
  if [[ -z $vault ]]; then
    echo "no vault in $1"
    return
  fi
  token=$(bearer)
  axiom=$(secret "$vault" "$token" shared-axiom-platform-ingest-token)
  dataset=$(secret "$vault" "$token" shared-axiom-platform-dataset)
  metrics=$(secret "$vault" "$token" shared-axiom-platform-metrics-ingest-token)
  metrics_dataset=$(secret "$vault" "$token" shared-axiom-platform-metrics-dataset)
  cell=$(secret "$vault" "$token" shared-cell-id)
  address=$(ip -4 route get 1.1.1.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p') || true
  write_env <<END
AXIOM_PLATFORM_TOKEN=$axiom
AXIOM_PLATFORM_DATASET=$dataset
AXIOM_PLATFORM_METRICS_TOKEN=$metrics
AXIOM_PLATFORM_METRICS_DATASET=$metrics_dataset
OPENCOMPUTER_CELL_ID=$cell
OPENCOMPUTER_HOST_IP=${address:-unknown}
END
  echo "vector.env has the values of $vault"
}

restart_vector() {
  systemctl reset-failed vector.service
  systemctl restart vector.service
}

# with_waiter STUB [wait]: without a role env write the stub and have another unit wait
# for one; that unit runs the populator again, and Vector on what it then wrote.
with_waiter() {
  local stub=$1 role
  if [[ ${2-} == wait ]]; then
    for ((tries = 0; tries < 360; tries++)); do
      if role_env >/dev/null; then
        "$0"
        restart_vector
        return
      fi
      sleep 5
    done
    echo 'no role env within 30 min'
    return
  fi
  if ! role=$(role_env); then
    "$stub"
    systemctl start --no-block populate-vector-env-wait.service
    return
  fi
  real "$role"
}
