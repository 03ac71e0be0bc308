package boot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Displaced is a unit that boots without the subject have active, and this one has not.
type Displaced struct {
	At       time.Duration
	Unit     string
	Why      string
	Absence  bool // that it was not started rests on there being no start
	Evidence []timeline.Evidence
}

// Lasting are the units that are active at the end, of the kinds that stay so: those that
// systemd makes for devices, processes and mounts come and go, and an image switches the
// periodic jobs of its distribution off on purpose.
func (b Facts) Lasting() []string {
	var out []string
	for id, u := range b.Final.Units {
		if u.Active == "active" && lasts(id) && b.atBoot[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func lasts(id string) bool {
	for _, kind := range []string{".service", ".socket", ".path", ".target"} {
		if strings.HasSuffix(id, kind) {
			return true
		}
	}
	return false
}

// Displaced are those of the control boots' units that were stopped and not started again,
// and those that something still wants and that were never started. A unit that is masked
// or no longer wanted was left out on purpose; one that was skipped for a condition, failed
// or lost its job to a cycle is told of as that.
func (b Facts) Displaced(s Setup, c Control) Seen[Displaced] {
	var out []Displaced
	for _, id := range c.Active {
		u, loaded := b.Final.Units[id]
		if id == Vector || slices.Contains(s.SubjectUnits, id) || u.Active != "inactive" && loaded || b.droppedByCycle(id) || b.tried(id) {
			continue
		}
		if d, stopped := b.stoppedForGood(s, id); stopped {
			out = append(out, d)
			continue
		}
		if !loaded || u.Load != "loaded" || u.InactiveExit > 0 || u.Condition > 0 || u.Assert > 0 || len(b.Starts(id).All) > 0 {
			continue
		}
		wanted := slices.Concat(u.RequiredBy, u.WantedBy)
		if by := slices.IndexFunc(wanted, func(w string) bool { return b.Final.Units[w].Active == "active" }); by >= 0 {
			out = append(out, Displaced{At: b.End, Unit: id, Absence: true, Evidence: of(u), Why: fmt.Sprintf("was never started, although %s wants it", wanted[by])})
		}
	}
	return seen(b, out, timeline.Journal, timeline.Units)
}

// DisplacedWorker: the worker, which the user data starts and no control boot has, was stopped,
// not started again, and is not up at the end.
func (b Facts) DisplacedWorker(s Setup) (d Displaced, ok bool) {
	const unit = Worker + ".service"
	u, loaded := b.Final.Units[unit] // systemd unloads a unit that is inactive and that nobody names
	if _, ended := b.Ending(nil); ended || loaded && u.Active != "inactive" {
		return d, false
	}
	return b.stoppedForGood(s, unit)
}

// together is how far apart PID 1 is with the stop and the start of units that exclude each other.
const together = 100 * time.Millisecond

// stoppedForGood is the last stop of a unit that no start came after, with the unit of the
// subject that began right then: Conflicts=, most of the time.
func (b Facts) stoppedForGood(s Setup, unit string) (Displaced, bool) {
	stop, ok := b.lastStop(unit)
	if !ok {
		return Displaced{}, false
	}
	d := Displaced{At: stop.At, Unit: unit, Why: fmt.Sprintf("was stopped at %s and not started again", timeline.Since(stop.At)), Evidence: append(of(b.Final.Units[unit]), stop.Evidence)}
	for _, ev := range b.Of(timeline.Starting) {
		if (ev.At-stop.At).Abs() <= together && slices.Contains(s.SubjectUnits, ev.Unit) {
			d.Why += fmt.Sprintf(", as %s was started (Conflicts=, or what it runs)", ev.Unit)
			d.Evidence = append(d.Evidence, ev.Evidence)
			break
		}
	}
	return d, true
}

func (b Facts) lastStop(unit string) (stop timeline.Event, ok bool) {
	stopping := false
	for _, ev := range b.Events {
		if ev.Unit != unit {
			continue
		}
		switch ev.Kind {
		case timeline.Stopping, timeline.Stopped:
			if !stopping { // when it began
				stop, ok = ev, true
			}
			stopping = true
		case timeline.Starting, timeline.Started:
			ok, stopping = false, false
		}
	}
	return stop, ok
}

func (b Facts) droppedByCycle(unit string) bool {
	return slices.ContainsFunc(b.Of(timeline.Cycle), func(ev timeline.Event) bool { return ev.Change.Dropped == unit })
}
