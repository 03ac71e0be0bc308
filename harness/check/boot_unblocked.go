package check

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var bootUnblocked = Check{
	Name: "boot-unblocked",
	Why: "multi-user.target later than in the control boot by more than the budget, or a boot job waited on the subject; " +
		"cloud-final, which writes worker.env, is itself After=multi-user.target",
	Needs: []string{timeline.Journal, timeline.Units, timeline.Jobs},
	Judge: func(b boot.Facts, e Expect) Result {
		up, reached := b.Reached(boot.MultiUser).First()
		if !reached {
			return found(append(endless(b), notReached(b, e)), "")
		}
		at := up.At
		var without string
		switch {
		case e.MultiUser <= 0:
			without = "there is no control boot to compare with"
		case e.Spoilt():
			without = fmt.Sprintf("other processes had the CPU for %s of the control boot's %s", boot.Round(e.Lost), boot.Round(e.MultiUser-e.Waited))
		}
		if without != "" {
			r := noEvidence(without)
			r.Findings = waitedOn(b, e, at)
			return r
		}
		note := fmt.Sprintf("multi-user.target at %s, control %s", timeline.Since(at), timeline.Since(e.MultiUser))
		if over := at - e.MultiUser - e.BootBudget; over > 0 {
			chain := b.CriticalChain(boot.MultiUser)
			f := Finding{At: at, Unit: boot.MultiUser, Over: over, Limit: e.BootBudget, Summary: fmt.Sprintf("multi-user.target %s later than in the control boot, budget %s%s: %s",
				boot.Round(at-e.MultiUser), e.BootBudget, mostly(b, chain, at-e.MultiUser), chain)}
			for _, l := range chain {
				f.Evidence = append(f.Evidence, evidence(l.Evidence)...)
			}
			return found([]Finding{f}, note)
		}
		return found(append(waitedOn(b, e, at), lateUserData(b, at)...), note)
	},
}

// mostly names the start that takes most of a delay.
func mostly(b boot.Facts, chain boot.Chain, late time.Duration) string {
	if took := b.Final.Generators; took > late*3/4 {
		return fmt.Sprintf(", most of it the generators, which took %s before PID 1 loaded any unit", boot.Round(took))
	}
	var most boot.Link
	for _, l := range chain {
		if l.Unit != boot.MultiUser && l.Ended-l.Began > most.Ended-most.Began {
			most = l
		}
	}
	if took := most.Ended - most.Began; took > late*3/4 {
		return fmt.Sprintf(", most of it the start of %s, which took %s", most.Unit, boot.Round(took))
	}
	return ""
}

// userDataStart is how long after multi-user.target the script of the user data may begin:
// cloud-config and cloud-final come between, which takes 0.1 to 0.5 s on an idle host; the
// slowest of the recordings in testdata took 2.6 s, on a busy one.
const userDataStart = 4 * time.Second

// lateUserData finds that it began later: the control boots end before.
func lateUserData(b boot.Facts, reached time.Duration) []Finding {
	for _, ev := range b.Of(timeline.Script) {
		if ev.Step != stepStart {
			continue
		}
		over := ev.At - reached - userDataStart
		if over <= 0 {
			return nil
		}
		return []Finding{{At: ev.At, Unit: cloudFinal, Over: over, Limit: userDataStart, Since: reached, Evidence: evidence(ev.Evidence),
			Summary: fmt.Sprintf("cloud-final came to the user data, which writes worker.env, %s after multi-user.target, and may take %s: %s",
				boot.Round(ev.At-reached), userDataStart, b.CriticalChain(cloudFinal))}}
	}
	return nil
}

