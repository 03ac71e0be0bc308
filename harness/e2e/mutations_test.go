package e2e

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// Where the populator, Vector and the worker are configured.
const (
	populatorUnit = "rootfs/etc/systemd/system/populate-vector-env.service"
	populatorBin  = "rootfs/usr/local/bin/populate-vector-env"
	vectorDropIn  = "rootfs/etc/systemd/system/vector.service.d/"
	workerDropIn  = "rootfs/etc/systemd/system/opensandbox-worker.service.d/"
)

// mutation is one change of the good populator's subject, as somebody might make
// it in good faith, and the check that must say no.
type mutation struct {
	name     string
	scenario string            // empty: delay-0s
	unit     []string          // replacements in the populator's unit: old, new, old, new, …
	files    map[string]string // added or replaced; "-> x" is a link to x
	check    string
}

func (m mutation) where() string {
	if m.scenario == "" {
		return "delay-0s"
	}
	return m.scenario
}

// write makes the mutant's directory from the good subject's.
func (m mutation) write(t *testing.T, good images.Tree) string {
	t.Helper()
	tree := maps.Clone(good)
	unit := string(tree[populatorUnit].Data)
	for pair := range slices.Chunk(m.unit, 2) {
		require.Contains(t, unit, pair[0], m.name)
		unit = strings.Replace(unit, pair[0], pair[1], 1)
	}
	tree[populatorUnit] = images.File{Mode: 0o644, Data: []byte(unit)}
	dir := filepath.Join(t.TempDir(), m.name)
	for path, text := range m.files {
		switch target, link := strings.CutPrefix(text, "-> "); {
		case link:
			tree[path] = images.File{Mode: os.ModeSymlink, Data: []byte(target)}
		case text == "mode 0644":
			tree[path] = images.File{Mode: 0o644, Data: tree[path].Data}
		default:
			tree[path] = images.File{Mode: 0o644, Data: []byte(text)}
		}
	}
	for path, f := range tree {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if f.Mode&os.ModeSymlink != 0 {
			require.NoError(t, os.Symlink(string(f.Data), file))
			continue
		}
		require.NoError(t, os.WriteFile(file, f.Data, f.Mode.Perm()))
	}
	return dir
}

// goodSubject is the populator's subject as files below rootfs.
func goodSubject(t *testing.T) images.Tree {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "populate-vector-env")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "./populator/cmd/populate-vector-env")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	tree := images.Tree{}
	require.NoError(t, tree.Disk(program, populatorBin, 0o755))
	require.NoError(t, tree.Dir(filepath.Join(root, "populator", "systemd"), filepath.Dir(populatorUnit)))
	return tree
}

// survivors boots the mutants and names those that their check did not catch.
func survivors(t *testing.T, list []mutation, atOnce int) []string {
	t.Helper()
	good := goodSubject(t)
	var dirs []string
	for _, m := range list {
		dirs = append(dirs, m.write(t, good))
	}
	lab := wiretest.New(t, dirs, images.Suites()[0])
	var plans [][]run.Case
	for _, m := range list {
		s := wiretest.Find(t, m.where())
		s[0].Expect.Verdict = "fail"
		plans = append(plans, run.Plan(s, run.Matrix{Bases: images.Suites()[:1], Subject: m.name, Vector: "stand-in"}))
	}
	var out []string
	for _, c := range lab.RunCases(t, run.Merge(plans...), atOnce) {
		i := slices.IndexFunc(list, func(m mutation) bool { return m.name == c.Subject })
		if !caught(c, list[i].check) {
			out = append(out, c.Subject)
			t.Logf("%s: %s should have failed: %s", c.Subject, list[i].check, wiretest.Explain(c))
		}
	}
	return out
}

func caught(c results.Case, check string) bool {
	return c.Verdict == "fail" && slices.Contains(museum.Failed(c), check)
}

func TestNightlyEveryMutationIsCaught(t *testing.T) {
	wiretest.Nightly(t)
	assert.GreaterOrEqual(t, len(mutations), 60)
	assert.Empty(t, survivors(t, mutations, asTheCommand))
}

func TestMutationsDifferFromTheGoodSubject(t *testing.T) {
	good := goodSubject(t)
	seen := map[string]bool{}
	for _, m := range mutations {
		assert.False(t, seen[m.name], "%s is there twice", m.name)
		seen[m.name] = true
		text, err := os.ReadFile(filepath.Join(m.write(t, good), populatorUnit))
		if len(m.files) == 0 {
			require.NoError(t, err)
			assert.False(t, bytes.Equal(text, good[populatorUnit].Data), m.name)
		}
	}
}
