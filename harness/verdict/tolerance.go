package verdict

import (
	"fmt"
	"time"

	"bootrace/harness/check"
)

// Tolerance is what a boot may be disturbed before its findings stop counting.
// All of it stands here.
type Tolerance struct {
	// Late is the largest delay of a tick. The boot logger ticks every 500 ms
	// while most goes on: one that is late by that much was not scheduled.
	Late time.Duration
	// Stalled is the largest share of any 10 s in which no task of the host could
	// run for want of memory or disk (PSI full, the kernel's accounting/psi.rst).
	Stalled float64
	// Waiting for the CPU (PSI some) is no measure by itself: two boots on two cores
	// show it always. It counts where what is not the subject's took longer than in
	// the control boot as well: a compiler on the same two cores made a boot five
	// times slower and no tick later than 5 ms.
	//
	// Starved is the least share of the boot in which tasks waited for the CPU on a
	// host that leaves none to the machine, Slow how many times longer than the
	// control boot the boot then took, or it did not end: with 32 tasks that wanted
	// two cores it had not after 83 s, all of which tasks waited, and no tick was
	// later than 32 ms.
	Starved, Slow float64
	// Factor is how much longer than the time the host lost a finding may be
	// explained by it: thirty boots at once on two cores made the populator 20
	// times slower, with delays adding up to a third of that.
	Factor int
}

// Tolerances are the ones in use.
func Tolerances() Tolerance {
	return Tolerance{Late: 500 * time.Millisecond, Stalled: 0.2, Starved: 0.9, Slow: 2, Factor: 10}
}

// StallWindow is the window Disturbance.Stalled is measured in.
const StallWindow = 10 * time.Second

// Disturbance is what the host did to one boot.
type Disturbance struct {
	Measured bool          `json:"measured"`   // false: nothing below is known but Causes
	Late     time.Duration `json:"late_ns"`    // the largest delay of a tick
	LateAt   time.Duration `json:"late_at_ns"` // when
	Stalled  time.Duration `json:"stalled_ns"` // the most of any StallWindow lost to memory or disk
	Lost     time.Duration `json:"lost_ns"`    // all delays and stalls together
	Causes   []Cause       `json:"causes"`     // each spoils the boot by itself
	Booted   time.Duration `json:"booted_ns"`  // when multi-user.target was reached; the end, if it was not
	CPU      []Waiting     `json:"-"`          // in the order of time
	// Slowness is the boot's time over the control boot's, the subject's starts left
	// out of it; 0: not known.
	Slowness float64 `json:"slowness"`
}

// Waiting is for how long tasks had waited for the CPU (PSI some), in all, at a
// moment of the boot clock.
type Waiting struct{ At, Total time.Duration }

// waited is for how long tasks waited for the CPU from one moment to another, by
// the samples that enclose them.
func (d Disturbance) waited(from, to time.Duration) time.Duration {
	if len(d.CPU) == 0 {
		return 0
	}
	first, last := d.CPU[0], d.CPU[len(d.CPU)-1]
	for _, w := range d.CPU {
		if w.At <= from {
			first = w
		}
		if w.At >= to {
			last = w
			break
		}
	}
	return max(0, last.Total-first.Total)
}

// Cause is something at the host that spoils a boot.
type Cause struct {
	Reason string        `json:"reason"`
	At     time.Duration `json:"at_ns"`
}

// beyond says what exceeds the tolerances, or nothing.
func (d Disturbance) beyond(t Tolerance) string {
	switch {
	case !d.Measured:
		return "the host's disturbance was not measured"
	case d.Late > t.Late:
		return fmt.Sprintf("a tick was %s late at %+.3fs, tolerated %s", d.Late.Round(time.Millisecond), d.LateAt.Seconds(), t.Late)
	case d.starved(t):
		return fmt.Sprintf("tasks waited for the CPU for %s of the boot's %s", d.waited(0, d.Booted).Round(time.Millisecond), d.Booted.Round(time.Millisecond))
	case d.Stalled.Seconds() > t.Stalled*StallWindow.Seconds():
		return fmt.Sprintf("memory or disk stalled the host for %s of %s, tolerated %.0f %%", d.Stalled.Round(time.Millisecond), StallWindow, t.Stalled*100)
	}
	return ""
}

// starved: the host left the machine no CPU while it booted.
func (d Disturbance) starved(t Tolerance) bool {
	return d.waited(0, d.Booted).Seconds() > t.Starved*d.Booted.Seconds() && (d.Slowness == 0 || d.Slowness > t.Slow)
}

// explains says whether a finding may be the host's doing, and by what.
func (d Disturbance) explains(f check.Finding, t Tolerance) string {
	if f.Limit > 0 && f.Over > 0 {
		took := f.Limit + f.Over
		began := f.At - took
		waited := min(took, d.waited(began, f.At)) // the samples are a second apart
		switch {
		case f.Over > waited:
		case began < d.Booted: // a boot alone makes tasks wait: it must have been slower than others as well
			if d.Slowness > 1 && float64(took)/d.Slowness <= float64(f.Limit) {
				return fmt.Sprintf("tasks waited for the CPU for %s while it booted, and what is not the subject's took %.1f times a control boot's time",
					waited.Round(time.Millisecond), d.Slowness)
			}
		case 2*waited >= took:
			return fmt.Sprintf("tasks waited for the CPU for %s of the %s that it took", waited.Round(time.Millisecond), took.Round(time.Millisecond))
		}
	}
	beyond := d.beyond(t)
	lost := time.Duration(t.Factor) * d.Lost
	if d.starved(t) {
		lost = max(lost, d.waited(0, f.At+f.Over)) // of what never came, At is when it should have
	}
	if beyond == "" || d.Measured && f.Over > lost {
		return ""
	}
	return beyond
}
