package history

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"bootrace/results"
)

// FlakyCase is a case whose verdict is not the same each time though its inputs
// are. It is an outcome of its own: no number of passes turns it green.
type FlakyCase struct {
	Key
	Hash     string            `json:"subject_hash"`
	Ran      string            `json:"ran_vector"` // the Vector that ran, as it named itself
	Expected string            `json:"expected"`
	Versions map[string]string `json:"versions,omitempty"`
	// Verdicts counts those that judge, Runs names the runs of each, the oldest first.
	Verdicts map[string]int      `json:"verdicts"`
	Runs     map[string][]string `json:"runs"`
	Unjudged int                 `json:"unjudged"` // invalid boots and errors, which are no verdicts
	// Rate is the share of verdicts that are not the expected one, Low and High its
	// 95 % interval (Wilson, JASA 22, 1927).
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Flaky finds the cases whose verdicts differ under the same inputs: scenario,
// base, subject and its content, backend, Vector, expected verdict, and all
// versions; within the repetitions of a run as across runs. A case whose own
// attempts disagreed is flaky by itself. What a spoilt boot did not record of its
// versions is taken from its run.
func Flaky(samples []results.Sample) []FlakyCase {
	byInputs := map[string]*FlakyCase{}
	for _, s := range completed(ordered(samples)) {
		inputs := fmt.Sprintf("%q", []any{keyOf(s), s.Hash, s.Vector, s.Expected, s.Versions}) // maps print in the order of their keys
		f := byInputs[inputs]
		if f == nil {
			f = &FlakyCase{Key: keyOf(s), Hash: s.Hash, Ran: s.Vector, Expected: s.Expected, Versions: s.Versions,
				Verdicts: map[string]int{}, Runs: map[string][]string{}}
			byInputs[inputs] = f
		}
		if !judges(s.Verdict) {
			f.Unjudged++
			continue
		}
		f.Verdicts[s.Verdict]++
		if !slices.Contains(f.Runs[s.Verdict], s.Run) {
			f.Runs[s.Verdict] = append(f.Runs[s.Verdict], s.Run)
		}
	}
	out := []FlakyCase{}
	for _, f := range byInputs {
		if len(f.Verdicts) < 2 && f.Verdicts["flaky"] == 0 {
			continue
		}
		all := 0
		for _, n := range f.Verdicts {
			all += n
		}
		other := all - f.Verdicts[f.Expected]
		f.Rate = float64(other) / float64(all)
		f.Low, f.High = wilson(other, all)
		out = append(out, *f)
	}
	slices.SortFunc(out, compareFlaky)
	return out
}

// compareFlaky orders by all that makes inputs the same.
func compareFlaky(a, b FlakyCase) int {
	return cmp.Or(compareKeys(a.Key, b.Key), strings.Compare(a.Hash, b.Hash), strings.Compare(a.Ran, b.Ran),
		strings.Compare(a.Expected, b.Expected), strings.Compare(fmt.Sprint(a.Versions), fmt.Sprint(b.Versions)))
}

// NewlyFlaky are those that were not flaky without the newest run.
func NewlyFlaky(samples []results.Sample) []FlakyCase {
	var newest results.Sample
	for _, s := range samples {
		if s.Started.After(newest.Started) {
			newest = s
		}
	}
	before := Flaky(slices.DeleteFunc(slices.Clone(samples), func(s results.Sample) bool { return s.Run == newest.Run }))
	return slices.DeleteFunc(Flaky(samples), func(f FlakyCase) bool {
		return slices.ContainsFunc(before, func(b FlakyCase) bool { return compareFlaky(b, f) == 0 })
	})
}

// completed fills in what a boot did not tell of its inputs with what all others of
// its run and base told: a failure that comes too early for systemd to be asked for
// its version would else have inputs of its own, and never be another verdict of
// the same.
func completed(samples []results.Sample) []results.Sample {
	type place struct{ run, base, subject, backend string }
	at := func(s results.Sample) place { return place{s.Run, s.Base, s.Subject, s.Backend} }
	const ambiguous = "\x00"
	told := map[place]map[string]string{}
	tell := func(p place, name, value string) {
		if told[p] == nil {
			told[p] = map[string]string{}
		}
		if have, ok := told[p][name]; ok && have != value {
			value = ambiguous
		}
		told[p][name] = value
	}
	const ran = " the Vector that ran" // no version is called so
	for _, s := range samples {
		for name, value := range s.Versions {
			tell(at(s), name, value)
		}
		if vectorKind(s) != vectorUnknown {
			tell(at(s), ran, s.Vector)
		}
	}
	for i, s := range samples {
		all := maps.Clone(told[at(s)])
		for name, value := range all {
			if value == ambiguous {
				delete(all, name)
			}
		}
		if vectorKind(s) == vectorUnknown {
			samples[i].Vector = cmp.Or(all[ran], s.Vector)
		}
		delete(all, ran)
		maps.Copy(all, s.Versions)
		samples[i].Versions = all
	}
	return samples
}

// wilson is the interval of a share of k among n.
func wilson(k, n int) (low, high float64) {
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	p, count := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*count)) / (1 + z*z/count)
	half := z / (1 + z*z/count) * math.Sqrt(p*(1-p)/count+z*z/(4*count*count))
	return max(0, middle-half), min(1, middle+half)
}

// Judged counts the samples that have a verdict: where it is 0 nothing is known.
func Judged(samples []results.Sample) int {
	n := 0
	for _, s := range samples {
		if judges(s.Verdict) {
			n++
		}
	}
	return n
}
