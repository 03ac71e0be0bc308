package history_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/history"
)

func TestACaseIsFlakyWhenItsVerdictsDifferUnderTheSameInputs(t *testing.T) {
	t.Parallel()
	run := func(id string, verdicts ...string) []results.Sample {
		return each(boots(id, results.MeasureMultiUser, make([]float64, len(verdicts))...), func(i int, s *results.Sample) { s.Verdict = verdicts[i] })
	}
	with := func(samples []results.Sample, change func(s *results.Sample)) []results.Sample {
		return each(samples, func(_ int, s *results.Sample) { change(s) })
	}
	for _, tt := range []struct {
		name    string
		samples []results.Sample
		want    []map[string]int // verdicts of each flaky case
	}{
		{"always passes", run("a", "pass", "pass"), nil},
		{"always fails", run("a", "fail", "fail"), nil},
		{"both within a run", run("a", "pass", "fail", "pass"), []map[string]int{{"pass": 2, "fail": 1}}},
		{"both across runs", slices.Concat(run("a", "pass"), run("b", "fail")), []map[string]int{{"pass": 1, "fail": 1}}},
		{"thousands of passes do not make it green", slices.Concat(run("a", slices.Repeat([]string{"pass"}, 3000)...), run("b", "fail")), []map[string]int{{"pass": 3000, "fail": 1}}},
		{"its attempts disagreed", run("a", "flaky"), []map[string]int{{"flaky": 1}}},
		{"spoilt boots are no verdicts", run("a", "pass", "invalid", "error"), nil},
		{"another subject", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Hash = "i" })), nil},
		{"another base", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Base = "bookworm" })), nil},
		{"another backend", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Backend = "vm" })), nil},
		{"another Vector", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Vector = real })), nil},
		{"another expected verdict", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Expected = "fail" })), nil},
		{"another kernel", slices.Concat(run("a", "pass"), with(run("b", "fail"), func(s *results.Sample) { s.Versions = map[string]string{"kernel": "6.8", "systemd": "257"} })), nil},
		{"a failure too early to tell its versions, beside its run's other boots",
			slices.Concat(run("a", "pass"), with(run("a", "fail"), func(s *results.Sample) { s.Versions, s.Vector = nil, "unknown" })), []map[string]int{{"pass": 1, "fail": 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []map[string]int
			for _, f := range history.Flaky(tt.samples) {
				got = append(got, f.Verdicts)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestAFlakyCaseSaysHowOftenAndInWhichRuns(t *testing.T) {
	t.Parallel()
	var all []results.Sample
	for i, run := range []string{"c", "b", "a", "b"} {
		verdicts := []string{"pass", "pass", "fail", "invalid"}
		all = append(all, each(boots(run, results.MeasureMultiUser, 0, 0, 0, 0), func(n int, s *results.Sample) {
			s.Verdict, s.Started = verdicts[n], s.Started.AddDate(0, 0, i)
		})...)
	}
	flaky := history.Flaky(all)
	require.Len(t, flaky, 1)
	f := flaky[0]
	assert.Equal(t, "pre", f.Scenario)
	assert.Equal(t, map[string]int{"pass": 8, "fail": 4}, f.Verdicts)
	assert.Equal(t, map[string][]string{"pass": {"c", "b", "a"}, "fail": {"c", "b", "a"}}, f.Runs)
	assert.Equal(t, 4, f.Unjudged)
	assert.InDelta(t, 1.0/3, f.Rate, 1e-9)
	assert.InDelta(t, 0.138, f.Low, 1e-3)
	assert.InDelta(t, 0.609, f.High, 1e-3)
	assert.Equal(t, map[string]string{"kernel": "6.1", "systemd": "257"}, f.Versions)
}

func TestACaseIsNewlyFlakyByTheNewestRun(t *testing.T) {
	t.Parallel()
	run := func(id string, day int, verdicts ...string) []results.Sample {
		return each(boots(id, results.MeasureMultiUser, make([]float64, len(verdicts))...), func(i int, s *results.Sample) {
			s.Verdict, s.Started = verdicts[i], s.Started.AddDate(0, 0, day)
		})
	}
	passes, both := run("a", 1, "pass", "pass"), run("a", 1, "pass", "fail")
	assert.Len(t, history.NewlyFlaky(slices.Concat(passes, run("b", 2, "fail"))), 1)
	assert.Len(t, history.NewlyFlaky(slices.Concat(run("b", 2, "fail"), passes)), 1, "whatever the order in which they are stored")
	assert.Len(t, history.NewlyFlaky(both), 1, "there is no other run")
	assert.Empty(t, history.NewlyFlaky(slices.Concat(both, run("b", 2, "fail"))), "it was flaky before")
	assert.Empty(t, history.NewlyFlaky(slices.Concat(both, run("b", 2, "pass"))))
	assert.Empty(t, history.NewlyFlaky(slices.Concat(passes, run("b", 2, "pass"))))
	assert.Empty(t, history.NewlyFlaky(nil))
}
