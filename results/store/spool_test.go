package store

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
	"bootrace/results"
)

// nobody is the URL of a server that is not there. A port that was free a moment
// ago could be another test's by now.
const nobody = "postgres://user@127.0.0.1:1/results?sslmode=disable"

// silent is the URL of a server that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return at(l)
}

func at(l net.Listener) string {
	return fmt.Sprintf("postgres://user@%s/results?sslmode=disable", l.Addr())
}

// inVain is how long tests wait for a database that will not answer; one that will
// may take its time on a busy host.
const inVain = 300 * time.Millisecond

func openSpool(t *testing.T, where, dir string, patience time.Duration) *Spool {
	t.Helper()
	s, err := openSpoolWithin(t.Context(), where, dir, patience)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestWhatADatabaseCannotTakeWaitsOnTheDisk(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]string{"nobody listens": nobody, "nobody answers": silent(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := openSpool(t, where, dir, inVain)
			require.NoError(t, s.Waiting(), "nothing was written yet")
			r := run("r", time.Unix(1, 0))
			require.NoError(t, s.BeginRun(t.Context(), r))
			require.NoError(t, s.PutCase(t.Context(), "r", endedCase("c")))
			r.Ended = time.Unix(2, 0).UTC()
			require.NoError(t, s.EndRun(t.Context(), r))
			err := s.Waiting()
			require.ErrorContains(t, err, "results of 1 runs wait in "+dir)
			require.ErrorContains(t, err, "cannot be reached")

			// By the file of another store, which stands for the database that is back.
			db := open(t, filepath.Join(t.TempDir(), "results.db"))
			path := spoolFile(s.dir, "r")
			require.NoError(t, send(t.Context(), path, straight(db)))
			got, err := db.Run(t.Context(), "r")
			require.NoError(t, err)
			r.Cases = []results.Case{endedCase("c")}
			assert.Equal(t, r, got)
			require.NoError(t, s.Waiting(), "what was sent is gone")
		})
	}
}

// straight sends to an open store.
func straight(db *Store) tries {
	return func(ctx context.Context, f func(context.Context, *Store) error) error { return f(ctx, db) }
}

func TestADatabaseThatDoesNotAnswerIsNotAskedByEachWrite(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var asked atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			asked.Add(1)
		}
	}()
	began := time.Now()
	s := openSpool(t, at(l), t.TempDir(), inVain)
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	for i := range 20 {
		require.NoError(t, s.PutCase(t.Context(), "r", endedCase(fmt.Sprintf("c%d", i))))
	}
	assert.LessOrEqual(t, asked.Load(), 1+int64(time.Since(began)/tryEvery), "21 writes, each of which could ask")
}

func TestASpoolForANewRunSendsWhatAnEarlierOneLeft(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	where, dir := server.Database(t), t.TempDir()
	early := openSpool(t, where, dir, inVain)
	server.Freeze(t) // connections are taken, and nobody answers
	require.NoError(t, early.BeginRun(t.Context(), run("early", time.Unix(1, 0))))
	require.NoError(t, early.PutCase(t.Context(), "early", endedCase("c")))
	require.Error(t, early.Waiting())
	server.Thaw(t)

	late := openSpool(t, where, dir, answerWithin)
	require.NoError(t, late.Deliver(t.Context()))
	require.NoError(t, late.Waiting())
	isThereOnce(t, open(t, where), "early", map[string]bool{"c": true})
	require.NoError(t, late.Deliver(t.Context()), "there is nothing to do")
}

func TestARunSendsWhatWaitsWithItsNextWrite(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	where := server.Database(t)
	s := openSpool(t, where, t.TempDir(), answerWithin)
	server.Kill(t)
	r := run("r", time.Unix(1, 0))
	require.NoError(t, s.BeginRun(t.Context(), r))
	require.NoError(t, s.PutCase(t.Context(), "r", endedCase("c0")))
	require.Error(t, s.Waiting())
	server.Again(t)
	server.Wait(t)
	s.mu.Lock()
	s.again = time.Time{} // tryEvery is over
	s.mu.Unlock()
	require.NoError(t, s.PutCase(t.Context(), "r", endedCase("c1")))
	require.NoError(t, s.Waiting())
	isThereOnce(t, open(t, where), "r", map[string]bool{"c0": true, "c1": true})
}

func TestAFileThatAnotherWriterHoldsIsWaitedForOnTheDisk(t *testing.T) {
	t.Parallel()
	where := filepath.Join(t.TempDir(), "results.db")
	s := openSpool(t, where, t.TempDir(), answerWithin)
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	holder, err := open(t, where).db.BeginTx(t.Context(), nil) // immediate
	require.NoError(t, err)
	s.patience = inVain
	require.NoError(t, s.PutCase(t.Context(), "r", endedCase("c")))
	require.ErrorContains(t, s.Waiting(), "not done within 300ms")
	require.NoError(t, holder.Rollback())
	s.patience = answerWithin
	require.NoError(t, s.EndRun(t.Context(), run("r", time.Unix(1, 0))))
	require.NoError(t, s.Waiting())
	isThereOnce(t, open(t, where), "r", map[string]bool{"c": true})
}

