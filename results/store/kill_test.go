package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/postgrestest"
)

// acked collects what a writer says is stored, while it goes on.
type acked struct {
	stderr *strings.Builder
	mu     sync.Mutex
	seen   map[string]bool
	more   chan struct{} // closed with the writer's output
}

func follow(out *bufio.Scanner, stderr *strings.Builder) *acked {
	a := &acked{stderr: stderr, seen: map[string]bool{}, more: make(chan struct{})}
	go func() {
		defer close(a.more)
		for out.Scan() {
			a.mu.Lock()
			a.seen[out.Text()] = true
			a.mu.Unlock()
		}
	}()
	return a
}

// await waits until n cases more are stored.
func (a *acked) await(t *testing.T, n int) {
	t.Helper()
	count := func() int { a.mu.Lock(); defer a.mu.Unlock(); return len(a.seen) }
	until := count() + n
	a.until(t, "more cases are stored", func() bool { return count() >= until })
}

// until waits for what the writer will have done.
func (a *acked) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.After(5 * time.Minute); !done(); {
		select {
		case <-a.more:
			t.Fatalf("the writer has ended: %s", a.stderr)
		case <-deadline:
			t.Fatalf("not within 5 minutes: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// Fifty runs are for the night; five show that it works.
func TestNightlyKillNineLosesAndDoublesNothing(t *testing.T) {
	runs := 5
	if os.Getenv("BOOTRACE_NIGHTLY") != "" {
		runs = 50
	}
	server := postgrestest.Start(t)
	where, spool := server.Database(t), t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	killed, cases, sent := map[string]int{}, 0, 0
	waiting := func() []string {
		files, err := filepath.Glob(filepath.Join(spool, "*", "*"))
		require.NoError(t, err)
		return files
	}
	for i := range runs {
		id := fmt.Sprintf("r%d", i)
		cmd, out, stderr := startWriter(t, where, id, 100_000, spool)
		a := follow(out, stderr)
		who := []string{"the harness", "the database", "the database and then the harness", "the harness while the database is away"}[rnd.IntN(4)]
		killed[who]++
		time.Sleep(time.Duration(rnd.IntN(400)) * time.Millisecond) // its opening included
		if who != "the harness" {
			server.Kill(t)
			a.await(t, rnd.IntN(20)) // into the spool
		}
		if who == "the database" || who == "the database and then the harness" {
			server.Again(t)
			a.await(t, rnd.IntN(100)) // it comes back, or not yet
		}
		if who == "the database" {
			server.Wait(t)
			a.await(t, 2) // of which one began only now
			a.until(t, "the writer has sent what waits", func() bool { return len(waiting()) == 0 })
			a.await(t, 20)
		}
		require.NoError(t, cmd.Process.Kill())
		<-a.more
		require.ErrorContains(t, cmd.Wait(), "killed", a.stderr)
		if who == "the harness while the database is away" {
			server.Again(t)
		}
		server.Wait(t)

		s := open(t, where)
		sent += len(waiting())
		if who == "the database" {
			assert.Empty(t, waiting(), "the writer has sent it itself")
		}
		require.NoError(t, Deliver(t.Context(), s, spool))
		isThereOnce(t, s, id, a.seen)
		cases += len(a.seen)
		assert.Empty(t, waiting(), "nothing waits on")
	}
	t.Logf("%d runs, killed: %v; %d cases were stored and are there once, %d runs' were sent later by another process", runs, killed, cases, sent)
}
