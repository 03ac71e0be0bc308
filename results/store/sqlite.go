package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"
)

// lite is SQLite's dialect.
type lite struct{}

func openSQLite(ctx context.Context, path string) (*Store, error) {
	s := &Store{name: path, where: path, dialect: dialectOf(path)}
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
	if err := s.migrateFile(ctx); err != nil {
		_ = db.Close()
		return nil, s.explain("open results", err)
	}
	return s, nil
}

// migrateFile migrates under a lock file: goose has no lock for SQLite.
func (s *Store) migrateFile(ctx context.Context) error {
	lock, err := os.OpenFile(s.name+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close() // and with it the lock
	if err := exclusive(ctx, lock, migrationTimeout); err != nil {
		return err
	}
	return migrate(ctx, s.db, goose.DialectSQLite3)
}

// migrationTimeout bounds the wait for another process that migrates: a minute
// for the documents of 20,000 cases, else well under a second.
const migrationTimeout = time.Minute

// exclusive takes the lock. flock(2) can only wait for ever, hence the polling.
func exclusive(ctx context.Context, lock *os.File, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
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

// insert has a statement prepared: lists of values are 30 times slower here.
func (lite) insert(ctx context.Context, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	places := make([]string, len(columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	into, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(places, ", ")))
	if err != nil {
		return err
	}
	defer into.Close()
	for _, row := range rows {
		if _, err := into.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

func (lite) advise(err error) error {
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

// away: other writers have held the file for the whole of the wait.
func (lite) away(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}
