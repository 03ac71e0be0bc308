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
				if t := b.Final.Units[service]; t.InactiveExit == 0 && t.Condition == 0 && len(b.Starts(service).All) == 0 {
					out = append(out, Missed{u.ActiveEnter, service, fmt.Sprintf("%s has elapsed and never started it: it had nothing to count from", id), of(u, t)})
				}
			}
		case u.Active == "inactive" && u.InactiveExit == 0 && len(u.TriggeredBy) == 0 && len(u.Unmet) > 0 && len(u.Unmet) == len(u.MetLater):
			out = append(out, Missed{u.Condition, id, fmt.Sprintf("it was skipped at %s for %s, which held later, and nothing started it again",
				timeline.Since(u.Condition), strings.Join(u.Unmet, ", ")), of(u)})
		}
	}
	return seen(b, out, timeline.Units)
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
