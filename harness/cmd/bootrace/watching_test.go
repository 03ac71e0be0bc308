package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARunIsMadeAgainWhenAFileOfTheSubjectChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "rootfs", "fetch.sh")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o644)) }
	write("one")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	var saw []string
	steps := []func() error{
		func() error { write("while it runs"); return exitError{exitFailure, nil} },
		func() error { // a change of nothing but the mode, from elsewhere
			go func() { assert.NoError(t, os.Chmod(file, 0o755)) }()
			return usage(errors.New("it is half written"))
		},
		func() error { assert.NoError(t, os.Remove(file)); return nil },
		func() error { cancel(); return exitError{exitInvalid, errors.New("interrupted")} },
	}
	err := keepRunning(ctx, streams{err: &stderr}, []string{dir}, func(context.Context) error {
		text, _ := os.ReadFile(file)
		saw = append(saw, string(text))
		return steps[len(saw)-1]()
	})
	assert.EqualError(t, err, "interrupted")
	assert.Equal(t, []string{"one", "while it runs", "while it runs", ""}, saw)
	assert.Contains(t, stderr.String(), "bootrace: it is half written\n")
	assert.Contains(t, stderr.String(), "waiting for a change of "+dir+"; Ctrl-C ends\n")
}

func TestAWatchThatIsEndedWhileItWaitsHasTheLastRunsCode(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := keepRunning(ctx, streams{err: writes(cancel)}, []string{t.TempDir()}, func(context.Context) error { return exitError{exitFailure, nil} })
	var coded exitError
	require.ErrorAs(t, err, &coded)
	assert.Equal(t, exitFailure, coded.code)
}

// writes calls itself at each write.
type writes func()

func (w writes) Write(p []byte) (int, error) { w(); return len(p), nil }
