package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/scenarios"
)

func TestWhatNoBootCanDecideIsInvalidWithoutOne(t *testing.T) {
	t.Parallel()
	b := &fakeBackend{}
	r, store := newRunner(t, b)
	subj := r.Subjects["mine"]
	subj.Undecided = map[string]string{"trixie": "the stand-in cannot decide: sinks.x"}
	r.Subjects["mine"] = subj
	cases, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	require.Len(t, cases, 1)
	assert.Equal(t, "invalid", cases[0].Verdict)
	assert.Equal(t, "the stand-in cannot decide: sinks.x", cases[0].Reason)
	assert.Len(t, cases[0].Attempts, 1, "another boot would say the same")
	assert.Empty(t, cases[0].Recording)
	assert.Len(t, store.cases, 1)
}

func TestASubjectIsHeldToItsOwnLimitWhereThatIsTighter(t *testing.T) {
	t.Parallel()
	all, err := scenarios.Library()
	require.NoError(t, err)
	byName := map[string]scenarios.Scenario{}
	for _, s := range all {
		byName[s.Name] = s
	}
	own := Subject{CredentialsWithin: map[string]time.Duration{"default": 5 * time.Second, "imds-410": 20 * time.Second, "vault-503": time.Hour}}
	tests := []struct {
		name, scenario string
		subject        Subject
		want           time.Duration
	}{
		{"of another team: production's", "delay-0s", Subject{}, 30 * time.Second},
		{"its own", "delay-0s", own, 5 * time.Second},
		{"its own for a scenario", "imds-410", own, 20 * time.Second},
		{"a scenario's, where it says nothing of that", "imds-late", own, 45 * time.Second},
		{"the scenario's, where its own is wider", "vault-503", own, 45 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, byName, tt.scenario)
			assert.Equal(t, tt.want, tt.subject.within(byName[tt.scenario]))
		})
	}
}
