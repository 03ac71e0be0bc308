package storetest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/store"
)

// fill stores runs r0, r1, …, an hour apart, each with a case and an end.
func fill(t *testing.T, s Store, began time.Time, n int) (runs []results.Run) {
	t.Helper()
	for i := range n {
		r := RunRecord("r"+string(rune('0'+i)), began.Add(time.Duration(i)*time.Hour))
		r.Planned = 1
		require.NoError(t, s.BeginRun(t.Context(), r))
		r.Cases = []results.Case{CaseRecord("c")}
		require.NoError(t, s.PutCase(t.Context(), r.ID, r.Cases[0]))
		r.Ended = r.Started.Add(time.Minute)
		require.NoError(t, s.EndRun(t.Context(), r))
		runs = append(runs, r)
	}
	return runs
}

// export exports all, and empties the store.
func export(t *testing.T, s Store, runs []results.Run) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, s.Export(t.Context(), &out))
	for _, r := range runs {
		require.NoError(t, s.Remove(t.Context(), r.ID))
	}
	left, err := s.Runs(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, left)
	return out.String()
}

func transfers(t *testing.T, s Store, _ func() Store) {
	runs := fill(t, s, time.Unix(1_700_000_000, 0), 3)
	text := export(t, s, runs)
	for range 2 {
		n, err := s.Import(t.Context(), strings.NewReader(text))
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	}
	for _, want := range runs {
		got, err := s.Run(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	all, err := s.Samples(t.Context(), results.Filter{})
	require.NoError(t, err)
	assert.Len(t, all, 3, "imported twice, there once")
	n, err := s.Import(t.Context(), strings.NewReader(""))
	require.NoError(t, err)
	assert.Zero(t, n)
}

func merges(t *testing.T, s Store, _ func() Store) {
	runs := fill(t, s, time.Unix(1_700_000_000, 0), 3)
	whole := runs[0]
	other := CaseRecord("d")
	whole.Planned, whole.Shards, whole.Cases = 2, []string{"r0", "r1"}, append(whole.Cases, other)
	for range 2 { // the second time it is in its own place
		require.NoError(t, s.PutMerged(t.Context(), whole))
		got, err := s.Run(t.Context(), "r0")
		require.NoError(t, err)
		assert.Equal(t, whole, got)
	}
	left, err := s.Runs(t.Context(), 10)
	require.NoError(t, err)
	assert.Len(t, left, 2, "it, and the run that is no shard of it")
}

func exportsSome(t *testing.T, s Store, _ func() Store) {
	fill(t, s, time.Unix(1_700_000_000, 0), 3)
	var out bytes.Buffer
	require.NoError(t, s.Export(t.Context(), &out, "r2", "r0"))
	assert.Equal(t, 2, strings.Count(out.String(), "\n"))
	require.ErrorIs(t, s.Export(t.Context(), &out, "zz"), store.ErrNotFound)
}

func refusesDamage(t *testing.T, s Store, _ func() Store) {
	lines := strings.SplitAfter(export(t, s, fill(t, s, time.Unix(1_700_000_000, 0), 3)), "\n")
	for _, tt := range []struct{ name, line, want string }{
		{"cut off", lines[1][:len(lines[1])/2], "line 2: no run as bootrace export writes it"},
		{"cut off in the end", strings.TrimSuffix(lines[1], "}\n"), "line 2: no run as bootrace export writes it"},
		{"of something else", "{}\n", "line 2: its format has version 0"},
		{"of a newer bootrace", strings.Replace(lines[1], `"version":1`, `"version":9`, 1), "line 2: its format has version 9"},
		{"a case without an id", strings.Replace(lines[1], `"id":"c"`, `"id":""`, 1), "line 2: run r1: case 1 of 1 has no id"},
		{"empty", "\n", "line 2: no run as bootrace export writes it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := s.Import(t.Context(), strings.NewReader(lines[0]+tt.line))
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, 1, n)
			got, err := s.Runs(t.Context(), 10)
			require.NoError(t, err)
			assert.Equal(t, []string{"r0"}, ids(got))
		})
	}
}

func importKeepsTheEnd(t *testing.T, s Store, _ func() Store) {
	r := RunRecord("r", time.Unix(1_700_000_000, 0))
	require.NoError(t, s.BeginRun(t.Context(), r))
	var before bytes.Buffer
	require.NoError(t, s.Export(t.Context(), &before))
	r.Ended = r.Started.Add(time.Minute)
	require.NoError(t, s.EndRun(t.Context(), r))
	n, err := s.Import(t.Context(), &before)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Equal(t, r.Ended, got.Ended)
}

func stale(t *testing.T, s Store, _ func() Store) {
	now := time.Unix(1_700_000_000, 0).UTC()
	runs := fill(t, s, now.Add(-4*time.Hour), 4)
	for id, ago := range map[string]time.Duration{"going-on": 90 * time.Minute, "given-up": 25 * time.Hour} {
		require.NoError(t, s.BeginRun(t.Context(), RunRecord(id, now.Add(-ago))))
	}
	interrupted := RunRecord("interrupted", now.Add(-2*time.Hour)) // and to be resumed
	interrupted.Ended = interrupted.Started.Add(time.Second)
	require.NoError(t, s.BeginRun(t.Context(), interrupted))
	for _, tt := range []struct {
		name string
		p    store.Policy
		want []string
	}{
		{"keep none", store.Policy{}, []string{"given-up", "r0", "r1", "r2", "r3"}},
		{"keep the newest two", store.Policy{Keep: 2}, []string{"given-up", "r0", "r1", "r2"}},
		{"keep the young", store.Policy{Before: now.Add(-150 * time.Minute)}, []string{"given-up", "r0", "r1"}},
		{"what begins at the very moment is young", store.Policy{Before: runs[0].Started}, []string{"given-up"}},
		{"keep the young, and the newest though they are old", store.Policy{Keep: 6, Before: now}, []string{"given-up"}},
		{"keep more than there are", store.Policy{Keep: 9}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.p.Now = now
			got, err := s.Stale(t.Context(), tt.p)
			require.NoError(t, err)
			assert.Equal(t, tt.want, ids(got))
		})
	}
}

func removes(t *testing.T, s Store, again func() Store) {
	runs := fill(t, s, time.Unix(1_700_000_000, 0), 2)
	require.NoError(t, s.Remove(t.Context(), "r0"))
	require.NoError(t, s.Remove(t.Context(), "r0"), "one that is gone is no error")
	s = again()
	_, err := s.Run(t.Context(), "r0")
	require.ErrorIs(t, err, store.ErrNotFound)
	got, err := s.Run(t.Context(), "r1")
	require.NoError(t, err)
	assert.Equal(t, runs[1], got)
	left, err := s.Samples(t.Context(), results.Filter{})
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "r1", left[0].Run)
}
