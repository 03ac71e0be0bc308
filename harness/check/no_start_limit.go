package check

import (
	"fmt"
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
			out = append(out, explained(b, Finding{At: r.At, Unit: r.Unit, Evidence: r.Evidence,
				Summary: fmt.Sprintf("a start of %s was refused: %s", r.Unit, r.Text)}))
		}
		var headroom []string
		for _, l := range b.StartLimits(e.Setup) {
			headroom = append(headroom, l.String())
		}
		return found(out, strings.Join(headroom, ", "))
	},
}
