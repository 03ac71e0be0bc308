package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
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
	Judge: func(b boot.Facts, e Expect) Result {
		var out []Finding
		var note []string
		for _, unit := range b.StartedUnits() {
			starts := b.Starts(unit).All
			n, first := boot.Busiest(starts, startWindow)
			allowed, watched := e.startsAllowed(unit)
			if watched {
				note = append(note, fmt.Sprintf("%s %d of %d", unit, n, allowed))
			}
			if n <= allowed {
				continue
			}
			run := starts[first : first+n]
			out = append(out, Finding{At: run[0].At, Unit: unit,
				Evidence: []timeline.Evidence{run[0].Evidence, run[min(allowed, n-1)].Evidence, run[n-1].Evidence},
				Summary:  fmt.Sprintf("%s started %d times within %s, allowed %d", unit, n, boot.Round(run[n-1].At-run[0].At), allowed)})
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
	case unit == boot.Vector:
		return e.VectorRestarts, true
	case slices.Contains(e.SubjectUnits, unit):
		return 3, true
	}
	return ordinaryStarts, false
}
