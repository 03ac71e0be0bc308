package history_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bootrace/results"
	"bootrace/results/history"
)

func TestTheShiftIsTheMedianOfAllDifferences(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Thousandths, as times are measured, so that there are ties.
		value := rapid.Map(rapid.IntRange(-50, 3000), func(n int) float64 { return float64(n) / 1000 })
		a := rapid.SliceOfN(value, 1, 40).Draw(t, "a")
		b := rapid.SliceOfN(value, 1, 40).Draw(t, "b")
		var all []float64
		for _, x := range a {
			for _, y := range b {
				all = append(all, y-x)
			}
		}
		slices.Sort(all)
		slices.Sort(a)
		slices.Sort(b)
		shift, low, high := history.HodgesLehmann(a, b)
		n := len(all)
		require.Equal(t, (all[(n-1)/2]+all[n/2])/2, shift)
		require.Contains(t, all, low)
		require.Contains(t, all, high)
		require.LessOrEqual(t, low, shift)
		require.GreaterOrEqual(t, high, shift)
	})
}

func TestTheIntervalIsTheOneOfTheTables(t *testing.T) {
	t.Parallel()
	// Ten against ten: of the 100 differences the 95 % interval has the 24th and its
	// mirror (Hollander, Wolfe and Chicken, table A.6: P(W >= 127) = 0.026).
	var a, b []float64
	for i := range 10 {
		a, b = append(a, float64(i)), append(b, float64(10*i)+0.5)
	}
	var all []float64
	for _, x := range a {
		for _, y := range b {
			all = append(all, y-x)
		}
	}
	slices.Sort(all)
	_, low, high := history.HodgesLehmann(a, b)
	assert.Equal(t, []float64{all[23], all[76]}, []float64{low, high})
}

func TestEqualValuesShareTheirRanks(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []float64{4.5, 1, 2.5, 2.5, 4.5}, history.Midranks([]float64{7, 1, 3, 3, 7}))
	assert.Equal(t, []float64{2, 2, 2}, history.Midranks([]float64{0, 0, 0}))
}

func TestTheIntervalOfAShareIsWilsons(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.2775}, {1, 10, 0.0179, 0.4042}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1}, {81, 263, 0.2553, 0.3662}, // the last: Newcombe 1998, table I
	} {
		low, high := history.Wilson(tt.k, tt.n)
		assert.InDelta(t, tt.low, low, 1e-4, "%d of %d", tt.k, tt.n)
		assert.InDelta(t, tt.high, high, 1e-4, "%d of %d", tt.k, tt.n)
	}
}

// Of one measure with ten boots a side all 184,756 ways to part them can be counted.
func TestPIsTheShareOfAllWaysToPartTheBoots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		before, after []float64
	}{
		{"times", []float64{1.9, 2, 2.1, 1.8, 2.2, 1.7, 2.3, 1.95, 2.05, 2.15}, []float64{2.02, 2.12, 2.22, 2.32, 2.42, 2.52, 1.92, 2.62, 1.97, 2.27}},
		{"many ties", []float64{1, 1, 1, 2, 1, 1, 1, 1, 2, 1}, []float64{1, 2, 2, 1, 2, 3, 1, 2, 2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			both := slices.Concat(tt.before, tt.after)
			ranks := history.Midranks(both)
			off := func(sum float64) float64 { return math.Abs(sum - 105) } // ten ranks' mean sum
			seen := 0.0
			for _, r := range ranks[10:] {
				seen += r
			}
			ways, beyond := 0, 0
			for set := range uint32(1 << 20) {
				sum, n := 0.0, 0
				for rest := set; rest != 0; rest &= rest - 1 {
					n++
				}
				if n != 10 {
					continue
				}
				for i, r := range ranks {
					if set>>i&1 == 1 {
						sum += r
					}
				}
				ways++
				if off(sum) >= off(seen)-1e-9 {
					beyond++
				}
			}
			require.Equal(t, 184_756, ways)
			c, err := history.Compare(boots("a", results.MeasureMultiUser, tt.before...), boots("b", results.MeasureMultiUser, tt.after...))
			require.NoError(t, err)
			want := float64(beyond) / float64(ways)
			// Shuffling stops when fifty have gone beyond: that is known to a seventh, and
			// three of these are a wide berth.
			assert.InDelta(t, want, c.Rows[0].Effect.P, 3*want/math.Sqrt(50)+1e-3)
		})
	}
}
