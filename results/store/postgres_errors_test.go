package store

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
)

func TestAnAddressThatIsNoURLIsNotShown(t *testing.T) {
	t.Parallel()
	const word = "p0rridge" // stands for the password
	for _, where := range []string{
		"postgres://user:" + word + "/x@127.0.0.1/db", "postgres://user:%" + word + "@127.0.0.1/db", "postgres://user:" + word + "@[::1/db",
		"postgres://user:x@127.0.0.1:" + word + "/db", "postgresql://user:" + word + "\x7f@127.0.0.1/db",
		"postgres://user:" + word + "@127.0.0.1:1/db?sslmode=disable", "postgres://user@127.0.0.1:1/db?sslmode=disable&password=" + word,
		"postgres://user:" + word + "@127.0.0.1:1/db?sslmode=bogus", "postgres://user:" + word + "@127.0.0.1:1/db?connect_timeout=x",
	} {
		_, err := Open(t.Context(), where)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), word, strings.ReplaceAll(where, word, "…"))
	}
}

// Tests that leave the server as it is share one: it takes seconds to start.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, *postgrestest.Server)
	}{
		{"processes store into one at once", func(t *testing.T, s *postgrestest.Server) { storeAtOnce(t, s.Database(t)) }},
		{"cases from before the index are indexed", func(t *testing.T, s *postgrestest.Server) {
			upgrades(t, "postgres", s.Database(t), goose.DialectPostgres)
		}},
		{"a connection cut at any moment loses nothing", cutAtAnyMoment},
		{"what it refuses says what to do", refusals},
		{"a reader only reads", readerOnlyReads},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(t, server)
		})
	}
}

func refusals(t *testing.T, server *postgrestest.Server) {
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(server.Database(t))
		require.NoError(t, err)
		change(u)
		return u.String()
	}
	for _, tt := range []struct {
		name  string
		where string
		want  []string
	}{
		{"a wrong password", with(func(u *url.URL) { u.User = url.UserPassword("postgres", "p0rridge") }), []string{"postgres@", "the password is wrong: set PGPASSWORD"}},
		{"a database that is not there", server.URL("nosuch"), []string{"nosuch", "createdb"}},
		{"a user who may not", with(func(u *url.URL) {
			server.Exec(t, "CREATE ROLE stranger LOGIN PASSWORD 'p0rridge'")
			u.User = url.UserPassword("stranger", "p0rridge")
		}), []string{"stranger@", "the user may read there at most"}},
		{"a server that is not there", with(func(u *url.URL) {
			q := u.Query()
			q.Set("host", t.TempDir())
			u.RawQuery = q.Encode()
		}), []string{"cannot be reached"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.where)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "p0rridge")
			_, err = OpenSpool(t.Context(), tt.where, t.TempDir())
			assert.Equal(t, tt.name != "a server that is not there", err != nil, "the spool is for what cannot be reached: %v", err)
		})
	}
	t.Run("the schema of a newer bootrace", func(t *testing.T) {
		where := server.Database(t)
		s := open(t, where)
		_, err := s.db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
		require.NoError(t, err)
		_, err = Open(t.Context(), where)
		require.ErrorContains(t, err, "version 9999")
		require.ErrorContains(t, err, "use the newer bootrace")
	})
}

// A reader of results needs no right to write them.
func readerOnlyReads(t *testing.T, server *postgrestest.Server) {
	where := server.Database(t)
	s := open(t, where)
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	server.Exec(t, "CREATE ROLE reader LOGIN PASSWORD 'p0rridge'")
	_, err := s.db.ExecContext(t.Context(), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
	require.NoError(t, err)
	u, err := url.Parse(where)
	require.NoError(t, err)
	u.User = url.UserPassword("reader", "p0rridge")
	reader := open(t, u.String())
	_, err = reader.Run(t.Context(), "r")
	require.NoError(t, err)
	err = reader.BeginRun(t.Context(), run("r", time.Unix(1, 0)))
	require.ErrorContains(t, err, "the user may read there at most")
}

func TestASilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	began := time.Now()
	_, err := openWithin(t.Context(), silent(t), 300*time.Millisecond)
	require.ErrorContains(t, err, "cannot be reached")
	assert.Less(t, time.Since(began), 20*time.Second)
}
