package history_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/history"
)

func TestATrendHasAPointForEachRunThatMeasured(t *testing.T) {
	t.Parallel()
	day := func(n int, samples []results.Sample) []results.Sample {
		return each(samples, func(_ int, s *results.Sample) { s.Started = s.Started.AddDate(0, 0, n) })
	}
	all := slices.Concat(
		day(3, boots("newest", results.MeasureMultiUser, 3, 1, 2)),
		day(1, boots("oldest", results.MeasureMultiUser, 5, 4)),
		day(2, each(boots("spoilt", results.MeasureMultiUser, 9), func(_ int, s *results.Sample) { s.Verdict = "invalid" })),
		day(2, boots("other", results.MeasureRestarts, 0)),
		day(2, each(boots("other", results.MeasureMultiUser, 7), func(_ int, s *results.Sample) { s.Base = "bookworm" })),
		day(2, each(boots("real", results.MeasureMultiUser, 6), func(_ int, s *results.Sample) { s.Vector = real })),
	)
	var got []string
	for _, s := range history.Trends(all) {
		line := fmt.Sprintf("%s@%s %s %s:", s.Scenario, s.Base, s.Vector, s.Measure)
		for _, p := range s.Points {
			line += fmt.Sprintf(" %s n=%d %g..%g..%g", p.Run, p.Boots, p.Min, p.Median, p.Max)
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"pre@bookworm stand-in multi_user_s: other n=1 7..7..7",
		"pre@trixie real multi_user_s: real n=1 6..6..6",
		"pre@trixie stand-in multi_user_s: oldest n=2 4..4.5..5 newest n=3 1..2..3",
		"pre@trixie stand-in restarts: other n=1 0..0..0",
	}, got)
	assert.Empty(t, history.Trends(nil))
}

func TestTheRecentRunsAreHeldAgainstTheEarlierOnes(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	// series are runs, the oldest first, of so many boots each.
	series := func(counts ...int) []results.Sample {
		var out []results.Sample
		for i, n := range counts {
			out = append(out, each(boots(fmt.Sprint(i), results.MeasureMultiUser, make([]float64, n)...), func(j int, s *results.Sample) {
				s.Started = began.Add(time.Duration(i)*time.Hour + time.Duration(j)*time.Second)
			})...)
		}
		return out
	}
	for _, tt := range []struct {
		name          string
		samples       []results.Sample
		before, after int
	}{
		{"one run has nothing before it", series(30), 0, 30},
		{"the last run, where it suffices", series(30, 20, 40), 50, 40},
		{"as many runs as suffice", series(slices.Repeat([]int{10}, 9)...), 60, 30},
		{"no more than half of them", series(1, 1, 1, 1, 1), 3, 2},
		{"a single boot a night, for months", series(slices.Repeat([]int{1}, 100)...), 70, 30},
		{"boots that were not judged do not suffice", slices.Concat(series(30, 30, 30), each(series(0, 0, 0, 30), func(_ int, s *results.Sample) { s.Verdict = "invalid" })), 60, 60},
		{"with another kind of Vector than lately", slices.Concat(each(series(30), func(_ int, s *results.Sample) { s.Vector = real }), series(0, 30, 30)), 30, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, after := history.Recent(tt.samples)
			assert.Len(t, before, tt.before)
			assert.Len(t, after, tt.after)
			if len(before) > 0 {
				assert.True(t, before[len(before)-1].Started.Before(after[0].Started))
			}
			_, err := history.Compare(before, after)
			require.NoError(t, err)
		})
	}
}

// 1,000 runs of 20 cases.
func history20k() []results.Sample {
	h := usual
	h.runs = 1000
	return h.side(newRandom(7), "run", 20, 1000, 1)
}

func BenchmarkCompare(b *testing.B) {
	before, after := usual.side(newRandom(1), "before", 5, 30, 1), usual.side(newRandom(2), "after", 5, 30, 1.15)
	all := history20k()
	early, late := history.Recent(all)
	half := len(all) / 2
	for _, bb := range []struct {
		name          string
		before, after []results.Sample
	}{
		{"5 scenarios of 30 boots a side, one regressed", before, after},
		{"20,000 samples, the recent ones against the others", early, late},
		{"20,000 samples, half against half", all[:half], all[half:]},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				_, err := history.Compare(bb.before, bb.after)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkTrends(b *testing.B) {
	all := history20k()
	for b.Loop() {
		history.Trends(all)
	}
}

func BenchmarkFlaky(b *testing.B) {
	all := history20k()
	for b.Loop() {
		history.Flaky(all)
	}
}
