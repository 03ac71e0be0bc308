package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func run(id string, started time.Time) results.Run {
	return results.Run{
		Version: results.Version, ID: id, Started: started.UTC(), Subject: "populator", Hash: "h", Vector: "stand-in",
		Planned: 2, Dir: "/recordings", Versions: map[string]string{"kernel": "6"},
	}
}

func endedCase(id string) results.Case {
	return results.Case{
		ID: id, Scenario: "delay-45s", Base: "trixie", Subject: "populator", Hash: "h", Backend: "container", Repetition: 1,
		Expected: "pass", Verdict: "fail", Reason: "start-rate: 9 starts in 10 s", Vector: "stand-in 0.56",
		Started: time.Unix(1_700_000_000, 123_456_789).UTC(), Duration: 57 * time.Second, Waited: 55 * time.Second,
		Recording: "/recordings/" + id + ".1",
		Attempts: []results.Attempt{{
			Verdict: "fail", Reason: "start-rate: 9 starts in 10 s", Recording: "/recordings/" + id + ".1",
			Versions: map[string]string{"systemd": "257", "vector": "stand-in 0.56"},
			Boot: &results.Boot{
				End: 57 * time.Second, Measures: map[string]float64{results.MeasureMultiUser: 1.25, results.MeasureRestarts: 1},
				Events: []results.Event{
					{At: time.Second, Until: 2 * time.Second, Lane: results.LaneStart, Name: "vector.service"},
					{At: 45 * time.Second, Lane: results.LaneFile, Name: "worker.env", Text: "complete"},
				},
			},
			Checks: []results.Check{{Name: "start-rate", Outcome: "fail", Note: "9 of 3", Findings: []results.Finding{{
				Summary: "9 starts in 10 s", At: 1500 * time.Millisecond, Unit: "vector.service",
				Evidence: []results.Evidence{{File: "journal.json.gz", Line: 812, Text: "Started Vector — “quoted”, a tab\tand NUL-free"}},
			}}}},
		}},
	}
}

func TestWhatCannotBeOpenedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  []string
	}{
		{"a file of another kind", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("this is a text and has never been a database, however long it goes on and on"), 0o600))
		}, []string{"results.db", "damaged", "move it away"}},
		{"a file whose pages were overwritten", func(t *testing.T, path string) {
			s, err := Open(t.Context(), path)
			require.NoError(t, err)
			require.NoError(t, s.Close()) // what is in the WAL would mend it
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.WriteAt(make([]byte, 4000), 100) // all of page 1 but the header
			require.NoError(t, err)
		}, []string{"results.db", "damaged", "move it away"}},
		{"the schema of a newer bootrace", func(t *testing.T, path string) {
			s := open(t, path)
			_, err := s.db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
			require.NoError(t, err)
		}, []string{"results.db", "version 9999", "use the newer bootrace"}},
		{"a directory in its place", func(t *testing.T, path string) {
			require.NoError(t, os.Mkdir(path, 0o700))
		}, []string{"results.db", "cannot be written"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "results.db")
			tt.spoil(t, path)
			_, err := Open(t.Context(), path)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestAnUnwritableDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sealed")
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755)) // nobody gets as far as dir
	require.NoError(t, os.Mkdir(dir, 0o555))
	for _, path := range []string{filepath.Join(dir, "results.db"), filepath.Join(dir, "sub", "results.db")} {
		err := asNobody(func() error {
			_, err := Open(context.Background(), path)
			return err
		})
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, "BOOTRACE_STATE", "it says what to do")
	}
}

// A full disk and a full page budget are the same SQLITE_FULL to SQLite
// (sqlite.org/rescode.html#full).
func TestAFullDiskLosesNothingThatWasStored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.db")
	s := open(t, path)
	s.db.SetMaxOpenConns(1) // the pragma is one connection's
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	var pages int
	require.NoError(t, s.db.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages))
	_, err := s.db.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+20))
	require.NoError(t, err)
	fillsUp(t, s, path)
}

// fillsUp stores cases until one is refused, and looks for all that were not.
func fillsUp(t *testing.T, s *Store, path string) {
	t.Helper()
	var stored int
	var err error
	for stored = 0; stored < 10_000; stored++ {
		if err = s.PutCase(t.Context(), "r", endedCase(fmt.Sprintf("c%d", stored))); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "free space there; what had been stored is safe")
	require.ErrorContains(t, err, path)
	require.Positive(t, stored)
	got, err := s.Run(t.Context(), "r")
	require.NoError(t, err)
	assert.Len(t, got.Cases, stored)
}

func TestATinyFileSystemThatFillsUp(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("bootrace-test", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("mounting a tmpfs needs CAP_SYS_ADMIN (%v); TestAFullDiskLosesNothingThatWasStored shows the same by max_page_count", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	path := filepath.Join(dir, "results.db")
	s := open(t, path)
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	fillsUp(t, s, path)
}

func TestOpeningEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.db")
	open(t, path)
	lock, err := os.OpenFile(path+".lock", os.O_RDWR, 0)
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := Open(ctx, path)
		done <- err
	}()
	select {
	case err := <-done:
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, path+".lock", "it says what it waited for")
	case <-time.After(answerWithin):
		require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_UN))
		<-done
		t.Fatal("Open waited on for the lock after its context had ended")
	}
}

func TestReadersDoNotStopTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.db")
	s, reader := open(t, path), open(t, path)
	require.NoError(t, s.BeginRun(t.Context(), run("r", time.Unix(1, 0))))
	rows, err := reader.db.QueryContext(t.Context(), `SELECT id FROM runs`)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	ctx, cancel := context.WithTimeout(t.Context(), answerWithin)
	defer cancel()
	require.NoError(t, s.PutCase(ctx, "r", endedCase("c")), "while the reader is in the middle of a result")
	require.NoError(t, rows.Err())
}
