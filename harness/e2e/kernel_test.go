package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// kernelWithin bounds the emulated machine: what boots in five seconds takes minutes.
const kernelWithin = 70 * time.Minute

// TestDebiansKernel: bootrace on kernel 6.12 with pure control groups, as on
// Debian 13, whatever the host has. The machine is emulated, with a clock of its
// own that says nothing of speed; what is seen is that every check has its evidence.
func TestDebiansKernel(t *testing.T) {
	if os.Getenv("BOOTRACE_NIGHTLY") == "" {
		t.Skip("make kernel runs it")
	}
	if os.Getuid() != 0 {
		t.Skip("makes Debian's root file system, which takes root")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("installs the emulator with apt-get")
	}
	base := images.Suites()[0]
	lab := wiretest.New(t, nil, base)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), kernelWithin)
	defer cancel()
	do := func(name string, args ...string) string {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = root
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		require.NoError(t, cmd.Run(), "%s %s: %s", name, args, stderr.String())
		return stdout.String()
	}
	dir := os.Getenv("BOOTRACE_KERNEL_DIR") // keeps the root file system for the next time
	if dir == "" {
		dir = t.TempDir()
	}
	do("go", "build", "-trimpath", "-o", filepath.Join(dir, "bootrace"), "./harness/cmd/bootrace")
	for to, from := range map[string]string{"src": root, "cache": filepath.Join(cache, "bootrace")} {
		to = filepath.Join(dir, to)
		require.NoError(t, os.RemoveAll(to))
		require.NoError(t, os.Mkdir(to, 0o755))
		do("sh", "-c", `tar -C "$0" --exclude=./.git --exclude=./bin/bootrace -c . | tar -C "$1" -x`, from, to)
	}
	saveImages(ctx, t, filepath.Join(dir, "images.tar"), "bootrace/debian:"+base,
		lab.Bases[base], lab.Images[base].Control, lab.Images[base].Cloud, lab.Subjects[lab.Names[0]].Images[base])

	out, err := exec.CommandContext(ctx, filepath.Join(root, "harness/e2e/kernel/boot.sh"), dir, "run", "pre", "--parallel", "1").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "control groups: cgroup2fs")
	assert.Regexp(t, `(?m)^6\.12\.`, string(out))
	assert.Regexp(t, `ok\s*\S*\s+machine +control groups, others' environments, inotify and pressure are there`, string(out))
	_, shown, _ := strings.Cut(string(out), "\n{\n")
	var run results.Run
	require.NoError(t, json.NewDecoder(strings.NewReader("{"+shown)).Decode(&run), string(out))
	require.Len(t, run.Cases, 1)
	c := run.Cases[0]
	assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
	last := c.Attempts[len(c.Attempts)-1]
	for _, check := range last.Checks {
		assert.NotEqual(t, "no-evidence", check.Outcome, check.Name)
	}
	t.Logf("%s", out)
}

// saveImages writes images with all their names into a file, for another engine.
func saveImages(ctx context.Context, t *testing.T, file string, images ...string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, "docker", append([]string{"image", "inspect", "-f", `{{join .RepoTags " "}}`}, images...)...).Output()
	require.NoError(t, err, "docker image inspect %s", images)
	saved, err := exec.CommandContext(ctx, "docker", append([]string{"save", "-o", file}, strings.Fields(string(out))...)...).CombinedOutput()
	require.NoError(t, err, string(saved))
}
