package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

// visit boots the museum; only keeps a cell.
func visit(t *testing.T, repeat, atOnce int, only func(scenario string) bool) {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	dir := filepath.Join(root, museum.Dir)
	incidents, err := museum.Read(os.DirFS(dir))
	require.NoError(t, err)
	var subjects []wire.Given
	for _, s := range museum.Subjects(incidents) {
		given, err := wire.Of(filepath.Join(dir, s.Dir), s.Name, s.Vector)
		require.NoError(t, err)
		subjects = append(subjects, given)
	}
	for _, i := range incidents {
		for scenario := range i.Cells {
			if !only(scenario) {
				delete(i.Cells, scenario)
			}
		}
	}
	lab, err := wiretest.Build(t, wire.Options{Subjects: subjects, Bases: images.Suites()[:1]})
	require.NoError(t, err)
	cases, err := museum.Plan(incidents, run.Matrix{Bases: images.Suites()[:1], Vector: "stand-in", Repeat: repeat})
	require.NoError(t, err)
	cells := museum.Compare(incidents, lab.RunCases(t, cases, atOnce))
	for _, c := range cells {
		if wrong := c.Wrong(); !assert.Empty(t, wrong, "%s in %s", c.Incident, c.Scenario) {
			for _, b := range c.Cases {
				t.Log(wiretest.Explain(b))
			}
		}
	}
}

func TestTheMuseumIsCaughtAtTheSmallestDelays(t *testing.T) {
	t.Parallel()
	visit(t, 1, someAtOnce, func(scenario string) bool { return scenario == "pre" || scenario == "delay-0s" })
}

func TestNightlyTheMuseumIsCaughtFiveTimes(t *testing.T) {
	wiretest.Nightly(t)
	visit(t, 5, asTheCommand, func(string) bool { return true })
}
