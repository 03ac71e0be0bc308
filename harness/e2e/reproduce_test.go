package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/derive"
	"bootrace/harness/journal/journaltest"
	"bootrace/harness/judge"
	"bootrace/harness/likeness"
	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/timeline"
	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

// fixed is the design that works: this project's populator.
const fixed = "populator"

// incident is a journal, and what was under test in it.
type incident struct {
	subject string
	journal judge.Judgement
	derived scenarios.Scenario
}

func incidentOf(t *testing.T, subject string, log []byte) incident {
	t.Helper()
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: subject, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(log)), nil }}})
	require.NoError(t, err)
	j := judge.Log(boots[len(boots)-1].Timeline(), check.Limits{BootBudget: scenarios.BootBudget, CredentialsWithin: scenarios.CredentialsWithin}, boot.Control{})
	text := derive.Scenario("from-journal", j.Boot)
	s, err := scenarios.Parse("from-journal.yaml", []byte(text))
	require.NoError(t, err, text)
	return incident{subject: subject, journal: j, derived: s}
}

// again are the boots of the incident's scenario with a subject.
func (i incident) again(subject string, times int, verdict string) []run.Case {
	s := i.derived
	s.Name, s.Expect.Verdict = "from-"+i.subject, verdict
	return run.Plan([]scenarios.Scenario{s}, run.Matrix{Bases: images.Suites()[:1], Subject: subject, Vector: "stand-in", Repeat: times})
}

// of are those of the boots that were of the incident's scenario and a subject.
func (i incident) of(cases []results.Case, subject string) []results.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c results.Case) bool { return c.Subject != subject || c.Scenario != "from-"+i.subject })
}

// alike holds the boots against the journal, as bootrace reproduce does.
func (i incident) alike(t *testing.T, cases []results.Case) likeness.Likeness {
	t.Helper()
	var boots []likeness.Boot
	for _, c := range cases {
		if c.Unjudged() {
			t.Logf("%s: %s: %s", c.ID, c.Verdict, c.Reason)
			continue
		}
		b, err := likeness.Read(t.Context(), c.ID, os.DirFS(c.Recording), i.journal)
		require.NoError(t, err)
		boots = append(boots, b)
	}
	return likeness.Of(i.journal, boots)
}

// tell is what there is to know of a likeness that is not as it must be.
func tell(l likeness.Likeness) string {
	out := fmt.Sprintf("%s: %s\n", l.Verdict, l.Reason)
	for _, d := range l.Differences {
		out += "  differs: " + d.What + "\n"
	}
	for _, e := range l.Events {
		out += "  " + e.Name + " " + since(e.Journal)
		for _, at := range e.Boots {
			out += " " + since(at)
		}
		out += "\n"
	}
	return out
}

func since(at *time.Duration) string {
	if at == nil {
		return "-"
	}
	return timeline.Since(*at)
}

// labOf has the museum's designs of those ids, and the design that works.
func labOf(t *testing.T, ids ...string) *wiretest.Lab {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	dirs := []string{mutation{name: fixed}.write(t, goodSubject(t))}
	for _, id := range ids {
		dirs = append(dirs, filepath.Join(root, museum.Dir, id))
	}
	lab, err := wiretest.Build(t, wire.Options{Subjects: wire.Dirs(dirs...), Bases: images.Suites()[:1]})
	require.NoError(t, err)
	return lab
}

// A journal that a host sent is reproduced by the design that it had, and not by the one that
// works.
func TestAJournalIsReproducedByItsDesignAndByNoOther(t *testing.T) {
	t.Parallel()
	const design = "pr254"
	log, err := os.ReadFile(filepath.Join("testdata", "journals", design+".txt"))
	require.NoError(t, err)
	lab := labOf(t, design)
	i := incidentOf(t, design, log)
	cases := lab.RunCases(t, run.Merge(i.again(design, 1, "fail"), i.again(fixed, 1, "pass")), someAtOnce)
	l := i.alike(t, i.of(cases, design))
	assert.Equal(t, likeness.Reproduced, l.Verdict, tell(l))
	assert.Contains(t, l.Reason, "no-unit-failed")
	l = i.alike(t, i.of(cases, fixed))
	assert.Equal(t, likeness.NotReproduced, l.Verdict, tell(l))
	assert.Contains(t, l.Reason, "no-unit-failed fails in the journal, in 0 of 1 boots")
}

