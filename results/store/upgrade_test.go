package store

import (
	"database/sql"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// atVersion migrates a database to a version of the schema, up or down.
func atVersion(t *testing.T, db *sql.DB, dialect goose.Dialect, version int64) {
	t.Helper()
	dir, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	p, err := goose.NewProvider(dialect, db, dir)
	require.NoError(t, err)
	have, err := p.GetDBVersion(t.Context())
	require.NoError(t, err)
	if have > version {
		_, err = p.DownTo(t.Context(), version)
	} else {
		_, err = p.UpTo(t.Context(), version)
	}
	require.NoError(t, err)
}

func upgrades(t *testing.T, driver, where string, dialect goose.Dialect) {
	t.Helper()
	db, err := sql.Open(driver, where)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	atVersion(t, db, dialect, 1)
	r := run("r", time.Unix(1, 0))
	r.Cases = []results.Case{endedCase("c0"), endedCase("c1")}
	bare := r
	bare.Cases = nil
	doc, err := json.Marshal(bare)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO runs (id, started_ns, ended_ns, document) VALUES ('r', 1, 0, $1)`, string(doc))
	require.NoError(t, err)
	for _, c := range r.Cases {
		doc, err := json.Marshal(c)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), `INSERT INTO cases (run_id, id, scenario, base, verdict, vector, started_ns, duration_ns, document)
			VALUES ('r', $1, 'delay-45s', 'trixie', 'fail', 'stand-in 0.56', $2, 0, $3)`, c.ID, nanoseconds(c.Started), string(doc))
		require.NoError(t, err)
	}

	s := open(t, where)
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Equal(t, r, got, "as it was put, by the bootrace before")
	isThereOnce(t, s, "r", map[string]bool{"c0": true, "c1": true})
	samples, err := s.Samples(t.Context(), results.Filter{Subject: "populator"})
	require.NoError(t, err)
	require.Len(t, samples, 2)
	assert.Equal(t, "257", samples[0].Versions["systemd"])

	// And back: the documents are kept, which is what the first schema has.
	atVersion(t, db, dialect, 1)
	var kept string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT document FROM cases WHERE id = 'c1'`).Scan(&kept))
	assert.Contains(t, kept, `"id":"c1"`)
}

func TestCasesFromBeforeTheIndexAreIndexed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.db")
	upgrades(t, "sqlite", path, goose.DialectSQLite3)
}
