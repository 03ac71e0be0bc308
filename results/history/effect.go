package history

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"bootrace/results"
)

// confidence of the intervals.
const confidence = 0.95

// row says what the test came to.
func (t *test) row() Row {
	r := Row{Key: t.group.key, Measure: t.measure.Name, Before: t.summary(0), After: t.summary(1)}
	have := min(r.Before.Boots, r.After.Boots)
	if !t.enough() {
		r.Outcome, r.More = TooFew, MinBoots-have
		return r
	}
	e := t.effect()
	r.Effect = &e
	// The interval, turned so that more is worse.
	best, worst := e.Low, e.High
	if !t.measure.Higher {
		best, worst = -e.High, -e.Low
	}
	floor, aim := t.measure.floor(r.Before.Median), t.measure.aim(r.Before.Median)
	switch {
	case e.P <= Alpha && best >= floor:
		r.Outcome = Regressed
	case e.P <= Alpha && worst <= -floor:
		r.Outcome = Improved
	case worst < aim:
		r.Outcome = Unchanged
	default:
		r.Outcome, r.More = TooFew, more(have, (best+worst)/2, worst, aim)
	}
	return r
}

func (t *test) summary(side int) Summary {
	v := t.values[side]
	s := Summary{Runs: t.runs[side], Boots: len(v), Unmeasured: len(t.group.boots[side]) - len(v)}
	if len(v) > 0 {
		s.Median, s.Min, s.Max = results.Median(v), v[0], v[len(v)-1]
	}
	return s
}

// more is about how many boots are wanted for the interval's worse end to come
// below what must be ruled out: its width falls with the root of their number.
// Where the shift itself is near that, a third of it is width enough to tell.
func more(have int, shift, worst, aim float64) int {
	half := worst - shift
	want := max(aim-shift, aim/3)
	return max(1, int(math.Ceil(float64(have)*(half/want*half/want-1))))
}

func (t *test) effect() Effect {
	e := Effect{P: t.p, Inflation: t.inflation}
	if t.measure.Time {
		e.Shift, e.Low, e.High = hodgesLehmann(t.values[0], t.values[1])
	} else {
		e.Shift, e.Low, e.High = meanDifference(t.values[0], t.values[1])
	}
	if t.freedom > 0 {
		q := (1 + confidence) / 2
		wider := math.Sqrt(t.inflation) * distuv.StudentsT{Sigma: 1, Nu: t.freedom}.Quantile(q) / distuv.UnitNormal.Quantile(q)
		e.Low, e.High = e.Shift+(e.Low-e.Shift)*wider, e.Shift+(e.High-e.Shift)*wider
	}
	return e
}

// meanDifference is b's mean less a's, with Welch's interval in the normal
// approximation: of counts, whose median stands still until half of them move.
func meanDifference(a, b []float64) (shift, low, high float64) {
	meanA, varA := stat.MeanVariance(a, nil)
	meanB, varB := stat.MeanVariance(b, nil)
	half := distuv.UnitNormal.Quantile((1+confidence)/2) * math.Sqrt(varA/float64(len(a))+varB/float64(len(b)))
	return meanB - meanA, meanB - meanA - half, meanB - meanA + half
}

// hodgesLehmann is the median of all differences of a value of b and one of a, both
// sorted, with the interval that belongs to the rank test (Hollander, Wolfe and
// Chicken, Nonparametric Statistical Methods, 3rd edition, 4.2 and 4.3).
func hodgesLehmann(a, b []float64) (shift, low, high float64) {
	n, m := float64(len(a)), float64(len(b))
	pairs := len(a) * len(b)
	shift = (difference(a, b, (pairs+1)/2) + difference(a, b, pairs/2+1)) / 2
	rank := int(n*m/2 - distuv.UnitNormal.Quantile((1+confidence)/2)*math.Sqrt(n*m*(n+m+1)/12))
	rank = min(max(rank, 1), pairs)
	return shift, difference(a, b, rank), difference(a, b, pairs+1-rank)
}

// difference is the k-th smallest, from 1, of all b[j]-a[i]. It halves an interval
// instead of making all pairs: a history has millions.
func difference(a, b []float64, k int) float64 {
	low, high := b[0]-a[len(a)-1], b[len(b)-1]-a[0]
	if n, _ := upTo(a, b, low); n >= k {
		return low
	}
	for { // fewer than k are at most low; high is a difference, and k are at most it
		middle := low + (high-low)/2
		if middle <= low || middle >= high { // no number lies between
			return high
		}
		if n, at := upTo(a, b, middle); n < k {
			low = middle
		} else {
			high = at
		}
	}
}

// upTo counts the differences that are at most x, and returns the largest of them.
func upTo(a, b []float64, x float64) (n int, largest float64) {
	largest = math.Inf(-1)
	j := 0
	for _, from := range a { // as it grows, more of b is within x of it
		for j < len(b) && b[j]-from <= x {
			j++
		}
		n += j
		if j > 0 {
			largest = max(largest, b[j-1]-from)
		}
	}
	return n, largest
}
