package boot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
	"bootrace/harness/timespan"
)

// Asker is who asked for a start.
type Asker string

// Who asks for starts. The journal does not say which unit, timer, path or script it
// was that asked by a job of its own.
const (
	NotKnown Asker = ""
	ByBoot   Asker = "the boot"              // the boot's own transaction
	ByItself Asker = "its automatic restart" // Restart= of systemd.service(5)
	ByOthers Asker = "others"
)

// Start is one start of a unit.
type Start struct {
	Moment
	By Asker
}

// clientRequest is what systemd says of an automatic restart that did not wait for
// RestartSec= since somebody asked for a start meanwhile.
const clientRequest = "immediately on client request"

// startsOf counts starts by invocation ID: systemd makes a new one each time it really
// starts a unit (systemd.exec(5), $INVOCATION_ID). "Starting" alone would miss a
// Type=simple service, of which only "Started" is said; a refused start keeps the ID of
// the one before.
func (b Facts) startsOf() map[string][]Start {
	known := map[string]bool{}
	out := map[string][]Start{}
	open := map[string]bool{}  // without an ID: "Starting" seen, its end not yet
	again := map[string]bool{} // an automatic restart is to come
	unknown := b.Unknown(timeline.Units) != ""
	for _, ev := range b.Of(timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Restart, timeline.Refused) {
		if ev.Untimed { // how many there were within any time is not to be known
			continue
		}
		id := ev.Change.Invocation
		switch {
		case ev.Kind == timeline.Restart:
			again[ev.Unit] = !strings.Contains(ev.Text, clientRequest)
			continue
		case ev.Kind == timeline.Refused:
			again[ev.Unit] = false
			continue
		case id != "" && known[id]:
			continue
		case id != "":
			known[id] = true
		case ev.Kind == timeline.Starting:
			open[ev.Unit] = true
		case open[ev.Unit] || ev.Kind == timeline.StartFailed:
			open[ev.Unit] = false
			continue
		}
		s := Start{Moment{ev.At, ev.Evidence}, ByOthers}
		switch {
		case again[ev.Unit]:
			s.By = ByItself
		case len(out[ev.Unit]) == 0 && unknown:
			s.By = NotKnown
		case len(out[ev.Unit]) == 0 && b.atBoot[ev.Unit]:
			s.By = ByBoot
		}
		again[ev.Unit] = false
		out[ev.Unit] = append(out[ev.Unit], s)
	}
	return out
}

// Starts are those of a unit, by time.
func (b Facts) Starts(unit string) Seen[Start] { return seen(b, b.starts[unit], timeline.Journal) }

// StartedUnits names the units that were started.
func (b Facts) StartedUnits() []string { return slices.Sorted(maps.Keys(b.starts)) }

// WantedAtBoot: the boot's own transaction starts the unit, since the default target wants
// it, directly or not. Its job waits from the clock's zero.
func (b Facts) WantedAtBoot(unit string) bool { return b.atBoot[unit] }

func bootTransaction(units map[string]timeline.Unit) map[string]bool {
	wants := map[string][]string{}
	for id, u := range units {
		for _, by := range slices.Concat(u.WantedBy, u.RequiredBy) {
			wants[by] = append(wants[by], id)
		}
	}
	in := map[string]bool{}
	open := []string{"default.target", "graphical.target", MultiUser}
	for len(open) > 0 {
		unit := open[len(open)-1]
		open = open[:len(open)-1]
		if !in[unit] {
			in[unit] = true
			open = append(open, wants[unit]...)
		}
	}
	return in
}

// Busiest finds the most moments within any window of that length, and where it begins.
func Busiest[M interface{ When() time.Duration }](s []M, window time.Duration) (n, first int) {
	for lo, hi := 0, 0; hi < len(s); hi++ {
		for s[hi].When()-s[lo].When() >= window {
			lo++
		}
		if hi-lo+1 > n {
			n, first = hi-lo+1, lo
		}
	}
	return n, first
}

// StartLimit is what a unit used of its limit on starts, at its busiest.
type StartLimit struct {
	Unit        string
	Used, Burst int
	Interval    time.Duration
	Twice       int // how many of all its starts were charged twice
}

// Left is how many starts were left.
func (l StartLimit) Left() int { return max(0, l.Burst-l.Used) }

func (l StartLimit) String() string {
	return fmt.Sprintf("%s used %d of %d starts in %s", l.Unit, l.Used, l.Burst, timespan.Format(l.Interval))
}

// StartLimit counts starts as systemd does: one that somebody asks for while an
// automatic restart is pending is charged twice. Seen with 257: three starts, two of
// them so, and the next refused with a burst of five. A reset-failed in between clears
// systemd's count and is not in the journal, so more may be left than it says. Not ok:
// the unit has no limit, or none that was recorded.
func (b Facts) StartLimit(unit string) (l StartLimit, ok bool) {
	u := b.Final.Units[unit]
	if u.StartLimitBurst == 0 || u.StartLimitInterval == 0 {
		return l, false
	}
	charged := slices.Clone(b.starts[unit])
	for _, ev := range b.Of(timeline.Restart) {
		if ev.Unit == unit && strings.Contains(ev.Text, clientRequest) {
			charged = append(charged, Start{Moment{ev.At, ev.Evidence}, ByOthers})
			l.Twice++
		}
	}
	slices.SortStableFunc(charged, func(a, b Start) int { return cmp.Compare(a.At, b.At) })
	l.Unit, l.Burst, l.Interval = unit, u.StartLimitBurst, u.StartLimitInterval
	l.Used, _ = Busiest(charged, l.Interval)
	return l, true
}

// StartLimits are those of Vector and of the subject's units that have a limit.
func (b Facts) StartLimits(s Setup) []StartLimit {
	var out []StartLimit
	for i, unit := range append([]string{Vector}, s.SubjectUnits...) {
		if l, ok := b.StartLimit(unit); ok && (i == 0 || unit != Vector) {
			out = append(out, l)
		}
	}
	return out
}
