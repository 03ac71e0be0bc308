package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

var noOrderingCycle = Check{
	Name: "no-ordering-cycle",
	Why: "systemd found a cycle or dropped a job (systemd.unit(5), After=), or an enabled unit never got its job; " +
		"the boot's own transaction is built before journald runs, so its messages are on PID 1's console only",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units, timeline.Jobs},
	Judge: func(tl timeline.Timeline, e Expect) Result {
		out := cycles(tl)
		never := neverStarted(tl)
		if unheard := unheardTargets(tl); len(out) == 0 && len(never) > 0 && len(unheard) > 0 {
			return noEvidence(fmt.Sprintf("%s, but PID 1's messages were lost on the way to the journal: it has no word of %s, which was reached",
				never[0].Summary, unheard[0]))
		}
		for _, f := range never {
			if i := slices.IndexFunc(out, func(o Finding) bool { return o.Unit == f.Unit }); i >= 0 {
				out[i].Summary += ", and it was never started"
				continue
			}
			out = append(out, f)
		}
		return found(out, "")
	},
}

// cycles makes one finding of each job dropped, with every line on cycles as
// evidence: they come in groups, and console and journal may both have them.
func cycles(tl timeline.Timeline) []Finding {
	var all []timeline.Evidence
	var out []Finding
	events := tl.Of(timeline.Cycle)
	for _, ev := range events {
		if all = append(all, ev.Evidence); ev.Change.Dropped == "" {
			continue
		}
		if !slices.ContainsFunc(out, func(f Finding) bool { return f.Unit == ev.Change.Dropped }) {
			out = append(out, Finding{At: ev.At, Unit: ev.Change.Dropped, Intrinsic: true,
				Summary: fmt.Sprintf("systemd dropped the start of %s to break an ordering cycle", ev.Change.Dropped)})
		}
	}
	if len(out) == 0 && len(events) > 0 {
		out = append(out, Finding{At: events[0].At, Unit: events[0].Unit, Intrinsic: true, Summary: "systemd found an ordering cycle"})
	}
	for i := range out {
		out[i].Evidence = slices.Clone(all[:min(len(all), 12)])
	}
	return out
}

// unheardTargets are targets that were reached while the journal ran and of which
// it has no word. PID 1 does not wait for journald: on a busy host the socket
// between them fills up, and what does not go in is dropped without a trace.
func unheardTargets(tl timeline.Timeline) []string {
	heard := map[string]bool{}
	var first time.Duration
	for _, ev := range tl.Of(timeline.Starting, timeline.Started) {
		if ev.Evidence.File != timeline.Journal {
			continue
		}
		if heard[ev.Unit] = true; first == 0 {
			first = ev.At
		}
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(tl.Final.Units)) {
		if u := tl.Final.Units[id]; strings.HasSuffix(id, ".target") && u.Active == "active" && first > 0 && u.ActiveEnter > first && !heard[id] {
			out = append(out, id)
		}
	}
	return out
}

// neverStarted finds units that multi-user.target wants and that never left
// inactive, though no condition kept them and no job for them waits. Which
// job systemd drops differs from boot to boot, and it need not be a loud one.
func neverStarted(tl timeline.Timeline) []Finding {
	busy := map[string]bool{}
	for _, ev := range tl.Of(timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Skipped, timeline.Refused, timeline.Failed) {
		busy[ev.Unit] = true
	}
	for _, j := range tl.Final.Jobs {
		busy[j.Unit] = true
	}
	for _, ev := range tl.Of(timeline.OnConsole) {
		busy[ev.Unit] = true // "Starting …" from before journald
	}
	var out []Finding
	for _, id := range slices.Sorted(maps.Keys(tl.Final.Units)) {
		u := tl.Final.Units[id]
		wanted := slices.Contains(u.WantedBy, MultiUser) || slices.Contains(u.RequiredBy, MultiUser)
		if wanted && u.FileState == "enabled" && u.Load == "loaded" && u.Active == "inactive" && u.InactiveExit == 0 && !busy[id] {
			out = append(out, Finding{At: tl.End, Unit: id, Absence: true, Evidence: []timeline.Evidence{u.Evidence},
				Summary: fmt.Sprintf("%s is enabled for multi-user.target and never got its start job", id)})
		}
	}
	return out
}
