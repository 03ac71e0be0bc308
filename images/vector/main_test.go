package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// program is the built binary; the tests run it as systemd does.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vector-stand-in-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for whoever runs it
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program = filepath.Join(dir, "vector")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// machine is the little that the program sees of one: a data directory, a configuration, a journal and an environment.
type machine struct {
	t       *testing.T
	dir     string
	environ []string
	user    *syscall.Credential // who runs it; nil: who runs the test
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, dir: t.TempDir()}
	require.NoError(t, os.Mkdir(m.path("data"), 0o700))
	// Lines are counted, so none may be suppressed.
	m.environ = []string{"VECTOR_INTERNAL_LOG_RATE_LIMIT=0", "STANDIN_VECTOR_VERSION=0.56.0", "PATH=" + m.path("bin") + ":" + os.Getenv("PATH"), "HOME=" + m.dir}
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

func (m *machine) set(name, value string) { m.environ = append(m.environ, name+"="+value) }

func (m *machine) config(text string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(m.path("vector.yaml"), []byte(text), 0o600))
	m.set("VECTOR_CONFIG", m.path("vector.yaml"))
}

// worker makes it one: the worker image's own configuration, with the data directory in ours, and what worker.env and
// vector.env say.
func (m *machine) worker(url string) {
	m.t.Helper()
	text, err := os.ReadFile("../worker/files/etc/vector/vector.yaml")
	require.NoError(m.t, err)
	m.config(strings.Replace(string(text), "/var/lib/vector", m.path("data"), 1))
	m.set("OPENCOMPUTER_CELL_ID", "cell-1")
	m.set("OPENSANDBOX_REGION", "eastus")
	m.set("OPENCOMPUTER_HOST_IP", "10.0.0.4")
	m.set("AXIOM_PLATFORM_TOKEN", "platform-"+rand.Text())
	m.set("AXIOM_PLATFORM_DATASET", "platform")
	m.set("AXIOM_PLATFORM_METRICS_TOKEN", "")
	m.set("AXIOM_PLATFORM_METRICS_DATASET", "")
	m.set("AXIOM_PLATFORM_URL", url)
}

// journal stands a script in for journalctl, a test double: n numbered lines of the boot logger, those after the cursor
// asked for, and then it follows for ever. The real journalctl runs in the machines.
func (m *machine) journal(n int) {
	m.t.Helper()
	require.NoError(m.t, os.MkdirAll(m.path("bin"), 0o700))
	script := `#!/bin/sh
[ "$1" = --version ] && echo "systemd 257 (257.9)" && exit
i=0
for a in "$@"; do case "$a" in --after-cursor=c*) i=${a#--after-cursor=c};; esac; done
while [ $i -lt ` + strconv.Itoa(n) + ` ]; do
  i=$((i+1))
  echo "{\"__CURSOR\":\"c$i\",\"_SYSTEMD_UNIT\":\"boot-logger.service\",\"_HOSTNAME\":\"w1\",\"MESSAGE\":\"{\\\"source\\\":\\\"boot-logger\\\",\\\"seq\\\":$i}\"}"
done
exec sleep 600
`
	require.NoError(m.t, os.WriteFile(filepath.Join(m.path("bin"), "journalctl"), []byte(script), 0o700))
}

