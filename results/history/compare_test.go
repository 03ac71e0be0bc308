package history_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/history"
)

const standIn, real = "vector 0.56.0 (bootrace stand-in, not Vector)", "vector 0.56.0 (x86_64-unknown-linux-gnu 88a8a3a 2026-06-10)"

// boots are passed cases of a run, one for each value.
func boots(run, measure string, values ...float64) []results.Sample {
	var out []results.Sample
	for i, v := range values {
		out = append(out, results.Sample{
			Run: run, Case: fmt.Sprintf("pre@trixie#%d", i+1), Started: time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC),
			Scenario: "pre", Base: "trixie", Subject: "populator", Hash: "h", Backend: "container", Vector: standIn, Expected: "pass", Verdict: "pass", Attempts: 1,
			Versions: map[string]string{"kernel": "6.1", "systemd": "257"}, Measures: map[string]float64{measure: v},
		})
	}
	return out
}

// around are n values that differ from the middle by no more than spread.
func around(middle, spread float64, n int) []float64 {
	var out []float64
	for i := range n {
		out = append(out, middle+spread*math.Sin(float64(7*i)))
	}
	return out
}

// each changes every sample.
func each(samples []results.Sample, change func(i int, s *results.Sample)) []results.Sample {
	out := slices.Clone(samples)
	for i := range out {
		change(i, &out[i])
	}
	return out
}

func TestAMeasureMovesWhenItsDistributionDoes(t *testing.T) {
	t.Parallel()
	none, some := slices.Repeat([]float64{0}, 30), slices.Repeat([]float64{1, 0, 1}, 10)
	for _, tt := range []struct {
		name, measure string
		before, after []float64
		want          history.Outcome
		more          int
	}{
		{"slower boots", results.MeasureMultiUser, around(2, 0.2, 30), around(2.3, 0.2, 30), history.Regressed, 0},
		{"faster boots", results.MeasureMultiUser, around(2.3, 0.2, 30), around(2, 0.2, 30), history.Improved, 0},
		{"the same boots", results.MeasureMultiUser, around(2, 0.2, 30), around(2, 0.2, 30), history.Unchanged, 0},
		{"a shift that is certain and too small to matter", results.MeasureMultiUser, around(2, 0.01, 30), around(2.08, 0.01, 30), history.Unchanged, 0},
		{"a shift of a short time that is a few slices of the scheduler", results.MeasureCredentials, around(0.09, 0.001, 30), around(0.1, 0.001, 30), history.Unchanged, 0},
		{"one slow boot", results.MeasureMultiUser, around(2, 0.2, 30), append(around(2, 0.2, 29), 60), history.Unchanged, 0},
		{"too few boots, however far apart", results.MeasureMultiUser, around(2, 0.2, 30), around(30, 1, 7), history.TooFew, 3},
		{"just enough boots, far apart", results.MeasureMultiUser, around(2, 0.2, 10), around(30, 1, 10), history.Regressed, 0},
		{"boots that scatter too much to rule a large shift out", results.MeasureMultiUser, around(2, 1.5, 12), around(2, 1.5, 12), history.TooFew, 88},
		{"none on one side", results.MeasureMultiUser, around(2, 0.2, 30), nil, history.TooFew, 10},
		{"credentials that come later", results.MeasureCredentials, around(1.2, 0.05, 30), around(1.6, 0.05, 30), history.Regressed, 0},
		{"more restarts", results.MeasureRestarts, none, some, history.Regressed, 0},
		{"fewer restarts", results.MeasureRestarts, some, none, history.Improved, 0},
		{"never a restart", results.MeasureRestarts, none, none, history.Unchanged, 0},
		{"less headroom", results.MeasureHeadroom, around(4, 0, 30), around(3, 0, 30), history.Regressed, 0},
		{"more headroom", results.MeasureHeadroom, around(3, 0, 30), around(4, 0, 30), history.Improved, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			after := boots("b", tt.measure, tt.after...)
			if tt.after == nil { // the boots are there, the measure is not
				after = each(boots("b", tt.measure, tt.before...), func(_ int, s *results.Sample) { s.Measures = nil })
			}
			c, err := history.Compare(boots("a", tt.measure, tt.before...), after)
			require.NoError(t, err)
			require.Len(t, c.Rows, 1)
			assert.Equal(t, tt.want, c.Rows[0].Outcome, "%+v %+v", c.Rows[0], c.Rows[0].Effect)
			assert.Equal(t, tt.more, c.Rows[0].More)
			assert.Equal(t, tt.want == history.Regressed, c.Worse())
			assert.Equal(t, tt.want == history.TooFew, c.Undecided())
		})
	}
}

