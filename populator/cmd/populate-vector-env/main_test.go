package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
)

// machine is what the program needs of one, in namespaces of its own: the paths
// it writes to are fixed, so they must not be the host's. $0 is a directory with
// the programs and what a machine's image has.
const machine = `set -e
mount -t tmpfs tmpfs /etc
mount -t tmpfs tmpfs /run
mkdir -p /etc/opensandbox /etc/ssl/certs
cp "$0/hosts" /etc/hosts
cp "$0/ca.pem" /etc/ssl/certs/ca-certificates.crt
cp "$0/worker.env" /etc/opensandbox/worker.env
"$0/azure" serve "$0/cloud.json" >"$0/cloud.log" 2>&1 &
until grep -q '"op":"ready"' "$0/cloud.log"; do sleep 0.01; done
exec "$0/populate-vector-env"
`

// notAllowed is what the tools for namespaces say where there may be none.
var notAllowed = regexp.MustCompile(`(?m)^(unshare|mount): .*([Pp]ermission denied|not permitted)`)

const (
	largestProgram  = 16 << 20
	largestResident = 25 << 20
)

func TestTheProgramIsSmallOnDiskAndAtWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	dir := build(t)
	info, err := os.Stat(filepath.Join(dir, "populate-vector-env"))
	require.NoError(t, err)
	t.Logf("program: %.1f MB", float64(info.Size())/(1<<20))
	assert.Less(t, info.Size(), int64(largestProgram))

	if os.Geteuid() != 0 {
		t.Skip("namespaces need root")
	}
	// A short path: sun_path has 108 bytes, unix(7).
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	require.NoError(t, err)
	defer notify.Close()
	cmd := exec.Command("unshare", "--mount", "--net", "sh", "-c", machine, dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=" + filepath.Join(dir, "notify")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // the cloud is in its group

	said := make(chan string, 1)
	go func() {
		buffer := make([]byte, 4096)
		n, _ := notify.Read(buffer)
		said <- string(buffer[:n])
	}()
	select {
	case text := <-said:
		require.True(t, strings.HasPrefix(text, "READY=1\n"), text)
	case err := <-ended:
		if notAllowed.MatchString(stderr.String()) {
			t.Skipf("no namespaces here: %s", &stderr)
		}
		require.Fail(t, "it has ended", "%v: %s", err, &stderr)
	case <-time.After(20 * time.Second):
		require.Fail(t, "it is not ready", "after 20 s: %s", &stderr)
	}
	// It has spoken TLS and JSON and written the file; that there is no D-Bus to
	// restart Vector over keeps it from ending.
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/root/etc/opensandbox/vector.env", cmd.Process.Pid))
		return err == nil && bytes.Contains(text, []byte("value of shared-axiom-platform-ingest-token"))
	}, 10*time.Second, 10*time.Millisecond, "vector.env has the vault's values")
	most := resident(t, cmd.Process.Pid)
	t.Logf("resident at most: %.1f MB", float64(most)/(1<<20))
	assert.Less(t, most, largestResident)

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-ended:
		require.NoError(t, err, "exits 0 when it is told to stop")
	case <-time.After(10 * time.Second):
		require.Fail(t, "it has not ended", "10 s after SIGTERM")
	}
}

// build makes what the machine needs in a directory.
func build(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "populate-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name, pkg := range map[string]string{"populate-vector-env": ".", "azure": "bootrace/images/azure"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, string(text))
	}
	cert, key, err := ca.New()
	require.NoError(t, err)
	secrets := map[string]string{}
	for _, name := range []string{"shared-axiom-platform-ingest-token", "shared-axiom-platform-dataset", "shared-cell-id"} {
		secrets[name] = "value of " + name
	}
	cloud, err := json.Marshal(map[string]any{
		"vault": "kv-prod", "tenant": "0a1b2c3d-0000-4000-8000-00112233aabb", "secrets": secrets,
		"ca_cert": filepath.Join(dir, "ca.pem"), "ca_key": filepath.Join(dir, "ca.key"),
	})
	require.NoError(t, err)
	for name, content := range map[string]string{
		"cloud.json": string(cloud), "ca.pem": string(cert), "ca.key": string(key),
		"hosts":      "127.0.0.1 localhost\n203.0.113.1 kv-prod.vault.azure.net\n",
		"worker.env": "OPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-prod\nOPENSANDBOX_REGION=westeurope\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

// resident is the most memory a process has had, VmHWM of proc_pid_status(5).
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(t, found)
	kib, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kib << 10
}
