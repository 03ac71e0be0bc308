package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine/container"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// These tests end runs in all the ways in which runs end early, on a real engine.
// Those that leave machines behind are not parallel: the next run of any other
// test would remove them first.

// Scenarios whose window is all they wait for: one is over as soon as Vector can
// have been active for long enough, one goes on while a test looks.
const scenarioFile = `version: 1
name: %s
description: of a test
worker_env:
  when: never
look:
  window: %s
expect:
  registered: false
`

// patience bounds every wait; a loaded host takes far less.
const patience = 90 * time.Second

// atOnceEnds is how soon a run is over that can do nothing more.
const atOnceEnds = 20 * time.Second

// place is where a test's runs are kept, with the scenarios quick and long.
type place struct {
	t     *testing.T
	state string
	env   []string
	quick string
	long  string

	started []*process
}

func newPlace(t *testing.T) *place {
	t.Helper()
	// On a host without images the first run makes them, in minutes that are no
	// part of what these tests wait for.
	wiretest.New(t, nil, images.Suites()[0])
	dir := t.TempDir()
	p := &place{t: t, state: filepath.Join(dir, "state"), quick: filepath.Join(dir, "quick.yaml"), long: filepath.Join(dir, "long.yaml")}
	for file, window := range map[string]string{p.quick: "15s", p.long: "60s"} {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, scenarioFile, name, window), 0o600))
	}
	return p
}

// process is a bootrace that runs.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	done   chan error
	stdout bytes.Buffer

	mu     sync.Mutex
	stderr strings.Builder
	grown  chan struct{} // closed and made anew with each line
}

// start begins bootrace ARGS. It is its own process group: what the test sends
// to it reaches nothing else.
func (p *place) start(args ...string) *process {
	p.t.Helper()
	b := &process{t: p.t, done: make(chan error, 1), grown: make(chan struct{})}
	b.cmd = exec.Command("bootrace", args...)
	b.cmd.Env = append(os.Environ(), append([]string{"BOOTRACE_STATE=" + p.state}, p.env...)...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.Stdout = &b.stdout
	pipe, err := b.cmd.StderrPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, b.cmd.Start())
	p.started = append(p.started, b)
	p.t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		if p.t.Failed() {
			p.t.Logf("bootrace %s\n%s%s", strings.Join(args, " "), b.Stderr(), b.stdout.String())
		}
	})
	go func() {
		for lines := bufio.NewReader(pipe); ; {
			line, err := lines.ReadString('\n')
			b.mu.Lock()
			b.stderr.WriteString(line)
			close(b.grown)
			b.grown = make(chan struct{})
			b.mu.Unlock()
			if err != nil {
				if err != io.EOF {
					p.t.Logf("read stderr: %v", err)
				}
				b.done <- b.cmd.Wait()
				return
			}
		}
	}()
	return b
}

func (b *process) Stderr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stderr.String()
}

// says waits until stderr matches, and returns the first submatch.
func (b *process) says(pattern string) string {
	b.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		match, grown := re.FindStringSubmatch(b.stderr.String()), b.grown
		b.mu.Unlock()
		if match != nil {
			return match[len(match)-1]
		}
		select {
		case <-grown:
		case err := <-b.done:
			b.done <- err
			require.Regexp(b.t, re, b.Stderr(), "it ended (%v) and had not said so", err)
		case <-deadline:
			require.Regexp(b.t, re, b.Stderr(), "not within %s", patience)
		}
	}
}

// run is the run's id.
func (b *process) run() string { b.t.Helper(); return b.says(`(?m)^run ([0-9a-f-]+): `) }

// ends waits for the end and returns the exit code, -1 after a signal.
func (b *process) ends(within time.Duration) int {
	b.t.Helper()
	select {
	case err := <-b.done:
		b.done <- err
		return b.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		require.Fail(b.t, "it goes on", "it should have ended within %s", within)
		return 0
	}
}

// bootrace runs a command to its end.
func (p *place) bootrace(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	b := p.start(args...)
	code = b.ends(patience)
	return code, b.stdout.String(), b.Stderr()
}

// stored are the run's cases, by scenario.
func (p *place) stored(run string) map[string]results.Case {
	p.t.Helper()
	code, stdout, stderr := p.bootrace("show", "--json", "--run", run)
	require.Zero(p.t, code, stderr)
	var r results.Run
	require.NoError(p.t, json.Unmarshal([]byte(stdout), &r))
	out := map[string]results.Case{}
	for _, c := range r.Cases {
		out[c.Scenario] = c
	}
	return out
}

// containers are the names of what a run has at the real engine.
func containers(t *testing.T, run string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := container.Connect(ctx, "")
	require.NoError(t, err)
	list, err := b.Engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", "bootrace.run="+run)})
	require.NoError(t, err)
	var names []string
	for _, c := range list.Items {
		names = append(names, strings.Join(c.Names, " "))
	}
	return names
}

// cleanLater removes what the run has left, when the test ends.
func (p *place) cleanLater(run string) {
	p.t.Cleanup(func() {
		p.env = nil
		for _, b := range p.started {
			_ = b.cmd.Process.Kill()
			<-b.done
			b.done <- nil
		}
		_, _, _ = p.bootrace("clean", "--run", run)
		assert.Empty(p.t, containers(p.t, run))
	})
}

