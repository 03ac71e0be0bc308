package judge

import (
	"fmt"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
)

// Log judges a boot that only a log is of: what is wrong in it is said, and that nothing is
// wrong is never. Without a control boot, control is its zero value.
func Log(tl timeline.Timeline, limits check.Limits, control boot.Control) Judgement {
	b := boot.Of(tl)
	e := check.Expect{Limits: limits, Setup: boot.Setup{RoleEnv: boot.Late}}
	if wasThere(b) {
		e.RoleEnv = boot.Pre
	}
	if b.Speaks(boot.Populator) {
		e.SubjectUnits = []string{boot.Populator}
	}
	if b.Origin.Begins { // else the boot's own zero is not known
		e.Control = control
	}
	j := Judgement{Case: tl.Case, Results: check.Logged(b, e), End: tl.End, Missing: tl.Missing, Versions: tl.Versions, Expect: e, Boot: b}
	if up, reached := b.Reached(boot.MultiUser).First(); reached {
		j.MultiUser = up.At
	}
	for _, r := range j.Results {
		j.Findings = append(j.Findings, r.Findings...)
	}
	j.Verdict, j.Reason = verdict.NotJudged, "nothing wrong is seen in it, which is no proof of a clean boot"
	if len(j.Findings) > 0 {
		f := j.Findings[0]
		j.Verdict, j.Reason = verdict.Fail, fmt.Sprintf("%s: %s", f.Check, f.Summary)
	}
	return j
}

// wasThere: the log has a role env that was there from the beginning, and none that was
// written later.
func wasThere(b boot.Facts) bool {
	there := false
	for _, ev := range b.Of(timeline.EnvFile) {
		if ev.File.Path == boot.VectorEnv || ev.File.Op == "attrib" {
			continue
		}
		if ev.File.Op != "present" {
			return false
		}
		there = true
	}
	return there
}
