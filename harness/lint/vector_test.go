package lint_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/lint"
)

func TestWhatTheStandInWouldPlayIsSaidBeforeABoot(t *testing.T) {
	t.Parallel()
	const rest = "sinks: {a: {type: axiom, inputs: [j], token: '${TOKEN}', dataset: d, url: '${AXIOM_URL}'}}\n"
	tests := []struct {
		name, text, want, undecided string
		level                       lint.Level
	}{
		{"nothing of what it plays", "sources: {j: {type: journald}}\n" + rest, "", "", ""},
		{"a source that it does not play", "sources: {j: {type: journald}, h: {type: host_metrics}}\n" + rest, "source h (host_metrics) is silent by the stand-in", "", lint.Note},
		{"a component that nobody here knows", "sources: {j: {type: journald}}\ntransforms: {n: {type: quantum_entangle, inputs: [j]}}\n" + rest, "cannot decide", "transforms.n", lint.Problem},
		{"what Vector refuses", "sources: {j: {type: jurnald}}\n" + rest, "refuses it", "", lint.Note},
		{"no configuration", "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			remarks, undecided := lint.Vector(tt.text)
			if tt.want == "" {
				assert.Empty(t, remarks)
			} else if assert.NotEmpty(t, remarks) {
				assert.Contains(t, remarks[0].Text, tt.want)
				assert.Equal(t, tt.level, remarks[0].Level)
			}
			assert.Equal(t, tt.undecided == "", undecided == "")
			assert.Contains(t, undecided, tt.undecided)
		})
	}
}
