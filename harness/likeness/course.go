package likeness

import (
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/journal"
	"bootrace/harness/timeline"
)

// point is when a key event was. AtMost: it may have been before.
type point struct {
	at     time.Duration
	atMost bool
}

// keyEvent is a row: what happens to what a boot is about, and how its journal shows it.
type keyEvent struct {
	name string
	of   func(b boot.Facts, populator string) (point, bool)
}

// keyEventsOf are those of a boot, in the order of one that goes well, and of the units that
// come with the populator.
func keyEventsOf(kin []string) []keyEvent {
	rows := slices.Clone(keyEvents)
	for _, unit := range kin {
		rows = append(rows, keyEvent{unit + " starts", func(b boot.Facts, _ string) (point, bool) { return nth(b, unit, 0) }})
	}
	return rows
}

// kinOf are the units of the subject, and those that a boot started whose names begin as the
// populator's: what else a host started may be anybody's.
func kinOf(populator string, subject []string, boots ...boot.Facts) []string {
	stem := strings.TrimSuffix(populator, ".service")
	out := slices.DeleteFunc(slices.Clone(subject), func(unit string) bool { return strings.Contains(unit, "@.") })
	for _, b := range boots {
		for _, unit := range b.StartedUnits() {
			if strings.HasPrefix(unit, stem) {
				out = append(out, unit)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(unit string) bool { return unit == populator || unit == boot.Vector })
}

var keyEvents = []keyEvent{
	{"populator starts", func(b boot.Facts, p string) (point, bool) { return nth(b, p, 0) }},
	{"populator is up", func(b boot.Facts, p string) (point, bool) { return first(b, p, timeline.Started) }},
	{"populator fails", func(b boot.Facts, p string) (point, bool) {
		return first(b, p, timeline.StartFailed, timeline.Failed)
	}},
	{"populator ends", func(b boot.Facts, p string) (point, bool) { return first(b, p, timeline.Stopped, timeline.Succeeded) }},
	{"populator starts again", func(b boot.Facts, p string) (point, bool) { return nth(b, p, 1) }},
	{"populator is refused", func(b boot.Facts, p string) (point, bool) { return first(b, p, timeline.Refused) }},
	{"Vector starts", func(b boot.Facts, _ string) (point, bool) { return nth(b, boot.Vector, 0) }},
	{"Vector is up", func(b boot.Facts, _ string) (point, bool) { return first(b, boot.Vector, timeline.Started) }},
	{"Vector fails", func(b boot.Facts, _ string) (point, bool) {
		return first(b, boot.Vector, timeline.StartFailed, timeline.Failed)
	}},
	{"Vector starts again", func(b boot.Facts, _ string) (point, bool) { return nth(b, boot.Vector, 1) }},
	{"Vector is refused", func(b boot.Facts, _ string) (point, bool) { return first(b, boot.Vector, timeline.Refused) }},
	{"multi-user.target", func(b boot.Facts, _ string) (point, bool) { return first(b, boot.MultiUser, timeline.Started) }},
	{"cloud-final starts", func(b boot.Facts, _ string) (point, bool) {
		m, ok := b.FirstStart(boot.CloudFinal)
		return point{at: m.At}, ok
	}},
	{"worker.env is complete", func(b boot.Facts, _ string) (point, bool) {
		d, ok := b.RoleEnvWritten()
		return point{d.At, d.AtMost}, ok
	}},
	{"vector.env has the secrets", func(b boot.Facts, _ string) (point, bool) {
		m, ok := b.SecretsWritten()
		return point{at: m.At}, ok
	}},
	{"worker starts", func(b boot.Facts, _ string) (point, bool) { return nth(b, boot.Worker+".service", 0) }},
}

func nth(b boot.Facts, unit string, n int) (point, bool) {
	all := b.Starts(unit).All
	if n >= len(all) {
		return point{}, false
	}
	return point{at: all[n].At}, true
}

func first(b boot.Facts, unit string, kinds ...timeline.Kind) (point, bool) {
	for _, ev := range b.Of(kinds...) {
		if ev.Unit == unit && !ev.Untimed {
			return point{at: ev.At}, true
		}
	}
	return point{}, false
}

// early are reached in every boot, one after the other (bootup(7)): boots are measured from
// them where a journal has no key event yet.
var early = []string{"local-fs.target", "sysinit.target", "basic.target", "network-online.target"}

// course is how a boot went by its journal.
type course struct {
	at     map[string]point // the key events
	marks  map[string]point // and what is early
	holes  bool             // not all of it is there between its first and its last line
	begins bool             // PID 1's first words are in it
	end    time.Duration
	took   map[string]boot.Wait // how long Vector and the populator took to start
}

func courseOf(b boot.Facts, populator string, rows []keyEvent) course {
	c := course{at: map[string]point{}, marks: map[string]point{}, begins: b.Origin.Begins, end: b.End, took: map[string]boot.Wait{}}
	if c.holes = b.Origin.NoClock; c.holes { // nothing is before or after anything
		return c
	}
	for _, e := range rows {
		if p, ok := e.of(b, populator); ok {
			c.at[e.name], c.marks[e.name] = p, p
		}
	}
	for _, target := range early {
		if p, ok := first(b, target, timeline.Started); ok {
			c.marks[target] = p
		}
	}
	c.holes = holed(b) || !c.begins && !hasTarget(b)
	for _, w := range b.LongStarts(0) {
		if _, have := c.took[w.Unit]; !have && (w.Unit == boot.Vector || w.Unit == populator) { // the longest comes first
			c.took[w.Unit] = w
		}
	}
	return c
}

// hasTarget: what PID 1 says of targets is in it. It is not where somebody asked for some
// units' lines only (journalctl -u).
func hasTarget(b boot.Facts) bool {
	return slices.ContainsFunc(append([]string{boot.MultiUser}, early...), func(target string) bool {
		_, reached := first(b, target, timeline.Started)
		return reached
	})
}

// holed: lines were dropped, or are broken.
func holed(b boot.Facts) bool {
	return b.Origin.Lost > 0 || slices.ContainsFunc(b.Origin.Files, func(r journal.Report) bool { return len(r.Faults) > 0 }) ||
		slices.ContainsFunc(b.Of(timeline.Suppressed), func(ev timeline.Event) bool { return ev.Unit == "init.scope" })
}

// margin is how far apart events are that have an order: systemd starts units side by side,
// and syslog gives whole seconds.
const margin = time.Second

// passed: this boot was followed from before what was then in the other to past it. Past it
// is something that came later there, or to go on for long after the last that both have.
func (c course) passed(other course, then time.Duration) bool {
	last, later := "", false
	for _, name := range slices.Sorted(maps.Keys(other.marks)) {
		p := other.marks[name]
		if _, both := c.marks[name]; !both || p.atMost {
			continue
		}
		later = later || p.at > then && c.end-c.marks[name].at >= margin
		if p.at <= then && (last == "" || p.at > other.marks[last].at) {
			last = name
		}
	}
	if c.holes || last == "" && !c.begins {
		return false
	}
	return later || c.end-c.marks[last].at >= then-other.marks[last].at+longStart // or from PID 1's start
}

// begunBefore: what was then in the other may have been here before the first line. A unit
// without default dependencies starts before journald does, or beside it; the file systems
// are there after both.
func (c course) begunBefore(other course, then time.Duration) bool {
	_, here := c.marks[early[0]]
	mark, there := other.marks[early[0]]
	return !c.begins && here && there && then < mark.at
}
