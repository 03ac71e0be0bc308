package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordingsOf is where recordings of real boots are kept.
const recordingsOf = "../../judge/testdata"

func judgeOf(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, append([]string{"judge"}, args...))
	return code, stdout.String() + stderr.String()
}

func TestJudgeOfARecordingIsAsItWasLive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		code int
		says string
	}{
		{"populator-pre-trixie", exitOK, "pass       pre@trixie#1"},
		{"exit-1-delay-45s-trixie", exitFailure, "vector-active: vector.service is failed/failed at the end"},
		{"starved-pre-trixie", exitInvalid, "invalid"},
	} {
		code, out := judgeOf(t, filepath.Join(recordingsOf, tt.name))
		assert.Equal(t, tt.code, code, out)
		assert.Contains(t, out, tt.says)
	}
}

func TestJudgeOfADirectoryOfRecordingsIsAFleet(t *testing.T) {
	t.Parallel()
	code, out := judgeOf(t, recordingsOf)
	assert.Equal(t, exitFailure, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	entries, err := os.ReadDir(recordingsOf)
	require.NoError(t, err)
	dirs := 0
	for _, e := range entries {
		if e.IsDir() {
			dirs++
			assert.Contains(t, out, e.Name())
		}
	}
	assert.True(t, strings.HasPrefix(lines[0], "fail "), lines[0])
	assert.Regexp(t, `^\d+ fail, .*\d+ pass`, lines[len(lines)-1])
	assert.GreaterOrEqual(t, len(lines), dirs)
}

func TestJudgeOfAJournalFileNeedsJournalctl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "system.journal")
	require.NoError(t, os.WriteFile(path, []byte("LPKSHHRH and no more"), 0o600))
	t.Setenv("PATH", t.TempDir())
	code, out := judgeOf(t, path)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, out, "a .journal file, which journalctl reads, and there is none here")

	// One that reads it, and prints what it has.
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "journalctl"), []byte("#!/bin/sh\nprintf '__REALTIME_TIMESTAMP=1795473573793979\\n_PID=1\\nSYSLOG_IDENTIFIER=systemd\\nUNIT=a.service\\nMESSAGE=a.service: Failed with result %s.\\n\\n' \"'timeout'\"\n"), 0o755))
	t.Setenv("PATH", bin)
	code, out = judgeOf(t, path)
	assert.Equal(t, exitFailure, code)
	assert.Contains(t, out, "a.service failed (timeout)")
}
