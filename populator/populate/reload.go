package populate

import (
	"context"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// reload is what Vector is owed: to run with vector.env as it is.
type reload struct {
	owed    bool
	running bool
	round   int // the write it is owed for
	next    time.Time
	since   time.Time // of the trouble
	err     error
	done    string // how the last one went
	doneAt  time.Time
	retries *backoff.ExponentialBackOff
}

type reloadResult struct {
	round int
	how   string
	err   error
}

func (l *loop) startReload(ctx context.Context, now time.Time) {
	r := &l.reload
	if !l.ready || !r.owed || r.running {
		return
	}
	if now.Before(r.next) {
		l.at(r.next)
		return
	}
	r.running = true
	round := r.round
	go func() {
		bounded, cancel := context.WithTimeout(ctx, l.Timing.ReloadWithin)
		defer cancel()
		how, err := l.Vector.Reload(bounded)
		select {
		case l.reloaded <- reloadResult{round, how, err}:
		case <-ctx.Done():
		}
	}()
}

func (l *loop) takeReload(result reloadResult) {
	r := &l.reload
	now := time.Now()
	r.running, r.err = false, result.err
	if result.err != nil {
		if r.since.IsZero() {
			r.since = now
		}
		r.next = now.Add(r.retries.NextBackOff())
		return
	}
	r.retries.Reset()
	r.since, r.done, r.doneAt = time.Time{}, result.how, now
	if result.round != r.round {
		return // written again meanwhile: owed again
	}
	r.owed = false
	if err := l.Owed.Clear(); err != nil {
		l.Log.Warn("the note for a restart of this unit stays", "error", err)
	}
}

// Marker is a note on the machine's volatile file system that Vector is owed a
// reload: a process that is killed between its write and the reload must not
// leave Vector on the stub for ever. It does not survive a reboot, nor does a
// Vector that would need it.
type Marker struct{ Path string }

// Set leaves the note.
func (m Marker) Set() error { return os.WriteFile(m.Path, nil, 0o600) }

// Exists says whether a note was left.
func (m Marker) Exists() bool {
	_, err := os.Stat(m.Path)
	return err == nil
}

// Clear takes the note away.
func (m Marker) Clear() error {
	if err := os.Remove(m.Path); !os.IsNotExist(err) {
		return err
	}
	return nil
}
