package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// Outcome is what a check came to.
type Outcome string

// Outcomes.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NoEvidence    Outcome = "no-evidence"
	NotApplicable Outcome = "not-applicable"
	// NotJudged: the configuration does not carry an answer. No pass and no failure.
	NotJudged Outcome = "not-judged"
)

// Finding is something a check saw, with where it saw it.
type Finding struct {
	Check    string              `json:"check"`
	Summary  string              `json:"summary"`
	At       time.Duration       `json:"at_ns"`
	Unit     string              `json:"unit,omitempty"`
	Evidence []timeline.Evidence `json:"evidence,omitempty"`

	// Absence: the finding rests on something not being in the recording.
	Absence bool `json:"absence,omitempty"`
	// Intrinsic: no disturbance of the host can produce it.
	Intrinsic bool `json:"intrinsic,omitempty"`
	// Over is by how much a limit in time was exceeded, zero where the finding
	// has none. A host that lost a second does not explain a minute.
	Over time.Duration `json:"over_ns,omitempty"`
	// Limit is how long something may take that wants the CPU and began at Since: a
	// slow host stretches it, a busy one explains what it took longer. Zero: there
	// is none.
	Limit time.Duration `json:"limit_ns,omitempty"`
	Since time.Duration `json:"since_ns,omitempty"`
}

// Result is one check's answer.
type Result struct {
	Check    string    `json:"check"`
	Outcome  Outcome   `json:"outcome"`
	Findings []Finding `json:"findings,omitempty"`
	Note     string    `json:"note,omitempty"` // why there is no evidence, or what was measured
}

// Check is a row of the table.
type Check struct {
	Name string
	Why  string // what it fails for, and where the rule comes from
	// Needs are the sources a pass rests on, beside the manifest's boot clock.
	Needs []string
	Judge func(boot.Facts, Expect) Result
}

// Table is every check there is, in the order they are reported.
func Table() []Check {
	return []Check{
		vectorActive, vectorCredentialed, noUnitFailed, baseIntact, bootUnblocked, noOrderingCycle, noStartLimit, startRate,
		registered, logsDelivered, secretsContained, envFileWhole, roleEnvFresh, cloudPoliteness, quiescent,
	}
}

// Names are those of all checks.
func Names() []string {
	var out []string
	for _, c := range Table() {
		out = append(out, c.Name)
	}
	return out
}

// Judge runs the checks the expectation asks for.
func Judge(b boot.Facts, e Expect) []Result {
	var out []Result
	table := Table()
	for _, c := range table {
		if len(e.Checks) == 0 || slices.Contains(e.Checks, c.Name) {
			out = append(out, c.run(b, e))
		}
	}
	for _, name := range e.Checks {
		if !slices.ContainsFunc(table, func(c Check) bool { return c.Name == name }) {
			out = append(out, Result{Check: name, Outcome: NoEvidence, Note: "there is no such check"})
		}
	}
	return out
}

func (c Check) run(b boot.Facts, e Expect) Result {
	r := c.Judge(b, e)
	r.Check = c.Name
	if i := slices.IndexFunc(e.NotJudged, func(u Unjudged) bool { return u.Check == c.Name }); i >= 0 {
		return unjudgedBy(e.NotJudged[i].Reason, r)
	}
	if why := b.Unknown(c.Needs...); why != "" && r.Outcome != NotApplicable {
		r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Absence })
		r.Outcome, r.Note = NoEvidence, why
	}
	if len(r.Findings) > 0 {
		r.Outcome = Fail
	}
	for i := range r.Findings {
		r.Findings[i].Check = c.Name
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Unit, b.Unit))
	})
	return r
}

// BySubject begins the note of what is not judged by the subject's own word.
const BySubject = "subject.yaml: "

// unjudgedBy is a result that the subject wants not to be judged by. What was seen is
// shown all the same.
func unjudgedBy(reason string, r Result) Result {
	note := BySubject + reason
	if len(r.Findings) > 0 {
		note += fmt.Sprintf("; it saw: %s", r.Findings[0].Summary)
		if more := len(r.Findings) - 1; more > 0 {
			note += fmt.Sprintf(" (and %d more)", more)
		}
	}
	return Result{Check: r.Check, Outcome: NotJudged, Note: note}
}

// The five answers a Judge gives.

func pass(note string) Result       { return Result{Outcome: Pass, Note: note} }
func noEvidence(note string) Result { return Result{Outcome: NoEvidence, Note: note} }
func notAsked(note string) Result   { return Result{Outcome: NotApplicable, Note: note} }

func notJudged(note string) Result { return Result{Outcome: NotJudged, Note: note} }

// found fails if there are findings, and passes with the note if not.
func found(findings []Finding, note string) Result {
	if len(findings) == 0 {
		return pass(note)
	}
	return Result{Outcome: Fail, Findings: findings, Note: note}
}