func notReached(b boot.Facts, e Expect) Finding {
	f := Finding{At: b.End, Unit: boot.MultiUser, Absence: true}
	for _, ev := range b.Of(timeline.StartFailed) {
		if ev.Unit == boot.MultiUser {
			f.At, f.Evidence = ev.At, []timeline.Evidence{ev.Evidence}
			f.Summary = fmt.Sprintf("multi-user.target was not reached: its start job ended with %s", ev.Change.JobResult)
			return f
		}
	}
	f.Limit, f.Over = e.BootBudget, max(0, b.End-e.MultiUser-e.BootBudget)
	f.Evidence = b.Queue()
	if _, queued := b.Job(boot.MultiUser); !queued {
		f.Summary = "multi-user.target was not reached, and no job for it is queued"
		if b.Elsewhere() {
			f.Summary += ": the boot was over without it, for the default target is another one"
		}
		f.Evidence = append(evidence(b.Final.Units[boot.MultiUser].Evidence), f.Evidence...)
		return f
	}
	// What does not come to an end leads: the way to it is long, and tables cut it off.
	chain := b.Waits(boot.MultiUser)
	last := len(chain) - 1
	f.Summary = fmt.Sprintf("multi-user.target not reached at %s: ", timeline.Since(b.End))
	if last > 0 {
		f.Summary += "it waits for "
	}
	f.Summary += doing(b, chain[last])
	if last > 1 {
		f.Summary += "; on the way: " + strings.Join(chain[1:last], ", ")
	}
	if behind := b.WaitingFor(boot.MultiUser); len(behind) > 0 {
		f.Summary += "; for multi-user.target itself wait " + strings.Join(behind, ", ")
	}
	return f
}

// doing is what a unit of a chain is doing, and since when.
func doing(b boot.Facts, unit string) string { return running(b, unit) + asking(b, unit) }

func running(b boot.Facts, unit string) string {
	j, queued := b.Job(unit)
	if !queued || j.State != "running" {
		return unit
	}
	since := ""
	if at, ok := b.Began(unit); ok {
		since = " since " + timeline.Since(at)
	}
	return fmt.Sprintf("%s (%s job running%s, %s%s)", unit, j.Type, since, cmp.Or(b.Final.Units[unit].Active, "state unknown"), until(b.Final.Units[unit]))
}

// until is what a service's start is not over before (systemd.service(5), Type=).
func until(u timeline.Unit) string {
	switch u.Sub {
	case "condition":
		return " in its ExecCondition="
	case "start-pre":
		return " in its ExecStartPre="
	case "start-post":
		return " in its ExecStartPost="
	case "start":
	default:
		return ""
	}
	over := map[string]string{
		"oneshot": "it ends", "forking": "its first process ends and leaves another one", "dbus": "it has its BusName= on the bus",
		"notify": "it says READY=1", "notify-reload": "it says READY=1",
	}[u.Type]
	if over == "" {
		return ""
	}
	return fmt.Sprintf(" until %s: Type=%s", over, u.Type)
}

// asking is what a unit's own systemctl waits for.
func asking(b boot.Facts, unit string) string {
	p, awaited, ok := b.Asking(unit)
	if runs := b.CloudRuns(unit); !ok && runs != "" && b.Final.Units[unit].Active == "activating" {
		return fmt.Sprintf(", in which cloud-init runs `%s`", runs)
	}
	if !ok {
		return ""
	}
	return fmt.Sprintf(", in which `%s` waits for %s", p.Cmdline, running(b, awaited))
}

// waitedOn finds boot jobs that waited on the subject for longer than the
// budget, also where multi-user.target did not suffer for it. Waiting as such is
// right: Vector is ordered after the subject in order to find vector.env there.
func waitedOn(b boot.Facts, e Expect, reached time.Duration) []Finding {
	var out []Finding
	for _, s := range e.SubjectUnits {
		began, ok := b.Began(s)
		up, done := b.Ended(s)
		if !ok || began > reached {
			continue
		}
		ended := up.At
		if !done {
			ended = b.End
		}
		took := ended - began
		if took <= e.BootBudget {
			continue
		}
		var who []string
		ev := evidence(up.Evidence)
		for _, u := range b.OrderedAfter(s) {
			_, queued := b.Job(u)
			at, started := b.Began(u)
			waited := started && done && at >= ended-time.Millisecond && at <= max(reached, ended+time.Second)
			// What else it waits for as long is not the subject's: Vector's own network-online.target.
			if free := b.Free(u, s); ended-max(began, free) <= e.BootBudget {
				continue
			}
			if waited || !started && queued {
				who = append(who, u)
				ev = append(ev, evidence(b.Final.Units[u].Evidence)...)
			}
		}
		if len(who) > 0 {
			out = append(out, Finding{At: began, Unit: s, Over: took - e.BootBudget, Limit: e.BootBudget, Since: began, Evidence: ev,
				Summary: fmt.Sprintf("%s waited for the start of %s, which took %s from %s (budget %s)", strings.Join(who, ", "), s, boot.Round(took), timeline.Since(began), e.BootBudget)})
		}
	}
	return out
}
