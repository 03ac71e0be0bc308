package run

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// fakeBackend is for the runner's own logic: order, limits, clean-up, errors.
// What a boot is really like, TestMachines shows.
type fakeBackend struct {
	mu       sync.Mutex
	started  []string
	living   int
	booting  int // between Start and the machine's cloud-final line
	mostBoot int
	removed  int

	fail    func(name string) error         // of Start
	exits   func(name string) bool          // PID 1 ends at once
	boot    func(ctx context.Context) error // how long a boot takes
	reaches bool                            // multi-user.target is on record, after half a second
	late    func(name string) time.Duration // until the console says so; nil: at once
	loses   func(name string) time.Duration // to others, of that half; nil: there is no journal
	lost    func(name string) time.Duration // the same, asked while it runs; nil: it does not tell
	downs   []machine.Ending
	downErr error
	nexts   []machine.Next
	pending func() []recording.Pending // what may still happen; nil: nothing

	skew time.Duration // of the engine's host's clocks against ours

	unreached func(name string) bool // a machine that is asked does not reach its cloud

	cpu func() (time.Duration, error) // what a machine has had of it; nil: nothing

	searched []string // machines that were searched for secrets
}

func (b *fakeBackend) Name() string { return "fake" }

func (b *fakeBackend) Versions(context.Context) (map[string]string, error) {
	return map[string]string{"engine": "fake"}, nil
}

func (b *fakeBackend) Start(ctx context.Context, spec machine.Spec) (machine.Machine, error) {
	b.mu.Lock()
	b.started = append(b.started, spec.Name)
	b.booting++
	b.mostBoot = max(b.mostBoot, b.booting)
	b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(spec.Name); err != nil {
			b.mu.Lock()
			b.booting--
			b.mu.Unlock()
			return nil, err
		}
	}
	if b.boot != nil {
		if err := b.boot(ctx); err != nil {
			b.mu.Lock()
			b.booting--
			b.mu.Unlock()
			return nil, err
		}
	}
	m := &fakeMachine{backend: b, name: spec.Name, exited: make(chan struct{})}
	m.console, m.consoleIn = io.Pipe()
	m.cloud, m.cloudIn = io.Pipe()
	b.mu.Lock()
	b.living++
	b.booting--
	b.mu.Unlock()
	go func() {
		if b.late != nil {
			time.Sleep(b.late(spec.Name))
		}
		fmt.Fprintf(m.consoleIn, "[  OK  ] Reached target multi-user.target - Multi-User System.\r\n         Starting cloud-final.service\r\n")
		// Taken by the reader once it has looked at the lines before: what comes by the
		// other stream comes after them.
		fmt.Fprint(m.consoleIn, "\r\n")
		if b.exits != nil && b.exits(spec.Name) {
			close(m.exited)
			return
		}
		fmt.Fprintf(m.cloudIn, `{"mono":%d,"service":"controlplane","op":"register","status":200}`+"\n", b.now().Mono)
	}()
	return m, nil
}

