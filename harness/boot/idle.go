package boot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Idle are those of the services that ran nothing in this boot, and why: who asks why nobody
// asked the vault begins there. By name. Units that are well without have reasons too.
func (b Facts) Idle(units []string) []Missed {
	var out []Missed
	for _, id := range slices.Sorted(slices.Values(units)) {
		u, loaded := b.Final.Units[id]
		if !loaded && b.Unknown(timeline.Units) == "" {
			u = timeline.Unit{ID: id, Load: "loaded", Active: "inactive"} // PID 1 loads what something names
		}
		begun := u.InactiveExit > 0 || slices.ContainsFunc(b.Of(timeline.Starting, timeline.Started), func(ev timeline.Event) bool { return ev.Unit == id })
		ran := u.Active != "inactive" || u.ActiveEnter > 0 || begun && u.Result != "exec-condition"
		if !strings.HasSuffix(id, ".service") || strings.HasSuffix(id, "@.service") || ran {
			continue
		}
		if why := b.idle(u); why != "" {
			out = append(out, Missed{Unit: id, Why: why, Evidence: of(u)})
		}
	}
	return out
}

// Masked are the services that something wants, and that are masked. By name.
func (b Facts) Masked() []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; u.Load == "masked" && strings.HasSuffix(id, ".service") && len(u.WantedBy)+len(u.RequiredBy) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// BoundTo is the unit that took this one with it as it ended, and by which setting (systemd.unit(5),
// BindsTo=, PropagatesStopTo=); not ok: none did.
func (b Facts) BoundTo(unit string) (by, setting string, at time.Duration, ok bool) {
	for _, ev := range b.Of(timeline.Stopping, timeline.Stopped) {
		if ev.Unit == unit {
			at, ok = ev.At, true
		}
	}
	if !ok || b.Final.Units[unit].Active == "active" {
		return "", "", 0, false
	}
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		u := b.Final.Units[id]
		switch ended := u.Active == "inactive" || u.Active == "failed"; {
		case ended && slices.Contains(u.BoundBy, unit):
			return id, "on which it has BindsTo=", at, true
		case ended && slices.Contains(b.Final.Units[unit].StopsWith, id):
			return id, "which has PropagatesStopTo= it", at, true
		}
	}
	return "", "", 0, false
}

// InVain are those of the services that ran, and are done, or are at it still, and templates
// without an instance: of a boot in which nobody asked for credentials. By name.
func (b Facts) InVain(units []string, complete time.Duration) []Missed {
	if b.Unknown(timeline.Units) != "" {
		return nil
	}
	loaded := slices.Sorted(maps.Keys(b.Final.Units))
	var out []Missed
	for _, id := range slices.Sorted(slices.Values(units)) {
		u := b.Final.Units[id]
		var done time.Duration
		for _, ev := range b.Of(timeline.Succeeded) {
			if ev.Unit == id {
				done = max(done, ev.At)
			}
		}
		name, isTemplate := strings.CutSuffix(id, "@.service")
		switch {
		case isTemplate && !slices.ContainsFunc(loaded, func(of string) bool { return strings.HasPrefix(of, name+"@") && of != id }):
			out = append(out, Missed{Unit: id, Why: "is a template, and nothing started an instance of it"})
		case !strings.HasSuffix(id, ".service"):
		case u.InactiveExit > 0 && (u.Active == "activating" || u.Sub == "running"):
			why := fmt.Sprintf("runs since %s", timeline.Since(u.InactiveExit))
			if said := b.Complaints(id, complete); len(said) > 0 { // what it still cannot do
				why += fmt.Sprintf(", and said last: %q", said[len(said)-1])
			}
			out = append(out, Missed{Unit: id, Why: why, Evidence: of(u)})
		case u.Active == "inactive" && done > 0 && done < complete:
			out = append(out, Missed{Unit: id, Why: fmt.Sprintf("was done at %s, before the role env was complete, and nothing started it again", timeline.Since(done)), Evidence: of(u)})
		case u.Active == "inactive" && done > 0:
			out = append(out, Missed{Unit: id, Why: fmt.Sprintf("was done at %s", timeline.Since(done)), Evidence: of(u)})
		}
	}
	return out
}

// Unprovisioned is why cloud-init did not come to the user data, whose script writes the role
// env; empty: it did, or it is not known.
func (b Facts) Unprovisioned() string {
	if len(b.Of(timeline.Script)) > 0 || b.Unknown(timeline.Journal, timeline.Units) != "" {
		return ""
	}
	u, loaded := b.Final.Units[CloudFinal]
	if _, queued := b.Job(CloudFinal); queued { // it waits for what holds the boot
		return ""
	}
	switch {
	case !loaded && !slices.ContainsFunc(slices.Collect(maps.Keys(b.Final.Units)), func(id string) bool { return strings.HasPrefix(id, "cloud-init") }):
		return "cloud-init is disabled, and none of its units is in the boot (cloud-init.disabled)"
	case !loaded:
		return CloudFinal + " is not in the boot"
	case u.Active == "inactive" && u.ActiveEnter == 0 && u.InactiveExit == 0:
		return CloudFinal + " " + b.idle(u)
	case u.Active == "active":
		return CloudFinal + " ran, and not the scripts of the user data (cloud_final_modules)"
	}
	return ""
}

