package history

import (
	"cmp"
	"slices"
	"strings"

	"bootrace/results"
)

// Key is a case as it recurs from run to run.
type Key struct {
	Scenario string `json:"scenario"`
	Base     string `json:"base"`
	Subject  string `json:"subject"`
	Backend  string `json:"backend"`
	Vector   string `json:"vector"` // stand-in, real or unknown: what may be compared with what
}

// Kinds of Vector.
const (
	vectorStandIn = "stand-in"
	vectorReal    = "real"
	vectorUnknown = "unknown"
)

// vectorKind is which Vector ran; the stand-in's version says that it is one.
func vectorKind(s results.Sample) string {
	switch {
	case s.Vector == "" || s.Vector == vectorUnknown:
		return vectorUnknown
	case strings.Contains(s.Vector, vectorStandIn):
		return vectorStandIn
	}
	return vectorReal
}

func keyOf(s results.Sample) Key {
	return Key{Scenario: s.Scenario, Base: s.Base, Subject: s.Subject, Backend: s.Backend, Vector: vectorKind(s)}
}

// recurring is the key with what may differ between the sides taken out.
func (k Key) recurring() Key {
	k.Vector = ""
	return k
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Base, b.Base), cmp.Compare(a.Subject, b.Subject),
		cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Vector, b.Vector))
}

// Verdicts that judge the subject; the others are the host's or the harness's.
func judges(verdict string) bool { return verdict == "pass" || verdict == "fail" || verdict == "flaky" }

// unfit says why the measures of a sample are not compared, or nothing.
func unfit(s results.Sample) string {
	switch {
	case s.Verdict != "pass" && s.Verdict != "fail":
		return "verdict " + s.Verdict
	case vectorKind(s) == vectorUnknown:
		return "which Vector ran is not known"
	}
	return ""
}

// ordered returns the samples in the order of time, whatever order they came in.
func ordered(samples []results.Sample) []results.Sample {
	out := slices.Clone(samples)
	slices.SortStableFunc(out, func(a, b results.Sample) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Run, b.Run), cmp.Compare(a.Case, b.Case))
	})
	return out
}
