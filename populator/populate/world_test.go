package populate_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/populator/populate"
	"bootrace/populator/roleenv"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

// world is a machine with nothing on it but the populator, in a synctest
// bubble: hours pass in no time.
type world struct {
	t     testing.TB
	began time.Time
	dir   string
	file  vectorenv.File
	owed  populate.Marker

	changes chan struct{}
	vault   *fakeVault
	fetcher populate.Fetcher // vault, unless a test has another
	vector  *fakeVector
	notify  *fakeNotifier
	hostIP  string

	cancel context.CancelFunc
	ended  chan error

	// turn orders what a test reads from the fakes before it lets time pass
	// and what they write afterwards: synctest.Wait orders only the reverse.
	turn sync.Mutex
}

func (w *world) passTurn() {
	w.turn.Lock()
	defer w.turn.Unlock()
}

// inWorld runs f in a bubble with a world whose populator has not begun.
func inWorld(t *testing.T, f func(w *world)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { withWorld(t, dir, f) })
}

func withWorld(t testing.TB, dir string, f func(w *world)) {
	w := &world{
		t: t, began: time.Now(), dir: dir,
		file:    vectorenv.File{Path: filepath.Join(dir, "vector.env")},
		owed:    populate.Marker{Path: filepath.Join(dir, "reload-owed")},
		changes: make(chan struct{}, 1),
		hostIP:  "10.1.2.3",
		ended:   make(chan error, 1),
		cancel:  func() {},
	}
	w.vault = &fakeVault{began: w.began, latency: 20 * time.Millisecond, secrets: map[string]string{}, errs: map[string]*vault.Error{}}
	for _, s := range vectorenv.Secrets() {
		w.vault.secrets[s.Name] = "value of " + s.Name
	}
	w.fetcher = w.vault
	w.vector = &fakeVector{turn: &w.turn, idle: true, file: w.file, look: func() {}}
	w.notify = &fakeNotifier{turn: &w.turn, began: w.began, file: w.file, readyAt: -1}
	f(w)
	w.cancel()
	synctest.Wait()
}

// start runs the populator until the world ends or stop is called.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	// As package watch does: a signal for a change, and a poll every 5 s.
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(5 * time.Second):
				w.signal()
			}
		}
	}()
	go func() {
		w.ended <- populate.Run(ctx, populate.Config{
			Dir: w.dir, File: w.file, Vault: w.fetcher, Vector: w.vector, Notify: w.notify,
			HostIP: func() string { return w.hostIP }, Changes: w.changes, Owed: w.owed,
			Log: slog.New(slog.DiscardHandler), Timing: populate.DefaultTiming(),
		})
	}()
	synctest.Wait()
}

// stop is SIGTERM: it returns when the populator has ended.
func (w *world) stop() {
	w.passTurn()
	w.cancel()
	require.ErrorIs(w.t, <-w.ended, context.Canceled)
}

// awaitEnd returns when the populator has ended by itself.
func (w *world) awaitEnd(within time.Duration) {
	w.t.Helper()
	w.passTurn()
	select {
	case err := <-w.ended:
		require.NoError(w.t, err)
	case <-time.After(within):
		require.Fail(w.t, "it has not ended", "within %s; status: %s", within, w.notify.status)
	}
	w.cancel()
}

func (w *world) running() bool { return len(w.ended) == 0 }

func (w *world) sleep(d time.Duration) {
	w.passTurn()
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) signal() {
	w.passTurn()
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

func (w *world) put(name, content string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600))
	w.signal()
	synctest.Wait()
}

func (w *world) remove(name string) {
	w.t.Helper()
	require.NoError(w.t, os.RemoveAll(filepath.Join(w.dir, name)))
	w.signal()
	synctest.Wait()
}

// values are what vector.env holds.
func (w *world) values() map[string]string { return w.file.Read().Values }
func (w *world) kind() vectorenv.Kind      { return w.file.Read().Kind }

// hold puts credentials from before into vector.env.
func (w *world) hold(change map[string]string) {
	values := vectorenv.Complete(map[string]string{vectorenv.HostIP: w.hostIP, vectorenv.Region: "westeurope"})
	for _, s := range vectorenv.Secrets() {
		values[s.Variable] = "value of " + s.Name
	}
	for name, value := range change {
		values[name] = value
	}
	data, err := vectorenv.Render(values)
	require.NoError(w.t, err)
	_, err = w.file.Write(data)
	require.NoError(w.t, err)
}

// worker is a whole role env.
func worker(vaultName string) string {
	return roleenv.VaultName + "=" + vaultName + "\n" + roleenv.Region + "=westeurope\n"
}

type fakeVault struct {
	began   time.Time
	latency time.Duration

	mu      sync.Mutex
	secrets map[string]string
	errs    map[string]*vault.Error // by secret, or "" for the service
	asked   []call
}

type call struct {
	at    time.Duration
	vault string
	names []string
}

func (f *fakeVault) Fetch(ctx context.Context, name string, names []string) map[string]vault.Answer {
	f.mu.Lock()
	f.asked = append(f.asked, call{time.Since(f.began), name, names})
	f.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(f.latency):
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	answers := map[string]vault.Answer{}
	for _, n := range names {
		value, ok := f.secrets[n]
		switch {
		case f.errs[""] != nil:
			answers[n] = vault.Answer{Err: f.errs[""]}
		case f.errs[n] != nil:
			answers[n] = vault.Answer{Err: f.errs[n]}
		case !ok:
			answers[n] = vault.Answer{Err: &vault.Error{Service: "key vault " + name, Secret: n, Status: 404, Code: "SecretNotFound", Permanent: true, Missing: true}}
		default:
			answers[n] = vault.Answer{Value: value}
		}
	}
	return answers
}

func (f *fakeVault) fail(secret string, e *vault.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e == nil {
		delete(f.errs, secret)
		return
	}
	f.errs[secret] = e
}

func (f *fakeVault) set(secret, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets[secret] = value
}

func (f *fakeVault) calls() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]call(nil), f.asked...)
}

// fakeVector reads vector.env when it is reloaded, as systemd does for Vector.
type fakeVector struct {
	turn    *sync.Mutex
	idle    bool
	file    vectorenv.File
	err     error
	reloads []map[string]string
	tries   int
	// runs is what its process was started with.
	runs map[string]string
	look func() // at every reload
}

func (v *fakeVector) Idle(context.Context) (bool, error) {
	v.turn.Lock()
	defer v.turn.Unlock()
	return v.idle, nil
}

func (v *fakeVector) Reload(context.Context) (string, error) {
	v.turn.Lock()
	defer v.turn.Unlock()
	v.tries++
	if v.err != nil {
		return "", v.err
	}
	v.look()
	v.runs = v.file.Read().Values
	v.reloads = append(v.reloads, v.runs)
	return "vector.service has been restarted", nil
}

type fakeNotifier struct {
	turn    *sync.Mutex
	began   time.Time
	file    vectorenv.File
	readyAt time.Duration // -1: not yet
	atReady vectorenv.Contents
	status  string
	all     []string
}

func (n *fakeNotifier) Ready(status string) error {
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.readyAt >= 0 {
		return errors.New("ready twice")
	}
	n.readyAt, n.atReady = time.Since(n.began), n.file.Read()
	n.status = status
	n.all = append(n.all, status)
	return nil
}

func (n *fakeNotifier) Status(status string) error {
	n.turn.Lock()
	defer n.turn.Unlock()
	n.status = status
	n.all = append(n.all, status)
	return nil
}

func (n *fakeNotifier) said(text string) bool {
	for _, s := range n.all {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}
