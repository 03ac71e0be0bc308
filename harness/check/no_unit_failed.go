package check

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var noUnitFailed = Check{
	Name:  "no-unit-failed",
	Why:   "a unit entered failed at any moment, not only at the end: a restart that succeeds hides a failure that the next boot may not survive",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units},
	Judge: func(b boot.Facts, e Expect) Result {
		var out []Finding
		var allowed []string
		for _, f := range b.Failures().All {
			if reason, ok := e.allowed(f.Unit); ok {
				allowed = append(allowed, fmt.Sprintf("%s failed, allowed: %s", f.Unit, reason))
				continue
			}
			summary := fmt.Sprintf("%s failed (%s)%s", f.Unit, cmp.Or(f.Result, "start failed"), times(f.Times))
			if u := b.Final.Units[f.Unit]; u.Active != "" {
				summary += ", is " + u.Active + " at the end"
			}
			out = append(out, Finding{At: f.At, Unit: f.Unit, Evidence: f.Evidence, Summary: summary})
		}
		return found(out, strings.Join(allowed, "; "))
	},
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
