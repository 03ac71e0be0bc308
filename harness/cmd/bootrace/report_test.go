package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/results"
)

func TestARunWithDifferingRepetitionsSaysSo(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := results.Run{ID: "r", Planned: 2, Cases: []results.Case{caseOf("pre", "pass", "13 checks"), caseOf("pre", "fail", "registered: it did not")}}
	r.Cases[1].ID, r.Cases[1].Repetition = "pre@trixie#2", 2
	printRun(streams{out: &out}, r)
	assert.Contains(t, out.String(), "\nflaky   pre@trixie: 1 passed and 1 failed of the same inputs\n")
	out.Reset()
	r.Cases[1].Verdict = "pass"
	printRun(streams{out: &out}, r)
	assert.NotContains(t, out.String(), "flaky")
}
