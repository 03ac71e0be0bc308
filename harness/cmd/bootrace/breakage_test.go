package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine/container"
	"bootrace/images"
	"bootrace/results"
)

func TestAnEngineThatDiesEndsTheRun(t *testing.T) {
	p := newPlace(t)
	engine := newProxy(t)
	p.env = []string{"DOCKER_HOST=" + engine.Host()}
	b, run, quick := p.halfway()
	engine.Die()
	assert.Equal(t, exitInvalid, b.ends(atOnceEnds))
	assert.Contains(t, b.Stderr()+b.stdout.String(), "no container engine answers")

	p.env = nil
	stored := p.stored(run)
	assert.Equal(t, quick, stored["quick"].Verdict, "what had ended is stored")
	assert.Equal(t, "error", stored["long"].Verdict)
	assert.NotEmpty(t, containers(t, run), "nobody could remove it")
	code, stdout, stderr := p.bootrace("clean", "--run", run)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "removed 3 containers", "the machine, its cloud, and what watches the host")
	assert.Empty(t, containers(t, run))

	again := p.start("run", "--resume", run) // with the engine back, what was an error has its boot
	again.says(`: 1 cases, `)
	again.says(`long@trixie#1 +multi-user.target reached`)
	require.NoError(t, again.cmd.Process.Signal(syscall.SIGINT))
	assert.Equal(t, exitInvalid, again.ends(atOnceEnds))
	assert.Equal(t, quick, p.stored(run)["quick"].Verdict)
}

func TestASignalEndsTheRunInOrder(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(sig) {
				t.Skip("whoever started this has it ignored, as nohup does, and what it starts inherits that")
			}
			p := newPlace(t)
			b, run, quick := p.halfway("--keep-on-failure")
			require.NoError(t, b.cmd.Process.Signal(sig))
			assert.Equal(t, exitInvalid, b.ends(atOnceEnds))
			assert.Contains(t, b.Stderr(), "interrupted: 1 of 2 cases had ended and are stored")
			left := containers(t, run)
			if quick != "pass" { // the host has spoilt it, and it is kept
				left = slices.DeleteFunc(left, func(name string) bool { return strings.Contains(name, "-kept-") && strings.Contains(name, "-quick_") })
			}
			assert.Empty(t, left)
			stored := p.stored(run)
			assert.Equal(t, quick, stored["quick"].Verdict)
			assert.NotContains(t, stored, "long", "it had not ended")
		})
	}
}

func TestTheSecondSignalEndsARunThatCannotEndInOrder(t *testing.T) {
	p := newPlace(t)
	engine := newProxy(t)
	p.env = []string{"DOCKER_HOST=" + engine.Host()}
	b, run, quick := p.halfway()
	engine.FallSilent()
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	b.says("once more .* ends it at once") // it waits for the engine to remove the machine
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	b.ends(atOnceEnds)
	status := b.cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.Equal(t, syscall.SIGINT, status.Signal())

	p.env = nil
	assert.Equal(t, quick, p.stored(run)["quick"].Verdict)
	code, _, stderr := p.bootrace("clean", "--run", run)
	assert.Zero(t, code, stderr)
	assert.Empty(t, containers(t, run))
}