func TestAnErrorThatIsNotOfReachabilityIsTheWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	where := filepath.Join(t.TempDir(), "results.db")
	s := openSpool(t, where, dir, answerWithin)
	require.ErrorContains(t, s.PutCase(t.Context(), "absent", endedCase("c")), "FOREIGN KEY")
	require.NoError(t, s.Waiting(), "it would be refused for ever")

	// What got there all the same is said each time, and keeps nobody else waiting.
	require.NoError(t, appendEntry(t.Context(), spoolFile(s.dir, "absent"), entry{Of: "absent", Case: new(results.Case)}))
	r := run("r", time.Unix(1, 0))
	require.NoError(t, appendEntry(t.Context(), spoolFile(s.dir, "r"), entry{Run: &r}))
	for range 2 {
		err := s.Deliver(t.Context())
		require.ErrorContains(t, err, spoolFile(s.dir, "absent")+":1")
		require.ErrorContains(t, err, "FOREIGN KEY")
	}
	_, err := open(t, where).Run(t.Context(), "r")
	require.NoError(t, err)
	require.ErrorContains(t, s.Waiting(), "results of 1 runs wait")
}

func TestAnEndedContextIsNotTheDatabasesFault(t *testing.T) {
	t.Parallel()
	s := openSpool(t, filepath.Join(t.TempDir(), "results.db"), t.TempDir(), answerWithin)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.BeginRun(ctx, run("r", time.Unix(1, 0))), context.Canceled)
	require.NoError(t, s.Waiting())
}

func TestWhatACrashLeftOfALineIsNotSent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spool", "r.jsonl")
	r := run("r", time.Unix(1, 0))
	require.NoError(t, appendEntry(t.Context(), path, entry{Run: &r}))
	tear := func() {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString(`{"of":"r","case":{"id":"` + strings.Repeat("torn", 40_000))
		require.NoError(t, err)
	}
	tear()
	c := endedCase("c")
	require.NoError(t, appendEntry(t.Context(), path, entry{Of: "r", Case: &c}))
	tear()
	db := open(t, filepath.Join(t.TempDir(), "results.db"))
	require.NoError(t, send(t.Context(), path, straight(db)))
	isThereOnce(t, db, "r", map[string]bool{"c": true})
	assert.NoFileExists(t, path)
}

func TestASenderThatDiesHalfwayDoublesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.jsonl")
	r := run("r", time.Unix(1, 0))
	require.NoError(t, appendEntry(t.Context(), path, entry{Run: &r}))
	seen := map[string]bool{}
	for i := range 5 {
		c := endedCase(fmt.Sprintf("c%d", i))
		require.NoError(t, appendEntry(t.Context(), path, entry{Of: "r", Case: &c}))
		seen[c.ID] = true
	}
	db := open(t, filepath.Join(t.TempDir(), "results.db"))
	left := 3
	err := send(t.Context(), path, func(ctx context.Context, f func(context.Context, *Store) error) error {
		if left--; left < 0 {
			return net.ErrClosed
		}
		return f(ctx, db)
	})
	require.ErrorIs(t, err, net.ErrClosed)
	require.FileExists(t, path, "all of it is sent again")
	require.NoError(t, send(t.Context(), path, straight(db)))
	isThereOnce(t, db, "r", seen)
}

// Writers and senders, as many processes would: each has the file open by itself.
func TestWritersAndSendersAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.jsonl")
	db := open(t, filepath.Join(t.TempDir(), "results.db"))
	require.NoError(t, db.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	seen := map[string]bool{}
	var writers, senders sync.WaitGroup
	written := make(chan struct{})
	errs := make(chan error, 1000)
	for w := range 3 {
		for i := range 20 {
			seen[fmt.Sprintf("c%d-%d", w, i)] = true
		}
		writers.Go(func() {
			for i := range 20 {
				c := endedCase(fmt.Sprintf("c%d-%d", w, i))
				errs <- appendEntry(t.Context(), path, entry{Of: "r", Case: &c})
			}
		})
	}
	for range 2 {
		senders.Go(func() {
			for {
				select {
				case <-written:
					return
				case errs <- send(t.Context(), path, straight(db)):
				case <-t.Context().Done():
					return
				}
			}
		})
	}
	failed := make(chan error, 1)
	go func() {
		var first error
		for err := range errs {
			if first == nil {
				first = err
			}
		}
		failed <- first
	}()
	writers.Wait()
	close(written)
	senders.Wait()
	close(errs)
	require.NoError(t, <-failed)
	require.NoError(t, send(t.Context(), path, straight(db)))
	isThereOnce(t, db, "r", seen)
}

func TestASpoolIsADatabasesWhateverItsPassword(t *testing.T) {
	t.Parallel()
	dir := func(user *url.Userinfo, host, query string) string {
		d, err := spoolDir("spool", (&url.URL{Scheme: "postgres", User: user, Host: host, Path: "/results", RawQuery: query}).String())
		require.NoError(t, err)
		return d
	}
	one := dir(url.User("user"), "host", "")
	assert.Equal(t, one, dir(url.UserPassword("user", "a"), "host", ""))
	assert.Equal(t, one, dir(url.UserPassword("user", "b"), "host", ""))
	assert.Equal(t, one, dir(url.User("user"), "host", url.Values{"password": {"c"}}.Encode()))
	assert.NotEqual(t, one, dir(url.User("user"), "other", ""))
	assert.NotEqual(t, one, dir(url.User("other"), "host", ""))
}

func TestASpoolIsOneFilesWhereverItIsNamed(t *testing.T) {
	dir := func(where string) string {
		d, err := spoolDir("spool", where)
		require.NoError(t, err)
		return d
	}
	here, there := t.TempDir(), t.TempDir()
	t.Chdir(here)
	one := dir("results.db")
	assert.Equal(t, one, dir(filepath.Join(here, "results.db")))
	t.Chdir(there)
	assert.NotEqual(t, one, dir("results.db"), "what waits for one is not sent to another of the same name")
}
