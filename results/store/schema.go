package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"

	"bootrace/results"
)

// One directory for both databases: text ids, BIGINT nanoseconds, no types or
// functions that only one of them has.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. Two that migrate at once would both try
// to create the same tables: the caller sees to it that there is one.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, options ...goose.ProviderOption) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, dir, options...)
	if err != nil {
		return err
	}
	known := p.ListSources()
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	switch newest := known[len(known)-1].Version; {
	case have > newest:
		return fmt.Errorf("its schema has version %d, this bootrace knows %d: use the newer bootrace, or another store (--db, BOOTRACE_STATE)", have, newest)
	case have == newest:
		return nil // a reader needs no right to write
	}
	_, err = p.Up(ctx)
	return err
}

// indexVersion is the version of what putCase makes of a document. Whoever
// changes it, raises it: cases with a lower one are indexed anew.
const indexVersion = 1

// reindex makes the index of cases that were stored without one.
func (s *Store) reindex(ctx context.Context) error {
	runs, err := query(ctx, s.db, text, `SELECT DISTINCT run_id FROM cases WHERE indexed < $1`, indexVersion)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := s.within(ctx, func(tx *sql.Tx) error { return s.reindexRun(ctx, tx, run) }); err != nil {
			return fmt.Errorf("index run %s: %w", run, err)
		}
	}
	return nil
}

// reindexRun claims the cases before it reads them: what another process stores
// meanwhile waits, and stays.
func (s *Store) reindexRun(ctx context.Context, tx *sql.Tx, run string) error {
	ids, err := query(ctx, tx, text, `UPDATE cases SET indexed = $1 WHERE run_id = $2 AND indexed < $1 RETURNING id`, indexVersion, run)
	if err != nil {
		return err
	}
	cases, err := casesWithEvents(ctx, tx, run)
	if err != nil {
		return err
	}
	for _, c := range slices.DeleteFunc(cases, func(c results.Case) bool { return !slices.Contains(ids, c.ID) }) {
		if err := s.putCase(ctx, tx, run, c); err != nil {
			return err
		}
	}
	return nil
}
