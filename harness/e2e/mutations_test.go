package e2e

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// Where the populator, Vector and the worker are configured.
const (
	populatorUnit = "rootfs/etc/systemd/system/populate-vector-env.service"
	populatorBin  = "rootfs/usr/local/bin/populate-vector-env"
	vectorDropIn  = "rootfs/etc/systemd/system/vector.service.d/"
	workerDropIn  = "rootfs/etc/systemd/system/opensandbox-worker.service.d/"
)

// mutation is one change of the good populator's subject, as somebody might make
// it in good faith, and the check that must say no.
type mutation struct {
	name     string
	scenario string            // empty: delay-0s
	unit     []string          // replacements in the populator's unit: old, new, old, new, …
	files    map[string]string // added or replaced; "-> x" is a link to x
	check    string
}

func (m mutation) where() string {
	if m.scenario == "" {
		return "delay-0s"
	}
	return m.scenario
}

const (
	execStart = "ExecStart=/usr/local/bin/populate-vector-env\n"
	onFailure = "Restart=on-failure\nRestartSec=2\n"
	install   = "[Install]\nWantedBy=multi-user.target\n"
	noPulling = "[Unit]\nAfter=populate-vector-env.service\n[Service]\nEnvironmentFile=-/etc/opensandbox/worker.env\nEnvironmentFile=-/etc/opensandbox/vector.env\n"
	packaged  = "10-opensandbox.conf"
)

// besides is a unit beside the populator's.
func besides(name, text string) map[string]string {
	return map[string]string{"rootfs/etc/systemd/system/" + name: text + "\n" + install}
}

