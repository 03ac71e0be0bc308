package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait; a loaded host takes far less.
const patience = 30 * time.Second

// lab is where a row is played: a directory, a configuration, an environment, and the services the program talks to.
type lab struct {
	t       *testing.T
	program program
	gen     generation
	dir     string
	environ []string
	axiom   *axiom
	log     *logBuffer // of every program started, in order
	lines   int        // written into the journal
	current *process   // the one started last
	user    *syscall.Credential
}

func newLab(t *testing.T, p program, g generation) *lab {
	t.Helper()
	// Not t.TempDir: it is named after the row, and a comma in it would part two files on Vector's command line.
	dir, err := os.MkdirTemp(scratch, "row-")
	require.NoError(t, err)
	l := &lab{t: t, program: p, gen: g, dir: dir, log: &logBuffer{}}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Mkdir(l.path("data"), 0o755))
	require.NoError(t, os.Mkdir(l.path("bin"), 0o755))
	l.environ = []string{"PATH=" + l.path("bin") + ":" + os.Getenv("PATH"), "HOME=" + l.dir}
	if p.standIn {
		l.set("STANDIN_VECTOR_VERSION", g.name)
	}
	l.axiom = newAxiom(t)
	l.journalctl(systemd257)
	return l
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) set(name, value string) { l.environ = append(l.environ, name+"="+value) }

// write writes a file; @data@, @dir@ and @axiom@ are the row's own.
func (l *lab) write(name, text string) string {
	l.t.Helper()
	path := l.path(name)
	require.NoError(l.t, os.MkdirAll(filepath.Dir(path), 0o755))
	text = strings.NewReplacer("@data@", l.path("data"), "@dir@", l.dir, "@axiom@", l.axiom.URL).Replace(text)
	require.NoError(l.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// config writes the configuration that start reads.
func (l *lab) config(text string) string {
	l.t.Helper()
	return l.write("vector.yaml", text)
}

// pipeline is journald into Axiom, as far as a row does not want it otherwise. It sends what it has ten times a second.
type pipeline struct {
	source     string // lines of the source j
	sources    string // more of them
	transforms string
	inputs     string
	token      string
	url        string
	batch      string
	sink       string // lines of the sink p
	global     string
}

// disk is the smallest disk buffer there is.
const disk = "    buffer: {type: disk, max_size: 268435488, when_full: block}\n"

func (p pipeline) String() string {
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	text := p.global + "data_dir: @data@\nsources:\n  j:\n    type: journald\n" + p.source + p.sources
	if p.transforms != "" {
		text += "transforms:\n" + p.transforms
	}
	return text + "sinks:\n  p:\n    type: axiom\n    inputs: " + or(p.inputs, "[j]") + "\n    url: '" + or(p.url, "@axiom@") +
		"'\n    token: '" + or(p.token, "tok-0123456789") + "'\n    dataset: plat\n" + or(p.batch, "    batch: {timeout_secs: 0.1}\n") + p.sink
}

func (l *lab) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(l.t.Context(), 3*time.Minute)
	l.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, l.program.path, args...)
	cmd.Env, cmd.Dir = l.environ, l.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: l.user} // with its journalctl
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = patience
	return cmd
}

// exits runs the program to its end.
func (l *lab) exits(args ...string) (code int, says string) {
	l.t.Helper()
	cmd := l.command(args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	require.NotNil(l.t, cmd.ProcessState, "%s %v did not run", l.program.path, args)
	_, _ = l.log.Write(out.Bytes())
	return cmd.ProcessState.ExitCode(), plain(out.String())
}

// process is a program that was started.
type process struct {
	l    *lab
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{}
}

// start starts the program on the row's configuration.
func (l *lab) start(args ...string) *process {
	l.t.Helper()
	return l.startWith(append([]string{"-c", l.path("vector.yaml")}, args...)...)
}

func (l *lab) startWith(args ...string) *process {
	l.t.Helper()
	p := &process{l: l, cmd: l.command(args...), log: &logBuffer{also: l.log}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	require.NoError(l.t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	l.t.Cleanup(p.kill)
	l.current = p
	return p
}

func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// runs tells whether it started, or the exit code of one that did not.
func (p *process) runs() string {
	p.l.until(func() bool { return p.log.has("Vector has started.") })
	if p.ended() {
		return fmt.Sprint(p.cmd.ProcessState.ExitCode())
	}
	if !p.log.has("Vector has started.") {
		return "neither runs nor ends"
	}
	return "runs"
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// alive tells whether it still runs.
func (p *process) alive() string {
	if p.ended() {
		return fmt.Sprintf("exit %d", p.cmd.ProcessState.ExitCode())
	}
	return "alive"
}

func (p *process) signal(s syscall.Signal) { require.NoError(p.l.t, p.cmd.Process.Signal(s)) }

// stops ends it as systemd does, and tells how it ended.
func (p *process) stops() string {
	p.signal(syscall.SIGTERM)
	return p.ends()
}

func (p *process) ends() string {
	select {
	case <-p.done:
		return fmt.Sprintf("exit %d", p.cmd.ProcessState.ExitCode())
	case <-time.After(3 * patience):
		return "does not end"
	}
}

// until waits for something to be so, and tells whether it came to be. Nothing more comes of a program that has ended.
func (l *lab) until(so func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && !l.current.ended(); {
		if so() {
			return true
		}
		select {
		case <-l.t.Context().Done():
			return so()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return so()
}

// says tells whether a text holds a phrase.
func says(text, phrase string) string { return yes(strings.Contains(text, phrase), "says so") }

// yes is what is so, or that it is not.
func yes(so bool, what string) string {
	if so {
		return what
	}
	return "not " + what
}

// logBuffer is what a program said.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	also *logBuffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	if b.also != nil {
		_, _ = b.also.Write(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return plain(b.text.String())
}

func (b *logBuffer) has(phrase string) bool { return strings.Contains(b.String(), phrase) }

func (b *logBuffer) count(phrase string) int { return strings.Count(b.String(), phrase) }

func (b *logBuffer) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
