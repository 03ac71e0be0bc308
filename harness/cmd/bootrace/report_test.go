package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestTheCommandThatBootsACaseAgainNamesWhatTheRunWasAskedFor(t *testing.T) {
	t.Parallel()
	c := caseOf("pre", "fail", "registered: it did not")
	const line = "bootrace run pre --base trixie --keep-on-failure"
	assert.Equal(t, line, again(nil, c))
	assert.Equal(t, line+" --vector vector.deb", again(&results.Request{Vector: "vector.deb"}, c))
	assert.Equal(t, line+" --subject /home/me/populator", again(&results.Request{Subjects: []string{"/home/me/other", "/home/me/populator"}}, c))
	c.Subject = "mine"
	assert.Equal(t, line+" --subject .../mine", again(nil, c))
}

// A scenario that expects to fail and passes is news, and none that is green.
func TestAKnownFailureThatPassesIsShownAsOne(t *testing.T) {
	t.Parallel()
	surprise, spoilt := caseOf("pre", "pass", "13 checks"), caseOf("never", "invalid", "the host was busy")
	surprise.Expected = "fail"
	green := style{true}.paint("32", "pass   ")
	for _, cases := range [][]results.Case{{surprise}, {surprise, spoilt}, {spoilt, surprise}} {
		r := runOf("r", time.Unix(1, 0), len(cases), cases...)
		var out strings.Builder
		printRun(streams{out: &out, color: true}, r)
		assert.NotContains(t, out.String(), green)
		assert.Contains(t, out.String(), "pre@trixie#1: expected to fail, and passes: 13 checks\n")
		assert.True(t, strings.HasPrefix(runLine(style{}, r), "fail    r "), runLine(style{}, r))
	}
	assert.True(t, strings.HasPrefix(runLine(style{}, runOf("r", time.Unix(1, 0), 0)), "error   r "), "nothing is no pass")
}

func TestWhatAMachineWroteDoesNotActOnTheTerminal(t *testing.T) {
	t.Parallel()
	const acts = "\x1b[2K\rpass\u009b1A\u202e"
	c := caseOf("pre", "fail", acts, results.Check{Name: "registered", Outcome: "fail", Note: acts,
		Findings: []results.Finding{{Summary: acts, Evidence: []results.Evidence{{Text: acts}}}}})
	c.Attempts = append(c.Attempts, c.Attempts[0])
	r := runOf("r", time.Unix(1, 0), 1, c)
	var out strings.Builder
	printRun(streams{out: &out}, r)
	printCase(streams{out: &out}, r, r.Cases[0], true)
	printExplanation(streams{out: &out}, r.Cases[0], r.Cases[0].Recording)
	assert.Contains(t, out.String(), "\ufffd[2K")
	assert.NotRegexp(t, "[\x1b\r\u009b\u202e]", out.String())
}

func TestTheExitCodeOfARunWhoseCasesWereNotJudged(t *testing.T) {
	t.Parallel()
	good, bad := caseOf("pre", "pass", "13 checks"), caseOf("delay-0s", "fail", "registered: it did not")
	untestable, aside := caseOf("never", "untestable", "a container cannot show it"), caseOf("populator-killed", "not-applicable", "there is no populator")
	for _, tt := range []struct {
		cases []results.Case
		want  int
		line  string
	}{
		{[]results.Case{good}, exitOK, "pass"},
		{[]results.Case{good, aside}, exitOK, "pass"},
		{[]results.Case{aside}, exitInvalid, "not-applicable"},
		{[]results.Case{good, untestable}, exitInvalid, "untestable"},
		{[]results.Case{untestable, aside}, exitInvalid, "untestable"},
		{[]results.Case{bad, untestable, aside}, exitFailure, "fail"},
	} {
		r := runOf("r", time.Unix(1, 0), len(tt.cases), tt.cases...)
		r.Ended = time.Unix(2, 0)
		code := exitOK
		if err := outcome(r, nil); err != nil {
			var coded exitError
			require.ErrorAs(t, err, &coded)
			code = coded.code
		}
		assert.Equal(t, tt.want, code, tt.line)
		assert.True(t, strings.HasPrefix(runLine(style{}, r), tt.line), runLine(style{}, r))
	}
	var out strings.Builder
	r := runOf("r", time.Unix(1, 0), 2, good, aside)
	r.Found = []results.ImageFinding{{Subject: "mine", Base: "trixie", Name: "role-env", Problem: true, Text: "worker.env is in the image"}, {Name: "enabled", Text: "a note"}}
	printRun(streams{out: &out}, r)
	assert.Contains(t, out.String(), "there is no populator")
	assert.Contains(t, out.String(), "image   mine on trixie: role-env: worker.env is in the image")
	assert.NotContains(t, out.String(), "a note")
	assert.Contains(t, out.String(), "1 pass, 1 not-applicable")
}
