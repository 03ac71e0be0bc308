package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A populator in shell with curl, as an engineer would write one in an
// afternoon, and the ways of breaking it that issue after issue of production
// had. None of it knows anything of the harness.
const shellPopulator = `#!/bin/sh
# usage: populate stub | run
dir=/etc/opensandbox
stub() {
  for v in AXIOM_PLATFORM_TOKEN AXIOM_PLATFORM_DATASET AXIOM_PLATFORM_METRICS_TOKEN AXIOM_PLATFORM_METRICS_DATASET; do
    echo "$v=pending"
  done
  echo OPENCOMPUTER_CELL_ID=unknown
  echo OPENSANDBOX_REGION=unknown
  echo OPENCOMPUTER_HOST_IP=unknown
  echo AXIOM_PLATFORM_URL=http://127.0.0.1:1
  echo VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS=1
}
put() { umask 077; cat > $dir/.vector.env.new && mv $dir/.vector.env.new $dir/vector.env; }
wait_for_role_env() {
  until vault=$(sed -n 's/^OPENSANDBOX_AZURE_KEY_VAULT_NAME=//p' $dir/worker.env 2>/dev/null) && [ -n "$vault" ]; do
    sleep 0.2
  done
}
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
imds() {
  curl -sf -H Metadata:true 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net' | field access_token
}
secret() {
  printf 'Authorization: Bearer %s' "$bearer" | curl -sf -H @- "https://$vault.vault.azure.net/secrets/$1?api-version=2025-07-01" | field value
}
real() {
  bearer=$(imds)
  token=$(secret shared-axiom-platform-ingest-token)
  echo "AXIOM_PLATFORM_TOKEN=$token"
  echo "AXIOM_PLATFORM_DATASET=$(secret shared-axiom-platform-dataset)"
  echo "AXIOM_PLATFORM_METRICS_TOKEN=$(secret shared-axiom-platform-metrics-ingest-token)"
  echo "AXIOM_PLATFORM_METRICS_DATASET=$(secret shared-axiom-platform-metrics-dataset)"
  echo "OPENCOMPUTER_CELL_ID=$(secret shared-cell-id)"
  echo OPENSANDBOX_REGION=somewhere
  echo OPENCOMPUTER_HOST_IP=unknown
}
restart_vector() { systemctl reset-failed vector.service; systemctl restart vector.service; }
case $1 in
`

// brokenSubject is one way of breaking it, and the check that must see it.
type brokenSubject struct {
	name    string
	service string // the unit's [Service] section
	cases   string // the script's cases
	check   string // who must see it
}

const daemon = `Type=simple
RemainAfterExit=yes
ExecStartPre=/usr/local/bin/populate stub
ExecStart=/usr/local/bin/populate run
`

var brokenSubjects = []brokenSubject{
	{
		name: "exit-1", check: "no-unit-failed",
		service: "Type=oneshot\nRemainAfterExit=yes\nRestart=on-failure\nRestartSec=10\nExecStart=/usr/local/bin/populate run\n",
		cases:   "run) [ -e $dir/worker.env ] || exit 1; wait_for_role_env; real | put; restart_vector ;;\n",
	},
	{
		name: "poll-90s", check: "boot-unblocked",
		service: "Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/populate run\n",
		cases:   "run) for i in $(seq 18); do [ -e $dir/worker.env ] && break; sleep 5; done; stub | put ;;\n",
	},
	{
		name: "token-logged", check: "secrets-contained", service: daemon,
		cases: "stub) stub | put ;;\nrun) wait_for_role_env; real | put; echo \"fetched $(grep ^AXIOM_PLATFORM_TOKEN $dir/vector.env)\"; restart_vector ;;\n",
	},
	{
		name: "in-place", check: "env-file-whole", service: daemon,
		cases: "stub) umask 077; stub > $dir/vector.env ;;\nrun) wait_for_role_env; real > $dir/vector.env; restart_vector ;;\n",
	},
	{
		name: "stub-for-ever", check: "vector-credentialed", service: daemon,
		cases: "stub) stub | put ;;\nrun) true ;;\n",
	},
}

// sound is the same populator unbroken: what the harness must not accuse.
var sound = brokenSubject{
	name: "sound", service: daemon,
	cases: "stub) stub | put ;;\nrun) wait_for_role_env; sleep 0.3; real | put; restart_vector ;;\n",
}

// write makes the subject's directory.
func (b brokenSubject) write(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), b.name)
	unit := "[Unit]\nDescription=Shell populator, " + b.name + "\nDefaultDependencies=no\nAfter=local-fs.target dbus.socket\nBefore=vector.service\n" +
		"[Service]\n" + b.service + "[Install]\nWantedBy=multi-user.target\n"
	for path, text := range map[string]string{
		"rootfs/usr/local/bin/populate":                         shellPopulator + b.cases + "esac\n",
		"rootfs/etc/systemd/system/populate-vector-env.service": unit,
	} {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		mode := os.FileMode(0o644)
		if strings.Contains(path, "/bin/") {
			mode = 0o755
		}
		require.NoError(t, os.WriteFile(file, []byte(text), mode))
	}
	return dir
}
