package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// colours are what Vector puts around its words when it takes the other end for a terminal.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func plain(text string) string { return colours.ReplaceAllString(text, "") }

// request is one that the Axiom saw.
type request struct {
	path    string
	headers http.Header
	length  int64  // as told; -1: chunked
	body    string // decompressed
	status  int    // what it was answered
}

// events are those of a body that is newline-delimited JSON.
func (r request) events() (events []map[string]any) {
	for line := range strings.Lines(r.body) {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil {
			events = append(events, e)
		}
	}
	return events
}

// axiom is the little that Vector sees of Axiom: a service that answers what the row says.
type axiom struct {
	*httptest.Server

	mu      sync.Mutex
	seen    []request
	now     int // requests under way
	most    int // of them at once
	answers func(request, int) int
	headers map[string]string
}

func newAxiom(t *testing.T) *axiom {
	a := unstarted()
	a.Start()
	t.Cleanup(a.stop)
	return a
}

func unstarted() *axiom {
	a := &axiom{headers: map[string]string{}}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // that a certificate is refused is what a row wants
	return a
}

// deaf takes a port, so that no other row has it, at which nobody listens until hear is called.
func (l *lab) deaf() (address string, hear func() net.Listener) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	require.NoError(l.t, err)
	file := os.NewFile(uintptr(fd), "a port")
	l.t.Cleanup(func() { _ = file.Close() })
	require.NoError(l.t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	bound, err := syscall.Getsockname(fd)
	require.NoError(l.t, err)
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), func() net.Listener {
		require.NoError(l.t, syscall.Listen(fd, syscall.SOMAXCONN))
		listener, err := net.FileListener(file)
		require.NoError(l.t, err)
		return listener
	}
}

func (a *axiom) stop() {
	a.CloseClientConnections()
	a.Close()
}

func (a *axiom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.now++
	a.most = max(a.most, a.now)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.now--
		a.mu.Unlock()
	}()
	body, err := decoded(r)
	if err != nil {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	status := a.take(request{path: r.URL.Path, headers: r.Header.Clone(), length: r.ContentLength, body: body})
	switch status {
	case hang:
		<-r.Context().Done()
		return
	case breakOff:
		panic(http.ErrAbortHandler)
	}
	for name, value := range a.headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
}

// No status: the request is never answered, or the connection closed instead.
const (
	hang     = 0
	breakOff = -1
)

func decoded(r *http.Request) (string, error) {
	if r.Header.Get("Content-Encoding") != "zstd" {
		b, err := io.ReadAll(r.Body)
		return string(b), err
	}
	d, err := zstd.NewReader(r.Body)
	if err != nil {
		return "", err
	}
	defer d.Close()
	b, err := io.ReadAll(d)
	return string(b), err
}

func (a *axiom) take(r request) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.status = http.StatusOK
	if a.answers != nil {
		times := 0
		for _, s := range a.seen {
			if s.body == r.body && s.path == r.path {
				times++
			}
		}
		r.status = a.answers(r, times)
	}
	a.seen = append(a.seen, r)
	return r.status
}

// answer says what the service answers, given how often it saw the same request before.
func (a *axiom) answer(with func(r request, times int) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = with
}

// request is the one of that number, or none.
func (a *axiom) request(i int) request {
	if requests := a.requests(); i < len(requests) {
		return requests[i]
	}
	return request{}
}

// event is the one of that number that was taken, or none.
func (a *axiom) event(i int) map[string]any {
	if events := a.taken(); i < len(events) {
		return events[i]
	}
	return nil
}

// always answers the same.
func always(status int) func(request, int) int { return func(request, int) int { return status } }

func (a *axiom) requests() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen)
}

// fates tells, for each message, what the requests that held it were answered, in order.
func (a *axiom) fates() map[string][]int {
	fates := map[string][]int{}
	for _, r := range a.requests() {
		for _, e := range r.events() {
			m := fmt.Sprint(e["message"])
			fates[m] = append(fates[m], r.status)
		}
	}
	return fates
}

