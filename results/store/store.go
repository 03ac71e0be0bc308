// Package store keeps results in an embedded SQLite file. Each case is stored as
// it ends, in a transaction of its own: what is in the store survives the death
// of whoever wrote it.
//
//	s, err := store.Open(ctx, path)
//	defer s.Close()
//	err = s.PutCase(ctx, run.ID, c)
package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"bootrace/results"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNotFound says that there is no such run or case.
var ErrNotFound = errors.New("not found")

// Store is an open results file. It may be used from several goroutines, and
// several processes may have the same file open.
type Store struct {
	db   *sql.DB
	path string
}

// Open opens the file, creating it and its directory, and brings its schema up
// to date.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{path: path}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, s.explain("open results", err)
	}
	// _txlock=immediate: a transaction that first reads could not become a writer
	// while another process writes (sqlite.org/lang_transaction.html).
	// synchronous=FULL: with NORMAL a power failure takes the last commits of a WAL
	// back (sqlite.org/pragma.html#pragma_synchronous), and a case is minutes of work.
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(20000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, s.explain("open results", err)
	}
	s.db = db
	if err := s.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, s.explain("open results", err)
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// migrate runs under a lock file: two processes that migrate at once both try to
// create the same tables.
func (s *Store) migrate(ctx context.Context) error {
	lock, err := os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close() // and with it the lock
	if err := exclusive(ctx, lock); err != nil {
		return err
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, dir)
	if err != nil {
		return err
	}
	known := p.ListSources()
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if newest := known[len(known)-1].Version; have > newest {
		return fmt.Errorf("its schema has version %d, this bootrace knows %d: use the newer bootrace, or another file (BOOTRACE_STATE)", have, newest)
	}
	_, err = p.Up(ctx)
	return err
}

// lockTimeout bounds the wait for another process that migrates, which takes it
// well under a second.
const lockTimeout = 20 * time.Second

// exclusive takes the lock. flock(2) can only wait for ever, hence the polling.
func exclusive(ctx context.Context, lock *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for began := time.Now(); ; {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock %s: %w", lock.Name(), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: another process has held it for %s: %w", lock.Name(), time.Since(began).Round(time.Millisecond), ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// explain adds to the errors of SQLite and of the file system what to do.
func (s *Store) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s %s: %w", what, s.path, err)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: it cannot be written; set BOOTRACE_STATE to a directory that can", err)
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w: free space there; what had been stored is safe", err, syscall.ENOSPC)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: the file is damaged or is none of ours; move it away, a new one is made", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: it cannot be written; set BOOTRACE_STATE to a directory that can", err)
	}
	return err
}

// BeginRun stores a run that begins.
func (s *Store) BeginRun(ctx context.Context, r results.Run) error { return s.putRun(ctx, r) }

// EndRun stores a run's end.
func (s *Store) EndRun(ctx context.Context, r results.Run) error { return s.putRun(ctx, r) }

func (s *Store) putRun(ctx context.Context, r results.Run) error {
	r.Version, r.Cases = results.Version, nil
	doc, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO runs (id, started_ns, ended_ns, document) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET ended_ns = excluded.ended_ns, document = excluded.document`,
		r.ID, nanoseconds(r.Started), nanoseconds(r.Ended), string(doc))
	return s.explain("store run in", err)
}

// PutCase stores a case that has ended; storing it again replaces it.
func (s *Store) PutCase(ctx context.Context, run string, c results.Case) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO cases (run_id, id, scenario, base, verdict, vector, started_ns, duration_ns, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (run_id, id) DO UPDATE SET verdict = excluded.verdict, vector = excluded.vector,
			started_ns = excluded.started_ns, duration_ns = excluded.duration_ns, document = excluded.document`,
		run, c.ID, c.Scenario, c.Base, c.Verdict, c.Vector, nanoseconds(c.Started), c.Duration.Nanoseconds(), string(doc))
	return s.explain("store case in", err)
}

// Runs returns the latest runs with their cases, the newest first.
func (s *Store) Runs(ctx context.Context, limit int) ([]results.Run, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM runs ORDER BY started_ns DESC, id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, s.explain("read", err)
	}
	runs, err := documents[results.Run](rows)
	if err != nil {
		return nil, s.explain("read", err)
	}
	for i := range runs {
		if runs[i].Cases, err = s.cases(ctx, runs[i].ID); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// Run returns a run with its cases. The id may be cut short where that is
// unambiguous; an empty one is the latest run.
func (s *Store) Run(ctx context.Context, id string) (results.Run, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM runs WHERE substr(id, 1, $1) = $2
		ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END, started_ns DESC, id DESC LIMIT 2`, len(id), id)
	if err != nil {
		return results.Run{}, s.explain("read", err)
	}
	runs, err := documents[results.Run](rows)
	switch {
	case err != nil:
		return results.Run{}, s.explain("read", err)
	case len(runs) == 0 && id == "":
		return results.Run{}, fmt.Errorf("no run is stored in %s: %w", s.path, ErrNotFound)
	case len(runs) == 0:
		return results.Run{}, fmt.Errorf("run %s: %w", id, ErrNotFound)
	case len(runs) > 1 && id != "" && runs[0].ID != id:
		return results.Run{}, fmt.Errorf("run %s: several begin so, %s and %s among them: %w", id, runs[0].ID, runs[1].ID, ErrNotFound)
	}
	runs[0].Cases, err = s.cases(ctx, runs[0].ID)
	return runs[0], err
}

func (s *Store) cases(ctx context.Context, run string) ([]results.Case, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT document FROM cases WHERE run_id = $1 ORDER BY started_ns, id`, run)
	if err != nil {
		return nil, s.explain("read", err)
	}
	cases, err := documents[results.Case](rows)
	return cases, s.explain("read", err)
}

// documents reads a column of JSON documents.
func documents[T any](rows *sql.Rows) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return nil, err
		}
		var v T
		if err := json.Unmarshal([]byte(doc), &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
