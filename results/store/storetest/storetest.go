// Package storetest is the one conformance suite for stores of results: what a
// store must do whatever it keeps records in.
//
//	func TestSQLite(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Store { … })
//	}
package storetest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
	"bootrace/results/store"
)

// Store is what the suite needs of a store.
type Store interface {
	BeginRun(context.Context, results.Run) error
	EndRun(context.Context, results.Run) error
	PutCase(ctx context.Context, run string, c results.Case) error
	Runs(ctx context.Context, limit int) ([]results.Run, error)
	Run(ctx context.Context, id string) (results.Run, error)
	Latest(ctx context.Context, back int, pass func(results.Run) bool) (results.Run, error)
	Samples(context.Context, results.Filter) ([]results.Sample, error)
	Export(ctx context.Context, w io.Writer, ids ...string) error
	Import(ctx context.Context, r io.Reader) (int, error)
	PutMerged(context.Context, results.Run) error
	Stale(context.Context, store.Policy) ([]results.Run, error)
	Remove(ctx context.Context, run string) error
}

// Run runs the suite. open returns an empty store, which it closes itself; again
// opens what the last call of open made, as another process would.
func Run(t *testing.T, open func(t *testing.T) (s Store, again func() Store)) {
	tests := []struct {
		name string
		run  func(t *testing.T, s Store, again func() Store)
	}{
		{"what is stored comes back as it was", comesBack},
		{"runs come newest first", newestFirst},
		{"a run is found by what is enough of its id", foundByBeginning},
		{"a case stored again replaces the first", replaces},
		{"cases come in the order in which they began", inOrder},
		{"a case of no run is refused", refusesOrphans},
		{"many goroutines store at once", storesAtOnce},
		{"the same case stored from many goroutines is there once", storesTheSameAtOnce},
		{"nothing is stored once the context has ended", keepsToTheContext},
		{"texts that a database may not take are stored", takesAnyText},
		{"samples are a case's inputs, and what the boot that decided measured", samples},
		{"samples are chosen by a filter", filters},
		{"a sample follows its case", samplesFollow},
		{"what is exported is imported as it was, and once", transfers},
		{"a run that was merged is in the place of its shards", merges},
		{"runs are exported by what is enough of their ids", exportsSome},
		{"a damaged line is named, and nothing of its run is stored", refusesDamage},
		{"an import does not take the end of a run away", importKeepsTheEnd},
		{"stale is what a policy does not keep", stale},
		{"a removed run is gone with all that it had", removes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, again := open(t)
			tt.run(t, s, again)
		})
	}
}

// RunRecord is a run with every field set that a run has before it ends.
func RunRecord(id string, started time.Time) results.Run {
	return results.Run{
		Version: results.Version, ID: id, Started: started.UTC(), Subject: "populator", Hash: "h", Vector: "stand-in",
		Planned: 2, Dir: "/recordings", Versions: map[string]string{"kernel": "6"},
	}
}

// CaseRecord is a case with every field set.
func CaseRecord(id string) results.Case {
	return results.Case{
		ID: id, Scenario: "delay-45s", Base: "trixie", Subject: "populator", Hash: "h", Backend: "container", Repetition: 1,
		Expected: "pass", Verdict: "fail", Reason: "start-rate: 9 starts in 10 s", Vector: "stand-in 0.56",
		Started: time.Unix(1_700_000_000, 123_456_789).UTC(), Duration: 57 * time.Second, Waited: 55 * time.Second,
		Recording: "/recordings/" + id + ".1", Kept: "docker exec -it 0123456789ab bash",
		Attempts: []results.Attempt{{
			Verdict: "fail", Reason: "start-rate: 9 starts in 10 s", Recording: "/recordings/" + id + ".1",
			Versions: map[string]string{"systemd": "257", "vector": "stand-in 0.56"}, Boot: BootRecord(),
			Artifacts: []results.Artifact{{Name: "journal.json.gz", SHA256: strings.Repeat("ab", 32), Size: 1234}, {Name: "console.log", SHA256: strings.Repeat("cd", 32)}},
			Checks: []results.Check{{Name: "start-rate", Outcome: "fail", Note: "9 of 3", Findings: []results.Finding{{
				Summary: "9 starts in 10 s", At: 1500 * time.Millisecond, Unit: "vector.service",
				Evidence: []results.Evidence{{File: "journal.json.gz", Line: 812, Text: "Started Vector — “quoted”, a tab\tand NUL-free"}},
			}}}},
		}},
	}
}

// BootRecord is a boot with every field set.
func BootRecord() *results.Boot {
	return &results.Boot{
		End: 57 * time.Second, Measures: map[string]float64{results.MeasureMultiUser: 1.0 / 3, results.MeasureRestarts: 0},
		Chain: []results.Link{{Unit: "multi-user.target", Began: time.Second, Ended: 2 * time.Second}},
		Events: []results.Event{
			{At: -time.Second, Lane: results.LaneMoment, Name: "write"},
			{At: time.Second, Until: 2 * time.Second, Lane: results.LaneRequest, Name: "keyvault", Text: "GET 503 “später”", Bad: true},
			{At: time.Second, Lane: results.LaneFailed, Name: "vector.service", Text: "it's\n", Bad: true},
		},
		Lines: []results.LineCount{{At: time.Second, Logged: 2, Delivered: 1}},
	}
}

