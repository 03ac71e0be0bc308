package history

import (
	"cmp"

	"bootrace/results"
)

// Changes of a verdict.
const (
	VerdictWorse    = "worse"    // cases that came out as expected do so no more, or not always
	VerdictBetter   = "better"   // the other way
	VerdictNew      = "new"      // the side before has nothing that was judged
	VerdictVanished = "vanished" // the side after does not have the case at all
	VerdictMissing  = "missing"  // the side after has the case, but none that was judged
)

// VerdictChange is a case whose verdict is not what it was.
type VerdictChange struct {
	Key
	Before Tally  `json:"before"`
	After  Tally  `json:"after"`
	Change string `json:"change"`
}

// Tally counts verdicts. Invalid boots and errors judge nothing.
type Tally struct {
	Cases    int `json:"cases"`
	Judged   int `json:"judged"`
	Expected int `json:"expected"` // of the judged ones, those with the verdict that their scenario expects
}

func (t *Tally) add(s results.Sample) {
	t.Cases++
	if judges(s.Verdict) {
		t.Judged++
		if s.Verdict == s.Expected {
			t.Expected++
		}
	}
}

// standing orders tallies: never as expected, sometimes, always. One failure among
// thirty passes is not the same as thirty passes.
func (t Tally) standing() int {
	switch t.Expected {
	case t.Judged:
		return 2
	case 0:
		return 0
	}
	return 1
}

// against says whether t is the better tally (above 0) or the worse one (below). Of
// two that both came out as expected sometimes, and neither always nor never, the
// shares must differ by more than chance: their intervals are apart.
func (t Tally) against(o Tally) int {
	low, high := wilson(t.Expected, t.Judged)
	otherLow, otherHigh := wilson(o.Expected, o.Judged)
	switch by := cmp.Compare(t.standing(), o.standing()); {
	case by != 0:
		return by
	case low > otherHigh:
		return 1
	case high < otherLow:
		return -1
	}
	return 0
}

func verdictChange(g group) (VerdictChange, bool) {
	v := VerdictChange{Key: g.key}
	for _, s := range g.all[0] {
		v.Before.add(s)
	}
	for _, s := range g.all[1] {
		v.After.add(s)
	}
	switch {
	case v.After.Cases == 0:
		v.Change = VerdictVanished
	case v.After.Judged == 0:
		v.Change = VerdictMissing
	case v.Before.Judged == 0:
		v.Change = VerdictNew
	case v.After.against(v.Before) < 0:
		v.Change = VerdictWorse
	case v.After.against(v.Before) > 0:
		v.Change = VerdictBetter
	}
	return v, v.Change != ""
}
