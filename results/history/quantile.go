package history

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is a quantile of what samples are drawn from, with its 95 % interval: the order
// statistics between which it lies, whatever the distribution (Conover, Practical
// Nonparametric Statistics, 3.2).
type Quantile struct {
	P, Value, Low, High float64
	N                   int
}

// aside is the chance left on either side of an interval.
const aside = 0.025

// Needed is how many samples a quantile wants: with fewer, it may lie beyond the largest or
// the smallest of them, and nothing can be said of how far.
func Needed(p float64) int {
	return int(math.Ceil(math.Log(aside) / math.Log(max(p, 1-p))))
}

// QuantileOf is not ok where there are fewer samples than Needed.
func QuantileOf(samples []float64, p float64) (q Quantile, ok bool) {
	n := len(samples)
	q = Quantile{P: p, N: n}
	if n < Needed(p) {
		return q, false
	}
	sorted := slices.Sorted(slices.Values(samples))
	below := distuv.Binomial{N: float64(n), P: p} // how many samples are below the quantile
	low, high := 0, n
	for low+1 <= n && below.CDF(float64(low)) <= aside {
		low++
	}
	for high-1 >= 1 && below.CDF(float64(high-2)) >= 1-aside {
		high--
	}
	if low < 1 || high > n || below.CDF(float64(high-1)) < 1-aside {
		return q, false
	}
	q.Value, q.Low, q.High = sorted[min(n-1, int(p*float64(n)))], sorted[low-1], sorted[high-1]
	return q, true
}
