package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

func storesTheSameAtOnce(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for range cap(errs) {
		wg.Go(func() { errs <- s.PutCase(context.Background(), "r", CaseRecord("c")) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Equal(t, []results.Case{CaseRecord("c")}, got.Cases)
}

func takesAnyText(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	c := CaseRecord("c")
	c.Reason, c.Attempts[0].Reason = "a\x00b", "a\x00b"
	c.Attempts[0].Checks[0].Findings[0].Summary = "\x1b[0m\x00\t|\\N\n"
	c.Attempts[0].Boot.Events[0].Text = "\\.\n\\N\t|\x1b[0m"
	c.Attempts[0].Boot.Events[1].Text = "a\x00b"
	require.NoError(t, s.PutCase(t.Context(), "r", c))
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	c.Attempts[0].Boot.Events[1].Text = "a\uFFFDb" // as PutCase says
	assert.Equal(t, []results.Case{c}, got.Cases)
}

// decidedSecond is a case whose second attempt decided.
func decidedSecond(id string) results.Case {
	c := CaseRecord(id)
	spoilt := results.Attempt{Verdict: "invalid", Recording: "/recordings/spoilt", Versions: map[string]string{"systemd": "1"},
		Boot: &results.Boot{Measures: map[string]float64{results.MeasureMultiUser: 99}}}
	c.Attempts = append([]results.Attempt{spoilt}, c.Attempts...)
	return c
}

func samples(t *testing.T, s Store, _ func() Store) {
	none, err := s.Samples(t.Context(), results.Filter{})
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	c := decidedSecond("c")
	require.NoError(t, s.PutCase(t.Context(), "r", c))
	bare := results.Case{ID: "bare", Verdict: "error", Started: c.Started.Add(time.Second)}
	require.NoError(t, s.PutCase(t.Context(), "r", bare))
	got, err := s.Samples(t.Context(), results.Filter{})
	require.NoError(t, err)
	assert.Equal(t, []results.Sample{
		{Run: "r", Case: "c", Started: c.Started, Scenario: "delay-45s", Base: "trixie", Subject: "populator", Hash: "h", Backend: "container",
			Vector: "stand-in 0.56", Expected: "pass", Verdict: "fail", Attempts: 2,
			Versions: map[string]string{"systemd": "257", "vector": "stand-in 0.56"},
			Measures: map[string]float64{results.MeasureMultiUser: 1.0 / 3, results.MeasureRestarts: 0}},
		{Run: "r", Case: "bare", Started: bare.Started, Verdict: "error"},
	}, got, "a measure that is not there is no zero")
}

func filters(t *testing.T, s Store, _ func() Store) {
	began := time.Unix(1_700_000_000, 0).UTC()
	for i, r := range []string{"r0", "r1", "r2"} {
		require.NoError(t, s.BeginRun(t.Context(), RunRecord(r, began.Add(time.Duration(i)*time.Hour))))
		for n, of := range [][3]string{{"pre", "trixie", "good"}, {"pre", "bookworm", "bad"}, {"never", "trixie", "good"}} {
			c := CaseRecord(of[0] + "@" + of[1])
			c.Scenario, c.Base, c.Subject = of[0], of[1], of[2]
			c.Started = began.Add(time.Duration(i)*time.Hour + time.Duration(n)*time.Second)
			require.NoError(t, s.PutCase(t.Context(), r, c))
		}
	}
	for _, tt := range []struct {
		name string
		f    results.Filter
		want string
	}{
		{"a run", results.Filter{Run: "r1"}, "r1/pre@trixie r1/pre@bookworm r1/never@trixie"},
		{"not by a run's beginning", results.Filter{Run: "r"}, ""},
		{"a scenario on a base", results.Filter{Scenario: "pre", Base: "trixie"}, "r0/pre@trixie r1/pre@trixie r2/pre@trixie"},
		{"a subject", results.Filter{Subject: "bad"}, "r0/pre@bookworm r1/pre@bookworm r2/pre@bookworm"},
		{"from a moment on", results.Filter{Since: began.Add(2*time.Hour + time.Second)}, "r2/pre@bookworm r2/never@trixie"},
		{"the newest runs", results.Filter{Runs: 2, Scenario: "never"}, "r1/never@trixie r2/never@trixie"},
		{"nothing", results.Filter{Scenario: "' OR 1 = 1 --"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := s.Samples(t.Context(), tt.f)
			require.NoError(t, err)
			var got []string
			for _, c := range list {
				got = append(got, c.Run+"/"+c.Case)
				assert.NotEmpty(t, c.Measures)
				assert.NotEmpty(t, c.Versions)
			}
			assert.Equal(t, tt.want, strings.Join(got, " "))
		})
	}
}

func samplesFollow(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	require.NoError(t, s.PutCase(t.Context(), "r", decidedSecond("c")))
	c := CaseRecord("c")
	c.Verdict, c.Attempts[0].Boot.Measures = "pass", map[string]float64{results.MeasureCredentials: 2}
	require.NoError(t, s.PutCase(t.Context(), "r", c))
	got, err := s.Samples(t.Context(), results.Filter{})
	require.NoError(t, err)
	require.Len(t, got, 1, "stored twice, there once")
	assert.Equal(t, "pass", got[0].Verdict)
	assert.Equal(t, 1, got[0].Attempts)
	assert.Equal(t, c.Attempts[0].Boot.Measures, got[0].Measures, "nothing is left of what it was")
}

func ids(runs []results.Run) (out []string) {
	for _, r := range runs {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}
