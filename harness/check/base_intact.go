package check

import (
	"fmt"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var baseIntact = Check{
	Name: "base-intact",
	Why: "a unit that is active in the boots without the subject was stopped in this one, or never started although something wants it: " +
		"Conflicts=, a stop or an isolated target took it away without a failure",
	Needs: []string{timeline.Journal, timeline.Units},
	Judge: func(b boot.Facts, e Expect) Result {
		if len(e.Active) == 0 {
			return notJudged("which units the control boots had active is not known")
		}
		if end, ended := b.Ending(nil); ended {
			return notAsked("the machine " + end.How + " and stopped them all")
		}
		var out []Finding
		for _, d := range b.Displaced(e.Setup, e.Control).All {
			out = append(out, Finding{At: d.At, Unit: d.Unit, Absence: d.Absence, Evidence: d.Evidence,
				Summary: fmt.Sprintf("%s, which is active without the subject, %s", d.Unit, d.Why)})
		}
		return found(out, fmt.Sprintf("%d units of the control boot", len(e.Active)))
	},
}
