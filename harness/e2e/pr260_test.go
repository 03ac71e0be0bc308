package e2e

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

// shipped is the design that shipped: which checks must fail in which scenario.
// Every unit of it is green in most of them.
var shipped = map[string][]string{
	"pre":                      nil,
	"delay-0s":                 {"logs-delivered"},
	"vector-restarted-on-stub": {"logs-delivered"},
	"imds-late":                {"logs-delivered", "vector-credentialed"},
	"vault-503":                {"logs-delivered", "vector-credentialed"},
	"optional-secret-missing":  {"logs-delivered", "vector-credentialed"},
	"env-empty-then-filled":    {"logs-delivered", "vector-credentialed"},
	"env-filled-then-named":    {"logs-delivered", "vector-credentialed"},
}

func TestTheDesignThatShippedFailsWhereItShould(t *testing.T) {
	t.Parallel()
	lab := wiretest.New(t, "testdata/pr260", images.Suites()[0])
	list := wiretest.Find(t, slices.Sorted(maps.Keys(shipped))...)
	for _, c := range lab.Run(t, list, 1, someAtOnce) {
		want := "fail"
		if len(shipped[c.Scenario]) == 0 {
			want = "pass"
		}
		assert.Equal(t, want, c.Verdict, wiretest.Explain(c))
		for _, check := range shipped[c.Scenario] {
			assert.Contains(t, failedChecks(c), check, wiretest.Explain(c))
		}
	}
}
