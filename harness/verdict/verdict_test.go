package verdict_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/check"
	"bootrace/harness/verdict"
)

func calm() verdict.Disturbance {
	return verdict.Disturbance{Measured: true, Late: 20 * time.Millisecond}
}

// disturbed is a host that lost two seconds.
func disturbed() verdict.Disturbance {
	return verdict.Disturbance{Measured: true, Late: 900 * time.Millisecond, Lost: 2 * time.Second}
}

// busy is a host whose CPU others wanted as well, though no tick came late: for 2 s
// of the boot, and from 60 to 70 s.
func busy(slowness float64) verdict.Disturbance {
	d := calm()
	d.Booted, d.Slowness = 4*time.Second, slowness
	for s, total := range map[int]int{-1: 0, 5: 2, 60: 2, 70: 10, 90: 10} {
		d.CPU = append(d.CPU, verdict.Waiting{At: time.Duration(s) * time.Second, Total: time.Duration(total) * time.Second})
	}
	slices.SortFunc(d.CPU, func(a, b verdict.Waiting) int { return cmp.Compare(a.At, b.At) })
	return d
}

// starving is a host that left a boot of 30 s no CPU.
func starving(slowness float64) verdict.Disturbance {
	d := calm()
	d.Booted, d.Slowness = 30*time.Second, slowness
	d.CPU = []verdict.Waiting{{At: 0}, {At: 30 * time.Second, Total: 29 * time.Second}}
	return d
}

func spoilt() verdict.Disturbance {
	d := calm()
	d.Causes = []verdict.Cause{{Reason: "the machine exited by itself"}}
	return d
}

func passes(name string) check.Result { return check.Result{Check: name, Outcome: check.Pass} }

func fails(f check.Finding) check.Result {
	f.Check = "c"
	return check.Result{Check: "c", Outcome: check.Fail, Findings: []check.Finding{f}}
}

// late is something that was over, at that second, by so many beyond the limit.
func late(at, over, limit time.Duration) check.Finding {
	return check.Finding{Summary: "late", At: at * time.Second, Over: over * time.Second, Limit: limit * time.Second}
}

