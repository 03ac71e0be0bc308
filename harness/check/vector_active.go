package check

import (
	"cmp"
	"fmt"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// hold is how long Vector must have been active at the end: one that ends within seconds
// of each start, and that Restart= starts again 0.1 s later, is active at most moments.
const hold = 5 * time.Second

var vectorActive = Check{
	Name: "vector-active",
	Why: "vector.service is not active at the end, or did not stay so for the last seconds (a unit under Restart=always is active for a moment again and again), " +
		"or nothing would start it again if it were killed (systemd.service(5), Restart=)",
	Needs: []string{timeline.Journal, timeline.Units},
	Judge: func(b boot.Facts, _ Expect) Result {
		if u := b.Final.Units[boot.Vector]; u.Load == "masked" {
			return found([]Finding{{At: b.End, Unit: boot.Vector, Absence: true, Evidence: evidence(u.Evidence), Summary: "vector.service is masked, and nothing starts it"}}, "")
		}
		r := stayed(b)
		if f, ok := endsForGood(b.Final.Units[boot.Vector]); ok && r.Outcome != NoEvidence {
			r.Findings = append(r.Findings, f)
		}
		return r
	},
}

// stayed: Vector is active at the end, and was for a while.
func stayed(b boot.Facts) Result {
	u, ok := b.Final.Units[boot.Vector]
	if !ok {
		// systemd forgets a unit that is inactive and that nothing refers to.
		return found([]Finding{{At: b.End, Unit: boot.Vector, Absence: true,
			Summary: "vector.service is not loaded at the end"}}, "")
	}
	if u.Active != "active" {
		return found([]Finding{{At: b.End, Unit: boot.Vector, Evidence: withLast(b, boot.Vector, u.Evidence),
			Summary: fmt.Sprintf("vector.service is %s/%s at the end%s", u.Active, u.Sub, why(u)+cmp.Or(boundTo(b), leftEnded(b)))}}, "")
	}
	if u.ActiveEnter == 0 {
		return noEvidence("systemd gives no time since when vector.service is active")
	}
	if held := b.End - u.ActiveEnter; held < hold {
		since := goneBefore(b, u.ActiveEnter)
		return found([]Finding{{At: u.ActiveEnter, Unit: boot.Vector, Over: hold - held, Limit: max(0, b.End-hold-since), Since: since, Evidence: withLast(b, boot.Vector, u.Evidence),
			Summary: fmt.Sprintf("vector.service is active for the last %s only, must be for %s", boot.Round(held), hold)}}, "")
	}
	var out []Finding
	for _, ev := range b.Of(timeline.Stopping, timeline.Stopped, timeline.Failed, timeline.Exit, timeline.Restart, timeline.StartFailed) {
		if ev.Unit == boot.Vector && ev.At > b.End-hold && mainOrState(ev) {
			out = append(out, Finding{At: ev.At, Unit: boot.Vector, Evidence: []timeline.Evidence{ev.Evidence},
				Summary: fmt.Sprintf("vector.service did not stay active for the last %s: %s", hold, ev.Kind)})
		}
	}
	return found(out, fmt.Sprintf("active since %s", timeline.Since(u.ActiveEnter)))
}

// endsForGood: the first signal that ends Vector, the kernel's for want of memory
// among them, ends log shipping on this worker. By the table of systemd.service(5),
// Restart=, these do not answer an unclean signal; on-abort and on-abnormal do.
// Who else starts it again is left to the scenarios that kill Vector.
func endsForGood(u timeline.Unit) (Finding, bool) {
	switch u.Restart {
	case "no", "on-success", "on-watchdog":
	default: // also where an older recording does not say
		return Finding{}, false
	}
	if len(u.OnFailure)+len(u.UpheldBy) > 0 {
		return Finding{}, false
	}
	return Finding{At: u.ActiveEnter, Unit: boot.Vector, Intrinsic: true, Evidence: evidence(u.Evidence),
		Summary: fmt.Sprintf("vector.service has Restart=%s: the first crash of Vector ends log shipping for good", u.Restart)}, true
}

// goneBefore is when Vector was last seen to go before that moment: its start began
// no sooner. 0: with the boot.
func goneBefore(b boot.Facts, at time.Duration) (gone time.Duration) {
	for _, ev := range b.Of(timeline.Stopping, timeline.Failed, timeline.Exit) {
		if ev.Unit == boot.Vector && ev.At < at && mainOrState(ev) {
			gone = ev.At
		}
	}
	return gone
}

// mainOrState leaves out control processes: ExecReload ending is no trouble.
func mainOrState(ev timeline.Event) bool {
	return ev.Kind != timeline.Exit || ev.Change.Command == "" || ev.Change.Command == "ExecStart"
}

func why(u timeline.Unit) string {
	if u.Result == "" || u.Result == "success" {
		return ""
	}
	return ", result " + u.Result
}

// withLast adds what systemd said of the unit last.
func withLast(b boot.Facts, unit string, ev timeline.Evidence) []timeline.Evidence {
	for i := len(b.Events) - 1; i >= 0; i-- {
		switch e := b.Events[i]; e.Kind {
		case timeline.Log, timeline.Line, timeline.Request, timeline.OnConsole:
		default:
			if e.Unit == unit && !e.Untimed {
				return []timeline.Evidence{ev, e.Evidence}
			}
		}
	}
	return []timeline.Evidence{ev}
}
