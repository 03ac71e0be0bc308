package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
	"bootrace/results"
)

// What a nightly run has of each case, and more runs than two years have nights.
const (
	benchRuns   = 1000
	benchCases  = 20
	benchEvents = 40
)

func benchCase(run, n int) results.Case {
	c := endedCase(fmt.Sprintf("scenario-%d@trixie#1", n))
	c.Scenario = fmt.Sprintf("scenario-%d", n)
	c.Started = time.Unix(1_700_000_000+int64(run*3600+n), 0).UTC()
	a := &c.Attempts[0]
	a.Versions = map[string]string{"systemd": "257", "vector": "stand-in 0.56", "engine": "20.10", "kernel": "6.18"}
	a.Boot = &results.Boot{End: time.Minute, Measures: map[string]float64{}}
	for i, name := range []string{results.MeasureMultiUser, results.MeasureControl, results.MeasureCredentials, results.MeasureRestarts,
		results.MeasureHeadroom, results.MeasureLines, results.MeasureDelivered, results.MeasureRequests} {
		a.Boot.Measures[name] = float64(run+i) / 3
	}
	for i := range benchEvents {
		a.Boot.Events = append(a.Boot.Events, results.Event{At: time.Duration(i) * time.Second, Until: time.Duration(i+1) * time.Second,
			Lane: results.LaneStart, Name: fmt.Sprintf("unit-%d.service", i), Text: "activating"})
	}
	if n%5 != 0 {
		c.Verdict, a.Checks = "pass", []results.Check{{Name: "start-rate", Outcome: "pass", Note: "3 of 9"}}
	}
	return c
}

// Filled by whole runs, as an import is: a case a transaction would take minutes.
func fill(b *testing.B, s *Store) {
	b.Helper()
	began := time.Now()
	for i := range benchRuns {
		r := run(fmt.Sprintf("r%04d", i), time.Unix(1_700_000_000+int64(i*3600), 0))
		r.Ended = r.Started.Add(time.Minute)
		for n := range benchCases {
			r.Cases = append(r.Cases, benchCase(i, n))
		}
		require.NoError(b, s.within(b.Context(), func(tx *sql.Tx) error { return s.putWhole(b.Context(), tx, r) }))
	}
	b.Logf("%d runs of %d cases in %s", benchRuns, benchCases, time.Since(began).Round(time.Second))
}

func BenchmarkAThousandRuns(b *testing.B) {
	for _, on := range []struct {
		name  string
		where func(b *testing.B) string
	}{
		{"sqlite", func(b *testing.B) string { return filepath.Join(b.TempDir(), "results.db") }},
		{"postgres", func(b *testing.B) string { return postgrestest.Start(b).Database(b) }},
	} {
		b.Run(on.name, func(b *testing.B) {
			where := on.where(b)
			s, err := Open(b.Context(), where)
			require.NoError(b, err)
			fill(b, s)
			require.NoError(b, s.Close())
			for _, what := range []struct {
				name string
				do   func(b *testing.B, s *Store)
			}{
				{"all samples", func(b *testing.B, s *Store) {
					all, err := s.Samples(b.Context(), results.Filter{})
					require.NoError(b, err)
					require.Len(b, all, benchRuns*benchCases)
				}},
				{"samples of the newest 50 runs", func(b *testing.B, s *Store) {
					all, err := s.Samples(b.Context(), results.Filter{Runs: 50})
					require.NoError(b, err)
					require.Len(b, all, 50*benchCases)
				}},
				{"samples of a scenario", func(b *testing.B, s *Store) {
					all, err := s.Samples(b.Context(), results.Filter{Scenario: "scenario-7"})
					require.NoError(b, err)
					require.Len(b, all, benchRuns)
				}},
				{"list of 20 runs", func(b *testing.B, s *Store) {
					all, err := s.Runs(b.Context(), 20)
					require.NoError(b, err)
					require.Len(b, all, 20)
				}},
				{"one run", func(b *testing.B, s *Store) {
					r, err := s.Run(b.Context(), "r0500")
					require.NoError(b, err)
					require.Len(b, r.Cases, benchCases)
				}},
				{"store a case", func(b *testing.B, s *Store) { require.NoError(b, s.PutCase(b.Context(), "r0999", benchCase(999, 0))) }},
			} {
				b.Run(what.name, func(b *testing.B) {
					for b.Loop() { // opening included, as a verb does
						s, err := Open(b.Context(), where)
						require.NoError(b, err)
						what.do(b, s)
						require.NoError(b, s.Close())
					}
				})
			}
		})
	}
}