func TestOneAttempt(t *testing.T) {
	t.Parallel()
	var (
		soft      = check.Finding{Summary: "vector.service failed"}
		intrinsic = check.Finding{Summary: "a token in the journal", Intrinsic: true}
		second    = check.Finding{Summary: "1 s late", Over: time.Second}
		minutes   = check.Finding{Summary: "5 min late", Over: 5 * time.Minute}
		booting   = check.Finding{Summary: "1 s late, at boot", At: 4 * time.Second, Over: time.Second, Limit: 3 * time.Second}
		silent    = check.Result{Check: "s", Outcome: check.NoEvidence, Note: "units.txt: not in the recording"}
		unasked   = check.Result{Check: "n", Outcome: check.NotApplicable}
	)
	for _, tt := range []struct {
		name    string
		results []check.Result
		d       verdict.Disturbance
		want    verdict.Verdict
		reason  string
	}{
		{"all well", []check.Result{passes("a"), unasked}, calm(), verdict.Pass, "1 checks"},
		{"all well on a slow host", []check.Result{passes("a")}, disturbed(), verdict.Pass, ""},
		{"all well on a host nobody measured", []check.Result{passes("a")}, verdict.Disturbance{}, verdict.Pass, ""},
		{"all well and the machine exited", []check.Result{passes("a")}, spoilt(), verdict.Invalid, "exited by itself"},
		{"a finding", []check.Result{passes("a"), fails(soft)}, calm(), verdict.Fail, "c: vector.service failed"},
		{"a finding on a disturbed host", []check.Result{fails(soft)}, disturbed(), verdict.Invalid, "a tick was 900ms late"},
		{"a finding on a host nobody measured", []check.Result{fails(soft)}, verdict.Disturbance{}, verdict.Invalid, "was not measured"},
		{"a finding on a host that stalled for memory", []check.Result{fails(soft)}, verdict.Disturbance{Measured: true, Stalled: 3 * time.Second, Lost: 3 * time.Second}, verdict.Invalid, "memory or disk stalled"},
		{"late by less than the host may explain", []check.Result{fails(second)}, disturbed(), verdict.Invalid, ""},
		{"late by more than the host can explain", []check.Result{fails(minutes)}, disturbed(), verdict.Fail, "5 min late"},
		{"late at boot, all of which was slower", []check.Result{fails(booting)}, busy(1.4), verdict.Invalid,
			"tasks waited for the CPU for 2s while it booted, and what is not the subject's took 1.4 times a control boot's time, which may have caused: 1 s late, at boot"},
		{"late at boot, by more than all was slower", []check.Result{fails(booting)}, busy(1.2), verdict.Fail, "1 s late, at boot"},
		{"late at boot, all of which was slower with the CPU free", []check.Result{fails(booting)}, verdict.Disturbance{Measured: true, Slowness: 5}, verdict.Fail, "1 s late, at boot"},
		{"late at boot, and nobody knows the control boot", []check.Result{fails(booting)}, busy(0), verdict.Fail, "1 s late, at boot"},
		{"a finding on a host that left the machine no CPU", []check.Result{fails(soft)}, starving(4), verdict.Invalid, "tasks waited for the CPU for 29s of the boot's 30s"},
		{"a finding of a boot that did not end for want of the CPU", []check.Result{fails(soft)}, starving(0), verdict.Invalid, "tasks waited for the CPU"},
		{"a finding of a boot that was as fast as others, though the CPU was wanted", []check.Result{fails(soft)}, starving(1.5), verdict.Fail, "vector.service failed"},
		{"late by less than the machine waited for", []check.Result{fails(check.Finding{Summary: "20 s late", At: 50 * time.Second, Over: 20 * time.Second})}, starving(4), verdict.Invalid, "tasks waited"},
		{"five minutes late on a host that left the machine no CPU", []check.Result{fails(minutes)}, starving(4), verdict.Fail, "5 min late"},
		{"late by more than the CPU was wanted for", []check.Result{fails(late(70, 9, 5))}, busy(5), verdict.Fail, "late"},
		{"late after it, with the CPU wanted for most of the time", []check.Result{fails(late(70, 3, 5))}, busy(1), verdict.Invalid,
			"tasks waited for the CPU for 8s of the 8s that it took, which may have caused: late"},
		{"late after it, with the CPU wanted for a part", []check.Result{fails(late(72, 1, 20))}, busy(5), verdict.Fail, "late"},
		{"late after it, with the CPU free", []check.Result{fails(late(90, 3, 5))}, busy(5), verdict.Fail, "late"},
		{"late for something that does not want the CPU", []check.Result{fails(second)}, busy(5), verdict.Fail, "1 s late"},
		{"what the host cannot explain leads, with the rest counted", []check.Result{fails(second), fails(minutes)}, disturbed(), verdict.Fail, "5 min late (and 1 more)"},
		{"a leaked secret on a disturbed host", []check.Result{fails(intrinsic)}, disturbed(), verdict.Fail, "a token in the journal"},
		{"a leaked secret and the machine exited", []check.Result{fails(intrinsic)}, spoilt(), verdict.Fail, "a token in the journal"},
		{"a finding and the machine exited", []check.Result{fails(minutes)}, spoilt(), verdict.Invalid, "exited by itself"},
		{"no evidence", []check.Result{passes("a"), silent}, calm(), verdict.Invalid, "no evidence for s: units.txt"},
		{"no evidence beside a finding", []check.Result{silent, fails(soft)}, calm(), verdict.Fail, ""},
		{"an outcome nobody knows", []check.Result{{Check: "x", Outcome: "perhaps"}}, calm(), verdict.Invalid, ""},
		{"nothing judged", []check.Result{unasked}, calm(), verdict.Error, "no check was judged"},
		{"nothing at all", nil, calm(), verdict.Error, "no check was judged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := verdict.Of(tt.results, tt.d)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}

func TestAttemptsTogether(t *testing.T) {
	t.Parallel()
	pass := verdict.Judgement{Verdict: verdict.Pass, Reason: "13 checks"}
	fail := verdict.Judgement{Verdict: verdict.Fail, Reason: "vector-active: gone"}
	invalid := verdict.Judgement{Verdict: verdict.Invalid, Reason: "disk full"}
	broken := verdict.Judgement{Verdict: verdict.Error, Reason: "engine gone"}
	for _, tt := range []struct {
		name     string
		attempts []verdict.Judgement
		want     verdict.Verdict
		reason   string
	}{
		{"all pass", []verdict.Judgement{pass, pass}, verdict.Pass, "13 checks"},
		{"all fail", []verdict.Judgement{fail, fail}, verdict.Fail, "gone"},
		{"red, then green", []verdict.Judgement{fail, pass}, verdict.Flaky, "1 of 2 attempts failed: vector-active: gone"},
		{"green, then red twice for the same reason", []verdict.Judgement{pass, fail, fail}, verdict.Flaky, "2 of 3 attempts failed: vector-active: gone"},
		{"spoilt, then green", []verdict.Judgement{invalid, pass}, verdict.Pass, ""},
		{"spoilt, then red", []verdict.Judgement{invalid, fail, broken}, verdict.Fail, ""},
		{"only spoilt", []verdict.Judgement{invalid, broken}, verdict.Invalid, "disk full"},
		{"only errors", []verdict.Judgement{broken}, verdict.Error, "engine gone"},
		{"flaky before stays flaky", []verdict.Judgement{{Verdict: verdict.Flaky, Reason: "x"}, pass}, verdict.Flaky, ""},
		{"none", nil, verdict.Error, "there was no attempt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := verdict.Combine(tt.attempts)
			assert.Equal(t, tt.want, j.Verdict)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}