// withoutEvents is a case as a list of runs has it.
func withoutEvents(c results.Case) results.Case {
	for _, a := range c.Attempts {
		a.Boot.Events = nil
	}
	return c
}

func comesBack(t *testing.T, s Store, again func() Store) {
	r, c := RunRecord("r1", time.Unix(1_700_000_000, 1)), CaseRecord("delay-45s@trixie#1")
	require.NoError(t, s.BeginRun(t.Context(), r))
	require.NoError(t, s.PutCase(t.Context(), r.ID, c))

	got, err := s.Run(t.Context(), "r1")
	require.NoError(t, err)
	assert.True(t, got.Ended.IsZero(), "a run that goes on has no end")
	r.Cases = []results.Case{c}
	assert.Equal(t, r, got)

	r.Ended = r.Started.Add(time.Minute)
	require.NoError(t, s.EndRun(t.Context(), r))
	got, err = again().Run(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, r, got, "by another opener, after the end")
}

func newestFirst(t *testing.T, s Store, _ func() Store) {
	none, err := s.Runs(t.Context(), 5)
	require.NoError(t, err)
	require.Empty(t, none)
	for i, id := range []string{"aa-1", "ab-2", "b-3"} {
		require.NoError(t, s.BeginRun(t.Context(), RunRecord(id, time.Unix(int64(1000+i), 0))))
	}
	require.NoError(t, s.PutCase(t.Context(), "ab-2", CaseRecord("c")))
	runs, err := s.Runs(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, runs, 2)
	assert.Equal(t, []string{"b-3", "ab-2"}, []string{runs[0].ID, runs[1].ID})
	assert.Empty(t, runs[0].Cases)
	second, err := s.Latest(t.Context(), 1, func(r results.Run) bool { return r.ID == "b-3" })
	require.NoError(t, err)
	assert.Equal(t, "aa-1", second.ID, "one is passed over")
	_, err = s.Latest(t.Context(), 3, func(results.Run) bool { return false })
	require.ErrorIs(t, err, store.ErrNotFound)
	assert.Equal(t, []results.Case{withoutEvents(CaseRecord("c"))}, runs[1].Cases, "each with its own cases, without the events of their boots")
}

func foundByBeginning(t *testing.T, s Store, _ func() Store) {
	_, err := s.Run(t.Context(), "")
	require.ErrorIs(t, err, store.ErrNotFound, "an empty store has no latest run")
	for i, id := range []string{"aa", "aab", "ab_", "b"} {
		require.NoError(t, s.BeginRun(t.Context(), RunRecord(id, time.Unix(int64(1000+i), 0))))
	}
	for _, tt := range []struct{ name, id, want, err string }{
		{"the whole id", "b", "b", ""},
		{"the latest, where none is given", "", "b", ""},
		{"a beginning that only one has", "ab", "ab_", ""},
		{"a whole id that another one begins with", "aa", "aa", ""},
		{"a beginning that several have", "a", "", "several begin so"},
		{"one that is not there", "zz", "", "not found"},
		{"what LIKE would take for a wildcard", "a_", "", "not found"},
		{"what would end an SQL string", "b' --", "", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Run(t.Context(), tt.id)
			if tt.err != "" {
				require.ErrorIs(t, err, store.ErrNotFound)
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.ID)
		})
	}
}

func replaces(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	first, second := CaseRecord("c"), CaseRecord("c")
	second.Verdict, second.Duration, second.Attempts = "pass", time.Second, nil
	require.NoError(t, s.PutCase(t.Context(), "r", first))
	require.NoError(t, s.PutCase(t.Context(), "r", second))
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Equal(t, []results.Case{second}, got.Cases)
}

func inOrder(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	for i, id := range []string{"third", "second", "first"} {
		c := CaseRecord(id)
		c.Started = c.Started.Add(-time.Duration(i) * time.Nanosecond)
		require.NoError(t, s.PutCase(t.Context(), "r", c))
	}
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	var ids []string
	for _, c := range got.Cases {
		ids = append(ids, c.ID)
	}
	assert.Equal(t, []string{"first", "second", "third"}, ids)
}

func refusesOrphans(t *testing.T, s Store, _ func() Store) {
	require.Error(t, s.PutCase(t.Context(), "absent", CaseRecord("c")))
}

func storesAtOnce(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for i := range cap(errs) {
		wg.Go(func() { errs <- s.PutCase(context.Background(), "r", CaseRecord(fmt.Sprintf("c%d", i))) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Len(t, got.Cases, 100)
}

func keepsToTheContext(t *testing.T, s Store, _ func() Store) {
	require.NoError(t, s.BeginRun(t.Context(), RunRecord("r", time.Unix(1, 0))))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.PutCase(ctx, "r", CaseRecord("c")), context.Canceled)
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Empty(t, got.Cases)
}
