package report

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// example has a case of each kind: as expected, failed, expected to fail, invalid.
func example() results.Run {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	boot := func(id, expected, verdict string, checks ...results.Check) results.Case {
		return results.Case{ID: id, Expected: expected, Verdict: verdict, Reason: "because of a|b <c>", Subject: "populator", Vector: "vector 0.56.0 (bootrace stand-in, not Vector)",
			Started: began, Duration: 12 * time.Second, Recording: "/r/" + id, Attempts: []results.Attempt{{Recording: "/spoilt"}, {Recording: "/r/" + id, Checks: checks}}}
	}
	check := func(name, outcome string) results.Check {
		c := results.Check{Name: name, Outcome: outcome, Note: "a note"}
		if outcome == "fail" {
			c.Findings = []results.Finding{{Summary: "seen", At: time.Second, Evidence: []results.Evidence{{File: "console.log", Line: 3, Text: "a \x1b[0;1mline\x00"}}}}
		}
		return c
	}
	failed := boot("bad", "pass", "fail", check("registered", "fail"), check("quiescent", "pass"))
	failed.Attempts[1].Change = "wait longer"
	return results.Run{ID: "20260102-030405-aaaa", Subject: "populator", Vector: "stand-in", Started: began, Ended: began.Add(time.Minute), Planned: 5, Cases: []results.Case{
		boot("good", "pass", "pass", check("registered", "pass"), check("quiescent", "not-applicable")),
		failed,
		boot("museum", "fail", "fail", check("registered", "fail")),
		boot("spoilt", "pass", "invalid", check("registered", "no-evidence"), check("quiescent", "fail")),
	}}
}

func TestJUnitHasATestACaseAndNothingTurnsGreen(t *testing.T) {
	var out strings.Builder
	require.NoError(t, JUnit(&out, example()))
	var got suites
	require.NoError(t, xml.Unmarshal([]byte(out.String()), &got), "console escapes are no XML")
	assert.Equal(t, counts{Tests: 5, Failures: 1, Errors: 2}, got.counts, "bad fails; spoilt and what never ran are errors")
	require.Len(t, got.Suites, 1)
	assert.Equal(t, got.counts, got.Suites[0].counts)
	tests := got.Suites[0].Tested
	require.Len(t, tests, 5)
	good, bad := tests[0], tests[1]
	assert.Equal(t, []string{"populator", "good", "12.000"}, []string{good.Class, good.Name, good.Time})
	assert.Nil(t, good.Failure)
	assert.Contains(t, good.Out, "pass           registered  a note\n")
	assert.Equal(t, "fail, expected pass: because of a|b <c>", bad.Failure.Message)
	assert.Equal(t, "change: wait longer", bad.Failure.Text)
	assert.Contains(t, bad.Out, "\n  +1.000s seen\n    console.log:3: a [0;1mline\n")
	assert.Contains(t, bad.Out, "recording: /r/bad")
	assert.Nil(t, tests[2].Failure, "it fails as expected")
	assert.NotNil(t, tests[3].Error)
	assert.Contains(t, tests[4].Error.Message, "1 of 5 cases never ran")
}

func TestAnnotationsAreOfWhatIsOtherwiseThanExpected(t *testing.T) {
	r := example()
	r.Cases[1].ID, r.Cases[1].Reason = "bad,a:b", "100% of it\nis late"
	var out strings.Builder
	require.NoError(t, Annotations(&out, r))
	assert.Equal(t, "::error title=fail bad%2Ca%3Ab::100%25 of it%0Ais late%0Achange: wait longer\n"+
		"::error title=invalid spoilt::because of a|b <c>\n::error title=not run::1 of 5 cases never ran\n", out.String())
	r.Cases, r.Planned = r.Cases[:1], 1
	out.Reset()
	require.NoError(t, Annotations(&out, r))
	assert.Empty(t, out.String())
}

func TestMarkdownLeadsToWhatIsOtherwiseThanExpected(t *testing.T) {
	var out strings.Builder
	require.NoError(t, Markdown(&out, example()))
	text := out.String()
	assert.Contains(t, text, "Vector: vector 0.56.0 (bootrace stand-in, not Vector).")
	assert.Contains(t, text, "| good | pass | 12.0 s | because of a\\|b &lt;c> |\n")
	assert.Contains(t, text, "| bad | **fail** |")
	assert.Contains(t, text, "| museum | fail, as expected |")
	assert.Contains(t, text, "**1 of 5 cases never ran.**")
	assert.Contains(t, text, "### bad: fail\n\nbecause of a\\|b &lt;c>\n\n**Change**: wait longer\n\n- **registered**: seen\n")
	assert.NotContains(t, text, "### museum")
}

func TestMarkdownNamesWhatIsFlaky(t *testing.T) {
	r := results.Run{ID: "r", Planned: 2, Cases: []results.Case{
		{ID: "pre@trixie#1", Expected: "pass", Verdict: "pass"}, {ID: "pre@trixie#2", Expected: "pass", Verdict: "fail"},
	}}
	var out strings.Builder
	require.NoError(t, Markdown(&out, r))
	assert.Contains(t, out.String(), "**Flaky: pre@trixie**, 1 passed and 1 failed of the same inputs.")
	r.Cases[1].Verdict = "pass"
	out.Reset()
	require.NoError(t, Markdown(&out, r))
	assert.NotContains(t, out.String(), "Flaky")
}

// What a container cannot show is no success; what does not apply is neither.
func TestWhatWasNotJudgedIsNoSuccessAndNoFailure(t *testing.T) {
	r := results.Run{ID: "r", Planned: 2, Cases: []results.Case{
		{ID: "a", Expected: "pass", Verdict: "untestable", Reason: "a container cannot show it: a.service is skipped here", Recording: "/r/a",
			Attempts: []results.Attempt{{Recording: "/r/a", Checks: []results.Check{{Name: "registered", Outcome: "fail", Findings: []results.Finding{{Summary: "late"}}}}}}},
		{ID: "b", Expected: "pass", Verdict: "not-applicable", Reason: "there is no such unit"},
	}}
	var out strings.Builder
	require.NoError(t, JUnit(&out, r))
	var got suites
	require.NoError(t, xml.Unmarshal([]byte(out.String()), &got))
	assert.Equal(t, counts{Tests: 2, Errors: 1, Skipped: 1}, got.counts)
	assert.Contains(t, got.Suites[0].Tested[0].Error.Message, "untestable, expected pass: a container cannot show it")
	assert.Contains(t, got.Suites[0].Tested[1].Skipped.Message, "there is no such unit")
	out.Reset()
	require.NoError(t, Markdown(&out, r))
	assert.Contains(t, out.String(), "| a | **untestable** |")
	assert.Contains(t, out.String(), "| b | not-applicable |")
	assert.NotContains(t, out.String(), "### b")
	assert.NotContains(t, out.String(), "In the image")
	r.Found = []results.ImageFinding{{Subject: "mine", Base: "trixie", Name: "role-env", Problem: true, Text: "worker.env is in the image"}, {Text: "a note"}}
	out.Reset()
	require.NoError(t, Markdown(&out, r))
	assert.Contains(t, out.String(), "**In the image of mine on trixie**: worker.env is in the image\n")
	assert.NotContains(t, out.String(), "a note")
}
