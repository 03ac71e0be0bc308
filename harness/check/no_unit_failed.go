package check

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

var noUnitFailed = Check{
	Name:  "no-unit-failed",
	Why:   "a unit entered failed at any moment, not only at the end: a restart that succeeds hides a failure that the next boot may not survive",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units},
	Judge: func(tl timeline.Timeline, e Expect) Result {
		byUnit := map[string]*Finding{}
		count, result := map[string]int{}, map[string]string{}
		for _, ev := range append(failures(tl, false), failures(tl, true)...) {
			unit := ev.Unit
			if ev.Untimed {
				if unit = consoleName(ev); known(byUnit, unit) {
					continue // the journal has it, with the time
				}
			}
			f := byUnit[unit]
			if f == nil {
				f = &Finding{At: ev.At, Unit: unit}
				byUnit[unit] = f
			}
			if f.Evidence = append(f.Evidence, ev.Evidence); len(f.Evidence) > 3 {
				f.Evidence = append(f.Evidence[:2], f.Evidence[3]) // the first two and the last
			}
			if ev.Kind == timeline.Failed {
				if count[unit]++; count[unit] == 1 {
					result[unit] = ev.Change.Result
				}
			}
		}
		for id, u := range tl.Final.Units {
			if u.Active != "failed" {
				continue
			}
			if byUnit[id] == nil {
				byUnit[id] = &Finding{At: tl.End, Unit: id}
			}
			byUnit[id].Evidence = append(byUnit[id].Evidence, u.Evidence)
			result[id] = cmp.Or(result[id], u.Result)
		}
		var out []Finding
		var allowed []string
		for _, unit := range slices.Sorted(maps.Keys(byUnit)) {
			if reason, ok := e.allowed(unit); ok {
				allowed = append(allowed, fmt.Sprintf("%s failed, allowed: %s", unit, reason))
				continue
			}
			f := byUnit[unit]
			f.Summary = fmt.Sprintf("%s failed (%s)%s", unit, cmp.Or(result[unit], "start failed"), times(count[unit]))
			if u := tl.Final.Units[unit]; u.Active != "" {
				f.Summary += ", is " + u.Active + " at the end"
			}
			out = append(out, *f)
		}
		return found(out, strings.Join(allowed, "; "))
	},
}

// failures are the journal's or the console's.
func failures(tl timeline.Timeline, console bool) []timeline.Event {
	var out []timeline.Event
	for _, ev := range tl.Events {
		if ev.Untimed == console && failure(ev) {
			out = append(out, ev)
		}
	}
	return out
}

// consoleName is the unit a "[FAILED] Failed to start …" line names. systemd
// shortens long lines in the middle with "…", and what is left is a prefix.
func consoleName(ev timeline.Event) string {
	if ev.Unit != "" {
		return ev.Unit
	}
	if _, name, ok := strings.Cut(ev.Text, "Failed to start "); ok {
		return name
	}
	return ev.Text
}

func known(byUnit map[string]*Finding, name string) bool {
	prefix, _, short := strings.Cut(name, "…")
	for unit := range byUnit {
		if unit == name || short && strings.HasPrefix(unit, prefix) {
			return true
		}
	}
	return false
}

// failure: a unit entered failed, or its start failed. A start that failed only
// because of what it depends on leaves the unit inactive; the other one is found.
func failure(ev timeline.Event) bool {
	switch ev.Kind {
	case timeline.Failed:
		return true
	case timeline.StartFailed:
		return ev.Change.JobResult == "failed" || ev.Change.JobResult == "timeout"
	case timeline.OnConsole:
		return ev.Status == "FAILED"
	}
	return false
}

func (e Expect) allowed(unit string) (string, bool) {
	for _, a := range e.AllowedFailed {
		if ok, err := path.Match(a.Unit, unit); err == nil && ok {
			return a.Reason, true
		}
	}
	return "", false
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" %d times", n)
}
