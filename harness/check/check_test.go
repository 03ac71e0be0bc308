package check_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	facts "bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

type (
	boot   = timelinetest.Boot
	expect = check.Expect
)

// row is one boot and what one check must say of it.
type row struct {
	name   string
	boot   *boot // nil: Healthy
	break_ func(*boot)
	expect func(*expect)
	want   check.Outcome
	say    []string // each in a finding's summary, or in the note if there is none
	never  string   // in none of them
	unit   string   // of the first finding
	late   string   // of the first finding: since when, by how much over which limit
}

func late() expect {
	return expect{
		Setup:   facts.Setup{RoleEnv: facts.Late, SubjectUnits: []string{timelinetest.Subject}, EnvDigests: timelinetest.Digests(), LogToken: timelinetest.LogToken},
		Control: facts.Control{MultiUser: 850 * time.Millisecond, Active: []string{timelinetest.Logger}},
		Limits:  check.Limits{CredentialsWithin: 5 * time.Second, BootBudget: time.Second, Registered: true, PendingWorkerTTL: 600 * time.Second},
	}
}

func never(e *expect) { e.RoleEnv, e.Registered = facts.Never, false }

func read(t *testing.T, b *boot) facts.Facts {
	t.Helper()
	tl, err := timeline.Read(b.FS())
	require.NoError(t, err)
	return facts.Of(tl)
}

// judged runs the rows of one check.
func judged(t *testing.T, name string, rows []row) {
	t.Helper()
	t.Parallel()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, e := tt.boot, late()
			if b == nil {
				b = timelinetest.Healthy()
			}
			if tt.break_ != nil {
				tt.break_(b)
			}
			if tt.expect != nil {
				tt.expect(&e)
			}
			e.Checks = []string{name}
			results := check.Judge(read(t, b), e)
			require.Len(t, results, 1)
			r := results[0]
			text := r.Note
			for _, f := range r.Findings {
				text += "\n" + f.Summary
				assert.Equal(t, name, f.Check)
				if !f.Absence {
					assert.NotEmpty(t, f.Evidence, "a finding points at its evidence: %s", f.Summary)
				}
			}
			require.Equal(t, tt.want, r.Outcome, text)
			require.Equal(t, r.Outcome == check.Fail, len(r.Findings) > 0)
			for _, s := range tt.say {
				assert.Contains(t, text, s)
			}
			if tt.never != "" {
				assert.NotContains(t, text, tt.never)
			}
			if tt.unit != "" {
				assert.Equal(t, tt.unit, r.Findings[0].Unit)
			}
			if tt.late != "" {
				f := r.Findings[0]
				assert.Equal(t, tt.late, fmt.Sprintf("since %s, %s over %s", timeline.Since(f.Since), f.Over, f.Limit))
			}
		})
	}
}

func TestAHealthyBootPassesEveryCheck(t *testing.T) {
	t.Parallel()
	healthy := check.Judge(read(t, timelinetest.Healthy()), late())
	require.Len(t, healthy, len(check.Table()))
	for _, r := range healthy {
		assert.Equal(t, check.Pass, r.Outcome, "%s: %s %v", r.Check, r.Note, r.Findings)
	}
	e := late()
	never(&e)
	without := check.Judge(read(t, timelinetest.Never()), e)
	require.Len(t, without, len(check.Table()))
	for _, r := range without {
		assert.Contains(t, []check.Outcome{check.Pass, check.NotApplicable}, r.Outcome, "%s: %s %v", r.Check, r.Note, r.Findings)
	}
}

func TestTheREADMESaysWhatEachCheckFailsFor(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, rows, found := strings.Cut(string(text), "| check | fails when |\n|---|---|\n")
	require.True(t, found)
	rows, _, _ = strings.Cut(rows, "\n\n")
	var said, table []string
	for row := range strings.SplitSeq(rows, "\n") {
		said = append(said, strings.Split(row, " ")[1])
	}
	for _, c := range check.Table() {
		table = append(table, c.Name)
	}
	assert.Equal(t, table, said, "README.md, What is checked: a row for each check, in the table's order")
}

func TestNoCheckPassesWithoutItsEvidence(t *testing.T) {
	t.Parallel()
	for _, c := range check.Table() {
		for _, source := range append([]string{timeline.Manifest}, c.Needs...) {
			t.Run(c.Name+" without "+source, func(t *testing.T) {
				t.Parallel()
				b := timelinetest.Healthy()
				if source == timeline.Manifest {
					b.Missing["boot clock"] = "nobody could read it"
				} else {
					b.Drop = []string{source}
				}
				e := late()
				e.Checks = []string{c.Name}
				r := check.Judge(read(t, b), e)[0]
				assert.Equal(t, check.NoEvidence, r.Outcome, "%v", r.Findings)
				assert.Contains(t, r.Note, source)
			})
		}
	}
}

func TestAnEmptyRecordingProvesNothing(t *testing.T) {
	t.Parallel()
	b := timelinetest.New()
	b.Drop = []string{timeline.Journal, timeline.Console, timeline.Cloud, timeline.Units, timeline.Jobs, timeline.Files, timeline.Processes, timeline.Leaks, timeline.Host}
	results := check.Judge(read(t, b), late())
	require.Len(t, results, len(check.Table()))
	for _, r := range results {
		assert.Equal(t, check.NoEvidence, r.Outcome, r.Check)
	}
}

func TestWhatWasSeenCountsInADamagedRecordingToo(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Failed(3*time.Second, "vector.service", "exit-code")
	b.Drop = []string{timeline.Units}
	e := late()
	e.Checks = []string{"no-unit-failed"}
	assert.Equal(t, check.Fail, check.Judge(read(t, b), e)[0].Outcome)
}

func TestAnUnknownCheckIsNotPassedOver(t *testing.T) {
	t.Parallel()
	e := late()
	e.Checks = []string{"vector-activ"}
	assert.Equal(t, []check.Result{{Check: "vector-activ", Outcome: check.NoEvidence, Note: "there is no such check"}},
		check.Judge(read(t, timelinetest.Healthy()), e))
}

func TestExpectationsAreValidated(t *testing.T) {
	t.Parallel()
	e := late()
	require.NoError(t, e.Validate())
	e.RoleEnv, e.BootBudget, e.AllowedFailed = "sometimes", 0, []check.Allowed{{Unit: "x.service"}}
	err := e.Validate()
	for _, s := range []string{`role_env "sometimes"`, `boot_budget_ns 0`, `allowed_failed "x.service"`} {
		require.ErrorContains(t, err, s)
	}
}
