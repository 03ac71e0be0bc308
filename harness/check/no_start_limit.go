package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
	"bootrace/harness/timespan"
)

var noStartLimit = Check{
	Name: "no-start-limit",
	Why: "a start was refused (systemd.unit(5), StartLimitIntervalSec=: every start counts, also those asked for by hand); " +
		"the unit's result is usually that of its last failure, not start-limit-hit",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units},
	Judge: func(tl timeline.Timeline, e Expect) Result {
		var out []Finding
		at := map[string]int{}
		add := func(unit string, f Finding) {
			if i, ok := at[unit]; ok {
				out[i].Evidence = append(out[i].Evidence, f.Evidence...)
				return
			}
			at[unit] = len(out)
			out = append(out, f)
		}
		for _, ev := range tl.Events {
			if ev.Kind == timeline.Refused || ev.Kind == timeline.Failed && ev.Change.Result == "start-limit-hit" {
				add(ev.Unit, Finding{At: ev.At, Unit: ev.Unit, Evidence: []timeline.Evidence{ev.Evidence},
					Summary: fmt.Sprintf("a start of %s was refused: %s", ev.Unit, ev.Text)})
			}
		}
		for id, u := range tl.Final.Units {
			if u.Result == "start-limit-hit" {
				add(id, Finding{At: tl.End, Unit: id, Evidence: []timeline.Evidence{u.Evidence},
					Summary: fmt.Sprintf("a start of %s was refused: its result is start-limit-hit", id)})
			}
		}
		for i := range out {
			out[i].Evidence = out[i].Evidence[:min(3, len(out[i].Evidence))]
		}
		return found(out, headroom(tl, e))
	},
}

// headroom reports starts used of burst.
func headroom(tl timeline.Timeline, e Expect) string {
	var note []string
	for _, b := range startBudgets(tl, e) {
		note = append(note, fmt.Sprintf("%s used %d of %d starts in %s", b.unit, b.used, b.burst, timespan.Format(b.interval)))
	}
	return strings.Join(note, ", ")
}

// startBudget is what a unit used of its start limit, at its busiest.
type startBudget struct {
	unit        string
	used, burst int
	interval    time.Duration
}

func (b startBudget) left() int { return max(0, b.burst-b.used) }

// startBudgets are those of Vector and of the subject's units that have a limit.
// A reset-failed in between clears systemd's count and is not in the journal, so
// more may be left than they say.
func startBudgets(tl timeline.Timeline, e Expect) []startBudget {
	all := charged(tl)
	var out []startBudget
	for i, unit := range append([]string{Vector}, e.SubjectUnits...) {
		u, ok := tl.Final.Units[unit]
		if !ok || i > 0 && unit == Vector || u.StartLimitBurst == 0 || u.StartLimitInterval == 0 {
			continue
		}
		n, _ := busiest(all[unit], u.StartLimitInterval)
		out = append(out, startBudget{unit, n, u.StartLimitBurst, u.StartLimitInterval})
	}
	return out
}

// charged are the starts as systemd counts them: one that somebody asks for
// while an automatic restart is pending is charged twice. Seen with 257: three
// starts, two of them so, and the next refused with a burst of five.
func charged(tl timeline.Timeline) map[string][]start {
	all := starts(tl)
	for _, ev := range tl.Of(timeline.Restart) {
		if strings.Contains(ev.Text, "immediately on client request") {
			all[ev.Unit] = append(all[ev.Unit], start{ev.At, ev.Evidence})
		}
	}
	for unit := range all {
		slices.SortStableFunc(all[unit], func(a, b start) int { return cmp.Compare(a.at, b.at) })
	}
	return all
}
