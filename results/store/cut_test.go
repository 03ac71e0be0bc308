package store

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
)

// scissors passes connections on, and cuts each after a number of bytes, whose
// bound grows: the first is cut while it opens, the last goes through.
type scissors struct {
	mu   sync.Mutex
	rnd  *rand.Rand
	most int // bytes
	cuts int
}

func (s *scissors) serve(l net.Listener, to string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", to)
		if err != nil {
			_ = client.Close()
			continue
		}
		s.mu.Lock()
		cut := func() { _, _ = client.Close(), server.Close() }
		up, down := s.rnd.IntN(s.most), s.rnd.IntN(s.most)
		s.cuts++
		s.mu.Unlock()
		go func() { _, _ = io.CopyN(server, client, int64(up)); cut() }()
		go func() { _, _ = io.CopyN(client, server, int64(down)); cut() }()
	}
}

func cutAtAnyMoment(t *testing.T, server *postgrestest.Server) {
	u, err := url.Parse(server.Database(t))
	require.NoError(t, err)
	const socket = "/.s.PGSQL.5432"
	whole, q := u.String(), u.Query()
	to, dir := q.Get("host")+socket, t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &scissors{rnd: rand.New(rand.NewPCG(seed, 0)), most: 500}
	go s.serve(l, to)

	db := openSpool(t, u.String(), t.TempDir(), inVain)
	seen := map[string]bool{}
	r := run("r", time.Unix(1, 0))
	require.NoError(t, db.BeginRun(t.Context(), r))
	for i := range 300 {
		db.mu.Lock()
		db.again = time.Time{}
		db.mu.Unlock()
		c := endedCase(fmt.Sprintf("c%d", i))
		began := time.Now()
		require.NoError(t, db.PutCase(t.Context(), "r", c))
		require.Less(t, time.Since(began), 30*time.Second, "it does not hang")
		seen[c.ID] = true
		s.mu.Lock()
		s.most += 100
		s.mu.Unlock()
	}
	s.mu.Lock()
	t.Logf("%d connections", s.cuts)
	s.mu.Unlock()
	uncut := open(t, whole)
	require.NoError(t, deliver(t.Context(), db.dir, straight(uncut)))
	isThereOnce(t, uncut, "r", seen)
}
