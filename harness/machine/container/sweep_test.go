package container

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/images"
	"bootrace/images/postgrestest"
)

const (
	anotherUser    = 12345
	asAnotherUser  = "BOOTRACE_TEST_ANOTHER_USER" // its state directory
	anothersWorker = "BOOTRACE_TEST_WORKER"
	anothersCloud  = "BOOTRACE_TEST_CLOUD"
)

// TestARunOfAnotherUser is the other test's other user: it sweeps, boots a machine,
// and holds its lock until it is killed.
func TestARunOfAnotherUser(t *testing.T) {
	state := os.Getenv(asAnotherUser)
	if state == "" {
		t.Skip("runs as another user")
	}
	owner, err := os.Create(filepath.Join(state, "lock"))
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(owner.Fd()), syscall.LOCK_EX))
	b, err := Connect(t.Context(), owner.Name())
	require.NoError(t, err)
	n, err := b.Sweep(t.Context(), machine.NotKept)
	require.NoError(t, err)
	l := lab{backend: b, worker: os.Getenv(anothersWorker), azure: os.Getenv(anothersCloud), owner: owner}
	_, err = b.Start(t.Context(), l.spec(t, "another", "#!/bin/sh\n"))
	require.NoError(t, err)
	fmt.Printf("booted beside others, swept %d\n", n)
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(owner) // or it is closed, and the lock free
}

func TestARunBesideAnotherUsersLivingOne(t *testing.T) {
	l := newLab(t)
	if os.Getuid() != 0 {
		t.Skip("to be another user takes root")
	}
	// Root's lock in a directory that the other may not enter, and the other way round.
	require.NoError(t, os.Chmod(filepath.Dir(l.owner.Name()), 0o700))
	m, err := l.backend.Start(t.Context(), l.spec(t, "root", "#!/bin/sh\n"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Remove(context.Background()) })

	shared, err := os.MkdirTemp("", "bootrace-another-user-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(shared) })
	require.NoError(t, os.Chmod(shared, 0o755))
	program := filepath.Join(shared, "test")
	text, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, text, 0o755))
	state := filepath.Join(shared, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	require.NoError(t, os.Chown(state, anotherUser, anotherUser))

	other := exec.Command(program, "-test.run=^TestARunOfAnotherUser$", "-test.v", "-test.count=1")
	other.Dir = state
	other.Env = append(os.Environ(), "HOME="+state, "TMPDIR="+state, asAnotherUser+"="+state, anothersWorker+"="+l.worker, anothersCloud+"="+l.azure)
	other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: anotherUser, Gid: socketGroup(t, l.backend.Engine())}}
	stdin, err := other.StdinPipe()
	require.NoError(t, err)
	stdout, err := other.StdoutPipe()
	require.NoError(t, err)
	other.Stderr = other.Stdout
	require.NoError(t, other.Start())
	label := images.LabelOwner + "=" + filepath.Join(state, "lock")
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = other.Process.Kill()
		_ = other.Wait()
		_, _ = l.backend.Sweep(context.Background(), ofOwner(l.backend, filepath.Join(state, "lock")))
	})
	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if strings.HasPrefix(lines.Text(), "booted beside others") {
			break
		}
	}
	require.Contains(t, said.String(), "booted beside others")
	count := func(label string) int {
		list, err := l.backend.Engine().ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", label)})
		require.NoError(t, err)
		return len(list.Items)
	}
	mine := images.LabelOwner + "=" + l.owner.Name()
	assert.Equal(t, 2, count(mine), "the other user may not look at root's lock, and has removed nothing of a run that lives")
	// Each of them of the other's containers alone: this engine has more users.
	theirs := ofOwner(l.backend, filepath.Join(state, "lock"))
	swept := func(wanted func(machine.Leftover) bool) int {
		n, err := l.backend.Sweep(t.Context(), func(l machine.Leftover) bool { return wanted(l) && theirs(l) })
		require.NoError(t, err)
		return n
	}
	for name, wanted := range map[string]func(machine.Leftover) bool{"the next run": machine.NotKept, "clean": machine.OfRun(""), "clean --others": machine.OfAnyonesRun("")} {
		assert.Zero(t, swept(wanted), "%s removes nothing of another user's run that lives", name)
	}
	assert.Equal(t, 2, count(label))

	require.NoError(t, other.Process.Kill())
	_ = other.Wait()
	assert.Zero(t, swept(machine.NotKept), "what another user left behind is the other's to remove")
	assert.Zero(t, swept(machine.OfRun("")))
	assert.Equal(t, 2, swept(machine.OfAnyonesRun("")), "clean --others, as root, which sees that the lock is free")
	assert.Zero(t, count(label))
	assert.Equal(t, 2, count(mine))
	require.NoError(t, m.Remove(t.Context()))
}

// ofOwner is what has that lock file.
func ofOwner(b *Backend, owner string) func(machine.Leftover) bool {
	return func(l machine.Leftover) bool {
		info, err := b.Engine().ContainerInspect(context.Background(), l.ID, client.ContainerInspectOptions{})
		return err == nil && info.Container.Config.Labels[images.LabelOwner] == owner
	}
}

// socketGroup is the group that may talk to the engine.
func socketGroup(t *testing.T, engine *client.Client) uint32 {
	t.Helper()
	socket, ok := strings.CutPrefix(engine.DaemonHost(), "unix://")
	if !ok {
		t.Skip("the engine has no socket here")
	}
	info, err := os.Stat(socket)
	require.NoError(t, err)
	if info.Mode().Perm()&0o060 != 0o060 {
		t.Skipf("only its owner may use %s", socket)
	}
	return info.Sys().(*syscall.Stat_t).Gid
}

// The kernel lets go of the lock of a test that dies.
func TestASweepTakesTheServerOfADeadTest(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t)
	b, err := Connect(t.Context(), "")
	require.NoError(t, err)
	for _, tt := range []struct {
		removed int
		why     string
	}{{0, "the test lives"}, {1, "nobody holds its lock"}} {
		n, err := b.Sweep(t.Context(), machine.OfRun(s.Run))
		require.NoError(t, err)
		assert.Equal(t, tt.removed, n, tt.why)
		if n == 0 {
			s.Abandon(t)
		}
	}
}
