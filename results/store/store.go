// Package store keeps results in a database: an embedded SQLite file, or a
// PostgreSQL that several hosts share. Each case is stored as it ends, in a
// transaction of its own: what is in the store survives the death of whoever
// wrote it. A case's document is what comes back; attempts, findings, events,
// versions, measures and artifacts are its index, for questions across runs.
//
//	s, err := store.Open(ctx, "state/results.db") // or postgres://user@host/database
//	defer s.Close()
//	err = s.PutCase(ctx, run.ID, c)
//
// A writer that must not lose what a lost connection would take writes through a
// Spool.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNotFound says that there is no such run or case.
var ErrNotFound = errors.New("not found")

// Store is an open store. It may be used from several goroutines, and several
// processes may have the same one open.
type Store struct {
	db      *sql.DB
	name    string // the file, or the URL without its password
	where   string // what Open was given
	dialect dialect
}

// dialect is in what databases differ, schema and queries aside.
type dialect interface {
	// insert inserts rows in the way that is fast there.
	insert(ctx context.Context, tx *sql.Tx, table string, columns []string, rows [][]any) error
	// advise adds to an error what to do about it.
	advise(err error) error
	// away reports whether the database could not be reached, or could not serve for
	// the moment: the same may work later.
	away(err error) bool
}

// dialectOf is the dialect of what Open would open.
func dialectOf(where string) dialect {
	if isURL(where) {
		return postgres{}
	}
	return lite{}
}

// answerWithin bounds the wait for an answer of a database. On SQLite a writer
// waits for the writers before it, 20 ms each; PostgreSQL answers in a few ms.
const answerWithin = 15 * time.Second

// Open opens a store and brings its schema up to date. where is a URL with the
// scheme postgres or postgresql (lib/pq has its parameters; PGPASSWORD and
// ~/.pgpass keep the password out of it), else the path of a SQLite file, which
// is created with its directory.
func Open(ctx context.Context, where string) (*Store, error) {
	return openWithin(ctx, where, answerWithin)
}

func openWithin(ctx context.Context, where string, patience time.Duration) (s *Store, err error) {
	if isURL(where) {
		s, err = openPostgres(ctx, where, patience)
	} else {
		s, err = openSQLite(ctx, where)
	}
	if err != nil {
		return nil, err
	}
	if err := s.reindex(ctx); err != nil {
		_ = s.db.Close()
		return nil, s.explain("bring up to date", err)
	}
	return s, nil
}

func isURL(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// Takes says why where is nothing that Open opens: a URL of another database, which would be
// taken for the path of a file.
func Takes(where string) error {
	if scheme, _, ok := strings.Cut(where, "://"); ok && !isURL(where) {
		return fmt.Errorf("results in %s://…: expected postgres://USER@HOST/NAME, or the path of a file", scheme)
	}
	return nil
}

// Close closes the store. A connection that was lost before is closed.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil && !s.dialect.away(err) {
		return s.explain("close", err)
	}
	return nil
}

// explain says what was tried, on what, and what to do.
func (s *Store) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	return s.dialect.advise(fmt.Errorf("%s %s: %w", what, s.name, err))
}

// within calls f in a transaction.
func (s *Store) within(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// querier is a *sql.DB or a *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