// Incidents of production's are reproduced from their journals alone, each by its own checks,
// and none with the design that works. One may be missed: which job systemd drops to break a
// cycle differs from boot to boot, and three boots need not have the journal's.
func TestNightlyIncidentsAreReproducedFromTheirJournals(t *testing.T) {
	wiretest.Nightly(t)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	all, err := museum.Read(os.DirFS(filepath.Join(root, museum.Dir)))
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(i museum.Incident) bool { return i.Vector != "" }) // they are of an image, not of a boot
	require.Len(t, all, 9)
	var ran, reproduced atomic.Int32
	t.Run("of", func(t *testing.T) {
		for n, i := range all {
			form := []func(journaltest.Entry) string{journaltest.Export, journaltest.ShortPrecise}[n%2]
			t.Run(i.ID, func(t *testing.T) {
				t.Parallel()
				ran.Add(1)
				if reproduce(t, i, form) {
					reproduced.Add(1)
				}
			})
		}
	})
	t.Logf("%d of %d incidents were reproduced", reproduced.Load(), ran.Load())
	assert.GreaterOrEqual(t, reproduced.Load(), ran.Load()-1)
}

// reproduce boots the design where it breaks, sends its journal in that form, and boots what
// is derived of the journal. It says whether most boots fail in the design's own checks, and
// all goes as in the journal.
func reproduce(t *testing.T, i museum.Incident, form func(journaltest.Entry) string) bool {
	breaks := quickest(t, i)
	breaks.Expect.Verdict = "fail"
	base := images.Suites()[:1]
	lab := labOf(t, i.ID)
	broken := lab.RunCases(t, run.Plan([]scenarios.Scenario{breaks}, run.Matrix{Bases: base, Subject: i.ID, Vector: "stand-in"}), 1)[0]
	found := incidentOf(t, i.ID, journaltest.SentByAHost(t, broken.Recording, form))
	t.Logf("%s: %s; worker.env: %s %s, %d restarts", broken.ID, broken.Reason, found.derived.WorkerEnv.When, found.derived.WorkerEnv.Delay, len(found.derived.During))
	cases := lab.RunCases(t, run.Merge(found.again(i.ID, 3, "fail"), found.again(fixed, 1, "pass")), someAtOnce)

	boots, own := found.of(cases, i.ID), 0
	for _, c := range boots {
		cell := museum.Cell{Incident: i.ID, Scenario: c.Scenario, Want: i.Cells[breaks.Name], Says: i.Says, Cases: []results.Case{c}}
		if wrong := cell.Wrong(); wrong != "" {
			t.Log(wrong)
			continue
		}
		own++
	}
	l := found.alike(t, boots)
	t.Logf("%s: %s; by %v in %d of %d boots", l.Verdict, l.Reason, i.Cells[breaks.Name], own, len(boots))
	reproduced := l.Verdict == likeness.Reproduced && 2*own > len(boots)
	if !reproduced {
		t.Log(tell(l))
	}
	l = found.alike(t, found.of(cases, fixed))
	t.Logf("with the design that works: %s: %s", l.Verdict, l.Reason)
	assert.Equal(t, likeness.NotReproduced, l.Verdict, tell(l))
	return reproduced
}

// quickest is the scenario that waits least of those in which the design breaks by all its
// checks: where it does by some alone, it raced, and may not do so again.
func quickest(t *testing.T, i museum.Incident) scenarios.Scenario {
	t.Helper()
	var breaking []string
	most := 1
	for name, want := range i.Cells {
		switch {
		case len(want) > most:
			breaking, most = []string{name}, len(want)
		case len(want) == most:
			breaking = append(breaking, name)
		}
	}
	require.NotEmpty(t, breaking, i.ID)
	slices.Sort(breaking)
	return slices.MinFunc(wiretest.Find(t, breaking...), func(x, y scenarios.Scenario) int {
		return cmp.Or(cmp.Compare(x.Waits(), y.Waits()), strings.Compare(x.Name, y.Name))
	})
}
