package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images"
)

// TestTheCommandAloneBootsWithoutGoAndWithoutAClone: as make build makes it, in an empty
// directory, with nothing on PATH.
func TestTheCommandAloneBootsWithoutGoAndWithoutAClone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	subject := p.ownSubject()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	dir := t.TempDir()
	command := filepath.Join(dir, "bootrace")
	for _, argv := range [][]string{
		{"go", "run", "./images/kit/pack", runtime.GOARCH},
		{"go", "build", "-tags", "kit", "-o", command, "./harness/cmd/bootrace"},
	} {
		build := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		build.Dir = root
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%v\n%s", argv, out)
	}
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o755))
	alone := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), command, args...)
		cmd.Dir = empty
		cmd.Env = []string{"PATH=" + empty, "HOME=" + dir, "BOOTRACE_STATE=" + p.state, "DOCKER_HOST=" + os.Getenv("DOCKER_HOST")}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	var out string
	unspoilt(t, func() (int, string) {
		var ended *exec.ExitError
		if out, err = alone("run", "pre", "--subject", subject, "--vector", "stand-in"); errors.As(err, &ended) {
			return ended.ExitCode(), out
		}
		return exitOK, out
	})
	require.NoError(t, err, out)
	assert.Regexp(t, `(?m)^1 pass in `, out)
	kits, err := filepath.Glob(filepath.Join(dir, ".cache/bootrace/kit/*"))
	require.NoError(t, err)
	assert.Len(t, kits, 1)

	out, err = alone("run", "pre", "--source", empty)
	require.Error(t, err)
	assert.Contains(t, out, "--source: no bootrace source tree at or above "+empty)
}