// taken are the events that were answered 2xx, in order.
func (a *axiom) taken() (events []map[string]any) {
	for _, r := range a.requests() {
		if r.status/100 == 2 {
			events = append(events, r.events()...)
		}
	}
	return events
}

// messages are those of the events that were taken.
func (a *axiom) messages() (messages []string) {
	for _, e := range a.taken() {
		messages = append(messages, fmt.Sprint(e["message"]))
	}
	return messages
}

// took tells whether a message was taken.
func (a *axiom) took(message string) bool { return slices.Contains(a.messages(), message) }

// refusing is a URL nobody listens at. A port that was free a moment ago could be another row's by now.
const refusing = "http://127.0.0.1:1"

// entry is one of the journal.
type entry map[string]any

// worker is the unit that most entries are of.
const worker = "opensandbox-worker.service"

// at is the time of the journal's first entry, in microseconds.
const at = 1795748320194806

// entry is one as the journal has it; changes replace its fields, nil removes one.
func (l *lab) entry(message any, changes entry) entry {
	e := entry{
		"__CURSOR": fmt.Sprintf("s=1;i=%x", l.lines), "__REALTIME_TIMESTAMP": fmt.Sprint(at + l.lines), "__MONOTONIC_TIMESTAMP": fmt.Sprint(1000000 + l.lines),
		"_BOOT_ID": strings.Repeat("b", 32), "MESSAGE": message, "_SYSTEMD_UNIT": worker, "PRIORITY": "6", "_PID": "42",
		"_SOURCE_REALTIME_TIMESTAMP": fmt.Sprint(at + l.lines), "SYSLOG_IDENTIFIER": "worker", "_HOSTNAME": "w1",
	}
	for k, v := range changes {
		if e[k] = v; v == nil {
			delete(e, k)
		}
	}
	l.lines++
	return e
}

// journal appends entries with these messages to the journal.
func (l *lab) journal(messages ...string) {
	for _, m := range messages {
		l.enter(l.entry(m, nil))
	}
}

func (l *lab) enter(entries ...entry) {
	l.t.Helper()
	f, err := os.OpenFile(l.path("journal.jsonl"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	require.NoError(l.t, err)
	defer f.Close()
	for _, e := range entries {
		line, err := json.Marshal(e)
		require.NoError(l.t, err)
		_, err = f.Write(append(line, '\n'))
		require.NoError(l.t, err)
	}
}

const systemd257 = "systemd 257 (257.9-1)"

// journalctl stands a script in for it, a test double: it notes its arguments, prints the journal's entries after the cursor
// asked for, and follows. The real one runs in the machines.
func (l *lab) journalctl(version string) {
	l.enter()
	l.script("journalctl", `case "$*" in *--version*) echo "`+version+`"; exit 0;; esac
echo "$*" >>`+l.path("arguments")+`
first=1
for a in "$@"; do case "$a" in --after-cursor=*)
  n=$(grep -nF "\"__CURSOR\":\"${a#*=}\"" `+l.path("journal.jsonl")+`)
  first=$((${n%%:*} + 1));;
esac; done
exec tail -n +$first -f `+l.path("journal.jsonl"))
}

// script puts a shell script into the program's PATH.
func (l *lab) script(name, text string) {
	l.t.Helper()
	// A child forked meanwhile would hold the file open for writing, and the script be "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(l.t, os.WriteFile(l.path("bin/"+name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
}

// arguments are those of each journalctl that was started.
func (l *lab) arguments() []string {
	text, _ := os.ReadFile(l.path("arguments"))
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// checkpoint is the cursor that the source j would go on from.
func (l *lab) checkpoint() string {
	text, _ := os.ReadFile(l.path("data/j/checkpoint.txt"))
	return string(text)
}

func (l *lab) argument(i int) string {
	if all := l.arguments(); i < len(all) {
		return all[i]
	}
	return "journalctl was not started so often"
}
