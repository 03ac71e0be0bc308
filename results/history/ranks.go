package history

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// test is one measure of one case: a member of the family that a comparison is.
type test struct {
	group   group
	measure Measure
	values  sides[[]float64] // sorted
	runs    sides[int]

	// scores has a boot's rank less the mean rank, before's boots first; 0 for a boot
	// without the measure, so that boots can be shuffled as a whole. They sum to 0.
	scores    []float64
	z         float64 // the statistic: about a standard normal's if nothing moved
	spread    float64 // standard deviation of a side's sum of scores under shuffling; 0: there is nothing to test
	inflation float64
	freedom   float64 // degrees of freedom that inflation was found with; 0: it was not
	p         float64
}

// newTests makes a group's tests; a measure that no boot has is not one of the case.
func newTests(g group) []*test {
	var out []*test
	for _, m := range Measures() {
		t := &test{group: g, measure: m, inflation: 1, p: 1}
		var all []float64
		runs := sides[map[string]bool]{{}, {}}
		for side, boots := range g.boots {
			for _, s := range boots {
				if v, ok := s.Measures[m.Name]; ok {
					t.values[side] = append(t.values[side], v)
					runs[side][s.Run] = true
				}
			}
			all = append(all, t.values[side]...)
			t.runs[side] = len(runs[side])
		}
		if len(all) == 0 {
			continue
		}
		if t.enough() {
			t.rank(all)
		}
		slices.Sort(t.values[0])
		slices.Sort(t.values[1])
		out = append(out, t)
	}
	return out
}

func (t *test) enough() bool { return min(len(t.values[0]), len(t.values[1])) >= MinBoots }

// rank fills in what the test is made with. values are in the order of the boots.
func (t *test) rank(values []float64) {
	ranks := midranks(values)
	mean := float64(len(values)+1) / 2
	next := 0
	for _, boots := range t.group.boots {
		for _, s := range boots {
			score := 0.0
			if _, ok := s.Measures[t.measure.Name]; ok {
				score = ranks[next] - mean
				next++
			}
			t.scores = append(t.scores, score)
		}
	}
	// The variance of a sum of scores drawn without replacement (Hájek and Šidák,
	// Theory of Rank Tests, 1967, II.3.1); ties make it smaller by themselves.
	n, m := float64(len(t.group.boots[0])), float64(len(t.group.boots[1]))
	squares := 0.0
	for _, s := range t.scores {
		squares += s * s
	}
	t.spread = math.Sqrt(n * m / (n + m) / (n + m - 1) * squares)
	if t.spread == 0 { // all the same: nothing can have moved
		return
	}
	sum := 0.0
	for _, s := range t.scores[len(t.group.boots[0]):] {
		sum += s
	}
	t.z = sum / t.spread
	t.inflate()
	if t.freedom == 0 {
		return
	}
	// Student's statistic of the same scores: its variance has the shift taken out,
	// as has that of the runs. As unlikely as it is, deflated, with so few runs.
	boots := float64(len(values))
	student := math.Abs(t.z) * math.Sqrt((boots-2)/max(boots-1-t.z*t.z, math.SmallestNonzeroFloat64)/t.inflation)
	tail := distuv.StudentsT{Sigma: 1, Nu: t.freedom}.CDF(-student)
	t.z = math.Copysign(distuv.UnitNormal.Quantile(max(tail, math.SmallestNonzeroFloat64)), t.z)
}

// midranks are the ranks of values, from 1, equal ones sharing theirs.
func midranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			ranks[at] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

// manyRuns is from how many runs (both sides' together, less two) on the runs are
// always what the certainty is reckoned by. With fewer that would leave none, so
// that boots are, unless the runs are seen to differ.
const manyRuns = 10

// seenToDiffer is the quantile of the variance ratio from which on few runs are.
const seenToDiffer = 0.95

// inflate finds how much larger the variance of the difference between the sides is
// for the runs' differing among themselves: by the analysis of variance of the
// scores, runs within sides (Searle, Casella and McCulloch, Variance Components,
// 1992, 3.6).
func (t *test) inflate() {
	type sum struct{ n, total, squares float64 }
	var between, within, runsBetween, runsAll, boots, share, even, evenTotal float64
	at := 0
	for side, list := range t.group.boots {
		all, byRun := sum{}, map[string]sum{}
		var order []string
		for _, s := range list {
			score := t.scores[at]
			at++
			if _, ok := s.Measures[t.measure.Name]; !ok {
				continue
			}
			r, seen := byRun[s.Run]
			if !seen {
				order = append(order, s.Run)
			}
			byRun[s.Run] = sum{r.n + 1, r.total + score, r.squares + score*score}
			all = sum{all.n + 1, all.total + score, all.squares + score*score}
		}
		squaredSizes := 0.0
		for _, name := range order { // not the map's: floats added in another order differ
			r := byRun[name]
			between += r.total * r.total / r.n
			within += r.squares - r.total*r.total/r.n
			squaredSizes += r.n * r.n
		}
		between -= all.total * all.total / all.n
		runsBetween += float64(t.runs[side] - 1)
		runsAll += float64(t.runs[side])
		boots += all.n
		evenTotal += all.n - squaredSizes/all.n
		share += squaredSizes / all.n / all.n
		even += 1 / all.n
	}
	residual := (between + within) / (boots - 2)
	if runsBetween == 0 || boots == runsAll || residual < 1e-9 { // ranks differ by halves, or not at all
		return
	}
	between, within = between/runsBetween, within/(boots-runsAll)
	size := evenTotal / runsBetween // boots of a run, as it counts here
	if runsBetween < manyRuns && between <= within*(distuv.F{D1: runsBetween, D2: boots - runsAll}).Quantile(seenToDiffer) {
		return
	}
	ofRuns := max(0, between-within) / size
	t.inflation, t.freedom = max(1, (within+ofRuns*share/even)/residual), runsBetween
}
