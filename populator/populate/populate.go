// Package populate decides what happens to vector.env and when: it ties role
// env, vault, file and service together and is the only part with a memory. It
// does no I/O but through its [Config].
//
//	err := populate.Run(ctx, populate.Config{Dir: "/etc/opensandbox", …})
//
// Run returns nil when there is nothing left to do, and ctx's error when it
// was told to stop; nothing else ends it, because no trouble of a cloud is a
// reason for a machine to be without credentials for ever. The rules are those
// of the populator's README; time is the package time's, so that a test may run
// it in a testing/synctest bubble.
package populate

import (
	"context"
	"log/slog"
	"time"

	"bootrace/populator/roleenv"
	"bootrace/populator/vault"
	"bootrace/populator/vectorenv"
)

// Fetcher asks a vault for secrets, once.
type Fetcher interface {
	Fetch(ctx context.Context, vault string, names []string) map[string]vault.Answer
}

// Service is who reads vector.env.
type Service interface {
	// Idle: it is known to have no process yet.
	Idle(ctx context.Context) (bool, error)
	// Reload makes it run with the file as it is, and says how.
	Reload(ctx context.Context) (how string, err error)
}

// Notifier tells the service manager about this process's unit.
type Notifier interface {
	Ready(status string) error
	Status(status string) error
}

// Config is what Run works with. All of it must be set.
type Config struct {
	Dir     string // of the role env
	File    vectorenv.File
	Vault   Fetcher
	Vector  Service
	Notify  Notifier
	HostIP  func() string
	Changes <-chan struct{} // time for another look at Dir
	Owed    Marker
	Log     *slog.Logger
	Timing  Timing
}

// Timing of Run.
type Timing struct {
	Role roleenv.Timing
	// ReadyWithin is how long boot may wait for the real values when a role
	// env is there and no usable vector.env.
	ReadyWithin time.Duration
	// Linger is how long the role env is watched after its last change, for
	// the script that edits it in place once it has written it.
	Linger time.Duration
	// NoVault is how long a role env without a vault is watched on.
	NoVault time.Duration
	// IdleWithin and ReloadWithin bound the questions to the service.
	IdleWithin, ReloadWithin time.Duration
	// WriteAgain is the pause after a write that failed.
	WriteAgain time.Duration
}

// DefaultTiming is production's.
func DefaultTiming() Timing {
	return Timing{
		Role:         roleenv.DefaultTiming(),
		ReadyWithin:  time.Second,
		Linger:       5 * time.Second,
		NoVault:      10 * time.Minute,
		IdleWithin:   500 * time.Millisecond,
		ReloadWithin: 2 * time.Minute,
		WriteAgain:   5 * time.Second,
	}
}

// Run keeps vector.env right until it is.
func Run(ctx context.Context, c Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := newLoop(c)
	l.begin(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		l.step(ctx)
		if l.finished {
			return nil
		}
		timer.Reset(max(time.Until(l.wake), 0))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.Changes:
		case r := <-l.fetched:
			l.takeAnswers(r)
		case r := <-l.reloaded:
			l.takeReload(r)
		case <-timer.C:
		}
	}
}

// loop is Run's memory. One goroutine owns it; fetches and reloads run beside
// it and report over channels.
type loop struct {
	Config
	began time.Time
	wake  time.Time // when step has something to do by itself

	sight     roleenv.Sight
	seen      time.Time // when this sight was first had
	unchanged time.Time // since when it is believed to be as it is
	role      roleenv.Role
	state     roleenv.State
	why       string

	// want is the last complete role: what vector.env is to be made for.
	want roleenv.Role
	// foreign: what vector.env held before may be another vault's.
	foreign bool
	fetch   fetch
	fetched chan fetchResult

	current   vectorenv.Contents
	stale     bool      // vector.env is to be written
	writeNext time.Time // not before
	writeErr  error
	delivered time.Time // when vector.env was last known to be want's

	ready    bool
	finished bool

	idle     chan bool // Vector had no process before Ready
	reload   reload
	reloaded chan reloadResult

	said said
}

func newLoop(c Config) *loop {
	return &loop{
		Config:   c,
		began:    time.Now(),
		fetched:  make(chan fetchResult),
		reloaded: make(chan reloadResult),
		idle:     make(chan bool, 1),
		fetch:    fetch{fast: fastRetries(), answered: answeredRetries(), slow: slowRetries(), vaultNext: map[string]time.Time{}},
		reload:   reload{retries: slowRetries()},
	}
}

func (l *loop) begin(ctx context.Context) {
	if err := l.File.Sweep(); err != nil {
		l.Log.Warn("leftovers beside vector.env", "error", err)
	}
	l.current = l.File.Read()
	if l.current.Err != nil {
		l.Log.Warn("vector.env is not usable", "error", l.current.Err)
	}
	l.mend()
	// A process before this one wrote the file and did not live to reload.
	l.reload.owed = l.reload.owed || l.Owed.Exists()
	// Vector starts after this unit is ready: if it has no process by then,
	// it will read what is there by then.
	go func() {
		ctx, cancel := context.WithTimeout(ctx, l.Timing.IdleWithin)
		defer cancel()
		idle, err := l.Vector.Idle(ctx)
		l.idle <- err == nil && idle
	}()
}

