package run

import (
	"maps"
	"slices"

	"bootrace/harness/check"
	"bootrace/harness/explain"
	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/harness/verdict"
	"bootrace/results"
)

// record is the attempt as it is stored: what it came to, what the boot looked
// like, and which files show it.
func (a attempt) record() results.Attempt {
	out := results.Attempt{Verdict: string(a.Verdict), Reason: a.Reason, Change: a.change, Recording: a.dir, Number: a.number, Versions: a.Versions, Checks: a.checks()}
	if boot := picture.Of(a.Boot, a.Expect.Setup, a.Expect.Control); boot.End > 0 {
		out.Boot = &boot
	}
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		out.Artifacts = append(out.Artifacts, results.Artifact{Name: name, SHA256: a.files[name].SHA256, Size: a.files[name].Size})
	}
	return out
}

// Judged is what a recording came to, as it is stored when its boot has ended; dir is where
// it lies.
func Judged(dir string, j judge.Judgement) results.Attempt {
	a := attempt{Judgement: j, dir: dir}
	a.lead()
	return a.record()
}

// checks are those of the attempt as they are stored.
func (a attempt) checks() []results.Check {
	return Stored(a.Results, func(f check.Finding) string { return verdict.Excuse(f, a.Disturbance, a.Bounds) })
}

// Stored are the results of checks as they are stored; host says by what of the host a
// finding is explained.
func Stored(list []check.Result, host func(check.Finding) string) (out []results.Check) {
	for _, r := range list {
		c := results.Check{Name: r.Check, Outcome: string(r.Outcome), Note: r.Note}
		for _, f := range r.Findings {
			finding := results.Finding{Summary: f.Summary, At: f.At, Unit: f.Unit, Host: host(f)}
			for _, e := range f.Evidence {
				finding.Evidence = append(finding.Evidence, results.Evidence{File: e.File, Line: e.Line, Text: e.Text})
			}
			c.Findings = append(c.Findings, finding)
		}
		out = append(out, c)
	}
	return out
}

// lead has the reason of a failed attempt begin with the cause that the rest follows from.
func (a *attempt) lead() {
	if a.Verdict != verdict.Fail {
		return
	}
	e, ok := explain.Checks(a.checks(), a.Boot)
	if !ok {
		return
	}
	a.Reason, a.change = e.Headline(), e.Change
}
