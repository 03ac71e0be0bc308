package boot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Missed is a unit that was to run and never was started, by no fault of a cycle.
type Missed struct {
	At       time.Duration
	Unit     string
	Why      string
	Evidence []timeline.Evidence
}

// Missed are those units that were skipped for a condition that held later, and those
// whose timer had nothing to count from: systemd looks at a condition when it starts the
// unit and never again (systemd.unit(5)), and OnUnitActiveSec= counts from a start of the
// unit (systemd.timer(5)).
func (b Facts) Missed(units []string) Seen[Missed] {
	var out []Missed
	for _, id := range units {
		u := b.Final.Units[id]
		switch {
		case strings.HasSuffix(id, ".timer") && u.Active == "active" && u.Sub == "elapsed":
			for _, service := range b.triggeredBy(id) {
				if t := b.Final.Units[service]; t.InactiveExit == 0 && t.Condition == 0 && len(b.Starts(service).All) == 0 && !b.tried(service) {
					out = append(out, Missed{u.ActiveEnter, service, fmt.Sprintf("%s has elapsed and never started it: it had nothing to count from", id), of(u, t)})
				}
			}
		case u.Active == "inactive" && u.InactiveExit == 0 && u.Condition > 0 && !b.mayStart(u) && heldLater(u):
			out = append(out, Missed{u.Condition, id, fmt.Sprintf("it was skipped at %s for %s, which held later, and nothing started it again",
				timeline.Since(u.Condition), strings.Join(u.Unmet, ", ")), of(u)})
		}
	}
	return seen(b, out, timeline.Units)
}

// heldLater: what kept the unit from starting does so no longer. Of the conditions that
// trigger, "=|", one is enough.
func heldLater(u timeline.Unit) bool {
	triggers, triggered := false, false
	for _, c := range u.Unmet {
		met := slices.Contains(u.MetLater, c)
		if strings.Contains(c, "=|") {
			triggers, triggered = true, triggered || met
		} else if !met {
			return false
		}
	}
	return len(u.Unmet) > 0 && (!triggers || triggered)
}

// mayStart: something may yet start the unit; a timer that has elapsed does not.
func (b Facts) mayStart(u timeline.Unit) bool {
	return slices.ContainsFunc(u.TriggeredBy, func(id string) bool {
		return !strings.HasSuffix(id, ".timer") || b.Final.Units[id].Sub != "elapsed"
	})
}

// tried: a start was asked for, and failed before it began.
func (b Facts) tried(unit string) bool {
	return slices.ContainsFunc(b.Of(timeline.StartFailed), func(ev timeline.Event) bool { return ev.Unit == unit })
}

// triggeredBy are the units that a timer or path starts: those that say so, else the
// service of its name.
func (b Facts) triggeredBy(id string) []string {
	var out []string
	for name, u := range b.Final.Units {
		if slices.Contains(u.TriggeredBy, id) {
			out = append(out, name)
		}
	}
	if slices.Sort(out); len(out) > 0 {
		return out
	}
	name, _, _ := strings.Cut(id, ".timer")
	return []string{name + ".service"}
}

func of(units ...timeline.Unit) []timeline.Evidence {
	var out []timeline.Evidence
	for _, u := range units {
		if u.Evidence.File != "" {
			out = append(out, u.Evidence)
		}
	}
	return out
}
