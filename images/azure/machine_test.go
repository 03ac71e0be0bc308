package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/ca"
	"bootrace/images/azure/keyvault"
	"bootrace/images/azure/uplink"
)

// patience bounds every wait: a hundred processes one after the other, or a whole
// suite, while the host is busy with others.
const patience = 3 * time.Minute

// machine is the built program in a network namespace of its own, at the real
// addresses, as a worker has it beside it.
type machine struct {
	cloud *exec.Cmd
	dir   string
	token string // the value of the secret platform-token
}

// log is what the cloud has logged so far.
func (m *machine) log() string {
	text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(text)
}

// newMachine builds and starts the program with the role that its identity has on
// the vault, and with what its configuration has beside; without root or the tools for
// namespaces the test is skipped.
func newMachine(t *testing.T, role keyvault.Role, beside map[string]any) *machine {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	for _, tool := range []string{"nsenter", "unshare", "mount", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("this test runs %s: %v", tool, err)
		}
	}
	m := &machine{dir: t.TempDir()}
	program := filepath.Join(m.dir, "azure")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	m.configure(t, role, beside)

	// The test ends the program by signal; this is for when it cannot.
	m.cloud = exec.Command(program, "serve", filepath.Join(m.dir, "cloud.json"))
	m.cloud.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(m.dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	m.cloud.Stdout, m.cloud.Stderr = log, t.Output()
	if err := m.cloud.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("no network namespace of its own here: %v", err)
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_ = m.cloud.Process.Kill() // it may have ended
		_ = m.cloud.Wait()
	})
	require.Eventually(t, func() bool { return strings.Contains(m.log(), `"op":"ready"`) }, patience, 2*time.Millisecond, "ready")
	return m
}

// configure writes what the images have: configuration, authority and hosts file.
func (m *machine) configure(t *testing.T, role keyvault.Role, beside map[string]any) {
	t.Helper()
	cert, key, err := ca.New()
	require.NoError(t, err)
	m.token = "xaat-" + uuid.NewString()
	config := map[string]any{
		"vault": "kv-test", "tenant": tenant, "role": role, "secrets": map[string]string{"platform-token": m.token},
		"axiom":   map[string]any{"tokens": map[string][]string{m.token: {"logs"}}},
		"ca_cert": filepath.Join(m.dir, "ca.pem"), "ca_key": filepath.Join(m.dir, "ca.key"),
	}
	maps.Copy(config, beside)
	text, err := json.Marshal(config)
	require.NoError(t, err)
	hosts := "127.0.0.1 localhost\n203.0.113.1 kv-test.vault.azure.net api.axiom.co control-plane.opensandbox.internal login.microsoftonline.com other.vault.azure.net\n"
	for name, content := range map[string][]byte{"cloud.json": text, "ca.pem": cert, "ca.key": key, "hosts": []byte(hosts)} {
		require.NoError(t, os.WriteFile(filepath.Join(m.dir, name), content, 0o600))
	}
}

// notAllowed is what the tools for namespaces say where there may be none.
var notAllowed = regexp.MustCompile(`(?m)^(nsenter|unshare|mount): .*([Pp]ermission denied|not permitted)`)

// run runs a command inside the machine: its network, and its names. The command
// itself knows nothing of it.
func (m *machine) run(t *testing.T, stdin io.Reader, env []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	inside := append([]string{"--net=/proc/" + strconv.Itoa(m.cloud.Process.Pid) + "/ns/net", "--", "unshare", "--mount", "--", "sh", "-c",
		`mount --bind "$0" /etc/hosts && exec "$@"`, filepath.Join(m.dir, "hosts")}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", inside...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + m.dir, "SSL_CERT_FILE=" + filepath.Join(m.dir, "ca.pem"),
		"CURL_CA_BUNDLE=" + filepath.Join(m.dir, "ca.pem")}, env...)
	cmd.Stdin = stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && notAllowed.MatchString(stderr.String()) {
		t.Skipf("no mount namespace here: %s", stderr.String())
	}
	require.NoError(t, err, "%s: %s%s", args, out, stderr.String())
	return string(out)
}

const (
	tenant   = "0a1b2c3d-0000-4000-8000-00112233aabb"
	tokenURL = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
)

