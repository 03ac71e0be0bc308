package gate

import "fmt"

// Result is what the gate came to, in the words of in-toto's test-result.
type Result string

// Results.
const (
	Passed    Result = "PASSED"
	Warned    Result = "WARNED" // with known failures
	NotPassed Result = "FAILED"
)

// Kind is a way in which the gate does not pass.
type Kind string

// Kinds that are known to be wrong with the subject, or with the policy.
const (
	Failed         Kind = "failed"          // a case failed, and nothing waives it
	InImage        Kind = "image"           // something lies in the image that must not
	Flaky          Kind = "flaky"           // boots of the same inputs came out differently
	UnexpectedPass Kind = "unexpected-pass" // a known failure is none any more
	WaiverExpired  Kind = "waiver-expired"
	WaiverUnknown  Kind = "waiver-unknown" // of a scenario, base or check that is not there, or incomplete
)

// Kinds for which nothing can be said of the subject.
const (
	Invalid      Kind = "invalid"       // the host spoilt the case
	Untestable   Kind = "untestable"    // a container cannot show it
	Broken       Kind = "broken"        // an error: there was nothing to judge
	NoCases      Kind = "no-cases"      // nothing was planned, or less than the policy wants
	NeverRan     Kind = "never-ran"     // a case of the plan is not in the results
	Doubled      Kind = "doubled"       // a case is there twice
	NotPlanned   Kind = "not-planned"   // a case is not in the plan, or is not what it planned
	OtherSubject Kind = "other-subject" // a case is of another subject or image
	NoEvidence   Kind = "no-evidence"   // a verdict rests on less than it must
	StandIn      Kind = "stand-in"      // and the policy wants the real Vector
	NoVersions   Kind = "no-versions"   // it is not known what booted
	Devel        Kind = "devel"         // what booted and judged is of no commit, and the policy wants one
	TooFew       Kind = "too-few-cases"
	Unfinished   Kind = "unfinished" // the run was cut off, or its record is not whole
)

// Kinds are all there are, those that are known to be wrong first.
func Kinds() []Kind {
	return append(known(), Invalid, Untestable, Broken, NoCases, NeverRan, Doubled, NotPlanned, OtherSubject, NoEvidence, StandIn, NoVersions, Devel, TooFew, Unfinished)
}

func known() []Kind {
	return []Kind{Failed, InImage, Flaky, UnexpectedPass, WaiverExpired, WaiverUnknown}
}

// Reason is one thing that keeps the gate from passing.
type Reason struct {
	Kind  Kind   `json:"kind"`
	About string `json:"about"` // the case, the scenario, or what else is meant
	Text  string `json:"text"`
}

func (r Reason) String() string { return fmt.Sprintf("%s: %s: %s", r.Kind, r.About, r.Text) }

// Outcome is what a case counts as.
type Outcome string

// Outcomes.
const (
	CasePassed Outcome = "passed"
	CaseWarned Outcome = "warned" // a known failure, or one that the host spoilt and the policy tolerates
	CaseFailed Outcome = "failed"
	CaseAside  Outcome = "not-applicable" // its scenario could not do what it says
)

// Judged is a case of the plan and what it counts as.
type Judged struct {
	ID       string   `json:"id"`
	Base     string   `json:"base"`
	Expected string   `json:"expected"`
	Verdict  string   `json:"verdict"` // empty: it never ran
	Outcome  Outcome  `json:"outcome"`
	Boots    int      `json:"boots"`
	Waived   []string `json:"waived,omitempty"` // checks
	Why      string   `json:"why,omitempty"`    // of one that was not judged
}

// Decision is what the gate came to, and why. Its zero value is no pass.
type Decision struct {
	Cases   []Judged // in the plan's order
	Reasons []Reason // none: it passes
}

// Result sums the decision up.
func (d Decision) Result() Result {
	if len(d.Reasons) > 0 || len(d.Cases) == 0 {
		return NotPassed
	}
	result := Passed
	for _, c := range d.Cases {
		switch c.Outcome {
		case CasePassed:
		case CaseWarned, CaseAside:
			result = Warned
		default:
			return NotPassed
		}
	}
	return result
}

// Undecided reports whether the gate does not pass though nothing is known to be
// wrong: too little is known.
func (d Decision) Undecided() bool {
	if d.Result() != NotPassed {
		return false
	}
	for _, r := range d.Reasons {
		for _, k := range known() {
			if r.Kind == k {
				return false
			}
		}
	}
	return true
}

// Refuse adds a reason that the records do not show.
func (d *Decision) Refuse(kind Kind, about, format string, args ...any) {
	d.Reasons = append(d.Reasons, Reason{kind, about, fmt.Sprintf(format, args...)})
}
