package history

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAQuantileIsNamedOnlyOfEnough(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []int{6, 72, 368}, []int{Needed(0.5), Needed(0.95), Needed(0.99)})
	for _, p := range []float64{0.5, 0.95, 0.99} {
		_, ok := QuantileOf(make([]float64, Needed(p)-1), p)
		assert.False(t, ok, p)
		_, ok = QuantileOf(make([]float64, Needed(p)), p)
		assert.True(t, ok, p)
	}
}

// TestTheIntervalHasTheQuantile draws samples whose quantiles are known: at least 95 % of the
// intervals must have them, and they must not be wider than they need be.
func TestTheIntervalHasTheQuantile(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		p float64
		n int
	}{{0.5, 6}, {0.5, 40}, {0.95, 72}, {0.95, 400}, {0.99, 368}, {0.99, 1000}} {
		const tries = 4000
		has := 0
		for range tries {
			samples := make([]float64, tt.n)
			for i := range samples {
				samples[i] = r.Float64() // the quantile of p is p
			}
			q, ok := QuantileOf(samples, tt.p)
			require.True(t, ok)
			require.True(t, q.Low <= q.Value && q.Value <= q.High && slices.Contains(samples, q.Value))
			if q.Low <= tt.p && tt.p <= q.High {
				has++
			}
		}
		share := float64(has) / tries
		assert.Greater(t, share, 0.94, "p%g of %d", tt.p*100, tt.n)
		assert.Less(t, share, 0.995, "p%g of %d", tt.p*100, tt.n)
	}
}
