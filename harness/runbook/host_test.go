package runbook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

// host is a directory that plays a host's root, with the programs that would reach
// beyond it replaced.
type host struct {
	t         *testing.T
	dir, root string
	script    string
	said      strings.Builder // all that was printed
	env       []string
}

const name = "dev-7"

// Values that must not be printed. They are made up, and look like nothing.
var secrets = map[string]string{"in-role-env": "kieselgurdose-41", "in-vector-env": "quarkspeisenwolke-17"}

var original = map[string]string{
	"worker.env": "OPENSANDBOX_ROLE=worker\nOPENSANDBOX_AZURE_KEY_VAULT_NAME=kv-dev\nOPENSANDBOX_WORKER_ID=w-1\nOPENSANDBOX_HOST_IP=10.0.0.9\nOPENSANDBOX_PASSWORD=" + secrets["in-role-env"] + "\n",
	"vector.env": "AXIOM_PLATFORM_TOKEN=" + secrets["in-vector-env"] + "\n",
}

// programs stand before the real ones on PATH. The clock's zero is of the test, which
// boots the host by moving it; multi-user.target was reached long ago.
var programs = map[string]string{
	"uname":      `echo ` + name,
	"curl":       `[ -e "$FAKE/imds" ] && cat "$FAKE/imds"`,
	"sleep":      `:`,
	"logger":     `cat >> "$FAKE/journal"; echo >> "$FAKE/journal"`,
	"flock":      `exec /usr/bin/flock "$@"`,
	"stat":       `case "$*" in -f*) echo ext2/ext3 ;; *) exec /usr/bin/stat "$@" ;; esac`,
	"sync":       mutates + `:`,
	"cp":         mutates + `exec /bin/cp "$@"`,
	"mv":         mutates + `exec /bin/mv "$@"`,
	"rm":         mutates + `exec /bin/rm "$@"`,
	"rmdir":      mutates + `exec /bin/rmdir "$@"`,
	"mkdir":      mutates + `exec /bin/mkdir "$@"`,
	"chmod":      mutates + `exec /bin/chmod "$@"`,
	"ln":         mutates + `exec /bin/ln "$@"`,
	"journalctl": `case "$*" in *--sync*) ;; *) echo "$*" >> "$FAKE/asked"; cat "$FAKE/journal" ;; esac`,
	"systemctl": `case "$*" in
*UserspaceTimestampMonotonic*) cat "$FAKE/zero" ;;
*ActiveState*) echo active ;;
*ActiveEnterTimestampMonotonic*) echo -900000000000 ;;
*InactiveExitTimestampMonotonic*) echo 0 ;;
cat*) exit 1 ;;
*) echo "$*" >> "$FAKE/systemctl" ;;
esac`,
}

// mutates counts the commands that change something; at the one that the test named,
// the power goes: all of the script is killed, that command not done.
const mutates = `if [ -n "${CRASH_AT-}" ]; then
  printf x >> "$FAKE/count"
  if [ "$(/usr/bin/stat -c %s "$FAKE/count")" = "$CRASH_AT" ]; then : > "$FAKE/crashed"; kill -9 0; fi
fi
`

func newHost(t *testing.T, b Book) *host {
	t.Helper()
	script, err := b.Script()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "runbook")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &host{t: t, dir: dir, root: filepath.Join(dir, "root"), script: filepath.Join(dir, "runbook.sh")}
	for _, d := range []string{"root/etc/opensandbox", "root/etc/systemd/system/multi-user.target.wants", "root/var/lib", "root/var/tmp", "bin"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	h.file("runbook.sh", script, 0o644)
	h.file("zero", "1000\n", 0o644)
	h.file("journal", "", 0o644)
	for program, text := range programs {
		h.file("bin/"+program, "#!/bin/sh\n"+text+"\n", 0o755)
	}
	h.file("root/etc/opensandbox/worker.env", original["worker.env"], 0o640)
	h.file("root/etc/opensandbox/vector.env", original["vector.env"], 0o600)
	return h
}

func (h *host) file(name, text string, mode fs.FileMode) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	require.NoError(h.t, os.WriteFile(file, []byte(text), mode))
	require.NoError(h.t, os.Chmod(file, mode))
}

// run runs the script and returns its exit code (-1: killed) and what it said.
func (h *host) run(args ...string) (int, string) {
	return h.sh("bash", append([]string{h.script}, args...)...)
}

func (h *host) sh(program string, args ...string) (int, string) {
	h.t.Helper()
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Env = append([]string{"PATH=" + filepath.Join(h.dir, "bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "BOOTRACE_ROOT=" + h.root, "FAKE=" + h.dir}, h.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // kill -9 0 is for it alone
	out, err := cmd.CombinedOutput()
	h.said.Write(out)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(h.t, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (h *host) start() (int, string) { return h.run("start", "--yes-this-is-a-development-host", name) }

// must runs the script, which must come to its end.
func (h *host) must(args ...string) string {
	h.t.Helper()
	code, out := h.run(args...)
	// What was killed holds the lock until it is gone, which a busy host takes a moment for.
	for range 50 {
		if !strings.Contains(out, "another finish or undo is at work") {
			break
		}
		time.Sleep(100 * time.Millisecond)
		code, out = h.run(args...)
	}
	require.Zero(h.t, code, out)
	return out
}

func (h *host) mustStart() {
	h.t.Helper()
	code, out := h.start()
	require.Zero(h.t, code, out)
}

// boot is a reboot: the clock begins anew, and what is enabled runs.
func (h *host) boot() {
	h.t.Helper()
	h.file("zero", "2000\n", 0o644)
	if _, err := os.Stat(h.path("/etc/systemd/system/multi-user.target.wants/" + Unit)); err == nil {
		code, out := h.sh("sh", h.path(State+"/write"))
		require.Zero(h.t, code, out)
	}
}

func (h *host) path(name string) string { return filepath.Join(h.root, name) }

// looks is all of a host that must be the same again: types, modes, owners, contents,
// and times of files.
func (h *host) looks() string {
	h.t.Helper()
	var out strings.Builder
	require.NoError(h.t, filepath.WalkDir(h.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == h.path("/var/tmp") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		fmt.Fprintf(&out, "%s %s %d:%d", strings.TrimPrefix(path, h.root), info.Mode(), st.Uid, st.Gid)
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %d %q", info.ModTime().UnixNano(), data)
		}
		out.WriteByte('\n')
		return nil
	}))
	return out.String()
}

// quiet: nothing that was printed has a secret's value.
func (h *host) quiet() {
	h.t.Helper()
	assert.Empty(h.t, recording.NewRedactor(secrets).Find([]byte(h.said.String())), "what the script prints has no secret's value")
}

func (h *host) fetched() []byte {
	h.t.Helper()
	found, err := filepath.Glob(h.path("/var/tmp/*"))
	require.NoError(h.t, err)
	require.Len(h.t, found, 1)
	info, err := os.Stat(found[0])
	require.NoError(h.t, err)
	assert.Equal(h.t, fs.FileMode(0o600), info.Mode(), "a journal is not for everybody")
	data, err := os.ReadFile(found[0])
	require.NoError(h.t, err)
	return bytes.TrimSpace(data)
}