func (b Facts) idle(u timeline.Unit) string {
	wanted := slices.Concat(u.WantedBy, u.RequiredBy, u.UpheldBy)
	switch {
	case u.Load == "masked":
		return "is masked"
	case u.Load == "not-found":
		return "has no file"
	case u.Load != "loaded":
		return fmt.Sprintf("is refused by systemd (%s)%s", u.Load, b.refusal(u.ID))
	case u.Condition > 0 && len(u.Unmet) > 0:
		return fmt.Sprintf("was skipped at %s for %s", timeline.Since(u.Condition), strings.Join(u.Unmet, ", "))
	case u.Condition > 0 && u.Result != "exec-condition":
		return fmt.Sprintf("was skipped at %s for a condition", timeline.Since(u.Condition))
	case u.Result == "exec-condition":
		return fmt.Sprintf("was skipped at %s by its ExecCondition=", timeline.Since(max(u.InactiveExit, u.Condition)))
	}
	for _, ev := range b.Of(timeline.StartFailed) {
		if ev.Unit == u.ID {
			return fmt.Sprintf("was not started at %s (%s)", timeline.Since(ev.At), ev.Change.JobResult)
		}
	}
	if lacks := b.RequiredNotFound(u.ID); lacks != "" {
		return fmt.Sprintf("requires %s, which is not there", lacks)
	}
	for _, by := range u.TriggeredBy {
		if t := b.Final.Units[by]; t.Active == "active" {
			if t.Elapses > b.End {
				return fmt.Sprintf("waits for %s, which elapses at %s", by, timeline.Since(t.Elapses))
			}
			return fmt.Sprintf("waits for %s, which has not started it", by)
		}
	}
	switch i := slices.IndexFunc(wanted, func(w string) bool { return b.Final.Units[w].ActiveEnter > 0 }); {
	case len(wanted) == 0 && len(u.TriggeredBy) == 0 && len(u.OnSuccessOf) > 0:
		by := u.OnSuccessOf[0]
		return fmt.Sprintf("is started by OnSuccess= of %s alone, which acts when that becomes inactive: it is %s", by, cmp.Or(b.Final.Units[by].Active, "not loaded"))
	case len(wanted) == 0 && len(u.TriggeredBy) == 0 && u.FileState == "enabled":
		return "is enabled for what nothing starts"
	case len(wanted) == 0 && len(u.TriggeredBy) == 0:
		return "is wanted by nothing that was started"
	case i < 0 && len(wanted) > 0:
		return fmt.Sprintf("is wanted by %s alone, which was not reached", strings.Join(wanted, ", "))
	}
	return "was never started"
}

// refusal is what PID 1 says of a file that it does not take; it reads the units before
// journald runs, and again at each reload.
func (b Facts) refusal(unit string) string {
	for _, ev := range b.Events {
		if i := strings.Index(ev.Text, unit+": "); i >= 0 && strings.HasSuffix(ev.Text, "Refusing.") {
			return ": " + ev.Text[i+len(unit)+2:]
		}
	}
	return ""
}

// RequiredNotFound is what the unit requires and nobody has installed: its start job is
// given up as the boot's transaction is made, without a word but to who asks.
func (b Facts) RequiredNotFound(unit string) string {
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; u.Load == "not-found" && (slices.Contains(u.RequiredBy, unit) || slices.Contains(u.BoundBy, unit)) {
			return id
		}
	}
	return ""
}

// Elsewhere: the boot was over and nobody had asked for multi-user.target: the default target
// does not want it.
func (b Facts) Elsewhere() bool {
	if b.Unknown(timeline.Journal, timeline.Units, timeline.Jobs) != "" || b.Origin != nil || len(b.Final.Jobs) > 0 || len(b.Cycles().All) > 0 || b.tried(MultiUser) {
		return false
	}
	_, reached := b.Reached(MultiUser).First()
	return !reached && b.Final.Units["basic.target"].ActiveEnter > 0
}

// Wanting is what a unit that was not started for want of another needs and is not up, as
// far as the last state shows it; empty: it does not.
func (b Facts) Wanting(unit string) string {
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		u := b.Final.Units[id]
		needed := slices.Contains(u.RequiredBy, unit) || slices.Contains(u.BoundBy, unit)
		if needed && u.Active != "active" {
			return fmt.Sprintf("%s, which is %s", id, u.Active)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; slices.Contains(u.RequisiteOf, unit) {
			return fmt.Sprintf("%s to be up already (Requisite= starts nothing)", id)
		}
	}
	return ""
}
