package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/populator/watch"
)

const patience = 10 * time.Second

func TestFilesSignals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(dir string) error
	}{
		{"a file that is created", func(dir string) error { return os.WriteFile(filepath.Join(dir, "worker.env"), nil, 0o600) }},
		{"a file that is renamed to the name", func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "tmp"), nil, 0o600); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, "tmp"), filepath.Join(dir, "worker.env"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			changes := watch.Files(t.Context(), dir, []string{"worker.env"}, time.Hour)
			await(t, changes) // the watch has begun
			require.NoError(t, tc.change(dir))
			await(t, changes)
		})
	}
}

func TestFilesIgnoresOtherNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changes := watch.Files(t.Context(), dir, []string{"worker.env"}, time.Hour)
	await(t, changes)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vector.env"), nil, 0o600))
	select {
	case <-changes:
		t.Fatal("a signal for another file")
	case <-time.After(100 * time.Millisecond):
	}
}

func TestFilesFollowsADirectoryThatComesLater(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "opensandbox")
	changes := watch.Files(t.Context(), dir, []string{"worker.env"}, 20*time.Millisecond)
	await(t, changes)
	require.NoError(t, os.Mkdir(dir, 0o755))
	var st syscall.Stat_t
	require.NoError(t, syscall.Stat(dir, &st))
	// Polls signal as well, so that it is watched is seen elsewhere.
	require.Eventually(t, func() bool { return watched(st.Ino) }, patience, time.Millisecond)
	await(t, changes)
}

// watched says whether an inotify instance of this process watches the inode,
// proc_pid_fdinfo(5).
func watched(inode uint64) bool {
	all, _ := filepath.Glob("/proc/self/fdinfo/*")
	for _, info := range all {
		text, _ := os.ReadFile(info) // it may be closed by now
		if strings.Contains(string(text), fmt.Sprintf(" ino:%x ", inode)) {
			return true
		}
	}
	return false
}

func await(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(patience):
		t.Fatal("no signal")
	}
}
