package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/subject"
	"bootrace/harness/wire"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

// installed is where the designs are as production's installers have them.
const installed = "testdata/production"

// readInstalled are the designs of installed: what each must come to is its own
// incident.yaml's word, else the museum's.
func readInstalled(t *testing.T) []museum.Incident {
	t.Helper()
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	out, err := museum.Read(os.DirFS(installed))
	require.NoError(t, err)
	all, err := museum.Read(os.DirFS(filepath.Join(root, museum.Dir)))
	require.NoError(t, err)
	for _, i := range all {
		_, err := os.Stat(filepath.Join(installed, i.ID))
		own := slices.ContainsFunc(out, func(o museum.Incident) bool { return o.ID == i.ID })
		if err == nil && !own {
			out = append(out, i)
		}
	}
	return out
}

func TestEveryDesignIsInstalledByTheOneInstaller(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, i := range readInstalled(t) {
		ids = append(ids, i.ID)
		_, err := subject.Read(filepath.Join(installed, i.ID))
		assert.NoError(t, err)
	}
	slices.Sort(ids)
	assert.Equal(t, []string{"fork", "path-dir", "path-file", "pr240", "pr249", "pr254", "pr256", "pr257", "pr260", "shipped"}, ids)
	scripts, err := filepath.Glob(filepath.Join(installed, "*", "files", "populate-vector-env"))
	require.NoError(t, err)
	require.Len(t, scripts, len(ids))
	for _, script := range append(scripts, filepath.Join(installed, "common/install.sh"), filepath.Join(installed, "common/files/credentials.sh")) {
		out, err := exec.CommandContext(t.Context(), "bash", "-n", script).CombinedOutput()
		assert.NoError(t, err, "%s: %s", script, out)
	}
}

// visitInstalled boots them on each version of the stand-in; only keeps a cell.
func visitInstalled(t *testing.T, atOnce int, vectors []string, only func(design, scenario string) bool) {
	t.Helper()
	var incidents []museum.Incident
	var subjects []wire.Given
	for _, i := range readInstalled(t) {
		cells := map[string][]string{}
		for scenario, checks := range i.Cells {
			if only(i.ID, scenario) {
				cells[scenario] = checks
			}
		}
		for _, vector := range vectors {
			if len(cells) == 0 {
				continue
			}
			copied := i
			copied.ID, copied.Cells = i.ID+"-"+vector, cells
			incidents = append(incidents, copied)
			given, err := wire.Of(filepath.Join(installed, i.ID), copied.ID, "stand-in:"+vector)
			require.NoError(t, err)
			subjects = append(subjects, given)
		}
	}
	base := images.Suites()[:1]
	lab, err := wiretest.Build(t, wire.Options{Subjects: subjects, Bases: base})
	require.NoError(t, err)
	cases, err := museum.Plan(incidents, run.Matrix{Bases: base, Vector: lab.Vector})
	require.NoError(t, err)
	for _, c := range museum.Compare(incidents, lab.RunCases(t, cases, atOnce)) {
		t.Run(c.Incident+" in "+c.Scenario, func(t *testing.T) {
			if !assert.Empty(t, c.Wrong()) {
				for _, b := range c.Cases {
					t.Log(wiretest.Explain(b))
				}
			}
		})
	}
}

func TestWhatProductionsInstallersInstallIsJudgedAsItWasSeenThere(t *testing.T) {
	t.Parallel()
	// Each design costs a bake of 8 s; the others are the nightly's.
	few := map[string][]string{"shipped": {"pre", "delay-0s"}, "pr249": {"pre"}, "pr254": {"delay-0s"}, "pr260": {"delay-0s"}}
	visitInstalled(t, someAtOnce, []string{"0.58"}, func(design, scenario string) bool {
		return slices.Contains(few[design], scenario)
	})
}

func TestNightlyWhatProductionsInstallersInstallIsJudgedAlikeWithBothVectors(t *testing.T) {
	wiretest.Nightly(t)
	visitInstalled(t, asTheCommand, []string{"0.56", "0.58"}, func(string, string) bool { return true })
}
