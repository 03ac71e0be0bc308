package main

import (
	"bufio"
	"bytes"
	"context"
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

// patience bounds every wait. On a host that is slow or busy a boot takes 10 s
// instead of 2, and a case that it spoils is booted three times.
const patience = 5 * time.Minute

// atOnceEnds is how soon a run is over that can do nothing more: far sooner than
// long's window.
const atOnceEnds = time.Minute

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
	host.RLock()
	t.Cleanup(host.RUnlock)
	dir := t.TempDir()
	p := &place{t: t, state: filepath.Join(dir, "state"), quick: filepath.Join(dir, "quick.yaml"), long: filepath.Join(dir, "long.yaml")}
	for file, window := range map[string]string{p.quick: "20s", p.long: "10m"} {
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

// host is shared by these tests, and had alone by a run that the others have spoilt.
var host sync.RWMutex

// unspoilt runs what needs a verdict, once more and with the host to itself if that spoilt
// its one case. run returns the exit code, and what was printed.
func unspoilt(t *testing.T, run func() (code int, said string)) {
	t.Helper()
	code, said := run()
	if code != exitInvalid || !strings.Contains(said, "\n1 invalid in ") {
		return
	}
	t.Logf("again, alone: %s", said)
	host.RUnlock() // newPlace has taken it
	defer host.RLock()
	host.Lock()
	defer host.Unlock()
	run()
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

// ended is how a line of progress says that the quick case has, and how: a host
// that is busy for all its boots makes it invalid, which is no concern of these tests.
const ended = `quick@trixie#1 +(pass|invalid) after`

// halfway is a run whose quick case has ended, and how, and whose long one goes on.
func (p *place) halfway(args ...string) (b *process, run, quick string) {
	p.t.Helper()
	b = p.start(append([]string{"run", p.quick, p.long}, args...)...)
	run = b.run()
	p.cleanLater(run)
	quick = b.says(ended)
	b.says(`long@trixie#1 +multi-user.target reached`) // and its window is far from over
	return b, run, quick
}
