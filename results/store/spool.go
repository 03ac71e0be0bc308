package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"bootrace/results"
)

// Spool writes to a store whose database may be out of reach: what it cannot take
// is kept in a file, on the disk, and sent later: with the next write that works,
// at the latest by Deliver in another process. A write returns when what was
// written is safe in one of the two. Errors that are not of reachability are the
// writer's: they do not go into the file.
//
//	s, err := store.OpenSpool(ctx, "postgres://user@host/database", "state/spool")
//	defer s.Close()
//	err = s.PutCase(ctx, run.ID, c)
//	err = s.Waiting() // what is still in the file, and why
type Spool struct {
	where    string
	dir      string // this database's
	patience time.Duration

	mu    sync.Mutex
	store *Store    // nil: it could not be opened yet
	lost  error     // why the last try did not reach the database; nil: it did
	again time.Time // no try before that
}

// tryEvery is how long a database that did not answer is left alone: each try
// may cost the whole wait.
const tryEvery = 5 * time.Second

// OpenSpool opens the store, and is content with one that cannot be reached. dir
// has the spools of all databases.
func OpenSpool(ctx context.Context, where, dir string) (*Spool, error) {
	return openSpoolWithin(ctx, where, dir, answerWithin)
}

func openSpoolWithin(ctx context.Context, where, dir string, patience time.Duration) (*Spool, error) {
	own, err := spoolDir(dir, where)
	if err != nil {
		return nil, err
	}
	s := &Spool{where: where, dir: own, patience: patience}
	if err := s.try(ctx, func(context.Context, *Store) error { return nil }); err != nil && !isAway(err) {
		return nil, err
	}
	return s, nil
}

// BeginRun stores a run that begins.
func (s *Spool) BeginRun(ctx context.Context, r results.Run) error {
	return s.put(ctx, r.ID, entry{Run: &r})
}

// EndRun stores a run's end, and sends what waits.
func (s *Spool) EndRun(ctx context.Context, r results.Run) error {
	s.mu.Lock()
	s.again = time.Time{}
	s.mu.Unlock()
	return s.put(ctx, r.ID, entry{Run: &r})
}

// PutCase stores a case that has ended.
func (s *Spool) PutCase(ctx context.Context, run string, c results.Case) error {
	return s.put(ctx, run, entry{Of: run, Case: &c})
}

// put sends an entry, or has it wait: behind those of its run that wait already,
// for a case cannot come before its run.
func (s *Spool) put(ctx context.Context, run string, e entry) error {
	path := spoolFile(s.dir, run)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err := s.try(ctx, e.put)
		if !isAway(err) {
			return err
		}
	}
	if err := appendEntry(ctx, path, e); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("neither the database nor the spool can take it: %w", errors.Join(s.lost, err))
	}
	if err := send(ctx, path, s.try); err != nil && !isAway(err) {
		return err
	}
	return nil
}

// awayError says that the database did not take something because it is away.
type awayError struct{ error }

func (e awayError) Unwrap() error { return e.error }

func isAway(err error) bool {
	var away awayError
	return errors.As(err, &away)
}

// try calls f with the open store. Its error is an awayError where the database
// could not be reached.
func (s *Spool) try(ctx context.Context, f func(context.Context, *Store) error) error {
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err = f(bounded, db); err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("not done within %s: %w: %w", s.patience, context.DeadlineExceeded, err) // however the driver puts it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard(ctx, err)
}

// open returns the store; while the database is left alone, the last error.
func (s *Spool) open(ctx context.Context) (*Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil && time.Now().Before(s.again) {
		return nil, s.lost
	}
	if s.store != nil {
		return s.store, nil
	}
	db, err := openWithin(ctx, s.where, s.patience)
	if err := s.heard(ctx, err); err != nil {
		return nil, err
	}
	s.store = db
	return db, nil
}

// heard notes what came of a try.
func (s *Spool) heard(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil: // the caller's end, not the database's
		return err
	case err == nil:
		s.lost = nil
		return nil
	case dialectOf(s.where).away(err) || errors.Is(err, context.DeadlineExceeded):
		if s.store != nil {
			s.store.forget()
		}
		s.lost, s.again = awayError{err}, time.Now().Add(tryEvery)
		return s.lost
	}
	return err
}

// Deliver sends what earlier runs left waiting for this database. What waits on
// because the database is away is no error.
func (s *Spool) Deliver(ctx context.Context) error {
	if err := deliver(ctx, s.dir, s.try); !isAway(err) {
		return err
	}
	return nil
}

// Waiting is an error where something still waits: what, where, and why.
func (s *Spool) Waiting() error {
	files, err := spooled(s.dir)
	if err != nil || len(files) == 0 {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = fmt.Errorf("results of %d runs wait in %s; the next bootrace that uses this database sends them", len(files), s.dir)
	if s.lost != nil {
		err = fmt.Errorf("%w: %w", err, s.lost)
	}
	return err
}

// Close closes the store.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}

// Deliver sends what waits for the open store in dir, whoever left it there. Its
// error says what could not be sent, and where it is; the rest is sent.
func Deliver(ctx context.Context, db *Store, dir string) error {
	own, err := spoolDir(dir, db.where)
	if err != nil {
		return err
	}
	return deliver(ctx, own, func(ctx context.Context, f func(context.Context, *Store) error) error { return f(ctx, db) })
}