func TestTheEffectIsTheShiftInTheMeasuresUnit(t *testing.T) {
	t.Parallel()
	c, err := history.Compare(boots("a", results.MeasureMultiUser, around(2, 0.1, 30)...), boots("b", results.MeasureMultiUser, around(2.5, 0.1, 40)...))
	require.NoError(t, err)
	r := c.Rows[0]
	assert.Equal(t, history.Summary{Runs: 1, Boots: 40, Median: r.After.Median, Min: r.After.Min, Max: r.After.Max}, r.After)
	assert.InDelta(t, 2.5, r.After.Median, 0.03)
	assert.InDelta(t, 0.5, r.Effect.Shift, 0.02)
	assert.Less(t, r.Effect.Low, r.Effect.Shift)
	assert.Less(t, r.Effect.Shift, r.Effect.High)
	assert.InDelta(t, 0.5, r.Effect.Low, 0.06)
	assert.Less(t, r.Effect.P, history.Alpha)
	assert.InDelta(t, 1, r.Effect.Inflation, 0, "one run a side shows nothing of how runs differ")
}

// Headroom that is the same in all boots of a run, and another in the next one, is
// a matter of runs: three against three say nothing, however many boots they have.
func TestRunsThatDifferAmongThemselvesAreWhatCounts(t *testing.T) {
	t.Parallel()
	side := func(name string, headrooms ...float64) (out []results.Sample) {
		for i, h := range headrooms {
			out = append(out, boots(fmt.Sprint(name, i), results.MeasureHeadroom, around(h, 0, 20)...)...)
		}
		return out
	}
	for _, tt := range []struct {
		name          string
		before, after []results.Sample
		want          history.Outcome
	}{
		{"runs of a side that agree", side("a", 4, 4, 4), side("b", 3, 3, 3), history.Regressed},
		{"runs of a side that do not", side("a", 4, 4, 3), side("b", 3, 4, 3), history.TooFew},
		{"many runs that do not, and still less after", side("a", 4, 5, 4, 5, 4, 5, 4, 5, 4, 5), side("b", 2, 3, 2, 3, 2, 3, 2, 3, 2, 3), history.Regressed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := history.Compare(tt.before, tt.after)
			require.NoError(t, err)
			assert.Equal(t, tt.want, c.Rows[0].Outcome, "%+v", c.Rows[0].Effect)
			_, err = json.Marshal(c)
			require.NoError(t, err, "no infinity that JSON does not have")
		})
	}
}

func TestNothingComparedIsUndecided(t *testing.T) {
	t.Parallel()
	c, err := history.Compare(nil, nil)
	require.NoError(t, err)
	assert.True(t, c.Undecided())
	assert.False(t, c.Worse())
}

func TestOnlyBootsThatWereJudgedAreCompared(t *testing.T) {
	t.Parallel()
	// The spoilt boots are slow: counted, they would be a regression.
	good := boots("b", results.MeasureMultiUser, around(2, 0.2, 30)...)
	var spoilt []results.Sample
	for _, v := range []string{"invalid", "error", "flaky"} {
		spoilt = append(spoilt, each(boots("b", results.MeasureMultiUser, around(9, 0.2, 30)...), func(_ int, s *results.Sample) { s.Verdict = v })...)
	}
	spoilt = append(spoilt, each(boots("b", results.MeasureMultiUser, around(9, 0.2, 3)...), func(_ int, s *results.Sample) { s.Vector = "unknown" })...)
	failed := each(boots("b", results.MeasureMultiUser, around(2, 0.2, 2)...), func(_ int, s *results.Sample) { s.Verdict = "fail" })
	c, err := history.Compare(good, slices.Concat(spoilt, good, failed))
	require.NoError(t, err)
	assert.Equal(t, history.Unchanged, c.Rows[0].Outcome)
	assert.Equal(t, 32, c.Rows[0].After.Boots, "a failed boot has been judged")
	assert.Equal(t, []history.LeftOut{{Side: "after", Why: "verdict error", Boots: 30}, {Side: "after", Why: "verdict flaky", Boots: 30},
		{Side: "after", Why: "verdict invalid", Boots: 30}, {Side: "after", Why: "which Vector ran is not known", Boots: 3}}, c.LeftOut)
}

