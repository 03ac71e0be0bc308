package verdict

import (
	"fmt"
	"strings"
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
	// Starved is the share of the boot, or of the time before a finding, for which
	// others must have had the CPU (see Loss) to explain what is no lateness: all took
	// twice its time then.
	Starved float64
	// Late findings are explained by the CPU that others had meanwhile, Behind times:
	// the machine's own tasks wait for each other as well. Boots took 1.1 to 1.9 times
	// longer by what they lost, beside 2 to 40 busy sessions and of 16 at once, and 2.0 to
	// 2.8 beside an emulator of the lowest priority: it leaves the CPU, and not the other
	// thread of its core. Ordinary is more than a boot loses on an idle host, 0.08 to
	// 0.13 s, and explains nothing.
	Behind   float64
	Ordinary time.Duration
	// SlowControl is a control boot's time on a host that is slow by itself: on two
	// idle cores it takes 1.3 to 2.6 s, and the limits in time are for such hosts.
	// Slow is how many times as long a control boot takes where the host explains
	// what is no lateness.
	SlowControl time.Duration
	Slow        float64
	// Factor is how much longer than the time the host lost a finding may be
	// explained by it: thirty boots at once on two cores made the populator 20
	// times slower, with delays adding up to a third of that.
	Factor int
}

// Tolerances are the ones in use.
func Tolerances() Tolerance {
	return Tolerance{Late: 500 * time.Millisecond, Stalled: 0.2, Starved: 0.5, Behind: 3, Ordinary: 150 * time.Millisecond, SlowControl: 3 * time.Second, Slow: 2, Factor: 10}
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
	CPU      []Loss        `json:"-"`          // in the order of time
	// Undecided is why no boot of this kind can tell, whatever the host: the stand-in's
	// word that only a real Vector knows.
	Undecided string `json:"undecided,omitempty"`
	// NoClock is why nobody knows when anything was.
	NoClock string `json:"no_clock,omitempty"`
	// Control is the control boot's time without what others had of the CPU; 0: not known.
	Control time.Duration `json:"control_ns"`
}

// Loss is for how long, in all, others had the CPU at a moment of the boot clock:
// tasks of the machine wanted to run and none did (PSI full of its own cgroup).
// What its tasks wait for each other is not in it, be they ever so many, nor what
// tasks of others wait. PSI some of the host counts both, so a boot beside another
// shows it always, and one that the subject itself kept busy. The kernel takes the
// mean of the processors that were wanted, and counts a unit's own CPUQuota= as well.
type Loss struct{ At, Total time.Duration }

// CPULost is for how long others had the CPU from one moment to another. Between two
// samples it is taken to have grown evenly, from nothing at the boot's start, and to
// grow on after the last: a machine is silent where it has the CPU least. It is older
// than the boot by what starting PID 1 took, so no more than all of the time is lost.
func (d Disturbance) CPULost(from, to time.Duration) time.Duration {
	return min(max(0, d.lostBy(to)-d.lostBy(from)), to-from)
}

func (d Disturbance) lostBy(at time.Duration) time.Duration {
	var before, after Loss
	for _, l := range d.CPU {
		if l.At <= after.At {
			continue
		}
		before, after = after, l
		if l.At >= at {
			break
		}
	}
	if after.At <= before.At {
		return 0
	}
	rate := min(1, float64(after.Total-before.Total)/float64(after.At-before.At))
	return before.Total + time.Duration(rate*float64(at-before.At))
}

// slowness is how many times as long as on a host that is not slow a control boot
// took, at least 1.
func (d Disturbance) slowness(t Tolerance) float64 {
	return max(1, float64(d.Control)/float64(t.SlowControl))
}

// Cause is something at the host that spoils a boot.
type Cause struct {
	Reason string        `json:"reason"`
	At     time.Duration `json:"at_ns"`
}

// beyond says what exceeds the tolerances, or nothing.
func (d Disturbance) beyond(f check.Finding, t Tolerance) string {
	switch {
	case !d.Measured:
		return "the host's disturbance was not measured"
	case d.Late > t.Late:
		return fmt.Sprintf("a tick was %s late at %+.3fs, tolerated %s", round(d.Late), d.LateAt.Seconds(), t.Late)
	case d.starved(0, d.Booted, t):
		return fmt.Sprintf("other processes had the CPU for %s of the boot's %s", round(d.CPULost(0, d.Booted)), round(d.Booted))
	case f.At > d.Booted && d.starved(f.At-StallWindow, f.At, t):
		return fmt.Sprintf("other processes had the CPU for %s of the %s before", round(d.CPULost(f.At-StallWindow, f.At)), StallWindow)
	case d.slowness(t) >= t.Slow:
		return fmt.Sprintf("the host is slow: a control boot takes %s, on others at most %s", round(d.Control), t.SlowControl)
	case d.Stalled.Seconds() > t.Stalled*StallWindow.Seconds():
		return fmt.Sprintf("memory or disk stalled the host for %s of %s, tolerated %.0f %%", round(d.Stalled), StallWindow, t.Stalled*100)
	}
	return ""
}

// starved: other processes had the CPU for most of the time.
func (d Disturbance) starved(from, to time.Duration, t Tolerance) bool {
	return d.CPULost(from, to).Seconds() > t.Starved*(to-from).Seconds()
}

// explains says whether a finding may be the host's doing, and by what.
func (d Disturbance) explains(f check.Finding, t Tolerance) string {
	if why := d.delays(f, t); why != "" {
		return why
	}
	beyond := d.beyond(f, t)
	if beyond == "" || d.Measured && f.Over > time.Duration(t.Factor)*d.Lost {
		return ""
	}
	return beyond
}

// delays says by what a late finding would have been in time on a host that is
// neither busy nor slow.
func (d Disturbance) delays(f check.Finding, t Tolerance) string {
	if f.Over <= 0 || f.Limit <= 0 {
		return ""
	}
	until := max(f.At, f.Since+f.Limit+f.Over)
	lost, slowness := d.CPULost(f.Since, until), d.slowness(t)
	if float64(f.Over) > t.Behind*float64(max(0, lost-t.Ordinary))+(slowness-1)*float64(f.Limit) {
		return ""
	}
	var why []string
	if lost > t.Ordinary {
		why = append(why, fmt.Sprintf("other processes had the CPU for %s of the %s that it took", round(lost), round(until-f.Since)))
	}
	if slowness > 1 {
		why = append(why, fmt.Sprintf("a control boot takes %s on this host", round(d.Control)))
	}
	return strings.Join(why, ", and ")
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
