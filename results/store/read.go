package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bootrace/results"
)

// Runs returns the latest runs with their cases, the newest first. The events of
// their boots are left out: Run has them.
func (s *Store) Runs(ctx context.Context, limit int) ([]results.Run, error) {
	runs, err := query(ctx, s.db, document[results.Run], `SELECT document FROM runs ORDER BY started_ns DESC, id DESC LIMIT $1`, limit)
	for i := 0; i < len(runs) && err == nil; i++ {
		runs[i].Cases, err = cases(ctx, s.db, runs[i].ID)
	}
	if err != nil {
		return nil, s.explain("read", err)
	}
	return runs, nil
}

// Latest returns the run that began last, or as many before that one as back says, with its
// cases. Those that pass over is true of do not count.
func (s *Store) Latest(ctx context.Context, back int, pass func(results.Run) bool) (results.Run, error) {
	runs, err := query(ctx, s.db, document[results.Run], `SELECT document FROM runs ORDER BY started_ns DESC, id DESC`)
	if err != nil {
		return results.Run{}, s.explain("read", err)
	}
	all := len(runs)
	runs = slices.DeleteFunc(runs, pass)
	switch {
	case all == 0:
		return results.Run{}, fmt.Errorf("no run is stored in %s: %w", s.name, ErrNotFound)
	case back >= len(runs):
		return results.Run{}, fmt.Errorf("of the %d runs stored in %s %d have ended: %w", all, s.name, len(runs), ErrNotFound)
	}
	return s.Run(ctx, runs[back].ID)
}

// Run returns a run with its cases, as they were put. The id may be cut short
// where that is unambiguous; an empty one is the latest run.
func (s *Store) Run(ctx context.Context, id string) (results.Run, error) {
	runs, err := query(ctx, s.db, document[results.Run], `SELECT document FROM runs WHERE substr(id, 1, $1) = $2
		ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END, started_ns DESC, id DESC LIMIT 2`, len(id), id)
	switch {
	case err != nil:
		return results.Run{}, s.explain("read", err)
	case len(runs) == 0 && id == "":
		return results.Run{}, fmt.Errorf("no run is stored in %s: %w", s.name, ErrNotFound)
	case len(runs) == 0:
		return results.Run{}, fmt.Errorf("run %s: %w", id, ErrNotFound)
	case len(runs) > 1 && id != "" && runs[0].ID != id:
		return results.Run{}, fmt.Errorf("run %s: several begin so, %s and %s among them: %w", id, runs[0].ID, runs[1].ID, ErrNotFound)
	}
	runs[0].Cases, err = casesWithEvents(ctx, s.db, runs[0].ID)
	return runs[0], s.explain("read", err)
}

func cases(ctx context.Context, q querier, run string) ([]results.Case, error) {
	return query(ctx, q, document[results.Case], `SELECT d.document FROM cases c JOIN documents d ON d.run_id = c.run_id AND d.case_id = c.id
		WHERE c.run_id = $1 ORDER BY c.started_ns, c.id`, run)
}

// attemptKey is an attempt of a run.
type attemptKey struct {
	caseID string
	n      int
}

func casesWithEvents(ctx context.Context, q querier, run string) ([]results.Case, error) {
	list, err := cases(ctx, q, run)
	if err != nil {
		return nil, err
	}
	events := map[attemptKey][]results.Event{}
	if _, err := query(ctx, q, func(rows *sql.Rows) (e results.Event, err error) {
		var of attemptKey
		err = rows.Scan(&of.caseID, &of.n, &e.At, &e.Until, &e.Lane, &e.Name, &e.Text, &e.Bad)
		events[of] = append(events[of], e)
		return e, err
	}, `SELECT case_id, attempt, at_ns, until_ns, lane, name, text, bad FROM events
		WHERE run_id = $1 ORDER BY case_id, attempt, n`, run); err != nil {
		return nil, err
	}
	for _, c := range list {
		for n, a := range c.Attempts {
			if e := events[attemptKey{c.ID, n}]; len(e) > 0 && a.Boot != nil {
				a.Boot.Events = e
			}
		}
	}
	return list, nil
}

