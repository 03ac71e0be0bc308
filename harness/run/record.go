package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// shot is one boot to record.
type shot struct {
	name    string
	spec    machine.Spec
	secrets map[string]string
	// unsearched: the machine is not searched for them; they are taken out of what is recorded
	// nevertheless.
	unsearched bool
	cloud      string // a host of its cloud that it must reach; empty: it is not asked
	dir        string
	// The recording ends settle after until was reached and, if hold is set, no
	// sooner than hold after the first delivery; at the latest window after the start.
	until                boot.Milestone
	settle, hold, window time.Duration
	boots                time.Duration // what it has for its boot, for which the others wait
	// units are the subject's: with hold, the recording goes on for what they may still do.
	units []string
	files map[string][]byte // kept with the recording
	// late are files that are known only when the boot is over; may be nil. Its
	// error is noted in the recording.
	late func() (map[string][]byte, error)
	// spoilt is why a boot that took so long to multi-user.target shows nothing, whatever comes
	// after: the recording ends then. Empty: it goes on. May be nil.
	spoilt func(ctx context.Context, m machine.Machine, took time.Duration) string
	keep   bool // leave the machine running and to the caller
	// again is a machine that is down and boots once more; nil: a new one is started. number
	// is which of its boots it is then.
	again  machine.Machine
	number int
	down   time.Duration // how long its boot before took to end
	// rotated: only what has the secret's new value is a delivery.
	rotated bool
}

// recorded is what came of a shot.
type recorded struct {
	dir     string
	ended   boot.Milestone
	machine machine.Machine // nil unless kept
	removed <-chan error    // tells that the machine is gone; nil if kept
}

// gone waits until the machine is.
func (r recorded) gone() error {
	if r.removed == nil {
		return nil
	}
	return <-r.removed
}

// removeTimeout bounds the removal of a machine, cancelled or not.
const removeTimeout = 60 * time.Second

// collectTimeout bounds the collection; it takes about 0.2 s on an idle host.
const collectTimeout = 60 * time.Second

// record boots a machine, follows it to its end, and takes everything that is to
// be known of it. An error means that there is no recording to judge.
func (r *Runner) record(ctx context.Context, s shot, reach func(boot.Milestone)) (rec recorded, err error) {
	rec = recorded{dir: s.dir}
	w, err := recording.Create(s.dir, s.secrets)
	if err != nil {
		return rec, err
	}
	for name, data := range s.files {
		if err := w.Put(name, data); err != nil {
			return rec, err
		}
	}
	m, err := r.start(ctx, s)
	if err != nil {
		return rec, err
	}
	var streams sync.WaitGroup
	defer func() {
		switch {
		case s.keep && err == nil:
			rec.machine = m
		case rec.removed == nil:
			err = leftBehind(err, <-removing(ctx, m))
		case err != nil:
			err = leftBehind(err, rec.gone())
		}
		// Removed or detached, the machine has no streams any more; nobody is to
		// write into the recording after this.
		streams.Wait()
	}()
	man := recording.Manifest{Case: s.name, Versions: map[string]string{}}
	if s.again != nil {
		man.Boot, man.Down = s.number, s.down
	}
	maps.Copy(man.Versions, r.versions)

	see := newSightings()
	streamErrs := make(chan error, 2)
	follow := func(name string, from io.Reader, look func([]byte) boot.Milestone) {
		streams.Go(func() {
			streamErrs <- w.Stream(name, from, func(line []byte) {
				if ms := look(line); ms != "" {
					see.add(ms)
				}
			})
			see.add(streamEnded)
		})
	}
	starts := map[string][]time.Time{}
	follow(recording.ConsoleFile, m.Console(), func(line []byte) boot.Milestone {
		if storms(starts, line, time.Now()) {
			return startStorm
		}
		ms := boot.OnConsole(line)
		if ms == boot.CloudFinalStarted { // it is After=multi-user.target, of which PID 1 may have said nothing
			see.add(boot.MultiUserReached)
		}
		return ms
	})
	var clock cloudClock
	setup := boot.Setup{LogToken: secretToken, RotatedBefore: s.rotated}
	follow(recording.CloudFile, m.CloudLog(), func(line []byte) boot.Milestone {
		clock.hear(line)
		return setup.OnCloud(line)
	})
	see.add(machineStarted)

	watching := watch{shot: s, machine: m, see: see, patience: patience{hold: s.hold}, reach: reach}
	rec.ended, err = watching.toTheEnd(ctx)
	if err != nil {
		// A stream that ended because it could not be written down is the cause.
		for range 2 {
			select {
			case streamErr := <-streamErrs:
				if streamErr != nil {
					err = streamErr
				}
			default:
			}
		}
		return rec, err
	}
	if rec.ended == machineExited {
		code := m.ExitCode()
		man.ContainerExit = &code
	}
	man.Cut = watching.cut
	if err := watching.put(w); err != nil {
		return rec, err
	}
	if err := r.take(ctx, s, m, w, &man, &clock); err != nil {
		return rec, err
	}
	if samples, err := r.host.between(clock.first.Load(), man.EndMono); err != nil {
		w.Missing(recording.HostFile, err)
	} else if err := w.Put(recording.HostFile, samples); err != nil {
		return rec, err
	}
	if err := s.putLate(w); err != nil {
		return rec, err
	}
	// Either way the two streams end, whose files the manifest is about.
	if s.keep {
		m.Detach()
	} else {
		rec.removed = removing(ctx, m)
	}
	streams.Wait()
	if err := errors.Join(<-streamErrs, <-streamErrs); err != nil {
		return rec, err
	}
	return rec, w.Close(man)
}

