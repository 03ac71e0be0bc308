package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/subject"
	"bootrace/results"
	"bootrace/results/store"
)

// bench is a place with a stored case of a subject's directory, and no engine.
type bench struct {
	t       *testing.T
	subject string
}

func newBench(t *testing.T) bench {
	t.Helper()
	state := t.TempDir()
	t.Setenv("BOOTRACE_STATE", state)
	t.Setenv("DOCKER_HOST", noEngine)
	b := bench{t, filepath.Join(t.TempDir(), "mine")}
	require.NoError(t, os.CopyFS(b.subject, os.DirFS("../../museum/pr254")))
	require.NoError(t, os.CopyFS(filepath.Join(filepath.Dir(b.subject), "common"), os.DirFS("../../museum/common"))) // its layer
	s, err := subject.Read(b.subject)
	require.NoError(t, err)
	recording, err := filepath.Abs("../../judge/testdata/poll-600s-delay-0s-trixie")
	require.NoError(t, err)
	c := caseOf("delay-0s", "fail", "boot-unblocked: multi-user.target was not reached",
		results.Check{Name: "boot-unblocked", Outcome: "fail", Findings: []results.Finding{{Summary: "multi-user.target was not reached"}}})
	c.Subject, c.Hash = "mine", s.Hash()
	image := caseOf("of-image", "pass", "13 checks")
	image.Subject = "registry:tag"
	r := runOf("20260102-060405-eeee", time.Date(2026, 1, 2, 6, 4, 5, 0, time.UTC), 2, c, image)
	for i := range r.Cases {
		r.Cases[i].Recording, r.Cases[i].Attempts[0].Recording = recording, recording
	}
	r.Request = &results.Request{Subjects: []string{b.subject}, Vector: "stand-in:0.56", Bases: []string{"trixie"}}
	db, err := store.Open(t.Context(), filepath.Join(state, "results.db"))
	require.NoError(t, err)
	require.NoError(t, db.BeginRun(t.Context(), r))
	for _, c := range r.Cases {
		require.NoError(t, db.PutCase(t.Context(), r.ID, c))
	}
	require.NoError(t, db.EndRun(t.Context(), r))
	require.NoError(t, db.Close())
	return b
}

func (b bench) run(args ...string) (code int, out, err string) {
	b.t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(b.t.Context(), streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, args)
	return code, stdout.String(), stderr.String()
}

func TestACapsuleIsShownExplainedAndRunWithoutItsStore(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "c.tar.zst")
	code, out, errs := b.run("capsule", "delay-0s", "--output", file)
	require.Zero(t, code, errs)
	assert.Contains(t, out, "bootrace run "+file)

	t.Setenv("BOOTRACE_STATE", t.TempDir()) // elsewhere
	require.NoError(t, os.RemoveAll(b.subject))
	code, out, errs = b.run("show", file)
	require.Zero(t, code, errs)
	assert.Contains(t, out, "delay-0s@trixie#1: boot-unblocked")
	assert.Contains(t, out, "subject/mine")
	assert.NotContains(t, out, b.subject)
	code, out, errs = b.run("show", "--json", file)
	require.Zero(t, code, errs)
	assert.Contains(t, out, `"sha256"`)
	code, out, errs = b.run("explain", file)
	require.Zero(t, code, errs)
	assert.Contains(t, out, "in "+file+": recording")
	assert.NotContains(t, out, "without the recording", "it was read")

	code, out, errs = b.run("judge", file)
	assert.Equal(t, exitFailure, code, errs)
	assert.Contains(t, out, "boot-unblocked", "its recording is judged anew")

	code, out, errs = b.run("run", file)
	assert.Equal(t, exitInvalid, code, "there is no engine: %s", out)
	assert.Contains(t, errs, "which was fail: boot-unblocked")
	assert.Contains(t, errs, "nonexistent/engine.sock")
	kept, err := os.ReadDir(filepath.Join(os.Getenv("BOOTRACE_STATE"), capsulesDir))
	require.NoError(t, err)
	assert.Len(t, kept, 1, "as long as recordings do, it stays")
	code, _, errs = b.run("run", file, "--subject", ".")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errs, "the capsule's own subject")
	code, _, errs = b.run("run", file, "--dry-run")
	assert.Equal(t, exitUsage, code, "it would boot")
	assert.Contains(t, errs, "--dry-run goes with scenarios")
}

func TestWhatIsNoCapsuleIsSaidByEachVerb(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "c.tar.zst")
	require.NoError(t, os.WriteFile(file, []byte("version: 1\n"), 0o600))
	for _, verb := range []string{"show", "explain", "judge", "run"} {
		code, _, errs := b.run(verb, file)
		assert.Equal(t, exitUsage, code, verb)
		assert.Contains(t, errs, "it is no capsule", verb)
	}
	runs, err := os.ReadDir(filepath.Join(os.Getenv("BOOTRACE_STATE"), capsulesDir))
	require.NoError(t, err)
	assert.Empty(t, runs, "of what is none, nothing is kept")
}

func TestACaseThatCannotBePackedWholeIsNot(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "c.tar.zst")
	code, _, errs := b.run("capsule", "of-image", "--output", file)
	require.Zero(t, code, errs)
	_, out, _ := b.run("show", file)
	assert.Contains(t, out, "an image, which is not in it")

	require.NoError(t, os.Remove(file))
	code, _, errs = b.run("capsule", "delay-0s", "--output", "c.tar")
	assert.Equal(t, exitUsage, code, errs)
	code, _, errs = b.run("capsule", "nothing", "--output", file)
	assert.Equal(t, exitUsage, code, errs)
	require.NoError(t, os.WriteFile(filepath.Join(b.subject, "rootfs", "more"), nil, 0o600))
	code, _, errs = b.run("capsule", "delay-0s", "--output", file)
	assert.Equal(t, exitInvalid, code)
	assert.Contains(t, errs, "was changed since")
	require.NoError(t, os.RemoveAll(b.subject))
	code, _, errs = b.run("capsule", "delay-0s", "--output", file)
	assert.NotZero(t, code)
	assert.Contains(t, errs, "mine")
	assert.NoFileExists(t, file, "a capsule is whole, or is not there")
}