// Samples returns the cases that f chooses, ordered by their start. It reads no
// documents.
func (s *Store) Samples(ctx context.Context, f results.Filter) ([]results.Sample, error) {
	where, args := condition(f)
	samples, err := query(ctx, s.db, func(rows *sql.Rows) (c results.Sample, err error) {
		var started int64
		err = rows.Scan(&c.Run, &c.Case, &started, &c.Scenario, &c.Base, &c.Subject, &c.Hash, &c.Backend, &c.Vector, &c.Expected, &c.Verdict, &c.Attempts)
		if started != 0 {
			c.Started = time.Unix(0, started).UTC()
		}
		return c, err
	}, `SELECT c.run_id, c.id, c.started_ns, c.scenario, c.base, c.subject, c.subject_hash, c.backend,
		c.vector, c.expected, c.verdict, c.attempts FROM cases c WHERE `+where+` ORDER BY c.started_ns, c.run_id, c.id`, args...)
	if err != nil {
		return nil, s.explain("read", err)
	}
	at := make(map[[2]string]*results.Sample, len(samples))
	for i, c := range samples {
		at[[2]string{c.Run, c.Case}] = &samples[i]
	}
	err = decided(ctx, s.db, "versions", "version", where, args, at, func(c *results.Sample) *map[string]string { return &c.Versions })
	if err == nil {
		err = decided(ctx, s.db, "measures", "value", where, args, at, func(c *results.Sample) *map[string]float64 { return &c.Measures })
	}
	if err != nil {
		return nil, s.explain("read", err)
	}
	return samples, nil
}

// decided reads names and values of the attempts that decided into their samples.
func decided[V any](ctx context.Context, q querier, table, column, where string, args []any, at map[[2]string]*results.Sample, in func(*results.Sample) *map[string]V) error {
	_, err := query(ctx, q, func(rows *sql.Rows) (value V, err error) {
		var key [2]string
		var name string
		if err := rows.Scan(&key[0], &key[1], &name, &value); err != nil {
			return value, err
		}
		if c := at[key]; c != nil { // else it was stored since the first question
			m := in(c)
			if *m == nil {
				*m = map[string]V{}
			}
			(*m)[name] = value
		}
		return value, nil
	}, fmt.Sprintf(`SELECT c.run_id, c.id, v.name, v.%s FROM cases c
		JOIN %s v ON v.run_id = c.run_id AND v.case_id = c.id AND v.attempt = c.decided WHERE %s`, column, table, where), args...)
	return err
}

// condition is a filter in SQL.
func condition(f results.Filter) (where string, args []any) {
	where = "1 = 1"
	and := func(text string, arg any) {
		args = append(args, arg)
		where += " AND " + fmt.Sprintf(text, len(args))
	}
	for _, is := range [][2]string{{"run_id", f.Run}, {"scenario", f.Scenario}, {"base", f.Base}, {"subject", f.Subject}} {
		if is[1] != "" {
			and("c."+is[0]+" = $%d", is[1])
		}
	}
	if !f.Since.IsZero() {
		and("c.started_ns >= $%d", f.Since.UnixNano())
	}
	if f.Runs > 0 {
		and("c.run_id IN (SELECT id FROM runs ORDER BY started_ns DESC, id DESC LIMIT $%d)", f.Runs)
	}
	return where, args
}

// query reads all rows that come of a question.
func query[T any](ctx context.Context, q querier, read func(*sql.Rows) (T, error), question string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// text reads a column of text.
func text(rows *sql.Rows) (s string, err error) {
	err = rows.Scan(&s)
	return s, err
}

// document reads a column of JSON.
func document[T any](rows *sql.Rows) (v T, err error) {
	doc, err := text(rows)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(doc), &v)
}