func TestTheNextRunRemovesWhatAKilledOneLeft(t *testing.T) {
	p := newPlace(t)
	killed, run, quick := p.halfway()
	require.NoError(t, killed.cmd.Process.Kill())
	killed.ends(atOnceEnds)
	require.NotEmpty(t, containers(t, run))
	_, stdout, _ := p.bootrace("list")
	assert.Contains(t, stdout, "cut off: 1 of 2 cases ended")
	assert.Equal(t, quick, p.stored(run)["quick"].Verdict)

	next := p.start("run", p.long)
	p.cleanLater(next.run())
	assert.Empty(t, containers(t, run))
	next.says(`long@trixie#1 +multi-user.target reached`)
	// The control boots' machines go by themselves, this one's stays for a while.
	living := slices.DeleteFunc(containers(t, next.run()), func(name string) bool { return !strings.Contains(name, "long_") })
	require.NotEmpty(t, living)
	code, _, stderr := p.bootrace("clean", "--run", next.run())
	assert.Zero(t, code, stderr)
	assert.Subset(t, containers(t, next.run()), living, "what a living run has is not touched")
	_, stdout, _ = p.bootrace("list")
	assert.Contains(t, stdout, "running "+next.run())
	require.NoError(t, next.cmd.Process.Signal(syscall.SIGINT))
	assert.Equal(t, exitInvalid, next.ends(atOnceEnds))
	assert.Empty(t, containers(t, next.run()))
}

func TestAKilledRunIsResumed(t *testing.T) {
	p := newPlace(t)
	killed := p.start("run", p.quick, "--repeat", "3", "--parallel", "1")
	run := killed.run()
	p.cleanLater(run)
	killed.says(ended)
	killed.says(`quick@trixie#2 +multi-user.target reached`)
	code, _, stderr := p.bootrace("run", "--resume", run)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, stderr, "run "+run+" goes on, in another process")
	require.NoError(t, killed.cmd.Process.Kill())
	killed.ends(atOnceEnds)
	require.NotEmpty(t, containers(t, run))

	code, stdout, stderr := p.bootrace("run", "--resume", "--json")
	require.Contains(t, []int{exitOK, exitInvalid}, code, stderr)
	assert.Contains(t, stderr, "run "+run+": 2 cases")
	assert.NotContains(t, stderr, "quick@trixie#1 ", "it had ended")
	var r results.Run
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, run, r.ID)
	require.Len(t, r.Cases, 3)
	recordings := map[string]bool{}
	for i, c := range r.Cases {
		assert.Contains(t, []string{"pass", "invalid"}, c.Verdict, c.Reason)
		assert.Equal(t, fmt.Sprintf("quick@trixie#%d", i+1), c.ID)
		assert.FileExists(t, filepath.Join(c.Recording, "manifest.json"))
		recordings[c.Recording] = true
	}
	assert.Len(t, recordings, 3)
	assert.Empty(t, containers(t, run))

	code, _, stderr = p.bootrace("run", "--resume")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "has nothing left to do")
}

func TestAFullDiskForRecordings(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	require.NoError(t, os.Mkdir(p.state, 0o700))
	if err := syscall.Mount("bootrace-test", p.state, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("mounting a tmpfs needs CAP_SYS_ADMIN: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(p.state, syscall.MNT_DETACH)) })
	b := p.start("run", p.quick, "--repeat", "3", "--parallel", "1")
	run := b.run()
	p.cleanLater(run)
	quick := b.says(ended)
	fill(t, filepath.Join(p.state, "ballast"))
	assert.Equal(t, exitInvalid, b.ends(patience))
	assert.Contains(t, b.Stderr(), "no space left on device")
	assert.Contains(t, b.Stderr(), "free space below "+p.state)
	assert.Empty(t, containers(t, run))

	code, stdout, stderr := p.bootrace("show", "--run", run)
	assert.Zero(t, code, "what had ended can be read while the disk is full: %s", stderr)
	assert.Regexp(t, quick+` +quick@trixie#1`, stdout)
}

// fill writes a file until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			size /= 2
		}
	}
}

