package run

import (
	"context"
	"fmt"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// watch waits until a shot is over.
type watch struct {
	shot
	machine  machine.Machine
	see      *sightings
	reach    func(boot.Milestone)
	patience patience
	unasked  error  // why it is not known what may still happen
	cut      string // why it was cut short
}

// lostAfter is how long after the end of a stream the news of PID 1's end may come.
const lostAfter = 3 * time.Second

// toTheEnd returns with what ended the shot.
func (w *watch) toTheEnd(ctx context.Context) (boot.Milestone, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of a question that nobody waits for any longer
	go w.tellBlocked(ctx)
	began := time.Now()
	window := time.After(w.window)
	var over, peek, lost <-chan time.Time
	var settles, holds, ends time.Time
	asking, isOver := false, false
	booting, overdue := true, false
	answers, spoilt := make(chan answer, 1), make(chan string, 1)
	until := func(t time.Time) {
		ends, isOver = t, false
		over = time.After(time.Until(ends))
		if w.hold > 0 {
			peek = time.After(time.Until(ends) - askAhead)
		}
	}
	plan := func() {
		if settles.IsZero() || w.hold > 0 && holds.IsZero() {
			return
		}
		until(later(settles, holds))
	}
	for {
		if isOver && !asking {
			w.reach(settled)
			return settled, nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case ms := <-w.see.c:
			if ms == streamEnded {
				lost = time.After(lostAfter)
				break
			}
			w.reach(ms)
			if ms == boot.CloudFinalStarted || ms == blocked {
				if booting = false; overdue {
					window = time.After(soon)
				}
			}
			if took := time.Since(began); ms == boot.MultiUserReached && w.spoilt != nil {
				go func() { spoilt <- w.spoilt(ctx, w.machine, took) }()
			}
			switch ms {
			case startStorm: // nothing changes the verdict, and other boots suffer
				return startStorm, nil
			case w.until:
				settles = time.Now().Add(w.settle)
				plan()
			case boot.LogsDelivered:
				w.patience.delivered, holds = time.Now(), time.Now().Add(w.hold)
				plan()
			}
		case w.cut = <-spoilt:
			if w.cut != "" {
				return cutShort, nil
			}
		case <-peek:
			peek, asking = nil, true
			go func() { answers <- w.ask(ctx) }()
		case a := <-answers:
			asking = false
			if w.unasked = a.err; a.err != nil {
				break
			}
			if t, why := w.patience.goOn(a.pending, time.Now()); t.After(ends) {
				window = nil // patience has an end of its own
				until(t)
				w.reach(boot.Milestone(fmt.Sprintf("delivered; goes on for %s, which %s", why.Unit, why.How)))
			}
		case <-over:
			over, isOver = nil, true
		case <-w.machine.Exited():
			return machineExited, nil
		case <-lost:
			return "", fmt.Errorf("lost sight of machine %s: its console or its cloud's log ended while it ran; did the engine stop? (bootrace doctor)", w.machine.ID())
		case <-window:
			if !booting || overdue {
				return windowOver, nil
			}
			// A host that is slow shows a boot that is under way where the scenario has it wait.
			window, overdue = nil, true
		}
	}
}

// tellBlocked tells that the machine does not get on with its boot, or has had its time for
// it. A blocked boot must not block the others, and one that is only slow must not have more
// beside it for that: each would be slower still.
func (w *watch) tellBlocked(ctx context.Context) {
	defer w.see.add(blocked)
	due, longest := time.After(w.boots), time.After(w.boots+slowly)
	var had time.Duration
	for {
		select {
		case <-due:
		case <-longest:
			return
		case <-ctx.Done():
			return
		}
		now, err := w.machine.CPU(ctx)
		if err != nil || now-had < idles { // an engine that does not tell is believed no longer than one that is told
			return
		}
		had, due = now, time.After(idleWithin)
	}
}

// A machine whose processes have had less of the CPU than that waits for something else, or
// asks for it once a second. Of sixteen that boot on two cores each has more.
const idles, idleWithin = 100 * time.Millisecond, time.Second

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// answer is what may still happen.
type answer struct {
	pending []recording.Pending
	err     error
}

func (w *watch) ask(ctx context.Context) answer {
	pending, err := ask(ctx, w.machine, w.units)
	return answer{pending, err}
}

// put records what could still happen.
func (w *watch) put(to *recording.Writer) error {
	if w.unasked != nil {
		to.Missing(recording.PendingFile, w.unasked)
		return nil
	}
	if w.patience.delivered.IsZero() || w.hold == 0 {
		return nil
	}
	file, err := w.patience.file()
	if err != nil {
		return err
	}
	return to.Put(recording.PendingFile, file)
}
