package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatHasComeToShippedDirectoriesIsVisitedAndNothingElse(t *testing.T) {
	top := t.TempDir()
	put := func(path string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(top, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(top, path), nil, 0o644))
	}
	for _, path := range []string{"bin/sh", "share/doc/a", "share/man/b", "lib/python/c", "local/bin/d"} {
		put(path)
	}
	known := map[string]bool{filepath.Join(top, "gone"): true}
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			known[path] = true
		}
		return err
	}))
	time.Sleep(50 * time.Millisecond) // above what a file system's clock ticks by
	since := time.Now()
	time.Sleep(50 * time.Millisecond)
	for _, path := range []string{"share/doc/new", "share/doc/made/deep/new", "local/bin/new"} {
		put(path)
	}
	var seen []string
	visit := func(path string, _ fs.DirEntry, err error) error {
		seen = append(seen, strings.TrimPrefix(path, top+"/"))
		if path == filepath.Join(top, "local") {
			return fs.SkipDir // as of a root of its own
		}
		return err
	}
	skip := func(dir string) bool { return strings.HasPrefix(dir, filepath.Join(top, "local")) }
	require.NoError(t, visitKnown(known, since, skip, visit))
	assert.ElementsMatch(t, []string{
		"bin", "lib", "local", "share", // the uppermost is read whatever its age
		"share/doc/a", "share/doc/new", "share/doc/made", "share/doc/made/deep", "share/doc/made/deep/new",
	}, seen)
}

func TestAListOfDirectoriesIsReadAsItWasWritten(t *testing.T) {
	assert.Empty(t, dirsOf(nil), "without a list nothing is known")
	assert.Equal(t, map[string]bool{"/usr": true, "/usr/a\nb": true}, dirsOf([]byte("/usr\x00/usr/a\nb\x00")))
}
