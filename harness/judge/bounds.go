package judge

import (
	"fmt"
	"slices"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/verdict"
)

// bounds are what the boot could not show: what a container has not, and what the
// scenario did not come to do.
func bounds(b boot.Facts, e check.Expect) verdict.Bounds {
	undone := b.Undone(e.Setup)
	out := verdict.Bounds{Undone: undone.Why, Late: undone.Late}
	for _, l := range b.Lacks(e.Setup) {
		reason := l.What
		if l.Evidence.File != "" {
			reason += fmt.Sprintf(" (%s:%d)", l.Evidence.File, l.Evidence.Line)
		}
		out.Lacks = append(out.Lacks, verdict.Lack{Reason: reason, Decides: l.Needed, Explains: func(f check.Finding) bool { return explains(b, l, f) }})
	}
	return out
}

// Checks whose findings may come of a unit that does not run, and those of them that say
// that credentials or lines did not come to where they belong.
var (
	ofUnits    = []string{"no-unit-failed", "no-ordering-cycle", "no-start-limit", "start-rate", "boot-unblocked", "quiescent", "registered"}
	deliveries = []string{"vector-active", "vector-credentialed", "logs-delivered"}
	ofVector   = []string{"no-unit-failed", "no-start-limit", "start-rate"}
)

// explains: the finding comes of what is lacking. What no host can produce does so only of
// the unit itself; a secret that lies about lies about.
func explains(b boot.Facts, l boot.Lack, f check.Finding) bool {
	switch {
	case f.Intrinsic && (f.Unit == "" || f.Unit != l.Unit):
		return false
	case slices.Contains(deliveries, f.Check):
		return l.Needed
	case !slices.Contains(ofUnits, f.Check) || f.Unit == "":
		return false
	case slices.Contains(l.Affected, f.Unit):
		return true
	case f.Unit == boot.Vector && slices.Contains(ofVector, f.Check):
		return l.Needed
	}
	// A job, or the boot itself, that waits for it.
	return slices.ContainsFunc(b.Waits(f.Unit), func(u string) bool { return slices.Contains(l.Affected, u) })
}
