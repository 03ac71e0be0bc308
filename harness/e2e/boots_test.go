package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/scenarios"
)

const (
	// manyAtOnce leaves the choice to what the host carries.
	manyAtOnce = 100
	// asTheCommand is as many as bootrace boots at once by itself on two cores.
	asTheCommand = 16
	// someAtOnce leaves room, on a host with the default inotify limit, for the
	// machines of the other tests that run meanwhile.
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
	}
}

func TestEachBrokenPopulatorFailsInTheCheckThatShouldSeeIt(t *testing.T) {
	t.Parallel()
	for _, b := range append(slices.Clone(brokenSubjects), sound) {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			lab := wiretest.New(t, []string{b.write(t)}, images.Suites()[0])
			for _, c := range lab.Run(t, wiretest.Find(t, "delay-0s"), 1, 1) {
				if b.check == "" {
					assert.Equal(t, "pass", c.Verdict, "nothing is wrong with it: %s", wiretest.Explain(c))
					continue
				}
				assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
				assert.Contains(t, museum.Failed(c), b.check, wiretest.Explain(c))
			}
		})
	}
}
