package verdict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/check"
)

// Verdict is the word a gate acts on.
type Verdict string

// Verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Flaky   Verdict = "flaky"
	Invalid Verdict = "invalid" // the host or the harness spoilt it
	Error   Verdict = "error"   // there is nothing to judge
	// Untestable: a machine of this kind cannot show it. NotApplicable: the scenario could
	// not do what it says.
	Untestable    Verdict = "untestable"
	NotApplicable Verdict = "not-applicable"
	// NotJudged is of a log alone: nothing wrong is seen in it, which proves nothing.
	NotJudged Verdict = "not-judged"
)

// Judgement is a verdict with its reason and what decided it.
type Judgement struct {
	Verdict  Verdict         `json:"verdict"`
	Reason   string          `json:"reason"`
	Findings []check.Finding `json:"findings,omitempty"`
	// Settled: another boot would come to the same.
	Settled bool `json:"settled,omitempty"`
}

// Of judges one attempt.
func Of(results []check.Result, d Disturbance, bounds Bounds) Judgement {
	t := Tolerances()
	var intrinsic, all, unexplained []check.Finding
	var silent, unjudged []string
	lacks := bounds.deciding()
	judged := 0
	for _, r := range results {
		for _, f := range r.Findings {
			all = append(all, f)
			if l, ok := bounds.explains(f); ok {
				lacks = append(lacks, l)
				continue
			}
			if f.Intrinsic {
				intrinsic = append(intrinsic, f)
			}
			if f.Intrinsic || d.explains(f, t) == "" {
				unexplained = append(unexplained, f)
			}
		}
		switch r.Outcome {
		case check.Pass, check.Fail:
			judged++
		case check.NotApplicable:
		case check.NotJudged:
			who := r.Check
			if strings.HasPrefix(r.Note, check.BySubject) {
				who += " (" + r.Note + ")"
			}
			unjudged = append(unjudged, who)
		default: // no-evidence, and whatever is unknown
			silent = append(silent, fmt.Sprintf("%s: %s", r.Check, r.Note))
		}
	}
	switch {
	case d.NoClock != "":
		return Judgement{Verdict: Invalid, Reason: "there is no boot clock: " + d.NoClock, Findings: all}
	case d.Undecided != "":
		return Judgement{Verdict: Invalid, Reason: d.Undecided, Findings: all, Settled: true}
	case len(intrinsic) > 0:
		return failed(intrinsic, all)
	case len(d.Causes) > 0:
		return Judgement{Verdict: Invalid, Reason: d.Causes[0].Reason + more(len(d.Causes)-1), Findings: all}
	case len(unexplained) > 0:
		return failed(unexplained, all)
	case len(lacks) > 0:
		return Judgement{Verdict: Untestable, Reason: untestable(lacks), Findings: all, Settled: true}
	case len(all) > 0:
		return Judgement{Verdict: Invalid, Findings: all,
			Reason: fmt.Sprintf("%s, which may have caused: %s", d.explains(all[0], t), all[0].Summary)}
	case len(silent) > 0:
		return Judgement{Verdict: Invalid, Reason: "no evidence for " + strings.Join(silent, "; for ")}
	case judged == 0:
		return Judgement{Verdict: Error, Reason: "no check was judged"}
	}
	if lost := d.CPULost(0, d.Booted); bounds.Late && (lost > t.Ordinary || d.beyond(check.Finding{}, t) != "") {
		why := cmp.Or(d.beyond(check.Finding{}, t), fmt.Sprintf("other processes had the CPU for %s of the boot's %s", round(lost), round(d.Booted)))
		return Judgement{Verdict: Invalid, Reason: why + ", which may be why: " + bounds.Undone}
	}
	if bounds.Undone != "" {
		return Judgement{Verdict: NotApplicable, Reason: bounds.Undone, Settled: true}
	}
	reason := fmt.Sprintf("%d checks", judged)
	if len(unjudged) > 0 {
		reason += ", not judged: " + strings.Join(unjudged, ", ")
	}
	for _, l := range bounds.Lacks {
		reason += "; not seen here: " + l.Reason
	}
	return Judgement{Verdict: Pass, Reason: reason}
}

// Excuse says by what of the host or the machine's kind a finding is explained, so that it
// decided nothing; empty: by nothing.
func Excuse(f check.Finding, d Disturbance, bounds Bounds) string {
	if l, ok := bounds.explains(f); ok {
		return l.Reason
	}
	switch {
	case f.Intrinsic:
		return ""
	case len(d.Causes) > 0:
		return d.Causes[0].Reason
	}
	return d.explains(f, Tolerances())
}

func failed(deciding, all []check.Finding) Judgement {
	f := deciding[0]
	return Judgement{Verdict: Fail, Reason: fmt.Sprintf("%s: %s", f.Check, f.Summary) + more(len(all)-1), Findings: all}
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n)
}

// Combine judges the attempts on the same inputs. Attempts that were spoilt do
// not count where there is one that was not; a red one never vanishes behind a
// green one.
func Combine(attempts []Judgement) Judgement {
	of := func(v Verdict) []Judgement {
		return slices.DeleteFunc(slices.Clone(attempts), func(j Judgement) bool { return j.Verdict != v })
	}
	passed, failed, flaky := of(Pass), of(Fail), of(Flaky)
	switch {
	case len(flaky) > 0 || len(passed) > 0 && len(failed) > 0:
		reason := fmt.Sprintf("%d of %d attempts failed", len(failed), len(passed)+len(failed))
		var findings []check.Finding
		for _, j := range append(failed, flaky...) {
			findings = append(findings, j.Findings...)
			reason = strings.TrimSuffix(reason, ": "+j.Reason) + ": " + j.Reason
		}
		return Judgement{Verdict: Flaky, Reason: reason, Findings: findings}
	case len(failed) > 0:
		return failed[0]
	case len(passed) > 0:
		return passed[0]
	}
	if beyond := append(of(Untestable), of(NotApplicable)...); len(beyond) > 0 {
		return beyond[0]
	}
	if spoilt := of(Invalid); len(spoilt) > 0 {
		return spoilt[len(spoilt)-1]
	}
	if errors := of(Error); len(errors) > 0 {
		return errors[len(errors)-1]
	}
	return Judgement{Verdict: Error, Reason: "there was no attempt"}
}