// mend keeps the values of a vector.env that is usable, and closes it to
// others or adds the variables that a version before this one did not know.
func (l *loop) mend() {
	if l.current.Kind != vectorenv.Real {
		return
	}
	if full := vectorenv.Complete(l.current.Values); len(full) > len(l.current.Values) {
		l.write(full)
	} else if _, err := l.File.Write(l.current.Data); err != nil {
		l.Log.Warn("vector.env is open to others", "error", err)
	}
}

// step does everything that is due, in the order in which one thing leads to
// another, and leaves in wake when the next is.
func (l *loop) step(ctx context.Context) {
	now := time.Now()
	l.wake = now.Add(time.Hour)
	l.look(now)
	l.startFetch(ctx, now)
	l.writeReal(now)
	l.becomeReady(ctx, now)
	l.startReload(ctx, now)
	l.finish(now)
	l.report()
}

// at makes sure that step is called at t.
func (l *loop) at(t time.Time) {
	if t.Before(l.wake) {
		l.wake = t
	}
}

// look takes another look at the role env and judges it.
func (l *loop) look(now time.Time) {
	sight := roleenv.Look(l.Dir)
	if first := l.seen.IsZero(); first || sight.Stamp != l.sight.Stamp || !sameError(sight.Err, l.sight.Err) {
		l.seen, l.unchanged = now, now
		if age := now.Sub(sight.Stamp.CTime); first && age > 0 {
			// It lay there before this process: as settled as the kernel says,
			// but what takes longer to believe takes that long again.
			l.unchanged = now.Add(-min(age, l.Timing.Role.Settled))
		}
	}
	l.sight = sight
	unchanged := now.Sub(l.unchanged)
	l.role, l.state, l.why = sight.Judge(unchanged, l.Timing.Role)
	for _, d := range []time.Duration{l.Timing.Role.Settled, l.Timing.Role.Long} {
		if l.state == roleenv.HalfWritten && unchanged < d {
			l.at(l.unchanged.Add(d))
		}
	}
	switch {
	case l.state == roleenv.Complete && l.role != l.want:
		l.aim(l.role)
	case l.state == roleenv.NoVault && l.want.Vault != "":
		l.aim(roleenv.Role{})
	}
}

// aim makes role the one vector.env is to be made for. Secrets that are known
// are not asked for again when only the rest of the role env has changed.
func (l *loop) aim(role roleenv.Role) {
	if role.Vault != l.want.Vault {
		l.foreign = l.foreign || l.want.Vault != ""
		l.fetch.startOver(role.Vault, time.Now())
		if role.Vault != "" {
			l.fetch.names = names()
		}
	}
	l.want = role
	l.stale = role.Vault != ""
	l.delivered = time.Time{}
}

// becomeReady ends the boot's wait: at once if vector.env is usable or there is
// no role env to be had, after ReadyWithin in any case.
func (l *loop) becomeReady(ctx context.Context, now time.Time) {
	deadline := l.began.Add(l.Timing.ReadyWithin)
	usable := l.current.Kind == vectorenv.Real
	if !l.ready && !usable && l.state != roleenv.Absent && now.Before(deadline) {
		l.at(deadline)
		return
	}
	// Never over credentials; if it cannot be written, again and again.
	if !usable && (!l.ready || l.current.Kind == vectorenv.None) {
		if !now.Before(l.writeNext) {
			l.write(vectorenv.Stub())
		}
		if l.writeErr != nil {
			l.at(l.writeNext)
		}
	}
	if l.ready {
		return
	}
	if l.reload.owed && !l.Owed.Exists() {
		select {
		case idle := <-l.idle:
			l.reload.owed = !idle
		case <-ctx.Done():
			return
		}
	}
	l.ready = true
	if l.reload.owed {
		l.owe()
	}
	if err := l.Notify.Ready(l.status()); err != nil {
		l.Log.Error("the service manager cannot be told", "error", err)
	}
	l.said.status = l.status()
	l.Log.Info("ready", "after", time.Since(l.began).Round(time.Millisecond))
}

// finish ends the run when vector.env is what it is to be, Vector has it, and
// the role env has been left alone for a while; or when there is no vault.
func (l *loop) finish(now time.Time) {
	if !l.ready || l.reload.owed || l.reload.running {
		return
	}
	var end time.Time
	switch {
	case l.state == roleenv.NoVault:
		end = l.seen.Add(l.Timing.NoVault)
	case l.delivered.IsZero() || len(l.fetch.names) > 0 || l.stale:
		return
	case l.state == roleenv.HalfWritten:
		// Edited again after it was delivered: longer, but not for ever.
		end = l.seen.Add(l.Timing.Role.Long)
	default:
		end = l.seen.Add(l.Timing.Linger)
	}
	l.finished = !now.Before(end)
	l.at(end)
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}
