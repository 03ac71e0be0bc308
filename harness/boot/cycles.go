package boot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Cycle is an ordering cycle that systemd found (systemd.unit(5), After=).
type Cycle struct {
	At      time.Duration // of the boot's own transaction, which the console alone tells of: 0
	Unit    string
	Dropped bool   // the unit's start job was deleted to break it; otherwise the unit is the one that the message is about
	Job     string // of Dropped: its type, where it is said
	// Evidence is every line on cycles, twelve at most: they come in groups, and console
	// and journal may both have them.
	Evidence []timeline.Evidence
}

// Cycles has one for each job that was dropped, or one if none was.
func (b Facts) Cycles() Seen[Cycle] {
	var lines []timeline.Evidence
	var out []Cycle
	events := slices.DeleteFunc(b.Of(timeline.Cycle), b.ofStop)
	for _, ev := range events {
		lines = append(lines, ev.Evidence)
		unit := ev.Change.Dropped
		if unit != "" && !slices.ContainsFunc(out, func(c Cycle) bool { return c.Unit == unit }) {
			out = append(out, Cycle{At: ev.At, Unit: unit, Dropped: true, Job: ev.Change.JobType})
		}
	}
	if len(out) == 0 && len(events) > 0 {
		out = append(out, Cycle{At: events[0].At, Unit: events[0].Unit})
	}
	for i := range out {
		out[i].Evidence = slices.Clone(lines[:min(len(lines), 12)])
	}
	return seen(b, out, timeline.Journal, timeline.Console)
}

// ofStop: the cycle is of jobs that stop units, in a log: a machine's end, or that of a
// service, and no boot.
func (b Facts) ofStop(ev timeline.Event) bool {
	return b.Origin != nil && ev.Change.JobType == "stop"
}

// CycleUnbroken: there was no job that systemd could drop, and the whole transaction was refused.
func (b Facts) CycleUnbroken() bool {
	return slices.ContainsFunc(b.Of(timeline.Cycle), func(ev timeline.Event) bool {
		return strings.Contains(ev.Text, "Unable to break cycle") || strings.Contains(ev.Text, "ransaction order is cyclic")
	})
}

// NeverStarted are the units that multi-user.target wants and that never left inactive,
// though no condition kept them and no job for them waits. Which job systemd drops for a
// cycle differs from boot to boot, and it need not be a loud one.
func (b Facts) NeverStarted() Seen[timeline.Unit] {
	busy := map[string]bool{}
	for _, ev := range b.Of(timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Skipped, timeline.Refused, timeline.Failed) {
		busy[ev.Unit] = true
	}
	for _, j := range b.Final.Jobs {
		busy[j.Unit] = true
	}
	for _, ev := range b.Of(timeline.OnConsole) {
		busy[ev.Unit] = true // "Starting …" from before journald
	}
	var out []timeline.Unit
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		u := b.Final.Units[id]
		wanted := slices.Contains(u.WantedBy, MultiUser) || slices.Contains(u.RequiredBy, MultiUser)
		if wanted && u.FileState == "enabled" && u.Load == "loaded" && u.Active == "inactive" && u.InactiveExit == 0 && u.Condition == 0 && !busy[id] {
			out = append(out, u)
		}
	}
	never := seen(b, out, timeline.Journal, timeline.Console, timeline.Units, timeline.Jobs)
	if unheard := b.unheardTargets(); never.Unknown == "" && len(unheard) > 0 {
		never.Unknown = fmt.Sprintf("PID 1's messages were lost on the way to the journal: it has no word of %s, which was reached", unheard[0])
	}
	return never
}

// unheardTargets are targets that were reached while the journal ran and of which it has
// no word. PID 1 does not wait for journald: on a busy host the socket between them
// fills up, and what does not go in is dropped without a trace.
func (b Facts) unheardTargets() []string {
	heard := map[string]bool{}
	var first time.Duration
	for _, ev := range b.Of(timeline.Starting, timeline.Started) {
		if ev.Evidence.File != timeline.Journal {
			continue
		}
		if heard[ev.Unit] = true; first == 0 {
			first = ev.At
		}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; strings.HasSuffix(id, ".target") && u.Active == "active" && first > 0 && u.ActiveEnter > first && !heard[id] {
			out = append(out, id)
		}
	}
	return out
}
