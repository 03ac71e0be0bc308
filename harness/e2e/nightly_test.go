package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/scenarios"
)

func TestNightlyTenInARowOnBothBasesAHundredAtOnce(t *testing.T) {
	wiretest.Nightly(t)
	lab := wiretest.New(t, nil, images.Suites()...)
	list, err := scenarios.Default()
	require.NoError(t, err)
	again := 0
	for _, c := range lab.Run(t, list, 10, manyAtOnce) {
		assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
		again += c.Machines() - 1
	}
	t.Logf("%d machines were spoilt by the host and booted anew", again)
}

func TestNightlyBrokenPopulatorsFailTheSameManyAtOnce(t *testing.T) {
	wiretest.Nightly(t)
	for _, b := range brokenSubjects {
		t.Run(b.name, func(t *testing.T) {
			lab := wiretest.New(t, []string{b.write(t)}, images.Suites()...)
			for _, c := range lab.Run(t, wiretest.Find(t, "delay-0s"), 10, manyAtOnce) {
				assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
				assert.Contains(t, museum.Failed(c), b.check, wiretest.Explain(c))
			}
		})
	}
}