func TestAKeptMachineStaysUntilItIsCleaned(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	code, stdout, stderr := p.bootrace("run", p.quick, "--keep", "--json")
	require.Contains(t, []int{exitOK, exitInvalid}, code, stderr)
	var r results.Run
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	p.cleanLater(r.ID)
	require.Len(t, r.Cases, 1)
	assert.Contains(t, r.Cases[0].Kept, "docker exec")
	require.Len(t, containers(t, r.ID), 2, "the machine and its cloud, not the control boots")

	code, stdout, stderr = p.bootrace("shell")
	require.Zero(t, code, stderr)
	// The last boot of the case; the host may have spoilt one before it.
	kept := fmt.Sprintf("bootrace-kept-%s-quick_trixie_1.%d-worker", r.ID, len(r.Cases[0].Attempts))
	assert.Regexp(t, `(?m)^[0-9a-f]{12}  `+regexp.QuoteMeta(kept)+`$`, stdout)
	code, _, stderr = p.bootrace("shell", "no-such-case")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "no kept machine")

	code, stdout, stderr = p.bootrace("clean", "--run", r.ID)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "removed 2 containers")
	assert.Empty(t, containers(t, r.ID))
}

// ownSubject is the populator with a file beside it that makes the subject, and so
// its image, this test's own.
func (p *place) ownSubject() string {
	p.t.Helper()
	dir := filepath.Join(filepath.Dir(p.state), "mine")
	root, err := images.FindRoot(".")
	require.NoError(p.t, err)
	rootfs := filepath.Join(dir, "rootfs")
	require.NoError(p.t, os.CopyFS(filepath.Join(rootfs, "etc/systemd/system"), os.DirFS(filepath.Join(root, "populator/systemd"))))
	require.NoError(p.t, os.WriteFile(filepath.Join(rootfs, "etc/bootrace-test"), []byte(rand.Text()), 0o600))
	cmd := exec.CommandContext(p.t.Context(), "go", "build", "-o", filepath.Join(rootfs, "usr/local/bin/populate-vector-env"), "./populator/cmd/populate-vector-env")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(p.t, err, string(out))
	return dir
}

func TestAnImageThatIsRemovedIsBuiltAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	engine, err := container.Connect(t.Context(), "")
	require.NoError(t, err)
	subject := p.ownSubject()
	b := p.start("run", p.quick, "--subject", subject)
	image := b.says(`building image (bootrace/subject:[0-9a-f]+)`)
	remove := func() {
		_, err := engine.Engine().ImageRemove(context.WithoutCancel(t.Context()), image, client.ImageRemoveOptions{Force: true})
		require.NoError(t, err)
	}
	run := b.run()
	remove() // before the case has begun, which comes after the control boots
	p.cleanLater(run)
	assert.Equal(t, exitInvalid, b.ends(patience))
	assert.Contains(t, b.Stderr(), "is gone from the engine: run again, what is missing is built")

	code, stdout, stderr := p.bootrace("run", p.quick, "--subject", subject)
	t.Cleanup(remove)
	assert.Contains(t, []int{exitOK, exitInvalid}, code, stderr)
	assert.Contains(t, stderr, "building image "+image)
	assert.Regexp(t, `1 (pass|invalid)`, stdout)
}

func TestARunEndsAtItsFirstFailureWhichIsBootedAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dir := filepath.Join(t.TempDir(), "broken")
	// No host makes a unit's own setting fail, however slow it is.
	once := filepath.Join(dir, "rootfs/etc/systemd/system/vector.service.d/50-once.conf")
	require.NoError(t, os.MkdirAll(filepath.Dir(once), 0o755))
	require.NoError(t, os.WriteFile(once, []byte("[Service]\nRestart=no\n"), 0o600))

	code, stdout, stderr := p.bootrace("run", p.long, p.quick, "--subject", dir, "--fail-fast")
	assert.Equal(t, exitFailure, code, stderr)
	assert.Contains(t, stderr, "ended at the first failure (--fail-fast): 1 of 2 cases had ended")
	assert.Regexp(t, `(?m)^  fail +quick@`, stdout)
	assert.NotRegexp(t, `(?m)^  \w+ +long@`, stdout)

	code, stdout, stderr = p.bootrace("run", "--last-failed")
	assert.Equal(t, exitFailure, code, stderr)
	assert.Contains(t, stderr, ": 1 cases, subject broken")
	assert.Regexp(t, `(?m)^1 fail in `, stdout)
}
