package history_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/history"
)

// host is where simulated boots run. Times are a lognormal's around what the README
// measured (2.0 s to multi-user.target, 1.2 s to credentials); a few boots meet
// something slow, as on a real host. Measures of a boot share some of its luck.
type host struct {
	scatter  float64 // of the logarithm of a time
	slow     float64 // share of boots that take up to three times as long
	runs     int     // that a side's boots are of
	apart    float64 // scatter of what all boots of a run have in common
	restarts float64 // share of boots in which Vector is started once more than it must
}

// usual boots scatter by 8 %: those of the README's table differ by less.
var usual = host{scatter: 0.08, slow: 0.03, runs: 1, restarts: 0.1}

// side simulates boots of every scenario. slower multiplies the boot time of the
// first one.
func (h host) side(random *rand.Rand, name string, scenarios, boots int, slower float64) []results.Sample {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out []results.Sample
	for run := range h.runs {
		common := math.Exp(h.apart * random.NormFloat64())
		for scenario := range scenarios {
			for n := range boots / h.runs {
				luck := random.NormFloat64()
				slow := 1.0
				if random.Float64() < h.slow {
					slow = 1.3 + 1.7*random.Float64()
				}
				seconds := func(middle float64) float64 {
					return common * slow * middle * math.Exp(h.scatter*(0.6*luck+0.8*random.NormFloat64()))
				}
				restarts := 1.0
				for random.Float64() < h.restarts {
					restarts++
				}
				bootTime := seconds(2)
				if scenario == 0 {
					bootTime *= slower
				}
				out = append(out, results.Sample{
					Run: fmt.Sprintf("%s-%02d", name, run), Case: fmt.Sprintf("s%d@trixie#%d", scenario, n+1), Started: began.Add(time.Duration(len(out)) * time.Second),
					Scenario: fmt.Sprintf("s%d", scenario), Base: "trixie", Subject: "populator", Hash: name, Backend: "container",
					Vector: "vector 0.56.0 (bootrace stand-in, not Vector)", Expected: "pass", Verdict: "pass", Attempts: 1,
					Measures: map[string]float64{results.MeasureMultiUser: math.Round(1000*bootTime) / 1000, results.MeasureCredentials: math.Round(1000*seconds(1.2)) / 1000,
						results.MeasureRestarts: restarts, results.MeasureHeadroom: 5 - restarts},
				})
			}
		}
	}
	return out
}

// simulated makes comparisons, each with a seed of its own.
func simulated(t *testing.T, comparisons int, sides func(*rand.Rand) (before, after []results.Sample)) []history.Comparison {
	t.Helper()
	var wg sync.WaitGroup
	out, errs := make([]history.Comparison, comparisons), make([]error, comparisons)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < comparisons; i += workers {
				out[i], errs[i] = history.Compare(sides(newRandom(uint64(i))))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	return out
}

// moved counts the rows that are said to have moved.
func moved(c history.Comparison) int {
	n := 0
	for _, r := range c.Rows {
		if r.Outcome == history.Regressed || r.Outcome == history.Improved {
			n++
		}
	}
	return n
}

// Whole comparisons, five scenarios with four measures each, of which nothing changed.
func TestOfComparisonsWithoutChangeAtMostOnePercentSayThatSomethingMoved(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		comparisons int
		host        host
	}{
		{"a usual host", 1000, usual},
		{"boots that scatter by a quarter", 300, host{scatter: 0.25, slow: 0.05, runs: 1, restarts: 0.3}},
		{"ten runs a side that differ by as much as their boots", 300, host{scatter: 0.08, slow: 0.03, runs: 10, apart: 0.08, restarts: 0.1}},
		{"six runs a side that differ by half of that", 300, host{scatter: 0.08, slow: 0.03, runs: 6, apart: 0.04, restarts: 0.1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			comparisons := tt.comparisons / fewer
			alarms, rows, tests, few := 0, 0, 0, 0
			for _, c := range simulated(t, comparisons, func(random *rand.Rand) ([]results.Sample, []results.Sample) {
				return tt.host.side(random, "before", 5, 30, 1), tt.host.side(random, "after", 5, 30, 1)
			}) {
				require.Len(t, c.Rows, 20)
				n := moved(c)
				alarms, rows, tests = alarms+min(1, n), rows+n, tests+len(c.Rows)
				if c.Undecided() {
					few++
				}
			}
			t.Logf("false alarms: %.2f %% of %d comparisons, %.3f %% of %d tests; undecided: %.1f %% of comparisons", 100*float64(alarms)/float64(comparisons),
				comparisons, 100*float64(rows)/float64(tests), tests, 100*float64(few)/float64(comparisons))
			assert.LessOrEqual(t, float64(alarms)/float64(comparisons), 0.01)
		})
	}
}

func TestABootTimeThatGrewByFifteenPercentIsFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		host  host
		least float64 // share of comparisons that find it
	}{
		{"boots that scatter by 6 %", host{scatter: 0.06, slow: 0.03, runs: 1, restarts: 0.1}, 0.99},
		{"boots that scatter by 8 %", usual, 0.95},
		{"boots that scatter by 10 %", host{scatter: 0.1, slow: 0.03, runs: 1, restarts: 0.1}, 0.75},
		{"the boots of ten runs", host{scatter: 0.06, slow: 0.03, runs: 10, restarts: 0.1}, 0.95},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const comparisons = 200 / fewer
			found, wrong := 0.0, 0.0
			for _, c := range simulated(t, comparisons, func(random *rand.Rand) ([]results.Sample, []results.Sample) {
				return tt.host.side(random, "before", 5, 30, 1), tt.host.side(random, "after", 5, 30, 1.15)
			}) {
				r := c.Rows[0]
				require.Equal(t, [2]string{"s0", results.MeasureMultiUser}, [2]string{r.Scenario, r.Measure})
				switch {
				case r.Outcome == history.Regressed:
					found++
				case r.Outcome != history.TooFew:
					wrong++
				}
			}
			t.Logf("found in %.1f %% of comparisons, said to be unchanged in %.1f %%", 100*found/comparisons, 100*wrong/comparisons)
			assert.GreaterOrEqual(t, found/comparisons, tt.least)
			assert.LessOrEqual(t, wrong/comparisons, 0.05, "what is not found is undecided, but for the 2.5 %% that the interval misses")
		})
	}
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(5, seed)) }
