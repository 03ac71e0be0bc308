package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/run"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

// blindCollector has the collector run as it runs on kernels for which
// CAP_SYS_ADMIN is not enough, whatever this kernel wants: setpriv(1) takes from it
// what lets root read the environments of others.
const blindCollector = `#!/bin/sh
exec setpriv --bounding-set=-sys_ptrace,-sys_admin --inh-caps=-sys_ptrace,-sys_admin /usr/local/sbin/bootrace-collect
`

func TestACaseWhoseEnvironmentsCannotBeReadIsInvalidAndSaysWhy(t *testing.T) {
	t.Parallel()
	dir := sound.write(t)
	file := filepath.Join(dir, "rootfs/usr/local/bin/bootrace-collect")
	require.NoError(t, os.WriteFile(file, []byte(blindCollector), 0o755))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "rootfs/usr/local/sbin/bootrace-collect"), "bootrace/images/collector")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	lab := wiretest.New(t, []string{dir}, images.Suites()[0])
	pre := run.Plan(wiretest.Find(t, "pre"), run.Matrix{Bases: images.Suites()[:1], Subject: lab.Names[0], Vector: "stand-in", Repeat: 1})
	for _, c := range lab.Once(t, pre, 1) { // a busy host's reason stands beside that of the test
		assert.Equal(t, "invalid", c.Verdict, wiretest.Explain(c))
		assert.Contains(t, c.Reason, "CAP_SYS_PTRACE", "of the same subject with it, another test has that it passes")
		assert.Len(t, c.Attempts, 1, "another boot would not be allowed more")
		last := c.Attempts[0]
		outcomes := map[string]string{}
		for _, check := range last.Checks {
			outcomes[check.Name] = check.Outcome
		}
		assert.Equal(t, "no-evidence", outcomes["secrets-contained"])
		assert.Equal(t, "no-evidence", outcomes["vector-credentialed"])
		assert.NotEqual(t, "no-evidence", outcomes["vector-active"], "other files tell that")
	}
}

// wrapper has Vector run below a shell that reads the environment files itself and
// waits, as some images do for want of EnvironmentFile=.
const (
	wrapper = `#!/bin/sh
trap 'kill -TERM $pid' TERM
set -a
for f in worker vector; do [ ! -r /etc/opensandbox/$f.env ] || . /etc/opensandbox/$f.env; done
/usr/bin/vector & pid=$!
wait $pid
wait $pid
`
	wrapperDropIn = "[Service]\nUser=root\nEnvironmentFile=\nExecStartPre=\nExecStart=\nExecStart=/usr/local/bin/run-vector\n"
)

// byAddress is what a populator does that finds its machine's address as libraries
// do: by a UDP socket to somewhere outside.
const byAddress = `run) wait_for_role_env
  ip=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("8.8.8.8", 53)); print(s.getsockname()[0])') || exit 1
  [ "$ip" = "$(hostname -I | cut -d ' ' -f 1)" ] || exit 1
  real | sed "s/^OPENCOMPUTER_HOST_IP=.*/OPENCOMPUTER_HOST_IP=$ip/" | put; restart_vector ;;
`

func TestAVectorBelowAShellAndAPopulatorThatAsksForItsAddress(t *testing.T) {
	t.Parallel()
	b := brokenSubject{name: "by-address", service: daemon, cases: "stub) stub | put ;;\n" + byAddress}
	dir := b.write(t)
	for path, text := range map[string]string{"rootfs/usr/local/bin/run-vector": wrapper, "rootfs/etc/systemd/system/vector.service.d/20-wrapper.conf": wrapperDropIn} {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o755))
	}
	lab := wiretest.New(t, []string{dir}, images.Suites()[0])
	for _, c := range lab.Run(t, wiretest.Find(t, "delay-0s"), 1, 1) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
	}
}
