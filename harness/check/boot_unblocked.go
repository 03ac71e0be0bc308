package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

var bootUnblocked = Check{
	Name: "boot-unblocked",
	Why: "multi-user.target later than in the control boot by more than the budget, or a boot job waited on the subject; " +
		"cloud-final, which writes worker.env, is itself After=multi-user.target",
	Needs: []string{timeline.Journal, timeline.Units, timeline.Jobs},
	Judge: func(tl timeline.Timeline, e Expect) Result {
		w := waitsOf(tl)
		at, reached := tl.Reached(MultiUser)
		if !reached {
			return found([]Finding{notReached(w, e)}, "")
		}
		var without string
		switch {
		case e.ControlMultiUser <= 0:
			without = "there is no control boot to compare with"
		case ControlSpoilt(e.ControlMultiUser, e.ControlLost):
			without = fmt.Sprintf("others had the CPU for %s of the control boot's %s", round(e.ControlLost), round(e.ControlMultiUser))
		}
		if without != "" {
			r := noEvidence(without)
			r.Findings = waitedOn(w, e, at)
			return r
		}
		note := fmt.Sprintf("multi-user.target at %s, control %s", timeline.Since(at), timeline.Since(e.ControlMultiUser))
		if over := at - e.ControlMultiUser - e.BootBudget; over > 0 {
			chain := w.late(MultiUser)
			f := Finding{At: at, Unit: MultiUser, Over: over, Limit: e.BootBudget, Summary: fmt.Sprintf("multi-user.target %s later than in the control boot, budget %s: %s",
				round(at-e.ControlMultiUser), e.BootBudget, w.describeLate(chain))}
			for _, u := range chain {
				f.Evidence = append(f.Evidence, evidence(w.end[u])...)
			}
			return found([]Finding{f}, note)
		}
		return found(waitedOn(w, e, at), note)
	},
}

func notReached(w *waits, e Expect) Finding {
	tl := w.tl
	f := Finding{At: tl.End, Unit: MultiUser, Absence: true}
	for _, ev := range tl.Of(timeline.StartFailed) {
		if ev.Unit == MultiUser {
			f.At, f.Evidence = ev.At, []timeline.Evidence{ev.Evidence}
			f.Summary = fmt.Sprintf("multi-user.target was not reached: its start job ended with %s", ev.Change.JobResult)
			return f
		}
	}
	f.Limit, f.Over = e.BootBudget, max(0, tl.End-e.ControlMultiUser-e.BootBudget)
	f.Evidence = w.queue()
	if _, queued := w.job[MultiUser]; !queued {
		f.Summary = "multi-user.target was not reached, and no job for it is queued"
		f.Evidence = append(evidence(tl.Final.Units[MultiUser].Evidence), f.Evidence...)
		return f
	}
	chain := w.chain(MultiUser)
	f.Summary = fmt.Sprintf("multi-user.target not reached at %s: %s", timeline.Since(tl.End), w.describeChain(chain))
	if behind := w.waitingFor(MultiUser); len(behind) > 0 {
		f.Summary += "; for multi-user.target itself wait " + strings.Join(behind, ", ")
	}
	return f
}

// waitingFor are the units whose queued job waits for unit.
func (w *waits) waitingFor(unit string) []string {
	var out []string
	for _, j := range w.tl.Final.Jobs {
		if slices.Contains(w.blockers(j.Unit), unit) {
			out = append(out, j.Unit)
		}
	}
	slices.Sort(out)
	return out
}

// waitedOn finds boot jobs that waited on the subject for longer than the
// budget, also where multi-user.target did not suffer for it. Waiting as such is
// right: Vector is ordered after the subject in order to find vector.env there.
func waitedOn(w *waits, e Expect, reached time.Duration) []Finding {
	var out []Finding
	for _, s := range e.SubjectUnits {
		began, ok := w.began[s]
		ended, done := w.ended[s]
		if !ok || began > reached {
			continue
		}
		if !done {
			ended = w.tl.End
		}
		took := ended - began
		if took <= e.BootBudget {
			continue
		}
		var who []string
		ev := evidence(w.end[s])
		for _, u := range slices.Sorted(maps.Keys(w.after)) {
			_, queued := w.job[u]
			at, started := w.began[u]
			waited := started && done && at >= ended-time.Millisecond && at <= max(reached, ended+time.Second)
			if slices.Contains(w.after[u], s) && (waited || !started && queued) {
				who = append(who, u)
				ev = append(ev, evidence(w.tl.Final.Units[u].Evidence)...)
			}
		}
		if len(who) > 0 {
			out = append(out, Finding{At: began, Unit: s, Over: took - e.BootBudget, Limit: e.BootBudget, Since: began, Evidence: ev,
				Summary: fmt.Sprintf("%s waited for the start of %s, which took %s from %s (budget %s)", strings.Join(who, ", "), s, round(took), timeline.Since(began), e.BootBudget)})
		}
	}
	return out
}
