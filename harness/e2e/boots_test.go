package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/judge"
	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/scenarios"
)

const (
	// manyAtOnce leaves the choice to what the host carries.
	manyAtOnce = 100
	// asTheCommand is as many as bootrace boots at once by itself on two cores.
	asTheCommand = 16
	// someAtOnce is as many as wait at once in a test beside another one: most of a boot is
	// waiting, and one at a time boots.
	someAtOnce = 5
)

func TestTheGoodPopulatorPassesTheDelaysAndTheSmallestFaultsOnBothBases(t *testing.T) {
	// Most of its four minutes are waiting: it stands in the first file to begin
	// first, and the others fill them.
	t.Parallel()
	lab := wiretest.New(t, nil, images.Suites()...)
	list, err := scenarios.Choose([]string{"smoke"})
	require.NoError(t, err)
	delays, err := scenarios.Default()
	require.NoError(t, err)
	for _, s := range delays {
		if !s.In(scenarios.Smoke) {
			list = append(list, s)
		}
	}
	for _, c := range lab.Run(t, list, 1, someAtOnce) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
		assert.Contains(t, c.Vector, "stand-in", "a result says which Vector ran")
		j, err := judge.Recording(os.DirFS(c.Recording))
		require.NoError(t, err)
		if cgroupsHavePressure(t) { // no boot is without any loss
			assert.Positive(t, j.Disturbance.CPULost(0, j.End), c.ID)
			assert.Positive(t, j.Expect.Lost, c.ID)
		}
	}
}

// cgroupsHavePressure: since Linux 5.13 PSI has a full line for the CPU, which is
// what a machine asks of its own cgroup.
func cgroupsHavePressure(t *testing.T) bool {
	t.Helper()
	data, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		t.Logf("no PSI: %v", err)
	}
	return strings.Contains(string(data), "\nfull ")
}

func TestEachBrokenPopulatorFailsInTheCheckThatShouldSeeIt(t *testing.T) {
	t.Parallel()
	all := append(slices.Clone(brokenSubjects), sound)
	base := images.Suites()[:1]
	var dirs []string
	var plans [][]run.Case
	want := map[string]string{}
	for _, b := range all {
		dirs, want[b.name] = append(dirs, b.write(t)), b.check
		plans = append(plans, run.Plan(wiretest.Find(t, "delay-0s"), run.Matrix{Bases: base, Subject: b.name, Vector: "stand-in"}))
	}
	lab := wiretest.New(t, dirs, base...)
	for _, c := range lab.RunCases(t, run.Merge(plans...), 2) {
		t.Run(c.Subject, func(t *testing.T) {
			check := want[c.Subject]
			if check == "" {
				assert.Equal(t, "pass", c.Verdict, "nothing is wrong with it: %s", wiretest.Explain(c))
				return
			}
			assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
			assert.Contains(t, museum.Failed(c), check, wiretest.Explain(c))
		})
	}
}
