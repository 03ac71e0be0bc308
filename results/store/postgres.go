package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgres is PostgreSQL's dialect.
type postgres struct{}

// connections bounds what one process takes of the server's, which has 100 for
// everybody unless it is told otherwise (max_connections).
const connections = 8

func openPostgres(ctx context.Context, where string, patience time.Duration) (*Store, error) {
	name, err := withoutPassword(where)
	if err != nil {
		return nil, err
	}
	s := &Store{name: name, where: where, dialect: dialectOf(where)}
	connector, err := pq.NewConnector(where)
	if err != nil {
		return nil, s.explain("open results", err)
	}
	connector.Dialer(dialer{patience: patience})
	s.db = sql.OpenDB(connector)
	s.db.SetMaxOpenConns(connections)
	s.db.SetMaxIdleConns(connections)
	// Tried once a second: who is before us may have much to move.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(migrationTimeout/time.Second)))
	if err == nil {
		err = migrate(ctx, s.db, goose.DialectPostgres, goose.WithSessionLocker(locker))
	}
	if err != nil {
		_ = s.db.Close()
		return nil, s.explain("open results", err)
	}
	return s, nil
}

// withoutPassword is a URL as it may be shown. The error of one that is none does
// not show it: what url.Parse quotes may be the password.
func withoutPassword(where string) (string, error) {
	u, err := url.Parse(where)
	if err != nil || u.Opaque != "" {
		return "", errors.New("the address of the database is no URL: expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %xx for each of :/?#[]@% in the password; better, set PGPASSWORD and leave it out")
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	for _, secret := range []string{"password", "sslpassword", "passfile"} {
		q.Del(secret)
	}
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String(), nil
}

// dialer gives each connection a bound for the wait for an answer: lib/pq waits
// on for the server when a context ends.
type dialer struct{ patience time.Duration }

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: d.patience}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return impatient{c, d.patience}, nil
}

// impatient is a connection on which each read and each write is bounded.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c impatient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	return n, named(err)
}

func (c impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	return n, named(err)
}

// lostConnection are the words by which an error of the connection is known:
// lib/pq passes some on in a type of its own that does not unwrap (safeRetryError).
const lostConnection = "connection lost"

// named puts the words into an error, whose type lib/pq goes by, too.
func named(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) {
		return err
	}
	lost := *op
	lost.Err = fmt.Errorf("%s: %w", lostConnection, op.Err)
	return &lost
}

// forget closes the connections that nobody uses: lib/pq does not mark each one
// that broke, and the next user would be given it again.
func (s *Store) forget() {
	s.db.SetMaxIdleConns(0)
	s.db.SetMaxIdleConns(connections)
}

// insert copies: one question to the server for all rows.
func (postgres) insert(ctx context.Context, tx *sql.Tx, table string, columns []string, rows [][]any) error {
	into, err := tx.PrepareContext(ctx, fmt.Sprintf("COPY %s (%s) FROM STDIN", table, strings.Join(columns, ", ")))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := into.ExecContext(ctx, row...); err != nil {
			return errors.Join(err, into.Close())
		}
	}
	_, err = into.ExecContext(ctx)
	return errors.Join(err, into.Close())
}

// advice is what to do about an error, by SQLSTATE
// (postgresql.org/docs/current/errcodes-appendix.html).
var advice = map[string]string{
	"28P01": "the password is wrong: set PGPASSWORD, or put it into the URL",
	"28000": "the server does not let this user in: see its pg_hba.conf",
	"3D000": "make the database there (createdb), or name another",
	"42501": "the user may read there at most: have it own the database",
	"53100": "free space on the server; what had been stored is safe",
	"53300": "too many connections: raise max_connections on the server, or run less at once",
}

func (d postgres) advise(err error) error {
	var refused *pq.Error
	if errors.As(err, &refused) {
		if what, ok := advice[string(refused.Code)]; ok {
			if refused.Code == "53100" {
				return fmt.Errorf("%w: %w: %s", err, syscall.ENOSPC, what)
			}
			return fmt.Errorf("%w: %s", err, what)
		}
	}
	if d.away(err) {
		return fmt.Errorf("%w: the database cannot be reached, or does not serve for now: see to it, and to the URL's host and port", err)
	}
	return err
}

// away goes by what the connection says, and by the classes of SQLSTATE that are
// about the server's state and not about what was asked.
func (postgres) away(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		switch string(refused.Code) {
		case "57P01", "57P02", "57P03", // shut down, crashed, starting up
			"53300",          // too many connections
			"40001", "40P01": // two transactions were in each other's way
			return true
		}
		return refused.Code.Class() == "08" // connection exception
	}
	var network net.Error // a deadline of dialer's among them
	return strings.Contains(err.Error(), lostConnection) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
