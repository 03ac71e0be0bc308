package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"bootrace/results"
)

// Policy says which runs are kept: those that it names by one of its fields.
type Policy struct {
	Keep   int       // the newest so many
	Before time.Time // those that began at this time or later; zero: none for its age
	Now    time.Time
}

// abandoned is how long after its start a run with cases to boot may still go on,
// or be resumed.
const abandoned = 24 * time.Hour

// Stale returns the runs that a policy does not keep, without their cases, the
// oldest first. A run without an end, or one that was interrupted before its last
// case, is none of them on the day of its start.
func (s *Store) Stale(ctx context.Context, p Policy) ([]results.Run, error) {
	var stale []results.Run
	_, err := query(ctx, s.db, func(rows *sql.Rows) (r results.Run, err error) {
		var doc string
		var cases int
		if err := rows.Scan(&doc, &cases); err != nil {
			return r, err
		}
		if err := json.Unmarshal([]byte(doc), &r); err != nil {
			return r, err
		}
		old := p.Before.IsZero() || r.Started.Before(p.Before)
		whole := !r.Ended.IsZero() && cases >= r.Planned
		if old && (whole || p.Now.Sub(r.Started) >= abandoned) {
			stale = append(stale, r)
		}
		return r, nil
	}, `SELECT document, (SELECT count(*) FROM cases WHERE run_id = runs.id) FROM runs
		WHERE id NOT IN (SELECT id FROM runs ORDER BY started_ns DESC, id DESC LIMIT $1) ORDER BY started_ns, id`, p.Keep)
	return stale, s.explain("read", err)
}

// Remove removes a run with all that is stored of it; one that is not there is no
// error. SQLite's file does not shrink: what comes next takes the room.
func (s *Store) Remove(ctx context.Context, run string) error {
	return s.explain("remove run from", s.within(ctx, func(tx *sql.Tx) error { return removeRun(ctx, tx, run) }))
}

func removeRun(ctx context.Context, tx *sql.Tx, run string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM cases WHERE run_id = $1`, run); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM runs WHERE id = $1`, run)
	return err
}
