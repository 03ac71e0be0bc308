package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// startWindow is the window starts are counted in.
const startWindow = 10 * time.Second

// ordinaryStarts is what a unit neither the subject's nor Vector may start in
// the window: DefaultStartLimitBurst= of systemd-system.conf(5).
const ordinaryStarts = 5

var startRate = Check{
	Name:  "start-rate",
	Why:   "a unit started more often than its scenario allows within 10 s: a .path unit on a directory starts its service at each write in it (systemd.path(5)), and StartLimitBurst= may be raised or off",
	Needs: []string{timeline.Journal},
	Judge: func(tl timeline.Timeline, e Expect) Result {
		all := starts(tl)
		var out []Finding
		var note []string
		for _, unit := range slices.Sorted(maps.Keys(all)) {
			n, first := busiest(all[unit], startWindow)
			allowed, watched := e.startsAllowed(unit)
			if watched {
				note = append(note, fmt.Sprintf("%s %d of %d", unit, n, allowed))
			}
			if n <= allowed {
				continue
			}
			run := all[unit][first : first+n]
			out = append(out, Finding{At: run[0].at, Unit: unit,
				Evidence: []timeline.Evidence{run[0].evidence, run[min(allowed, n-1)].evidence, run[n-1].evidence},
				Summary:  fmt.Sprintf("%s started %d times within %s, allowed %d", unit, n, round(run[n-1].at-run[0].at), allowed)})
		}
		return found(out, strings.Join(note, ", "))
	},
}

// startsAllowed also says whether the unit is one of those a case is about.
func (e Expect) startsAllowed(unit string) (int, bool) {
	if n, ok := e.StartsAllowed[unit]; ok {
		return n, true
	}
	switch {
	case unit == Vector:
		return e.VectorRestarts, true
	case slices.Contains(e.SubjectUnits, unit):
		return 3, true
	}
	return ordinaryStarts, false
}
