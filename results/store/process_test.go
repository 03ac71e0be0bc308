package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// writerEnv makes the test binary a process that only writes cases.
const writerEnv = "BOOTRACE_TEST_STORE_WRITER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(writerEnv); spec != "" {
		if err := writer(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writer stores cases into a run of its own, and prints the id of each one that
// is stored. spec: where, run, how many, and the directory of its spool or nothing.
func writer(spec string) error {
	part := strings.Split(spec, "\n")
	var n int
	if _, err := fmt.Sscan(part[2], &n); err != nil {
		return err
	}
	ctx := context.Background()
	var s interface {
		BeginRun(context.Context, results.Run) error
		PutCase(context.Context, string, results.Case) error
		Close() error
	}
	var err error
	if part[3] != "" {
		s, err = OpenSpool(ctx, part[0], part[3])
	} else {
		s, err = Open(ctx, part[0])
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.BeginRun(ctx, run(part[1], time.Unix(1, 0))); err != nil {
		return err
	}
	for i := range n {
		c := endedCase(fmt.Sprintf("c%d", i))
		if err := s.PutCase(ctx, part[1], c); err != nil {
			return err
		}
		fmt.Println(c.ID)
	}
	return nil
}

func startWriter(t *testing.T, where, run string, n int, spool string) (*exec.Cmd, *bufio.Scanner, *strings.Builder) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%s\n%d\n%s", writerEnv, where, run, n, spool))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out), &stderr
}

// Nothing is there yet, so they migrate at once, too.
func storeAtOnce(t *testing.T, where string) {
	t.Helper()
	const processes, each = 4, 40
	wait := make([]func(), processes)
	for i := range wait {
		cmd, out, stderr := startWriter(t, where, fmt.Sprintf("r%d", i), each, "")
		wait[i] = func() {
			for out.Scan() {
			}
			require.NoError(t, cmd.Wait(), stderr.String())
		}
	}
	for _, w := range wait {
		w()
	}
	s := open(t, where)
	for i := range processes {
		got, err := s.Run(t.Context(), fmt.Sprintf("r%d", i))
		require.NoError(t, err)
		assert.Len(t, got.Cases, each)
	}
}

func TestProcessesStoreIntoOneFileAtOnce(t *testing.T) {
	t.Parallel()
	storeAtOnce(t, filepath.Join(t.TempDir(), "results.db"))
}

func TestAKilledWriterHasLostNothingItHadStored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.db")
	for i := range 10 {
		id := fmt.Sprintf("r%d", i)
		cmd, out, _ := startWriter(t, path, id, 100_000, "")
		seen := map[string]bool{}
		for range 1 + 7*i { // killed at another point each time, while it goes on writing
			require.True(t, out.Scan())
			seen[out.Text()] = true
		}
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		for out.Scan() { // what it had printed before it died is stored as well
			seen[out.Text()] = true
		}
		require.ErrorContains(t, cmd.Wait(), "killed")

		s, err := Open(t.Context(), path)
		require.NoError(t, err)
		isThereOnce(t, s, id, seen)
		require.NoError(t, s.Close())
	}
}

// isThereOnce wants all cases of a run that were seen to be stored, at most one
// more, each of them whole, and nothing of them doubled.
func isThereOnce(t *testing.T, s *Store, run string, seen map[string]bool) {
	t.Helper()
	got, err := s.Run(t.Context(), run)
	if errors.Is(err, ErrNotFound) && len(seen) == 0 {
		return // ended before it began
	}
	require.NoError(t, err)
	stored := map[string]bool{}
	events := 0
	for _, c := range got.Cases {
		require.False(t, stored[c.ID], "case %s is there twice", c.ID)
		stored[c.ID] = true
		require.Equal(t, endedCase(c.ID), c, "whole, or not there")
		events += len(c.Attempts[0].Boot.Events)
	}
	for c := range seen {
		require.True(t, stored[c], "case %s had been stored and is gone", c)
	}
	require.LessOrEqual(t, len(stored), len(seen)+1, "nothing that nobody stored")
	for table, want := range map[string]int{"attempts": len(stored), "findings": len(stored), "events": events, "measures": 2 * len(stored)} {
		var have int
		require.NoError(t, s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table+" WHERE run_id = $1", run).Scan(&have))
		require.Equal(t, want, have, table)
	}
}

// asNobody calls f on a thread that has no privileges with files, and lets the
// thread end with it: setfsuid(2) also drops the file capabilities of root.
func asNobody(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		_ = syscall.Setfsuid(65534)
		done <- f()
	}()
	return <-done
}
