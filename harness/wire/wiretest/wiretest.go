// Package wiretest gives tests and benchmarks that boot machines what they need:
// an engine, images, and a place for recordings that goes with the test.
package wiretest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/run"
	"bootrace/harness/verdict"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

// Nightly skips what takes many minutes unless make nightly asks for it.
func Nightly(t testing.TB) {
	t.Helper()
	if os.Getenv("BOOTRACE_NIGHTLY") == "" {
		t.Skip("make nightly runs it")
	}
}

// Lab is a wire.Lab with a claim on what it starts.
type Lab struct {
	wire.Lab
	Dir string
	id  string // this lab's alone: labs run in parallel
	mu  sync.Mutex
	run int
}

// New builds the images for the bases; no subject is this project's populator.
// Under -short it skips the test.
func New(t testing.TB, subjects []string, bases ...string) *Lab {
	t.Helper()
	lab, err := Build(t, wire.Options{Subjects: wire.Dirs(subjects...), Bases: bases})
	require.NoError(t, err)
	return lab
}

// Build is New for images that may not come into being. It fills in what is the
// same for all tests.
func Build(t testing.TB, o wire.Options) (*Lab, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots machines")
	}
	dir := t.TempDir()
	owner := filepath.Join(dir, "lock")
	lock, err := machine.Own(owner)
	require.NoError(t, err)
	t.Cleanup(func() { _ = lock.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	backend, err := wire.Connect(ctx, owner)
	require.NoError(t, err)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	o.Root, o.Cache = root, filepath.Join(cache, "bootrace")
	if from := os.Getenv("VECTOR"); from != "" { // else the stand-in: tests do not depend on who answers
		o.Vector, err = images.ParseVector(from)
		require.NoError(t, err)
	}
	o.Step = func(what string) { t.Log(what) }
	lab, err := wire.Build(ctx, backend, o)
	if err != nil {
		return nil, err
	}
	unique := make([]byte, 4)
	_, _ = rand.Read(unique) // never fails: crypto/rand, Go 1.24
	return &Lab{Lab: lab, Dir: dir, id: hex.EncodeToString(unique)}, nil
}

// discard is a store that keeps nothing: the tests look at what Run returns.
type discard struct{}

func (discard) PutCase(context.Context, string, results.Case) error { return nil }

// Run boots the scenarios on all of the lab's bases, atOnce machines at a time.
func (l *Lab) Run(t testing.TB, list []scenarios.Scenario, repeat, atOnce int) []results.Case {
	t.Helper()
	var bases []string
	for _, b := range images.Suites() {
		if _, ok := l.Images[b]; ok {
			bases = append(bases, b)
		}
	}
	return l.RunCases(t, run.Plan(list, run.Matrix{Bases: bases, Subject: l.Names[0], Vector: "stand-in", Repeat: repeat}), atOnce)
}

// host is shared by the tests that boot machines beside each other, and had alone by one
// that boots what the others have spoilt.
var host sync.RWMutex

// RunCases boots a plan. What the host has spoilt to the end says nothing of what
// is tested: it is booted again, one case at a time, and no other test's beside it.
func (l *Lab) RunCases(t testing.TB, cases []run.Case, atOnce int) []results.Case {
	t.Helper()
	out := l.Once(t, cases, atOnce)
	for i, c := range out {
		if c.Verdict == string(verdict.Invalid) {
			t.Logf("again: %s: %s", c.ID, c.Reason)
			out[i] = l.alone(t, cases[i])
		}
	}
	return out
}

// Once boots a plan and leaves what is invalid as it is. It and alone give the host back also
// where a test ends in between.
func (l *Lab) Once(t testing.TB, cases []run.Case, atOnce int) []results.Case {
	t.Helper()
	host.RLock()
	defer host.RUnlock()
	return l.boot(t, cases, atOnce)
}

func (l *Lab) alone(t testing.TB, c run.Case) results.Case {
	t.Helper()
	host.Lock()
	defer host.Unlock()
	return l.boot(t, []run.Case{c}, 1)[0]
}

func (l *Lab) boot(t testing.TB, cases []run.Case, atOnce int) []results.Case {
	t.Helper()
	room, err := l.Room(t.Context(), atOnce, len(cases))
	require.NoError(t, err)
	if room.Note != "" {
		t.Log(room.Note)
	}
	l.mu.Lock()
	l.run++
	id := fmt.Sprintf("test-%s-%d", l.id, l.run)
	l.mu.Unlock()
	r := l.Runner(id, filepath.Join(l.Dir, id), discard{}, room)
	r.Booting = max(1, r.Booting/2) // another test's lab boots meanwhile
	out, err := r.Run(t.Context(), cases)
	require.NoError(t, err)
	require.Len(t, out, len(cases))
	return out
}

// Find returns scenarios of the library by name.
func Find(t testing.TB, names ...string) []scenarios.Scenario {
	t.Helper()
	var out []scenarios.Scenario
	for _, n := range names {
		s, err := scenarios.Find(n)
		require.NoError(t, err)
		out = append(out, s)
	}
	return out
}

// Explain is what there is to say of a case that came out wrong.
func Explain(c results.Case) string {
	text := fmt.Sprintf("%s: %s: %s\n", c.ID, c.Verdict, c.Reason)
	for _, a := range c.Attempts {
		for _, check := range a.Checks {
			for _, f := range check.Findings {
				text += fmt.Sprintf("  %s: +%.3fs %s\n", check.Name, f.At.Seconds(), f.Summary)
			}
		}
	}
	return text
}
