package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// quiet is how long the subject must have done nothing at the end: longer than any poll
// that asks as often as guidance allows.
const quiet = 5 * time.Second

var quiescent = Check{
	Name:  "quiescent",
	Why:   "at the end jobs are queued, or the subject still works though it has delivered, or held the reboot before: a poll that nobody ends costs every worker of the fleet",
	Needs: []string{timeline.Journal, timeline.Units, timeline.Jobs, timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		if len(e.SubjectUnits) == 0 {
			return noEvidence("the expectation names no unit of the subject")
		}
		var out []Finding
		for _, j := range b.Final.Jobs {
			// A daily timer that elapses during the case is the base's, not the boot's
			// (seen with dpkg-db-backup.timer at midnight).
			timer, timed := b.Final.Units[strings.TrimSuffix(j.Unit, ".service")+".timer"]
			byTimer := timed && timer.Active == "active" && !slices.Contains(e.SubjectUnits, j.Unit)
			if !byTimer {
				f := Finding{At: b.End, Unit: j.Unit, Evidence: []timeline.Evidence{j.Evidence},
					Summary: fmt.Sprintf("a %s job of %s is %s at the end", j.Type, j.Unit, j.State)}
				for _, blocker := range b.Blockers(j.Unit) {
					f.Summary += ", for " + blocker
				}
				f.Summary += asking(b, j.Unit)
				out = append(out, f)
			}
		}
		out = append(out, heldDown(b)...)
		if !hasDelivered(b, e) {
			return found(out, "the subject has not delivered, so it may work")
		}
		out = append(out, working(b, e)...)
		return found(out, "")
	},
}

// downWithin is how long a machine may take to go down for a reboot: Vector has 60 s for its
// last batches by itself.
const downWithin = 75 * time.Second

// heldDown finds that something held the reboot before this boot.
func heldDown(b boot.Facts) []Finding {
	over := b.Before.Down - downWithin
	if over <= 0 {
		return nil
	}
	f := Finding{Unit: b.Before.Held, Over: over, Evidence: evidence(b.Before.Evidence), Summary: fmt.Sprintf("the boot before took %s to end when the machine was told to reboot, must within %s", boot.Round(b.Before.Down), downWithin)}
	if b.Before.Held != "" {
		f.Summary += fmt.Sprintf("; %s took %s to stop", b.Before.Held, boot.Round(b.Before.For))
	}
	return []Finding{f}
}

// hasDelivered: the running Vector has the vault's values.
func hasDelivered(b boot.Facts, e Expect) bool {
	v, ok := b.RunningVector().First()
	return ok && len(e.EnvDigests) > 0 && len(e.EnvDigests.Differing(v.Vars)) == 0
}

// leftBehind names the processes of the subject's services that are over.
func leftBehind(b boot.Facts, e Expect) string {
	for _, p := range b.Final.Processes {
		u := b.Final.Units[p.Unit]
		if slices.Contains(e.SubjectUnits, p.Unit) && p.PID != u.MainPID && (u.Active == "inactive" || u.Active == "failed" || u.Sub == "exited") {
			return fmt.Sprintf("; %s, which is over (%s), has left a process behind: pid %d %s", p.Unit, u.Active, p.PID, p.Cmdline)
		}
	}
	return ""
}

// working finds what the subject does in the last moments.
func working(b boot.Facts, e Expect) []Finding {
	from := b.End - quiet
	var out []Finding
	asked := map[string]int{}
	last := map[string]timeline.Event{}
	for _, ev := range b.Of(timeline.Request) {
		if s := ev.Call.Service; ev.At > from && boot.ForCredentials(ev.Call) {
			asked[s]++
			last[s] = ev
		}
	}
	for _, s := range slices.Sorted(maps.Keys(asked)) {
		out = append(out, Finding{At: last[s].At, Evidence: []timeline.Evidence{last[s].Evidence},
			Summary: fmt.Sprintf("%s was asked %d times in the last %s though Vector has its values%s", s, asked[s], quiet, leftBehind(b, e))})
	}
	for _, r := range b.Restless() {
		out = append(out, Finding{At: r.Until, Unit: r.Unit, Evidence: evidence(b.Final.Units[r.Unit].Evidence),
			Summary: fmt.Sprintf("%s %s though Vector has its values, and was at work each of the %d times that it was looked at from %s on: it never rests", r.Unit, r.How, r.Looks, timeline.Since(r.Since))})
	}
	for _, unit := range e.SubjectUnits {
		for _, s := range b.Starts(unit).All {
			if s.At > from {
				out = append(out, Finding{At: s.At, Unit: unit, Evidence: []timeline.Evidence{s.Evidence},
					Summary: fmt.Sprintf("%s was started in the last %s though Vector has its values", unit, quiet)})
			}
		}
		switch u := b.Final.Units[unit]; u.Active {
		case "activating", "deactivating", "reloading":
			out = append(out, Finding{At: b.End, Unit: unit, Evidence: []timeline.Evidence{u.Evidence},
				Summary: fmt.Sprintf("%s is %s/%s at the end though Vector has its values", unit, u.Active, u.Sub)})
		}
	}
	return limit(out, 20)
}