func (m *machine) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	m.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = m.environ
	cmd.Dir = m.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: m.user} // with its journalctl
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// run runs the program to its end.
func (m *machine) run(args ...string) (code int, stdout, stderr string) {
	m.t.Helper()
	cmd := m.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(m.t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// running is a program that was started.
type running struct {
	m    *machine
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{}
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{}
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	select {
	case l.grew <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (m *machine) start(args ...string) *running {
	m.t.Helper()
	r := &running{m: m, cmd: m.command(args...), log: &logBuffer{grew: make(chan struct{}, 1)}, done: make(chan struct{})}
	r.cmd.Stderr = r.log
	r.cmd.WaitDelay = patience
	require.NoError(m.t, r.cmd.Start())
	go func() {
		_ = r.cmd.Wait()
		close(r.done)
	}()
	m.t.Cleanup(r.kill)
	return r
}

func (r *running) kill() {
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	<-r.done
}

func (r *running) signal(s syscall.Signal) {
	require.NoError(r.m.t, r.cmd.Process.Signal(s))
}

// patience bounds every wait; a loaded host takes far less.
const patience = 20 * time.Second

// says waits for a text in the log.
func (r *running) says(text string) {
	r.m.t.Helper()
	r.until(text, func(log string) bool { return strings.Contains(log, text) })
}

// drops waits until so many events of a sink have been dropped, in however many batches they came.
func (r *running) drops(sink string, n int) {
	r.m.t.Helper()
	dropped := regexp.MustCompile(`component_id=` + sink + ` .*Events dropped intentional=false count=(\d+)`)
	r.until(fmt.Sprintf("%d events of %s dropped", n, sink), func(log string) bool {
		sum := 0
		for _, match := range dropped.FindAllStringSubmatch(log, -1) {
			count, _ := strconv.Atoi(match[1])
			sum += count
		}
		return sum == n
	})
}

func (r *running) until(what string, said func(log string) bool) {
	r.m.t.Helper()
	deadline := time.After(patience)
	for !said(r.log.String()) {
		select {
		case <-r.log.grew:
		case <-r.done:
			if !said(r.log.String()) {
				require.Fail(r.m.t, "it ended and never said: "+what, r.log.String())
			}
		case <-deadline:
			require.Fail(r.m.t, "it did not say within "+patience.String()+": "+what, r.log.String())
		}
	}
}

// stops ends it as systemd does, and returns the exit code.
func (r *running) stops() int {
	r.m.t.Helper()
	r.signal(syscall.SIGTERM)
	return r.ends()
}

// ends waits for the end and returns the exit code.
func (r *running) ends() int {
	r.m.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		require.Fail(r.m.t, "it still ran after "+patience.String(), r.log.String())
	}
	return r.cmd.ProcessState.ExitCode()
}

// cloud is Axiom, over TLS with a certificate the program is told to trust.
type cloud struct {
	*httptest.Server

	mu     sync.Mutex
	status int
	seen   map[int]int // by seq, of batches answered 200
	events []string
	auths  map[string]bool
	grew   chan struct{}
}

func newCloud(t *testing.T, m *machine, status int) *cloud {
	t.Helper()
	c := &cloud{status: status, seen: map[int]int{}, auths: map[string]bool{}, grew: make(chan struct{}, 1)}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw})
	require.NoError(t, os.WriteFile(m.path("ca.pem"), ca, 0o600))
	m.set("SSL_CERT_FILE", m.path("ca.pem"))
	return c
}

var seq = regexp.MustCompile(`\\"seq\\":(\d+)`)

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, err := zstd.NewReader(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	defer d.Close()
	body, err := io.ReadAll(d)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if c.take(w, r, string(body)) == acceptAndHang {
		<-r.Context().Done()
	}
}

// acceptAndHang is no status: the events are taken, and the client never hears of it.
const acceptAndHang = 0

func (c *cloud) take(w http.ResponseWriter, r *http.Request, body string) (status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path != "/v1/datasets/platform/ingest" {
		w.WriteHeader(http.StatusNotFound)
		return http.StatusNotFound
	}
	c.auths[r.Header.Get("Authorization")] = true
	if c.status == http.StatusOK || c.status == acceptAndHang {
		for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
			c.events = append(c.events, line)
			if match := seq.FindStringSubmatch(line); match != nil {
				n, _ := strconv.Atoi(match[1])
				c.seen[n]++
			}
		}
	}
	if c.status != acceptAndHang {
		w.WriteHeader(c.status)
	}
	select {
	case c.grew <- struct{}{}:
	default:
	}
	return c.status
}

// has waits until every line up to n was accepted, and returns how often one came again.
func (c *cloud) has(t *testing.T, n int) (duplicates int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		total, distinct := 0, 0
		for i := 1; i <= n; i++ {
			if c.seen[i] > 0 {
				distinct++
			}
			total += c.seen[i]
		}
		c.mu.Unlock()
		if distinct == n {
			return total - n
		}
		select {
		case <-c.grew:
		case <-deadline:
			require.Failf(t, "lines are missing", "%d of %d came", distinct, n)
		}
	}
}

func (c *cloud) answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// refusing is a URL nobody listens at. A port that was free a moment ago could be another test's by now.
const refusing = "https://127.0.0.1:1"
