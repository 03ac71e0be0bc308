package museum

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/check"
	"bootrace/harness/run"
	"bootrace/harness/subject"
	"bootrace/results"
)

func TestEveryIncidentIsASubjectWithCellsThatExist(t *testing.T) {
	incidents, err := Read(os.DirFS("."))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, c := range check.Table() {
		known[c.Name] = true
	}
	var ids []string
	for _, i := range incidents {
		ids = append(ids, i.ID)
		_, err := subject.Read(i.ID)
		assert.NoError(t, err)
		cases, err := i.plan(i.subjects()[0], run.Matrix{Bases: []string{"trixie"}})
		assert.NoError(t, err)
		assert.Len(t, cases, len(i.Cells))
		assert.NotEmpty(t, i.Design)
		assert.NotEmpty(t, i.Production)
		caught := 0
		for _, checks := range i.Cells {
			caught += len(checks)
			for _, name := range checks {
				assert.True(t, known[name], "%s: there is no check %s", i.ID, name)
				assert.NotEmpty(t, i.Says[name], "%s: what %s says of it", i.ID, name)
			}
		}
		assert.Positive(t, caught, "%s is never caught", i.ID)
	}
	assert.Equal(t, []string{"fork", "path-dir", "path-file", "pr240", "pr249", "pr254", "pr256", "pr257", "pr260", "vector-057", "vector-057-token"}, ids)
}

func TestACellIsRightOnlyForItsOwnReason(t *testing.T) {
	boot := func(verdict string, failed ...string) results.Case {
		a := results.Attempt{Verdict: verdict, Recording: "r"}
		for _, name := range failed {
			a.Checks = append(a.Checks, results.Check{Name: name, Outcome: "fail", Findings: []results.Finding{{Summary: "first"}, {Summary: "of mine.service"}}})
		}
		return results.Case{ID: "x/pre@trixie#1", Verdict: verdict, Expected: "fail", Recording: "r", Attempts: []results.Attempt{a}}
	}
	other := boot("fail", "boot-unblocked")
	other.Attempts[0].Checks[0].Findings[1].Summary = "of theirs.service"
	for _, tt := range []struct {
		name  string
		cases []results.Case
		wrong string
	}{
		{"caught", []results.Case{boot("fail", "registered", "boot-unblocked")}, ""},
		{"for another reason", []results.Case{boot("fail", "registered")}, "caught for another reason: boot-unblocked did not fail, [registered] did"},
		{"of another unit", []results.Case{other}, `caught for another reason: no finding of boot-unblocked says "mine.service"`},
		{"once in two", []results.Case{boot("fail", "boot-unblocked"), boot("pass")}, "pass, must fail"},
		{"spoilt", []results.Case{boot("invalid")}, "invalid, must fail"},
		{"not run", nil, "never ran"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Cell{Want: []string{"boot-unblocked"}, Says: map[string]string{"boot-unblocked": "mine.service"}, Cases: tt.cases}.Wrong()
			if tt.wrong == "" {
				assert.Empty(t, got)
				return
			}
			assert.Contains(t, got, tt.wrong)
		})
	}
}
