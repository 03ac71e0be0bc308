package store

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"bootrace/results"
)

// Export writes runs as JSON Lines, a run with its cases a line: those of the
// ids, or their beginnings; without any, all, the oldest first.
func (s *Store) Export(ctx context.Context, w io.Writer, ids ...string) error {
	if len(ids) == 0 {
		var err error
		if ids, err = query(ctx, s.db, text, `SELECT id FROM runs ORDER BY started_ns, id`); err != nil {
			return s.explain("read", err)
		}
	}
	enc := json.NewEncoder(w)
	for _, id := range ids {
		r, err := s.Run(ctx, id)
		if err != nil {
			return err
		}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("export run %s: %w", r.ID, err)
		}
	}
	return nil
}

// Import stores the runs that Export wrote and returns how many there were. A run
// is stored whole or not at all; one that is there already is replaced, case by
// case. It stops at the first line that is damaged, and names it.
func (s *Store) Import(ctx context.Context, r io.Reader) (imported int, err error) {
	for run, err := range Exported(r) {
		if err != nil {
			return imported, fmt.Errorf("line %d: %w; the %d runs before it are stored", imported+1, err, imported)
		}
		if err := s.explain("store run in", s.within(ctx, func(tx *sql.Tx) error { return s.putWhole(ctx, tx, run) })); err != nil {
			return imported, fmt.Errorf("line %d: run %s: %w", imported+1, run.ID, err)
		}
		imported++
	}
	return imported, nil
}

// Exported reads the runs that Export wrote, a line each. It ends with the first error.
func Exported(r io.Reader) iter.Seq2[results.Run, error] {
	return func(yield func(results.Run, error) bool) {
		for lines := bufio.NewReader(r); ; {
			line, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				return
			}
			var run results.Run
			if err == nil || errors.Is(err, io.EOF) {
				run, err = readRun(line)
			}
			if !yield(run, err) || err != nil {
				return
			}
		}
	}
}

// PutMerged stores a run that was merged of others, in their place.
func (s *Store) PutMerged(ctx context.Context, r results.Run) error {
	return s.explain("store run in", s.within(ctx, func(tx *sql.Tx) error {
		for _, id := range r.Shards {
			if err := removeRun(ctx, tx, id); err != nil {
				return err
			}
		}
		return s.putWhole(ctx, tx, r)
	}))
}

func readRun(line []byte) (r results.Run, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("no run as bootrace export writes it: %w", err)
	}
	switch {
	case r.Version != results.Version:
		return r, fmt.Errorf("its format has version %d, this bootrace knows %d", r.Version, results.Version)
	case r.ID == "" || r.Started.IsZero():
		return r, errors.New("no run as bootrace export writes it: it has no id or no start")
	}
	for i, c := range r.Cases {
		if c.ID == "" {
			return r, fmt.Errorf("run %s: case %d of %d has no id", r.ID, i+1, len(r.Cases))
		}
	}
	return r, nil
}

// putWhole stores a run with its cases. The end of one that has ended stays when
// what comes in was exported before it.
func (s *Store) putWhole(ctx context.Context, tx *sql.Tx, r results.Run) error {
	var ended int64
	err := tx.QueryRowContext(ctx, `SELECT ended_ns FROM runs WHERE id = $1`, r.ID).Scan(&ended)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if ended == 0 || !r.Ended.IsZero() {
		if err := putRun(ctx, tx, r); err != nil {
			return err
		}
	}
	for _, c := range r.Cases {
		if err := s.putCase(ctx, tx, r.ID, c); err != nil {
			return fmt.Errorf("case %s: %w", c.ID, err)
		}
	}
	return nil
}