// cloudClock is the machine's clock as its cloud tells it, which answers before PID 1
// starts: one's own may be another host's.
type cloudClock struct{ first, last atomic.Int64 } // CLOCK_MONOTONIC in nanoseconds; 0: not told yet

func (c *cloudClock) hear(line []byte) {
	var l recording.Request
	if json.Unmarshal(line, &l) != nil || l.Mono <= 0 {
		return
	}
	c.first.CompareAndSwap(0, l.Mono)
	c.last.Store(l.Mono)
}

// take takes what the machine itself knows of its boot, and the boot clock. Of a machine
// that does not say so the boot begins when its cloud answers, and ends when the
// cloud, or the host, was last heard of.
func (r *Runner) take(ctx context.Context, s shot, m machine.Machine, w *recording.Writer, man *recording.Manifest, cloud *cloudClock) error {
	sought := s.secrets
	if s.unsearched {
		sought = nil
	}
	collected, err := r.collect(ctx, m, w, recording.CollectRequest{Secrets: sought, Cloud: s.cloud})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.Missing(recording.MissingCollection, err)
	}
	end := collected.Clock
	if end.Mono == 0 {
		end = r.host.now()
		end.Mono = max(end.Mono, cloud.last.Load())
	}
	man.BootZeroMono, man.EndMono = cloud.first.Load(), end.Mono
	if s.again != nil {
		man.StartMono = man.BootZeroMono
	}
	maps.Copy(man.Versions, collected.Versions)
	switch zero, systemd, err := manager(s.dir); {
	case err == nil:
		man.BootZeroMono, man.Versions["systemd"] = zero, systemd
	case man.ContainerExit != nil: // the clock's zero is that of the engine's start then
		w.Missing(recording.MissingClock, errors.New("the machine had ended"))
	default:
		w.Missing(recording.MissingClock, err)
	}
	if end.Realtime > 0 {
		man.BootRealtime = end.Realtime - (end.Mono-man.BootZeroMono)/1000
	}
	return nil
}

func (s shot) putLate(w *recording.Writer) error {
	if s.late == nil {
		return nil
	}
	files, err := s.late()
	if err != nil {
		w.Missing(recording.MissingControl, err)
	}
	for name, data := range files {
		if err := w.Put(name, data); err != nil {
			return err
		}
	}
	return nil
}

// removing removes a machine while its recording is being judged.
func removing(ctx context.Context, m machine.Machine) <-chan error {
	done := make(chan error, 1)
	go func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		done <- m.Remove(cleanup)
	}()
	return done
}

// leftBehind adds to why there is no recording that the machine is still there: as
// a rule for the same cause, which is said once.
func leftBehind(err, removing error) error {
	if removing == nil || err == nil {
		return errors.Join(err, removing)
	}
	return fmt.Errorf("%w; the machine is left behind, bootrace clean removes it", err)
}

// startTimeout bounds the start of a machine, which takes about 0.3 s: an engine
// may take connections and not answer.
const startTimeout = 3 * time.Minute

func (r *Runner) start(ctx context.Context, s shot) (m machine.Machine, err error) {
	bounded, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.again != nil {
		if m, err = s.again.Up(bounded, machine.Next{CloudConfig: s.spec.CloudConfig, Files: s.spec.Files}); err != nil {
			err = leftBehind(err, <-removing(ctx, s.again))
		}
	} else {
		m, err = r.Backend.Start(bounded, s.spec)
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("not started within %s: %w", startTimeout, err)
	}
	return m, err
}

// collect runs the machine's collector and stores what it gives.
func (r *Runner) collect(ctx context.Context, m machine.Machine, w *recording.Writer, what recording.CollectRequest) (recording.Collected, error) {
	ctx, cancel := context.WithTimeout(ctx, collectTimeout)
	defer cancel()
	request, err := json.Marshal(what)
	if err != nil {
		return recording.Collected{}, err
	}
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := m.Collect(ctx, request, pw)
		_ = pw.CloseWithError(err)
		done <- err
	}()
	collected, err := w.Collection(pr)
	_ = pr.CloseWithError(errors.New("the collection was not wanted any longer"))
	collect := <-done
	if err != nil {
		return collected, err // collect's own is in it, or comes of it
	}
	return collected, collect
}

// manager reads the boot clock's zero, in CLOCK_MONOTONIC's nanoseconds, and
// systemd's version from what was collected.
func manager(dir string) (zero int64, version string, err error) {
	data, err := os.ReadFile(filepath.Join(dir, recording.ManagerFile))
	if err != nil {
		return 0, "", err
	}
	for l := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(l)), "=")
		switch key {
		case "Version":
			version = value
		case "UserspaceTimestampMonotonic":
			us, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, "", fmt.Errorf("UserspaceTimestampMonotonic: %w", err)
			}
			zero = us * 1000
		}
	}
	if zero == 0 {
		return 0, "", errors.New("no UserspaceTimestampMonotonic in manager.txt")
	}
	return zero, version, nil
}