// WatchHost has a host that is calm, and whose clock is skew ahead of ours.
func (b *fakeBackend) WatchHost(context.Context, string, string) (io.ReadCloser, error) {
	out, in := io.Pipe()
	go func() {
		lines := json.NewEncoder(in)
		for lines.Encode(recording.HostSample{Clock: b.now()}) == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return out, nil
}

func (b *fakeBackend) now() recording.Clock {
	c := recording.Now()
	return recording.Clock{Mono: c.Mono + b.skew.Nanoseconds(), Realtime: c.Realtime + b.skew.Microseconds()}
}

func (b *fakeBackend) ByHand(machine.Spec, ...machine.Later) string { return "fake start" }

type fakeMachine struct {
	backend            *fakeBackend
	name               string
	console, cloud     *io.PipeReader
	consoleIn, cloudIn *io.PipeWriter
	exited             chan struct{}
	once               sync.Once
}

func (m *fakeMachine) Down(_ context.Context, how machine.Ending) error {
	m.Detach()
	m.backend.mu.Lock()
	defer m.backend.mu.Unlock()
	m.backend.downs = append(m.backend.downs, how)
	return m.backend.downErr
}

func (m *fakeMachine) Up(ctx context.Context, next machine.Next) (machine.Machine, error) {
	m.backend.mu.Lock()
	m.backend.nexts = append(m.backend.nexts, next)
	m.backend.mu.Unlock()
	n, err := m.backend.Start(ctx, machine.Spec{Name: m.name + "+"})
	if err == nil { // it is the same machine
		m.once.Do(func() {})
		m.backend.mu.Lock()
		m.backend.living--
		m.backend.mu.Unlock()
	}
	return n, err
}

func (m *fakeMachine) CPU(context.Context) (time.Duration, error) {
	if m.backend.cpu == nil {
		return 0, nil
	}
	return m.backend.cpu()
}

func (m *fakeMachine) ID() string              { return "fake" }
func (m *fakeMachine) Console() io.Reader      { return m.console }
func (m *fakeMachine) CloudLog() io.Reader     { return m.cloud }
func (m *fakeMachine) Exited() <-chan struct{} { return m.exited }
func (m *fakeMachine) ExitCode() int           { return 255 }

func (m *fakeMachine) Collect(_ context.Context, asked []byte, w io.Writer) error {
	if m.backend.exits != nil && m.backend.exits(m.name) {
		return errors.New("is not running")
	}
	t := tar.NewWriter(w)
	var request recording.CollectRequest
	if err := json.Unmarshal(asked, &request); err != nil {
		return err
	}
	if request.CPULost {
		text := []byte("no number")
		if m.backend.lost != nil {
			text = strconv.AppendInt(nil, m.backend.lost(m.name).Microseconds(), 10)
		}
		return errors.Join(t.WriteHeader(&tar.Header{Name: recording.CPULostFile, Size: int64(len(text)), Mode: 0o600}), writeTo(t, text), t.Close())
	}
	if request.Pending {
		p := patience{}
		if m.backend.pending != nil {
			p.seen = m.backend.pending()
		}
		text, err := p.file()
		return errors.Join(err, t.WriteHeader(&tar.Header{Name: recording.PendingFile, Size: int64(len(text)), Mode: 0o600}), writeTo(t, text), t.Close())
	}
	m.backend.mu.Lock()
	if len(request.Secrets) > 0 {
		m.backend.searched = append(m.backend.searched, m.name)
	}
	m.backend.mu.Unlock()
	now := m.backend.now()
	booted := now.Mono/1000 - int64(time.Second/time.Microsecond)
	clock, err := json.Marshal(now)
	if err != nil {
		return err
	}
	files := map[string]string{recording.CollectedClock: string(clock), "manager.txt": fmt.Sprintf("Version=257\nUserspaceTimestampMonotonic=%d\n", booted)}
	if m.backend.unreached != nil && m.backend.unreached(m.name) && request.Cloud != "" {
		files[recording.CollectedMissing] = `{"cloud":"curl: (6) Could not resolve host"}`
	}
	if m.backend.reaches {
		files["units.txt"] = fmt.Sprintf("Id=multi-user.target\nActiveState=active\nActiveEnterTimestampMonotonic=%d\n", booted+500_000)
	}
	if m.backend.loses != nil {
		files["journal.json"] = fmt.Sprintf(`{"__MONOTONIC_TIMESTAMP":"%d","_PID":"9","_SYSTEMD_UNIT":"boot-logger.service","SYSLOG_IDENTIFIER":"boot-logger",`+
			`"MESSAGE":"{\"source\":\"boot-logger\",\"seq\":1,\"late_us\":0,\"psi_cpu_full_us\":%d}"}`+"\n", booted+500_000, m.backend.loses(m.name).Microseconds())
	}
	for name, text := range files {
		if err := t.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o600}); err != nil {
			return err
		}
		if _, err := io.WriteString(t, text); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeTo(w io.Writer, text []byte) error {
	_, err := w.Write(text)
	return err
}

func (m *fakeMachine) Detach() {
	_ = m.consoleIn.Close()
	_ = m.cloudIn.Close()
}

func (b *fakeBackend) Shell(string) []string      { return []string{"fake", "shell"} }
func (m *fakeMachine) Keep(context.Context) error { return nil }

func (m *fakeMachine) Remove(ctx context.Context) error {
	if ctx.Err() != nil {
		return errors.New("removed with a context that had ended")
	}
	m.once.Do(func() {
		m.Detach()
		m.backend.mu.Lock()
		defer m.backend.mu.Unlock()
		m.backend.living--
		m.backend.removed++
	})
	return nil
}
