package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var noOrderingCycle = Check{
	Name: "no-ordering-cycle",
	Why: "systemd found a cycle or dropped a job (systemd.unit(5), After=), or an enabled unit never got its job, or was to be started and was not: for a condition that held later, or by a timer that counts from nothing; " +
		"the boot's own transaction is built before journald runs, so its messages are on PID 1's console only",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units, timeline.Jobs},
	Judge: func(b boot.Facts, e Expect) Result {
		var out []Finding
		for _, c := range b.Cycles().All {
			summary := "systemd found an ordering cycle"
			if c.Dropped {
				summary = fmt.Sprintf("systemd dropped the %s of %s to break an ordering cycle", cmp.Or(c.Job, "start"), c.Unit)
			}
			if through := b.CycleThrough(); b.Origin != nil && len(through) > 1 {
				summary += ": " + strings.Join(through, " after ")
			}
			switch {
			case b.Origin == nil || c.Dropped:
			case b.CycleUnbroken():
				summary += "; systemd could not break it, and refused all that was asked for with it"
			default:
				summary += "; which job it dropped is not in the log"
			}
			out = append(out, Finding{At: c.At, Unit: c.Unit, Intrinsic: true, Evidence: c.Evidence, Summary: summary})
		}
		never := b.NeverStarted()
		if b.Elsewhere() {
			never.All = nil // what multi-user.target wants nobody asked for: boot-unblocked says so
		}
		if len(out) == 0 && len(never.All) > 0 && never.Unknown != "" {
			return noEvidence(fmt.Sprintf("%s, but %s", noJob(never.All[0].ID), never.Unknown))
		}
		for _, u := range never.All {
			if i := slices.IndexFunc(out, func(o Finding) bool { return o.Unit == u.ID }); i >= 0 {
				out[i].Summary += ", and it was never started"
				continue
			}
			out = append(out, Finding{At: b.End, Unit: u.ID, Absence: true, Evidence: []timeline.Evidence{u.Evidence}, Summary: noJob(u.ID) + without(b, u.ID)})
		}
		for _, m := range b.Missed(slices.Compact(append(slices.Clone(e.SubjectUnits), boot.Vector))).All {
			if !slices.ContainsFunc(out, func(o Finding) bool { return o.Unit == m.Unit }) {
				out = append(out, Finding{At: m.At, Unit: m.Unit, Evidence: m.Evidence, Summary: fmt.Sprintf("%s never ran: %s", m.Unit, m.Why)})
			}
		}
		return found(out, "")
	},
}

// without is what kept the job from the boot's transaction, where it is no cycle.
func without(b boot.Facts, unit string) string {
	if lacks := b.RequiredNotFound(unit); lacks != "" {
		return fmt.Sprintf(": it requires %s, which is not there", lacks)
	}
	return ""
}

func noJob(unit string) string {
	return fmt.Sprintf("%s is enabled for multi-user.target and never got its start job", unit)
}