var mutations = []mutation{
	{name: "not-enabled", unit: []string{install, ""}, files: map[string]string{vectorDropIn + packaged: noPulling}, check: "vector-active"},
	{name: "masked", files: map[string]string{populatorUnit: "-> /dev/null"}, check: "vector-active"},
	{name: "before-removed", unit: []string{"Before=vector.service\n", "", execStart, "ExecStartPre=/bin/sleep 2\n" + execStart},
		files: map[string]string{vectorDropIn + packaged: strings.Replace(noPulling, "After", "Wants", 1)}, check: "no-unit-failed"},
	{name: "after-multi-user", unit: []string{"After=systemd", "After=multi-user.target systemd"}, check: "no-ordering-cycle"},
	{name: "after-cloud-final", unit: []string{"After=systemd", "After=cloud-final.service systemd"}, check: "no-ordering-cycle"},
	{name: "oneshot-for-notify", unit: []string{"Type=notify", "Type=oneshot", "TimeoutStartSec=30", "TimeoutStartSec=infinity"}, scenario: "delay-45s", check: "boot-unblocked"},
	{name: "ready-not-heard", unit: []string{execStart, "ExecStart=/bin/sh -c '/usr/local/bin/populate-vector-env; exit 0'\n"}, check: "boot-unblocked"},
	{name: "timeout-too-short", unit: []string{"TimeoutStartSec=30", "TimeoutStartSec=1\nExecStartPre=/bin/sleep 3"}, check: "no-unit-failed"},
	{name: "pre-waits", unit: []string{execStart, "ExecStartPre=/bin/sleep 20\n" + execStart}, check: "boot-unblocked"},
	{name: "post-restarts-vector", unit: []string{execStart, execStart + "ExecStartPost=+systemctl restart vector.service\n", "TimeoutStartSec=30", "TimeoutStartSec=infinity"}, check: "boot-unblocked"},
	{name: "program-misspelt", unit: []string{execStart, "ExecStart=/usr/local/bin/populate-vectorenv\n"}, check: "no-unit-failed"},
	{name: "program-not-executable", files: map[string]string{populatorBin: "mode 0644"}, check: "no-unit-failed"},
	{name: "directive-misspelt", unit: []string{"ExecStart=", "ExecStrat="}, check: "vector-active"},
	{name: "type-misspelt", unit: []string{"Type=notify", "Type=notfy", execStart, "ExecStartPre=/bin/sleep 8\n" + execStart}, check: "boot-unblocked"},
	{name: "user-for-root", unit: []string{"CapabilityBoundingSet=CAP_DAC_OVERRIDE", "User=vector"}, check: "no-unit-failed"},
	{name: "directory-read-only", unit: []string{"ConfigurationDirectory=opensandbox\n", "ReadOnlyPaths=/etc/opensandbox\n"}, check: "no-unit-failed"},
	{name: "no-inet", unit: []string{"AF_UNIX AF_INET AF_INET6 AF_NETLINK", "AF_UNIX"}, check: "vector-credentialed"},
	{name: "no-bus", unit: []string{"PrivateDevices=yes", "InaccessiblePaths=/run/systemd/private /run/dbus"}, check: "no-unit-failed"},
	{name: "no-certificates", unit: []string{"PrivateDevices=yes", "TemporaryFileSystem=/etc/ssl"}, check: "vector-credentialed"},
	{name: "condition-on-the-file", scenario: "delay-45s", unit: []string{"[Unit]\n", "[Unit]\nConditionPathExists=/etc/opensandbox/worker.env\n"}, check: "vector-active"},
	{name: "runtime-limited", unit: []string{onFailure, "RuntimeMaxSec=5\n"}, scenario: "delay-45s", check: "no-unit-failed"},
	{name: "watchdog-unfed", unit: []string{onFailure, onFailure + "WatchdogSec=2\n"}, scenario: "delay-45s", check: "no-unit-failed"},
	{name: "restart-removed", unit: []string{onFailure, ""}, scenario: "populator-killed", check: "vector-credentialed"},
	{name: "binds-to", scenario: "populator-killed", files: map[string]string{vectorDropIn + "20-binds.conf": "[Unit]\nBindsTo=populate-vector-env.service\n"}, check: "vector-active"},
	{name: "start-limit-removed", files: besides("helper.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\n"), check: "start-rate"},
	{name: "start-limit-met", files: besides("helper.service", "[Service]\nExecStart=/bin/false\nRestart=on-failure\n"), check: "no-start-limit"},
	{name: "file-mode", unit: []string{execStart, execStart + "ExecStartPost=/bin/sh -c '(while sleep 0.2; do chmod 0644 /etc/opensandbox/vector.env; done) &'\n"}, check: "secrets-contained"},
	{name: "token-echoed", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'while ! grep -q xaat /etc/opensandbox/vector.env; do sleep 0.2; done; cat /etc/opensandbox/vector.env'\n"), check: "secrets-contained"},
	{name: "token-copied", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'while ! grep -q xaat /etc/opensandbox/vector.env; do sleep 0.2; done; cp /etc/opensandbox/vector.env /etc/opensandbox/vector.env.bak'\n"), check: "secrets-contained"},
	{name: "stub-put-back", scenario: "secret-rotated", unit: []string{execStart, "ExecStartPre=/bin/sh -c 'echo AXIOM_PLATFORM_TOKEN=pending > /etc/opensandbox/vector.env'\n" + execStart}, check: "env-file-whole"},
	{name: "drop-in-shadowed", files: map[string]string{vectorDropIn + packaged: "[Unit]\nWants=populate-vector-env.service\nAfter=populate-vector-env.service\n"}, check: "vector-active"},
	{name: "drop-in-resets", files: map[string]string{vectorDropIn + "20-mine.conf": "[Service]\nEnvironmentFile=\nEnvironmentFile=-/etc/opensandbox/mine.env\n"}, check: "vector-active"},
	{name: "buffer-wiped", scenario: "vector-restarted-on-stub", files: map[string]string{vectorDropIn + "20-clean.conf": "[Service]\nExecStartPre=/bin/sh -c 'rm -rf /var/lib/vector/buffer'\n"}, check: "logs-delivered"},
	{name: "journal-rate-limited", files: map[string]string{"rootfs/etc/systemd/system/boot-logger.service.d/quiet.conf": "[Service]\nLogRateLimitIntervalSec=8s\nLogRateLimitBurst=2\n"}, check: "logs-delivered"},
	{name: "worker-held-back", files: map[string]string{workerDropIn + "wait.conf": "[Service]\nExecStartPre=/bin/false\n"}, check: "registered"},
	{name: "asks-without-pause", files: besides("helper.service", "[Service]\nExecStart=/bin/sh -c 'for i in $(seq 200); do curl -s -H Metadata:true \"http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%%3A%%2F%%2Fvault.azure.net\" >/dev/null; done'\n"), check: "cloud-politeness"},
	{name: "a-job-that-never-ends", files: besides("helper.service", "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n"), check: "quiescent"},
}

// write makes the mutant's directory from the good subject's.
func (m mutation) write(t *testing.T, good images.Tree) string {
	t.Helper()
	tree := maps.Clone(good)
	unit := string(tree[populatorUnit].Data)
	for pair := range slices.Chunk(m.unit, 2) {
		require.Contains(t, unit, pair[0], m.name)
		unit = strings.Replace(unit, pair[0], pair[1], 1)
	}
	tree[populatorUnit] = images.File{Mode: 0o644, Data: []byte(unit)}
	dir := filepath.Join(t.TempDir(), m.name)
	for path, text := range m.files {
		switch target, link := strings.CutPrefix(text, "-> "); {
		case link:
			tree[path] = images.File{Mode: os.ModeSymlink, Data: []byte(target)}
		case text == "mode 0644":
			tree[path] = images.File{Mode: 0o644, Data: tree[path].Data}
		default:
			tree[path] = images.File{Mode: 0o644, Data: []byte(text)}
		}
	}
	for path, f := range tree {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if f.Mode&os.ModeSymlink != 0 {
			require.NoError(t, os.Symlink(string(f.Data), file))
			continue
		}
		require.NoError(t, os.WriteFile(file, f.Data, f.Mode.Perm()))
	}
	return dir
}

// goodSubject is the populator's subject as files below rootfs.
func goodSubject(t *testing.T) images.Tree {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "populate-vector-env")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "./populator/cmd/populate-vector-env")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	tree := images.Tree{}
	require.NoError(t, tree.Disk(program, populatorBin, 0o755))
	require.NoError(t, tree.Dir(filepath.Join(root, "populator", "systemd"), filepath.Dir(populatorUnit)))
	return tree
}