// halfway is a run whose quick case has ended and whose long one goes on.
func (p *place) halfway(args ...string) (b *process, run string) {
	p.t.Helper()
	b = p.start(append([]string{"run", p.quick, p.long}, args...)...)
	run = b.run()
	p.cleanLater(run)
	require.Equal(p.t, "pass", b.says(`quick@trixie#1 +(pass|fail|invalid|error) after`))
	b.says(`long@trixie#1 +multi-user.target reached`) // and its window is far from over
	return b, run
}

func TestAnEngineThatDiesEndsTheRun(t *testing.T) {
	p := newPlace(t)
	engine := newProxy(t)
	p.env = []string{"DOCKER_HOST=" + engine.Host()}
	b, run := p.halfway()
	engine.Die()
	assert.Equal(t, exitInvalid, b.ends(atOnceEnds))
	assert.Contains(t, b.Stderr()+b.stdout.String(), "no container engine answers")

	p.env = nil
	stored := p.stored(run)
	assert.Equal(t, "pass", stored["quick"].Verdict, "what had ended is stored")
	assert.Equal(t, "error", stored["long"].Verdict)
	assert.NotEmpty(t, containers(t, run), "nobody could remove it")
	code, stdout, stderr := p.bootrace("clean", "--run", run)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "removed 2 containers")
	assert.Empty(t, containers(t, run))
}

func TestASignalEndsTheRunInOrder(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			b, run := p.halfway("--keep-on-failure")
			require.NoError(t, b.cmd.Process.Signal(sig))
			assert.Equal(t, exitInvalid, b.ends(atOnceEnds))
			assert.Contains(t, b.Stderr(), "interrupted: 1 of 2 cases had ended and are stored")
			assert.Empty(t, containers(t, run))
			stored := p.stored(run)
			assert.Equal(t, "pass", stored["quick"].Verdict)
			assert.NotContains(t, stored, "long", "it had not ended")
		})
	}
}

func TestTheSecondSignalEndsARunThatCannotEndInOrder(t *testing.T) {
	p := newPlace(t)
	engine := newProxy(t)
	p.env = []string{"DOCKER_HOST=" + engine.Host()}
	b, run := p.halfway()
	engine.FallSilent()
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	b.says("once more .* ends it at once") // it waits for the engine to remove the machine
	require.NoError(t, b.cmd.Process.Signal(syscall.SIGINT))
	b.ends(atOnceEnds)
	status := b.cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.Equal(t, syscall.SIGINT, status.Signal())

	p.env = nil
	assert.Equal(t, "pass", p.stored(run)["quick"].Verdict)
	code, _, stderr := p.bootrace("clean", "--run", run)
	assert.Zero(t, code, stderr)
	assert.Empty(t, containers(t, run))
}

func TestTheNextRunRemovesWhatAKilledOneLeft(t *testing.T) {
	p := newPlace(t)
	killed, run := p.halfway()
	require.NoError(t, killed.cmd.Process.Kill())
	killed.ends(atOnceEnds)
	require.NotEmpty(t, containers(t, run))
	_, stdout, _ := p.bootrace("list")
	assert.Contains(t, stdout, "cut off: 1 of 2 cases ended")
	assert.Equal(t, "pass", p.stored(run)["quick"].Verdict)

	next := p.start("run", p.long)
	p.cleanLater(next.run())
	assert.Empty(t, containers(t, run))
	next.says(`control@trixie#1 +started`)
	living := containers(t, next.run())
	code, _, stderr := p.bootrace("clean", "--run", next.run())
	assert.Zero(t, code, stderr)
	assert.Subset(t, containers(t, next.run()), living, "what a living run has is not touched")
	_, stdout, _ = p.bootrace("list")
	assert.Contains(t, stdout, "running "+next.run())
	require.NoError(t, next.cmd.Process.Signal(syscall.SIGINT))
	assert.Equal(t, exitInvalid, next.ends(atOnceEnds))
	assert.Empty(t, containers(t, next.run()))
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
	require.Equal(p.t, "pass", b.says(`quick@trixie#1 +(pass|fail|invalid|error) after`))
	fill(t, filepath.Join(p.state, "ballast"))
	assert.Equal(t, exitInvalid, b.ends(patience))
	assert.Contains(t, b.Stderr(), "no space left on device")
	assert.Contains(t, b.Stderr(), "free space below "+p.state)
	assert.Empty(t, containers(t, run))

	code, stdout, stderr := p.bootrace("show", "--run", run)
	assert.Zero(t, code, "what had ended can be read while the disk is full: %s", stderr)
	assert.Regexp(t, `pass +quick@trixie#1`, stdout)
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
	require.Zero(t, code, stderr)
	var r results.Run
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	p.cleanLater(r.ID)
	require.Len(t, r.Cases, 1)
	assert.Contains(t, r.Cases[0].Kept, "docker exec")
	require.Len(t, containers(t, r.ID), 2, "the machine and its cloud, not the control boots")

	code, stdout, stderr = p.bootrace("shell")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^[0-9a-f]{12}  bootrace-kept-`+r.ID+`-quick_trixie_1\.1-worker$`, stdout)
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
	assert.Zero(t, code, stderr)
	assert.Contains(t, stderr, "building image "+image)
	assert.Contains(t, stdout, "1 pass")
}
