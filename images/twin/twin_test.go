package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

func TestWatchTellsReplacedFromWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	w, err := newWatch(dir)
	require.NoError(t, err)
	events := make(chan change, 64)
	go func() {
		_ = w.run(func(c change) error { events <- c; return nil })
	}()
	path := filepath.Join(dir, "vector.env")
	ops := func(last string) []string {
		var got []string
		for {
			select {
			case c := <-events:
				got = append(got, c.op)
				if c.op == last {
					return got
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("no %s event within 10 s; seen: %v", last, got)
			}
		}
	}
	require.NoError(t, os.WriteFile(path, []byte("A=1\n"), 0o600))
	assert.Equal(t, []string{"create", "modify", "close"}, ops("close"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, ".vector.env123"), []byte("A=2\n"), 0o600))
	require.NoError(t, os.Rename(filepath.Join(dir, ".vector.env123"), path))
	assert.Equal(t, []string{"create", "modify", "close", "remove", "rename"}, ops("rename"), "of the temporary file, but for the last")

	require.NoError(t, os.Chmod(dir, 0o777))
	assert.Equal(t, []string{"attrib"}, ops("attrib"), "of the directory itself")

	require.NoError(t, os.Remove(path))
	assert.Equal(t, []string{"remove"}, ops("remove"))

	elsewhere := t.TempDir()
	target := filepath.Join(elsewhere, "real.env")
	require.NoError(t, os.WriteFile(target, []byte("A=1\n"), 0o600))
	require.NoError(t, os.Symlink(target, path))
	assert.Equal(t, []string{"create"}, ops("create"))
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "new"), []byte("A=2\n"), 0o600))
	require.NoError(t, os.Rename(filepath.Join(elsewhere, "new"), target))
	assert.Equal(t, []string{"rename"}, ops("rename"), "where the link leads, and of nothing else there")

	// A version beside it, the link moved to that, and the one before removed.
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "v2.env"), []byte("A=3\n"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "v2.env"), filepath.Join(dir, "link")))
	require.NoError(t, os.Rename(filepath.Join(dir, "link"), path))
	require.NoError(t, os.Remove(target))
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "v2.env"), []byte("A=4\n"), 0o600))
	assert.Equal(t, []string{"create", "remove", "rename", "modify", "close"}, slices.Compact(ops("close")), "what it leads to now, and no removal of what it led to")
}

func TestWatchFollowsALinkWhoseWayIsMadeLater(t *testing.T) {
	dir, run := t.TempDir(), t.TempDir()
	path, target := filepath.Join(dir, "vector.env"), filepath.Join(run, "a", "b", "real.env")
	require.NoError(t, os.Symlink(target, path))
	w, err := newWatch(dir)
	require.NoError(t, err)
	w.follow("vector.env")
	whole := make(chan string, 64)
	go func() {
		_ = w.run(func(c change) error {
			if data, err := os.ReadFile(path); err == nil && c.name == "vector.env" {
				whole <- string(data)
			}
			return nil
		})
	}()
	require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o700))
	for _, text := range []string{"A=1\n", "A=2\n"} {
		temporary := filepath.Join(filepath.Dir(target), "new")
		require.NoError(t, os.WriteFile(temporary, []byte(text), 0o600))
		require.NoError(t, os.Rename(temporary, target))
		require.Eventually(t, func() bool {
			select {
			case got := <-whole:
				return got == text
			default:
				return false
			}
		}, 10*time.Second, time.Millisecond)
	}
}

func TestLinesAreNumberedWithoutGaps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pr, pw := io.Pipe()
	go func() { _ = pw.CloseWithError(logLines(ctx, pw, "boot-logger", "text")) }()
	in := bufio.NewScanner(pr)
	for want := 1; want <= 3; want++ {
		require.True(t, in.Scan())
		var l recording.Line
		require.NoError(t, json.Unmarshal(in.Bytes(), &l))
		assert.Equal(t, want, l.Seq)
		assert.GreaterOrEqual(t, l.LateUS, int64(0))
	}
}

func TestWorkerRegistersBeforeItLogs(t *testing.T) {
	var got map[string]string
	tries := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		assert.Equal(t, "/v1/workers/register", r.URL.Path)
		_ = json.NewDecoder(r.Body).Decode(&got)
	}))
	defer srv.Close()
	env := map[string]string{"OPENSANDBOX_CONTROL_PLANE_URL": srv.URL, "OPENSANDBOX_WORKER_ID": "worker-1"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pr, pw := io.Pipe()
	go func() { _ = pw.CloseWithError(worker(ctx, func(k string) string { return env[k] }, pw)) }()
	in := bufio.NewScanner(pr)
	require.True(t, in.Scan())
	assert.Contains(t, in.Text(), "503", "the first try's error is logged")
	require.True(t, in.Scan())
	assert.Contains(t, in.Text(), `"seq":1`)
	assert.Equal(t, "worker-1", got["worker_id"])
}

func TestWorkerWithoutWorkerEnvSaysSo(t *testing.T) {
	err := worker(t.Context(), func(string) string { return "" }, io.Discard)
	require.ErrorContains(t, err, "worker.env has not been written")
}
