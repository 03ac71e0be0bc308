package history

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"bootrace/results"
)

// ErrNotComparable says that what ran on the two sides is not the same thing.
var ErrNotComparable = errors.New("not comparable")

// Outcome is what a comparison of one measure comes to.
type Outcome string

// Outcomes.
const (
	Regressed Outcome = "regressed"
	Improved  Outcome = "improved"
	Unchanged Outcome = "unchanged" // and a large shift is ruled out
	TooFew    Outcome = "too-few"   // boots, to say one or the other
)

// Comparison is two sides, case by case and measure by measure.
type Comparison struct {
	Rows     []Row           `json:"rows"`     // of the cases that both sides have
	Verdicts []VerdictChange `json:"verdicts"` // that changed, or that there is nothing to be said of
	Inputs   []InputChange   `json:"inputs"`   // that differ: possible causes
	LeftOut  []LeftOut       `json:"left_out"`
}

// Row is one measure of one case.
type Row struct {
	Key
	Measure string  `json:"measure"`
	Before  Summary `json:"before"`
	After   Summary `json:"after"`
	Effect  *Effect `json:"effect"` // nil: there are too few boots to say anything of it
	Outcome Outcome `json:"outcome"`
	More    int     `json:"more,omitempty"` // boots each side wants beyond the smaller side's, about; 0: enough
}

// Summary is one side of a measure.
type Summary struct {
	Runs       int     `json:"runs"`
	Boots      int     `json:"boots"`      // that were judged and have the measure
	Unmeasured int     `json:"unmeasured"` // that were judged and do not have it
	Median     float64 `json:"median"`     // this and the next two mean nothing where Boots is 0
	Min        float64 `json:"min"`
	Max        float64 `json:"max"`
}

// Effect is how far a measure moved, after less before, in the measure's own unit:
// of a time the Hodges-Lehmann shift, of a count the difference of the means.
type Effect struct {
	Shift float64 `json:"shift"`
	Low   float64 `json:"low"` // of the 95 % confidence interval, of this measure alone
	High  float64 `json:"high"`
	// P is how often chance makes a shift as clear as this one somewhere in the whole
	// comparison.
	P float64 `json:"p"`
	// Inflation is how many times larger the variance is than if runs of a side did not
	// differ among themselves; 1 where a side has one run only, which shows nothing.
	Inflation float64 `json:"inflation"`
}

// LeftOut counts the boots of a side whose measures were not compared.
type LeftOut struct {
	Side  string `json:"side"` // before or after
	Why   string `json:"why"`
	Boots int    `json:"boots"`
}

// Worse reports whether a measure regressed or a verdict got worse.
func (c Comparison) Worse() bool {
	return slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Outcome == Regressed }) ||
		slices.ContainsFunc(c.Verdicts, func(v VerdictChange) bool { return v.Change == VerdictWorse })
}

// Undecided reports whether something cannot be said: no data is never a pass.
func (c Comparison) Undecided() bool {
	return len(c.Rows) == 0 ||
		slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Outcome == TooFew }) ||
		slices.ContainsFunc(c.Verdicts, func(v VerdictChange) bool { return v.Change == VerdictVanished || v.Change == VerdictMissing })
}

// sides are the two sides of something: before, after.
type sides[T any] [2]T

// names of the sides.
var sideNames = sides[string]{"before", "after"}

// group is a case that one or both sides have, with its boots in the order of time.
type group struct {
	key   Key
	all   sides[[]results.Sample]
	boots sides[[]results.Sample] // those whose measures are compared
}

// Compare says what moved from before to after. Cases are matched by scenario,
// base, subject and backend; where each side has one subject only, these are
// compared whatever they are called. It returns ErrNotComparable where a case ran
// with the stand-in on one side and with a real Vector on the other: their times
// and restarts are not of the same program.
func Compare(before, after []results.Sample) (Comparison, error) {
	groups := match(sides[[]results.Sample]{ordered(before), ordered(after)})
	out := Comparison{Rows: []Row{}, Verdicts: []VerdictChange{}, Inputs: inputChanges(groups), LeftOut: leftOut(groups)}
	var tests []*test
	for i := range groups {
		g := &groups[i]
		if err := g.sameVector(); err != nil {
			return Comparison{}, err
		}
		if v, ok := verdictChange(*g); ok {
			out.Verdicts = append(out.Verdicts, v)
		}
		if len(g.all[0]) > 0 && len(g.all[1]) > 0 {
			tests = append(tests, newTests(*g)...)
		}
	}
	shuffle(tests)
	for _, t := range tests {
		out.Rows = append(out.Rows, t.row())
	}
	return out, nil
}

// match puts the samples of both sides into groups.
func match(samples sides[[]results.Sample]) []group {
	byKey := map[Key]*group{}
	rename := oneSubject(samples)
	for side, list := range samples {
		for _, s := range list {
			s.Subject = cmp.Or(rename, s.Subject)
			key := keyOf(s).recurring()
			g := byKey[key]
			if g == nil {
				g = &group{key: key}
				byKey[key] = g
			}
			g.all[side] = append(g.all[side], s)
			if unfit(s) == "" {
				g.boots[side] = append(g.boots[side], s)
			}
		}
	}
	var out []group
	for _, k := range slices.SortedFunc(maps.Keys(byKey), compareKeys) {
		out = append(out, *byKey[k])
	}
	return out
}

// oneSubject is what both sides' only subject is called, or nothing.
func oneSubject(samples sides[[]results.Sample]) string {
	name := ""
	for _, list := range samples {
		for _, s := range list {
			name = s.Subject
			if s.Subject != list[0].Subject {
				return ""
			}
		}
	}
	return name
}

// sameVector completes the key, or says that two different things ran.
func (g *group) sameVector() error {
	kinds := map[string]bool{}
	for _, list := range g.boots {
		for _, s := range list {
			kinds[vectorKind(s)] = true
		}
	}
	switch len(kinds) {
	case 0:
		g.key.Vector = vectorUnknown
	case 1:
		g.key.Vector = slices.Collect(maps.Keys(kinds))[0]
	default:
		return fmt.Errorf("%s@%s ran with bootrace's stand-in and with a real Vector, which are not the same program: %w; compare runs with the same one",
			g.key.Scenario, g.key.Base, ErrNotComparable)
	}
	return nil
}

func leftOut(groups []group) []LeftOut {
	out := []LeftOut{}
	for side, name := range sideNames {
		count := map[string]int{}
		for _, g := range groups {
			for _, s := range g.all[side] {
				if why := unfit(s); why != "" {
					count[why]++
				}
			}
		}
		for _, why := range slices.Sorted(maps.Keys(count)) {
			out = append(out, LeftOut{Side: name, Why: why, Boots: count[why]})
		}
	}
	return out
}
