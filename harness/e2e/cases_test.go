package e2e

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
)

// wanted is a row of testdata/cases/WANT.tsv: a subject of another team, and what is
// right to say of it.
type wanted struct {
	name, verdict string
	on            map[string]string // the verdict on a base whose systemd can less, or more
	checks        []string          // one of which must fail
	more          []string          // scenarios beside pre and delay-0s
	short         bool
}

func readWanted(t *testing.T) []wanted {
	t.Helper()
	text, err := os.ReadFile("testdata/cases/WANT.tsv")
	require.NoError(t, err)
	list := func(field string) []string {
		return strings.FieldsFunc(field, func(r rune) bool { return r == ',' || r == '-' && field == "-" })
	}
	var out []wanted
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, f, 6, line)
		require.Contains(t, []string{"short", "nightly"}, f[4], line)
		w := wanted{name: f[0], on: map[string]string{}, checks: list(f[2]), more: list(f[3]), short: f[4] == "short"}
		for _, v := range strings.Split(f[1], ",") {
			if verdict, base, ok := strings.Cut(v, "@"); ok {
				w.on[base] = verdict
			} else {
				w.verdict = v
			}
		}
		out = append(out, w)
	}
	require.NotEmpty(t, out)
	return out
}

// wrong says what is not as it must be, empty if all is. A subject is as bad as its
// worst boot.
func (w wanted) wrong(boots []results.Case) string {
	var verdicts, failed []string
	for _, c := range boots {
		verdicts = append(verdicts, c.Verdict)
		failed = append(failed, museum.Failed(c)...)
	}
	got := "pass"
	for _, v := range []string{"untestable", "invalid", "error", "flaky", "fail"} { // the worst comes last
		if slices.Contains(verdicts, v) {
			got = v
		}
	}
	switch {
	case len(boots) == 0:
		return "never booted"
	case got != w.verdict:
		return got + ", must be " + w.verdict
	case got == "fail" && !slices.ContainsFunc(w.checks, func(c string) bool { return slices.Contains(failed, c) }):
		return strings.Join(failed, ", ") + " failed, must be one of " + strings.Join(w.checks, ", ")
	}
	return ""
}

func TestASubjectOfOthersIsAsBadAsItsWorstBoot(t *testing.T) {
	t.Parallel()
	boot := func(verdict string, failed ...string) results.Case {
		a := results.Attempt{Verdict: verdict, Recording: "r"}
		for _, name := range failed {
			a.Checks = append(a.Checks, results.Check{Name: name, Outcome: "fail"})
		}
		return results.Case{Verdict: verdict, Recording: "r", Attempts: []results.Attempt{a}}
	}
	bad := wanted{verdict: "fail", checks: []string{"vector-active"}}
	for _, tt := range []struct {
		name  string
		want  wanted
		boots []results.Case
		wrong string
	}{
		{"all pass", wanted{verdict: "pass"}, []results.Case{boot("pass"), boot("pass")}, ""},
		{"one fails", wanted{verdict: "pass"}, []results.Case{boot("pass"), boot("fail", "quiescent")}, "fail, must be pass"},
		{"one cannot be judged", wanted{verdict: "pass"}, []results.Case{boot("invalid"), boot("pass")}, "invalid, must be pass"},
		{"one fails and must", bad, []results.Case{boot("pass"), boot("fail", "vector-active")}, ""},
		{"by another check", bad, []results.Case{boot("fail", "quiescent")}, "quiescent failed, must be one of vector-active"},
		{"not at all", bad, []results.Case{boot("pass")}, "pass, must be fail"},
		{"none", wanted{verdict: "pass"}, nil, "never booted"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.wrong, tt.want.wrong(tt.boots)) })
	}
}

// othersSubjects copies the subjects, and makes the layer that has our populator.
func othersSubjects(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/cases")))
	backend, err := wire.Connect(t.Context(), "")
	require.NoError(t, err)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	builder := backend.Builder(root, filepath.Join(cache, "bootrace"), nil)
	const program, unit = "populate-vector-env", "populate-vector-env.service"
	file, err := builder.Program(t.Context(), "populator/cmd/"+program)
	require.NoError(t, err)
	for _, f := range []struct {
		from, to string
		mode     os.FileMode
	}{
		{file, "usr/local/bin/" + program, 0o755},
		{filepath.Join(root, "populator/systemd", unit), "etc/systemd/system/" + unit, 0o644},
	} {
		to := filepath.Join(dir, "_populator/rootfs", f.to)
		data, err := os.ReadFile(f.from)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.WriteFile(to, data, f.mode))
	}
	return dir
}

// judgeOthers boots the rows in one run on each of the bases, in the scenarios that a row
// is given.
func judgeOthers(t *testing.T, rows []wanted, bases []string, atOnce int, scenariosOf func(wanted) []string) {
	dir := othersSubjects(t)
	var dirs []string
	for _, w := range rows {
		dirs = append(dirs, filepath.Join(dir, w.name))
	}
	lab, err := wiretest.Build(t, wire.Options{Subjects: wire.Dirs(dirs...), Bases: bases})
	require.NoError(t, err)
	var plans [][]run.Case
	for _, w := range rows {
		plans = append(plans, run.Plan(wiretest.Find(t, scenariosOf(w)...), run.Matrix{Bases: bases, Subject: w.name, Vector: lab.Vector}))
	}
	boots := map[string][]results.Case{}
	for _, c := range lab.RunCases(t, run.Merge(plans...), atOnce) {
		on := c.Subject + "@" + c.Base
		boots[on] = append(boots[on], c)
	}
	for _, w := range rows {
		for _, base := range bases {
			on := w.name + "@" + base
			t.Run(on, func(t *testing.T) {
				w := w
				w.verdict = cmp.Or(w.on[base], w.verdict)
				if !assert.Empty(t, w.wrong(boots[on])) {
					for _, c := range boots[on] {
						t.Log(wiretest.Explain(c))
					}
				}
			})
		}
	}
}

func TestSubjectsOfOthersAreJudgedRightAtTheSmallestDelay(t *testing.T) {
	t.Parallel()
	short := slices.DeleteFunc(readWanted(t), func(w wanted) bool { return !w.short })
	judgeOthers(t, short, images.Suites()[:1], someAtOnce, func(wanted) []string { return []string{"delay-0s"} })
}

func TestNightlySubjectsOfOthersAreJudgedRight(t *testing.T) {
	wiretest.Nightly(t)
	judgeOthers(t, readWanted(t), images.Suites(), asTheCommand, func(w wanted) []string { return append([]string{"pre", "delay-0s"}, w.more...) })
}
