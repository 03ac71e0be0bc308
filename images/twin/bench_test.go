package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkClosed is what a file that somebody has written costs the boot logger.
func BenchmarkClosed(b *testing.B) {
	dir := b.TempDir() // others may go there
	require.NoError(b, errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)))
	path := filepath.Join(dir, "state")
	require.NoError(b, os.WriteFile(path, []byte(strings.Repeat("STATE=configured and a few words more\n", 100)), 0o644))
	f, err := os.Open(path)
	require.NoError(b, err)
	defer f.Close()
	s := &sentinel{out: io.Discard}
	for b.Loop() {
		require.NoError(b, s.closed(int(f.Fd())))
	}
}