func TestTheSameSamplesGiveTheSameAnswerInAnyOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	h := usual
	h.runs, h.apart = 3, 0.1
	before, after := h.side(random, "before", 5, 30, 1), h.side(random, "after", 5, 30, 1.1)
	want, err := history.Compare(before, after)
	require.NoError(t, err)
	assert.Greater(t, want.Rows[0].Effect.Inflation, 1.0, "runs that differ cost certainty")
	for range 5 {
		random.Shuffle(len(before), func(i, j int) { before[i], before[j] = before[j], before[i] })
		random.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
		got, err := history.Compare(before, after)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestTheStandInIsNotComparedWithTheRealVector(t *testing.T) {
	t.Parallel()
	times := around(2, 0.1, 12)
	with := func(vector string) []results.Sample {
		return each(boots("r", results.MeasureMultiUser, times...), func(_ int, s *results.Sample) { s.Vector = vector })
	}
	for _, tt := range []struct {
		name          string
		before, after []results.Sample
		refused       bool
	}{
		{"stand-in and stand-in", with(standIn), with(standIn), false},
		{"another version of the stand-in", with(standIn), with("vector 0.57.0 (bootrace stand-in, not Vector)"), false},
		{"another version of the real one", with(real), with("vector 0.57.0 (x86_64-unknown-linux-gnu)"), false},
		{"stand-in and real", with(standIn), with(real), true},
		{"real and stand-in", with(real), with(standIn), true},
		{"both on one side", with(standIn), slices.Concat(with(standIn), with(real)), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := history.Compare(tt.before, tt.after)
			if tt.refused {
				require.ErrorIs(t, err, history.ErrNotComparable)
				assert.ErrorContains(t, err, "pre@trixie")
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestWhatElseDiffersIsNamed(t *testing.T) {
	t.Parallel()
	control := func(i int, s *results.Sample, seconds float64) {
		s.Measures = map[string]float64{results.MeasureMultiUser: around(2, 0.1, 12)[i], results.MeasureControl: seconds}
	}
	before := each(boots("a", results.MeasureMultiUser, around(2, 0.1, 12)...), func(i int, s *results.Sample) { control(i, s, 1.8) })
	for _, tt := range []struct {
		name   string
		change func(i int, s *results.Sample)
		want   []history.InputChange
	}{
		{"nothing", func(int, *results.Sample) {}, []history.InputChange{}},
		{"the subject", func(_ int, s *results.Sample) { s.Hash = "i" }, []history.InputChange{{Input: "subject", Before: []string{"h"}, After: []string{"i"}}}},
		{"the kernel", func(_ int, s *results.Sample) { s.Versions = map[string]string{"kernel": "6.8", "systemd": "257"} },
			[]history.InputChange{{Input: "kernel", Before: []string{"6.1"}, After: []string{"6.8"}}}},
		{"systemd, of some boots", func(i int, s *results.Sample) {
			if i > 3 {
				s.Versions = map[string]string{"kernel": "6.1", "systemd": "258"}
			}
		}, []history.InputChange{{Input: "systemd", Before: []string{"257"}, After: []string{"257", "258"}}}},
		{"a version that is not known any more", func(_ int, s *results.Sample) { s.Versions = map[string]string{"systemd": "257"} },
			[]history.InputChange{{Input: "kernel", Before: []string{"6.1"}, After: []string{}}}},
		{"Vector's version", func(_ int, s *results.Sample) { s.Vector = "vector 0.57.0 (bootrace stand-in, not Vector)" },
			[]history.InputChange{{Input: "vector", Before: []string{standIn}, After: []string{"vector 0.57.0 (bootrace stand-in, not Vector)"}}}},
		{"the control boot's time", func(i int, s *results.Sample) { control(i, s, 2.2) },
			[]history.InputChange{{Input: "control boot of trixie", Before: []string{"1.80 s"}, After: []string{"2.20 s"}}}},
		{"the control boot's time, by less than counts", func(i int, s *results.Sample) { control(i, s, 1.85) }, []history.InputChange{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			after := each(before, func(i int, s *results.Sample) { s.Run = "b"; tt.change(i, s) })
			c, err := history.Compare(before, after)
			require.NoError(t, err)
			assert.Equal(t, tt.want, c.Inputs)
		})
	}
}

func TestTheOnlySubjectsAreComparedWhateverTheyAreCalled(t *testing.T) {
	t.Parallel()
	before := boots("a", results.MeasureMultiUser, around(2, 0.1, 12)...)
	called := func(name string) []results.Sample {
		return each(before, func(_ int, s *results.Sample) { s.Run, s.Subject = "b", name })
	}
	c, err := history.Compare(before, called("mine"))
	require.NoError(t, err)
	require.Len(t, c.Rows, 1)
	assert.Equal(t, "mine", c.Rows[0].Subject)
	assert.Empty(t, c.Verdicts)

	// With several on a side names are all there is to go by.
	c, err = history.Compare(before, slices.Concat(called("mine"), called("yours")))
	require.NoError(t, err)
	assert.Empty(t, c.Rows)
	var changes []string
	for _, v := range c.Verdicts {
		changes = append(changes, v.Subject+" "+v.Change)
	}
	assert.Equal(t, []string{"mine new", "populator vanished", "yours new"}, changes)
}

func TestAVerdictThatChangedIsNamed(t *testing.T) {
	t.Parallel()
	list := func(verdicts ...string) []results.Sample {
		return each(boots("r", results.MeasureMultiUser, around(2, 0.1, len(verdicts))...), func(i int, s *results.Sample) { s.Verdict = verdicts[i] })
	}
	of := func(passed, failed int) []results.Sample {
		return list(slices.Concat(slices.Repeat([]string{"pass"}, passed), slices.Repeat([]string{"fail"}, failed))...)
	}
	for _, tt := range []struct {
		name             string
		before, after    []results.Sample
		want             string
		worse, undecided bool
	}{
		{"fails nearly always and not only once", of(29, 1), of(1, 29), history.VerdictWorse, true, false},
		{"fails only once and not nearly always", of(1, 29), of(29, 1), history.VerdictBetter, false, false},
		{"fails a few times more, which may be chance", of(28, 2), of(25, 5), "", false, false},
		{"passes both times", list("pass"), list("pass"), "", false, true}, // one boot says nothing of its time
		{"passed and fails", list("pass"), list("fail"), history.VerdictWorse, true, true},
		{"failed and passes", list("fail"), list("pass"), history.VerdictBetter, false, true},
		{"one failure among passes", list("pass", "pass"), list("pass", "fail"), history.VerdictWorse, true, true},
		{"flaky by itself", list("pass"), list("flaky"), history.VerdictWorse, true, true},
		{"fails each time and not only sometimes", list("pass", "fail"), list("fail", "fail"), history.VerdictWorse, true, true},
		{"fails both times", list("fail"), list("fail"), "", false, true},
		{"is spoilt now", list("pass"), list("invalid", "error"), history.VerdictMissing, false, true},
		{"some are spoilt now", list("pass", "pass"), list("pass", "invalid"), "", false, true},
		{"was spoilt before", list("invalid"), list("pass"), history.VerdictNew, false, true},
		{"is new", nil, list("pass"), history.VerdictNew, false, true},
		{"never ran", list("pass"), nil, history.VerdictVanished, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := history.Compare(tt.before, tt.after)
			require.NoError(t, err)
			got := ""
			if len(c.Verdicts) > 0 {
				require.Len(t, c.Verdicts, 1)
				got = c.Verdicts[0].Change
				assert.Equal(t, len(tt.after), c.Verdicts[0].After.Cases)
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.worse, c.Worse())
			assert.Equal(t, tt.undecided, c.Undecided())
		})
	}

	// A scenario may expect a failure.
	expect := func(s []results.Sample) []results.Sample {
		return each(s, func(_ int, s *results.Sample) { s.Expected = "fail" })
	}
	c, err := history.Compare(expect(list("fail")), expect(list("pass")))
	require.NoError(t, err)
	assert.True(t, c.Worse())
}

// With everything else decided, a case that is gone is reason enough not to be sure.
func TestAVanishedCaseIsUndecided(t *testing.T) {
	t.Parallel()
	same := boots("a", results.MeasureMultiUser, around(2, 0.1, 30)...)
	other := each(boots("a", results.MeasureMultiUser, 2), func(_ int, s *results.Sample) { s.Scenario = "never" })
	c, err := history.Compare(slices.Concat(same, other), same)
	require.NoError(t, err)
	assert.True(t, c.Undecided())
	c, err = history.Compare(same, slices.Concat(same, other))
	require.NoError(t, err)
	assert.False(t, c.Undecided(), "a new one is not")
}
