package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// startWindow is the window starts are counted in, and systemd's default for its own
// limit (DefaultStartLimitIntervalSec= of systemd-system.conf(5)).
const startWindow = 10 * time.Second

// How many starts of a unit within the window are right.
const (
	// With its first start, and one more for the vault's values, a Vector or a unit of the
	// subject has one to spare for what went wrong.
	caseStarts = 3
	// DefaultStartLimitBurst= of systemd-system.conf(5), for what the case is not about.
	ordinaryStarts = 5
)

var startRate = Check{
	Name:  "start-rate",
	Why:   "a unit started more often than its scenario allows within 10 s: a .path unit on a directory starts its service at each write in it (systemd.path(5)), and StartLimitBurst= may be raised or off",
	Needs: []string{timeline.Journal},
	Judge: func(b boot.Facts, e Expect) Result {
		var out []Finding
		var note []string
		for _, unit := range b.StartedUnits() {
			if b.Origin != nil && !boot.Named(unit) { // a description, which several units may have
				continue
			}
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
		for _, unit := range append([]string{boot.Vector}, e.SubjectUnits...) {
			if len(out) == 0 && b.StartsUnsaid(unit) {
				return notJudged(fmt.Sprintf("PID 1 does not log the starts of %s (LogLevel=, LogLevelMax=)", unit))
			}
		}
		return found(out, strings.Join(note, ", "))
	},
}

// startsAllowed also says whether the unit is one of those a case is about.
func (e Expect) startsAllowed(unit string) (int, bool) {
	if n, ok := e.StartsAllowed[unit]; ok {
		return n, true
	}
	if unit == boot.Vector || slices.Contains(e.SubjectUnits, unit) {
		return caseStarts, true
	}
	return ordinaryStarts, false
}
