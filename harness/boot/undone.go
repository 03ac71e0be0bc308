package boot

import (
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// Fault is something that goes wrong in the cloud, if it is asked.
type Fault struct {
	Service string `json:"service"`
	Secret  string `json:"secret,omitempty"`
	Kind    string `json:"kind"`
}

// The marks of the scenario's script on what it could not do: begun with one of these, and
// ended with the unit.
const (
	NoUnit     = "no-unit-"
	HitNothing = "hit-nothing-"
)

// Undone is what a scenario was to do and did not.
type Undone struct {
	Why string // empty: it did something, or it is not known
	// Late: somebody asked when it was over, or not yet there: on another host it might
	// have met them.
	Late bool
}

// Undone says what the scenario was to do and did not, if that is all of it. Of a machine that
// boots more than once the first boot tells of what is done to units, and none by itself of
// faults.
func (b Facts) Undone(s Setup) Undone {
	if s.Boot > 1 {
		return Undone{}
	}
	var undone []string
	tried := 0
	for _, ev := range b.Of(timeline.Script) {
		switch unit, none := strings.CutPrefix(ev.Step, NoUnit); {
		case none:
			undone = append(undone, fmt.Sprintf("there is no %s to do it to", unit))
		case strings.HasPrefix(ev.Step, HitNothing):
			undone = append(undone, fmt.Sprintf("no process of %s was there to be killed at %s", strings.TrimPrefix(ev.Step, HitNothing), timeline.Since(ev.At)))
		case strings.HasPrefix(ev.Step, "done-"):
			tried++
		}
	}
	if len(undone) > 0 && tried == 0 {
		return Undone{Why: "the scenario did not do what it says: " + strings.Join(undone, "; ")}
	}
	if s.Boot > 0 || len(s.Faults) == 0 || b.Unknown(timeline.Cloud) != "" || slices.ContainsFunc(s.Faults, b.met) {
		return Undone{}
	}
	var faults []string
	late := false
	for _, f := range s.Faults {
		late = late || b.wanted(f)
		faults = append(faults, strings.Join(strings.Fields(f.Service+" "+f.Secret+" "+f.Kind), " "))
	}
	return Undone{"no request met what goes wrong in this scenario: " + strings.Join(faults, ", "), late}
}

// wanted: a request was for what the fault is about.
func (b Facts) wanted(f Fault) bool {
	return slices.ContainsFunc(b.Of(timeline.Request), func(ev timeline.Event) bool {
		return ev.Call.Service == f.Service && (f.Secret == "" || ev.Call.Secret == f.Secret)
	})
}

// met: a request met it. The resolver tells its faults under its own name.
func (b Facts) met(f Fault) bool {
	return slices.ContainsFunc(b.Of(timeline.Request), func(ev timeline.Event) bool {
		return ev.Call.Fault == f.Kind && (ev.Call.Service == f.Service || ev.Call.Service == resolver) && (f.Secret == "" || ev.Call.Secret == f.Secret)
	})
}

// resolver is how the cloud's log calls it (images/azure/resolver).
const resolver = "resolver"