func TestTheProgramServesUnmodifiedClientsAtTheRealAddresses(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keyvault.User, nil)
	idle := m.resident(t)

	var issued struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(m.run(t, nil, nil, "curl", "-sSf", "-H", "Metadata: true", tokenURL)), &issued))
	secret := m.run(t, strings.NewReader("header = \"Authorization: Bearer "+issued.Token+"\"\n"), nil,
		"curl", "-sSf", "-K", "-", "https://kv-test.vault.azure.net/secrets/platform-token?api-version=7.4")
	assert.Contains(t, secret, `"value":"`+m.token+`"`)

	challenge := m.run(t, nil, nil, "curl", "-sS", "-i", "https://kv-test.vault.azure.net/secrets/platform-token?api-version=7.4")
	assert.Contains(t, strings.ToLower(challenge), `www-authenticate: bearer authorization="https://login.microsoftonline.com/`)
	assert.Contains(t, m.run(t, nil, nil, "curl", "-sS", "-H", "Content-Type: application/json", "-d", `{"worker_id":"w-1"}`,
		"https://control-plane.opensandbox.internal/v1/workers/register"), `"pending_worker_ttl_s":600`)
	assert.Equal(t, "35", m.run(t, nil, nil, "sh", "-c", "curl -sS https://other.vault.azure.net/ 2>/dev/null; printf %d $?"),
		"curl(1): 35 is an error in the TLS handshake")

	// azidentity and azsecrets with no option at all, in a process of their own.
	assert.Contains(t, m.run(t, nil, []string{insideMarker + "=1"}, os.Args[0], "-test.run=^TestInsideAMachine$", "-test.v", "-test.count=1"),
		"--- PASS: TestInsideAMachine")

	batch := strings.NewReader("{\"source\":\"boot-logger\",\"seq\":1}\n")
	ingest := "header = \"Authorization: Bearer " + m.token + "\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, "curlrc"), []byte(ingest), 0o600))
	many := m.run(t, batch, nil, "sh", "-c", `cat >"$HOME/batch"; for i in $(seq 100); do
		curl -sSf -K "$HOME/curlrc" -H 'Content-Type: application/x-ndjson' --data-binary @"$HOME/batch" https://api.axiom.co/v1/datasets/logs/ingest; done`)
	assert.Equal(t, 100, strings.Count(many, `"ingested":1,`))
	busy := m.resident(t)
	t.Logf("resident: %.1f MB when ready, %.1f MB after 100 batches on as many connections", idle, busy)
	// 14 MB is the aim; what a page of the program costs differs between kernels.
	assert.Less(t, busy, 20.0)

	require.NoError(t, m.cloud.Process.Signal(syscall.SIGTERM))
	require.NoError(t, m.cloud.Wait(), "exits 0")
	assert.NotContains(t, m.log(), m.token)
	assert.NotContains(t, m.log(), issued.Token[:46])
	assert.Regexp(t, `"host":"other.vault.azure.net".*"error":"unrecognized_name"`, m.log())
	scanner := bufio.NewScanner(strings.NewReader(m.log()))
	for scanner.Scan() {
		assert.True(t, json.Valid(scanner.Bytes()), scanner.Text())
	}
}

func TestAMachineHasAnAddressAndADefaultRouteThatLeadNowhere(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keyvault.User, nil)
	assert.Contains(t, m.run(t, nil, []string{insideMarker + "=1"}, os.Args[0], "-test.run=^TestTheNetworkInsideAMachine$", "-test.v", "-test.count=1"),
		"--- PASS: TestTheNetworkInsideAMachine")
}

// TestTheNetworkInsideAMachine is the other test's part in the machine.
func TestTheNetworkInsideAMachine(t *testing.T) {
	if os.Getenv(insideMarker) == "" {
		t.Skip("runs inside a machine")
	}
	own := uplink.Address.Addr().String()
	// As programs ask for the address by which their machine is known.
	for _, to := range []string{"8.8.8.8:53", "1.1.1.1:80", "192.0.2.1:9"} {
		conn, err := net.Dial("udp4", to)
		require.NoError(t, err)
		host, _, err := net.SplitHostPort(conn.LocalAddr().String())
		require.NoError(t, err)
		assert.Equal(t, own, host, to)
		require.NoError(t, conn.Close())
	}
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(addresses), uplink.Address.String())

	// A connection that leads out fails, and does not hang.
	for _, to := range []string{"8.8.8.8:53", "203.0.113.9:80", "10.4.0.9:443", "169.254.169.253:80"} {
		_, err := net.DialTimeout("tcp4", to, patience)
		require.ErrorIs(t, err, syscall.ENETUNREACH, to)
	}
	// One within the machine goes as before, over the new address as well.
	l, err := net.Listen("tcp4", net.JoinHostPort(own, "0"))
	require.NoError(t, err)
	defer l.Close()
	for _, to := range []string{l.Addr().String(), "169.254.169.254:80", "203.0.113.1:443"} {
		conn, err := net.DialTimeout("tcp4", to, patience)
		require.NoError(t, err, to)
		require.NoError(t, conn.Close())
	}
}

func TestANetworkThatComesLateIsAllThereAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keyvault.User, map[string]any{"network": map[string]string{"after": "6s"}})
	inside := func(test string) {
		assert.Contains(t, m.run(t, nil, []string{insideMarker + "=1"}, os.Args[0], "-test.run=^"+test+"$", "-test.v", "-test.count=1"), "--- PASS: "+test)
	}
	inside("TestNoNetworkInsideAMachine")
	require.NotContains(t, m.log(), `"op":"network"`, "it came before it was looked at")
	require.Eventually(t, func() bool { return strings.Contains(m.log(), `"op":"network"`) }, patience, 2*time.Millisecond)
	inside("TestTheNetworkInsideAMachine")
	m.run(t, nil, nil, "curl", "-sSf", "-H", "Metadata: true", tokenURL)
	require.NoError(t, m.cloud.Process.Signal(syscall.SIGTERM))
	require.NoError(t, m.cloud.Wait(), "exits 0")
}

// TestNoNetworkInsideAMachine is the other test's part in the machine: what a program
// meets that asks too early.
func TestNoNetworkInsideAMachine(t *testing.T) {
	if os.Getenv(insideMarker) == "" {
		t.Skip("runs inside a machine")
	}
	for network, to := range map[string]string{"tcp4": "169.254.169.254:80", "tcp": "203.0.113.1:443", "udp4": "8.8.8.8:53"} {
		_, err := net.DialTimeout(network, to, patience)
		require.ErrorIs(t, err, syscall.ENETUNREACH, to)
	}
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addresses {
		assert.True(t, a.(*net.IPNet).IP.IsLoopback(), a)
	}
	eth0, err := net.InterfaceByName("eth0")
	require.NoError(t, err, "the card is there")
	assert.Zero(t, eth0.Flags&net.FlagUp)
}

const insideMarker = "BOOTRACE_TEST_INSIDE"

// TestInsideAMachine is the other test's client: it runs in the machine.
func TestInsideAMachine(t *testing.T) {
	if os.Getenv(insideMarker) == "" {
		t.Skip("runs inside a machine")
	}
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	require.NoError(t, err)
	client, err := azsecrets.NewClient("https://kv-test.vault.azure.net", credential, nil)
	require.NoError(t, err)
	got, err := client.GetSecret(t.Context(), "platform-token", "", nil)
	require.NoError(t, err)
	assert.Regexp(t, `^xaat-`, *got.Value)
}

func TestWrongUseIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, err := ca.New()
	require.NoError(t, err)
	for name, content := range map[string][]byte{"ca.pem": cert, "ca.key": key} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	withCA := func(ca, imds string) string {
		return fmt.Sprintf(`{"vault":"kv-a","tenant":%q,"ca_cert":%q,"ca_key":%q,"listen":{"imds":%q,"tls":"127.0.0.1:0"}}`,
			tenant, filepath.Join(dir, ca), filepath.Join(dir, "ca.key"), imds)
	}
	tests := map[string]struct {
		args []string
		code int
		want string
	}{
		"no verb":                     {nil, 2, "usage"},
		"no configuration":            {[]string{"serve"}, 2, "usage"},
		"another verb":                {[]string{"secrets", "list"}, 2, "usage"},
		"a missing configuration":     {[]string{"serve", filepath.Join(dir, "none.json")}, 1, "no such file"},
		"a missing authority":         {[]string{"serve", write(t, withCA("none.pem", "127.0.0.1:0"))}, 1, "azure ca DIR"},
		"a key that is not its":       {[]string{"serve", write(t, withCA("ca.key", "127.0.0.1:0"))}, 1, "read the authority"},
		"an address of somebody else": {[]string{"serve", write(t, withCA("ca.pem", "192.0.2.7:80"))}, 1, "not an address of this machine"},
		"an authority where one is":   {[]string{"ca", dir}, 1, "ca.key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.code, run(t.Context(), tt.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), tt.want)
			assert.Empty(t, stdout.String())
		})
	}
}

// resident returns the program's resident memory in MB, proc_pid_status(5).
func (m *machine) resident(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.cloud.Process.Pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(t, found)
	kb, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return float64(kb) / 1000
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloud.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