// survivors boots the mutants and names those that their check did not catch.
func survivors(t *testing.T, list []mutation, atOnce int) []string {
	t.Helper()
	good := goodSubject(t)
	var dirs []string
	for _, m := range list {
		dirs = append(dirs, m.write(t, good))
	}
	lab := wiretest.New(t, dirs, images.Suites()[0])
	var plans [][]run.Case
	for _, m := range list {
		s := wiretest.Find(t, m.where())
		s[0].Expect.Verdict = "fail"
		plans = append(plans, run.Plan(s, run.Matrix{Bases: images.Suites()[:1], Subject: m.name, Vector: "stand-in"}))
	}
	var out []string
	for _, c := range lab.RunCases(t, run.Merge(plans...), atOnce) {
		i := slices.IndexFunc(list, func(m mutation) bool { return m.name == c.Subject })
		if !caught(c, list[i].check) {
			out = append(out, c.Subject)
			t.Logf("%s: %s should have failed: %s", c.Subject, list[i].check, wiretest.Explain(c))
		}
	}
	return out
}

func caught(c results.Case, check string) bool {
	return c.Verdict == "fail" && slices.Contains(museum.Failed(c), check)
}

func TestNightlyEveryMutationIsCaught(t *testing.T) {
	wiretest.Nightly(t)
	raiseInotify(t)
	assert.GreaterOrEqual(t, len(mutations), 25)
	assert.Empty(t, survivors(t, mutations, asTheCommand))
}

func TestMutationsDifferFromTheGoodSubject(t *testing.T) {
	good := goodSubject(t)
	seen := map[string]bool{}
	for _, m := range mutations {
		assert.False(t, seen[m.name], "%s is there twice", m.name)
		seen[m.name] = true
		text, err := os.ReadFile(filepath.Join(m.write(t, good), populatorUnit))
		if len(m.files) == 0 {
			require.NoError(t, err)
			assert.False(t, bytes.Equal(text, good[populatorUnit].Data), m.name)
		}
	}
}
