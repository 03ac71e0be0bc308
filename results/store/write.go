package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bootrace/results"
)

// BeginRun stores a run that begins.
func (s *Store) BeginRun(ctx context.Context, r results.Run) error { return s.putRun(ctx, r) }

// EndRun stores a run's end.
func (s *Store) EndRun(ctx context.Context, r results.Run) error { return s.putRun(ctx, r) }

func (s *Store) putRun(ctx context.Context, r results.Run) error {
	return s.explain("store run in", s.within(ctx, func(tx *sql.Tx) error { return putRun(ctx, tx, r) }))
}

func putRun(ctx context.Context, tx *sql.Tx, r results.Run) error {
	r.Version, r.Cases = results.Version, nil
	doc, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO runs (id, started_ns, ended_ns, document) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET ended_ns = excluded.ended_ns, document = excluded.document`,
		r.ID, nanoseconds(r.Started), nanoseconds(r.Ended), string(doc))
	return err
}

// PutCase stores a case that has ended, with all that is its index; storing it
// again replaces it. Run returns what was put, but for the NULs in the texts of
// events: PostgreSQL's TEXT has none, and they come back as U+FFFD.
func (s *Store) PutCase(ctx context.Context, run string, c results.Case) error {
	return s.explain("store case in", s.within(ctx, func(tx *sql.Tx) error { return s.putCase(ctx, tx, run, c) }))
}

func (s *Store) putCase(ctx context.Context, tx *sql.Tx, run string, c results.Case) error {
	doc, err := json.Marshal(withoutEvents(c))
	if err != nil {
		return err
	}
	// It comes first, and locks: of two that store the same case one waits.
	decided := slices.IndexFunc(c.Attempts, func(a results.Attempt) bool { return a.Recording == c.Recording })
	if _, err := tx.ExecContext(ctx, `INSERT INTO cases (run_id, id, scenario, base, verdict, vector, started_ns, duration_ns,
			indexed, subject, subject_hash, backend, expected, attempts, decided)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (run_id, id) DO UPDATE SET scenario = excluded.scenario, base = excluded.base, verdict = excluded.verdict,
			vector = excluded.vector, started_ns = excluded.started_ns, duration_ns = excluded.duration_ns,
			indexed = excluded.indexed, subject = excluded.subject, subject_hash = excluded.subject_hash,
			backend = excluded.backend, expected = excluded.expected, attempts = excluded.attempts, decided = excluded.decided`,
		run, c.ID, plain(c.Scenario), plain(c.Base), c.Verdict, plain(c.Vector), nanoseconds(c.Started), c.Duration.Nanoseconds(),
		indexVersion, plain(c.Subject), c.Hash, c.Backend, c.Expected, len(c.Attempts), decided); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO documents (run_id, case_id, document) VALUES ($1, $2, $3)
		ON CONFLICT (run_id, case_id) DO UPDATE SET document = excluded.document`, run, c.ID, string(doc)); err != nil {
		return err
	}
	// And with the attempts all that is of them.
	if _, err := tx.ExecContext(ctx, `DELETE FROM attempts WHERE run_id = $1 AND case_id = $2`, run, c.ID); err != nil {
		return err
	}
	for _, t := range tables {
		var rows [][]any
		for n, a := range c.Attempts {
			for _, row := range t.rows(n, a) {
				rows = append(rows, append([]any{run, c.ID, n}, row...))
			}
		}
		if len(rows) == 0 {
			continue
		}
		if err := s.dialect.insert(ctx, tx, t.name, append([]string{"run_id", "case_id"}, t.columns...), rows); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// tables are what is kept of an attempt beside its document, attempts first: the
// others refer to it. rows gives the columns after the attempt's number.
var tables = []struct {
	name    string
	columns []string
	rows    func(n int, a results.Attempt) [][]any
}{
	{"attempts", []string{"n", "verdict", "reason", "recording", "end_ns"}, func(_ int, a results.Attempt) [][]any {
		var end int64
		if a.Boot != nil {
			end = a.Boot.End.Nanoseconds()
		}
		return [][]any{{a.Verdict, plain(a.Reason), plain(a.Recording), end}}
	}},
	{"findings", []string{"attempt", "check_name", "n", "at_ns", "unit", "summary"}, func(_ int, a results.Attempt) (rows [][]any) {
		seen := map[string]int{}
		for _, c := range a.Checks {
			for _, f := range c.Findings {
				rows = append(rows, []any{plain(c.Name), seen[c.Name], f.At.Nanoseconds(), plain(f.Unit), plain(f.Summary)})
				seen[c.Name]++
			}
		}
		return rows
	}},
	{"events", []string{"attempt", "n", "at_ns", "until_ns", "lane", "name", "text", "bad"}, func(_ int, a results.Attempt) (rows [][]any) {
		if a.Boot == nil {
			return nil
		}
		for n, e := range a.Boot.Events {
			rows = append(rows, []any{n, e.At.Nanoseconds(), e.Until.Nanoseconds(), plain(string(e.Lane)), plain(e.Name), plain(e.Text), e.Bad})
		}
		return rows
	}},
	{"versions", []string{"attempt", "name", "version"}, func(_ int, a results.Attempt) (rows [][]any) {
		for _, name := range slices.Sorted(maps.Keys(a.Versions)) {
			rows = append(rows, []any{plain(name), plain(a.Versions[name])})
		}
		return rows
	}},
	{"measures", []string{"attempt", "name", "value"}, func(_ int, a results.Attempt) (rows [][]any) {
		if a.Boot == nil {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(a.Boot.Measures)) {
			rows = append(rows, []any{plain(name), a.Boot.Measures[name]})
		}
		return rows
	}},
	{"artifacts", []string{"attempt", "name", "sha256", "size"}, func(_ int, a results.Attempt) (rows [][]any) {
		for _, f := range byName(a.Artifacts) {
			rows = append(rows, []any{plain(f.Name), plain(f.SHA256), f.Size})
		}
		return rows
	}},
}

// byName gives each name once: a recording has no two files of one name.
func byName(files []results.Artifact) []results.Artifact {
	order := func(a, b results.Artifact) int { return cmp.Compare(a.Name, b.Name) }
	return slices.CompactFunc(slices.SortedStableFunc(slices.Values(files), order), func(a, b results.Artifact) bool { return a.Name == b.Name })
}

// plain makes a text one that every database takes: UTF-8 without NUL.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// withoutEvents leaves out what the table events has.
func withoutEvents(c results.Case) results.Case {
	c.Attempts = slices.Clone(c.Attempts)
	for i, a := range c.Attempts {
		if a.Boot != nil && len(a.Boot.Events) > 0 {
			boot := *a.Boot
			boot.Events = nil
			c.Attempts[i].Boot = &boot
		}
	}
	return c
}
