package check

import (
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var noStartLimit = Check{
	Name: "no-start-limit",
	Why: "a start was refused (systemd.unit(5), StartLimitIntervalSec=: every start counts, also those asked for by hand); " +
		"the unit's result is usually that of its last failure, not start-limit-hit",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units},
	Judge: func(b boot.Facts, e Expect) Result {
		var out []Finding
		for _, r := range b.Refusals().All {
			f := Finding{At: r.At, Unit: r.Unit, Evidence: r.Evidence, Summary: fmt.Sprintf("a start of %s was refused: %s", r.Unit, r.Text)}
			if who := askedFor(b, e, r.Unit); who != "" { // what it said last is no reason
				f.Summary += who
			} else {
				f = explained(b, f)
			}
			out = append(out, f)
		}
		var headroom []string
		for _, l := range b.StartLimits(e.Setup) {
			headroom = append(headroom, l.String())
		}
		return found(out, strings.Join(headroom, ", "))
	},
}

// often is how many starts of a unit of the subject's are more than its work needs.
const often = 3

// askedFor says who asked for the starts of a unit that ended well each time; empty: it failed, or
// nobody is to be seen.
func askedFor(b boot.Facts, e Expect, unit string) string {
	starts := b.Starts(unit)
	byOthers := 0
	for _, s := range starts.All {
		if s.By == boot.ByOthers {
			byOthers++
		}
	}
	failed := slices.ContainsFunc(b.Ends(unit).All, func(e boot.End) bool { return e.Change.ExitStatus != "" })
	if b.Origin != nil || starts.Unknown != "" || failed || byOthers*2 <= len(starts.All) {
		return ""
	}
	if by := again(b, unit); by != "" {
		return fmt.Sprintf("; it ended well each time, and %s", by)
	}
	most, n := "", often
	for _, id := range e.SubjectUnits {
		if all := b.Starts(id).All; id != unit && len(all) > n {
			most, n = id, len(all)
		}
	}
	if most == "" {
		return ""
	}
	out := fmt.Sprintf("; it was asked for %d times, and %s was started %d times", byOthers, most, n)
	if by := again(b, most); by != "" {
		out += ": " + by
	}
	return out
}

// again is what starts a unit as often as it is over (systemd.path(5), systemd.socket(5), Upholds=).
func again(b boot.Facts, unit string) string {
	u := b.Final.Units[unit]
	switch {
	case len(u.UpheldBy) > 0:
		return fmt.Sprintf("Upholds= of %s starts it again whenever it is over", u.UpheldBy[0])
	case len(u.TriggeredBy) > 0 && !strings.HasSuffix(u.TriggeredBy[0], ".timer"):
		return fmt.Sprintf("%s starts it again whenever it is over and what that waits for is still there", u.TriggeredBy[0])
	}
	return ""
}
