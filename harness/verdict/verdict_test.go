package verdict_test

import (
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

// busy is a host on which other processes had the CPU for 2 of the boot's 5 s, and for 8 s of
// those from 60 to 70.
func busy() verdict.Disturbance {
	d := calm()
	d.Booted = 5 * time.Second
	for _, l := range [][2]time.Duration{{5, 2}, {60, 2}, {70, 10}, {90, 10}} {
		d.CPU = append(d.CPU, verdict.Loss{At: l[0] * time.Second, Total: l[1] * time.Second})
	}
	return d
}

// starving is a host that left a boot of 30 s no CPU.
func starving() verdict.Disturbance {
	d := calm()
	d.Booted, d.CPU = 30*time.Second, []verdict.Loss{{At: 30 * time.Second, Total: 29 * time.Second}}
	return d
}

// slow is a host of nobody else's, on which a control boot takes so long.
func slow(control time.Duration) verdict.Disturbance {
	d := calm()
	d.Booted, d.Control = control, control
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
	return check.Finding{Summary: "late", At: at * time.Second, Over: over * time.Second, Limit: limit * time.Second, Since: (at - over - limit) * time.Second}
}

func TestOneAttempt(t *testing.T) {
	t.Parallel()
	var (
		soft      = check.Finding{Summary: "vector.service failed"}
		intrinsic = check.Finding{Summary: "a token in the journal", Intrinsic: true}
		second    = check.Finding{Summary: "1 s late", Over: time.Second}
		minutes   = check.Finding{Summary: "5 min late", Over: 5 * time.Minute}
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
		{"late by less than other processes had the CPU for", []check.Result{fails(late(70, 9, 5))}, busy(), verdict.Invalid,
			"other processes had the CPU for 8s of the 14s that it took, which may have caused: late"},
		{"late by less than thrice that", []check.Result{fails(late(70, 23, 5))}, busy(), verdict.Invalid, "8s of the 28s"},
		{"late by more than that", []check.Result{fails(late(70, 25, 5))}, busy(), verdict.Fail, "late"},
		{"late while other processes had the CPU for a part of the time", []check.Result{fails(late(72, 1, 8))}, busy(), verdict.Invalid, "5.6s of the 9s"},
		{"late before others had the CPU", []check.Result{fails(late(60, 1, 20))}, busy(), verdict.Fail, "late"},
		{"late after it", []check.Result{fails(late(90, 3, 5))}, busy(), verdict.Fail, "late"},
		{"late by a little on an idle host, where a boot loses a little as well", []check.Result{fails(check.Finding{Summary: "late", At: 2 * time.Second, Over: 50 * time.Millisecond, Limit: time.Second})},
			verdict.Disturbance{Measured: true, Booted: 2 * time.Second, CPU: []verdict.Loss{{At: 2 * time.Second, Total: 110 * time.Millisecond}}}, verdict.Fail, "late"},
		{"late at boot", []check.Result{fails(late(5, 1, 4))}, busy(), verdict.Invalid, "2s of the 5s"},
		{"late by less than other processes had the CPU for, for something that does not want it", []check.Result{fails(late(55, 1, 0))}, busy(), verdict.Fail, "late"},
		{"never, since the boot's start", []check.Result{fails(check.Finding{Summary: "late", At: 90 * time.Second, Over: 19 * time.Second, Limit: time.Second})}, busy(), verdict.Invalid, "10s of the 1m30s"},
		{"a finding where other processes had the CPU for less than half of the boot", []check.Result{fails(soft)}, busy(), verdict.Fail, "vector.service failed"},
		{"a finding where they had it for most of the boot", []check.Result{fails(soft)}, starving(), verdict.Invalid, "other processes had the CPU for 29s of the boot's 30s"},
		{"a finding after a boot with the CPU free, where others had it before", []check.Result{fails(check.Finding{Summary: "soft", At: 70 * time.Second})}, busy(), verdict.Invalid, "other processes had the CPU for 8s of the 10s before"},
		{"a finding after that", []check.Result{fails(check.Finding{Summary: "soft", At: 90 * time.Second})}, busy(), verdict.Fail, "soft"},
		{"late while the machine said nothing", []check.Result{fails(late(60, 40, 10))}, starving(), verdict.Invalid, "48.333s of the 50s"},
		{"five minutes late where they had it for half a minute", []check.Result{fails(minutes)}, starving(), verdict.Fail, "5 min late"},
		{"late on a slow host", []check.Result{fails(late(60, 4, 10))}, slow(5 * time.Second), verdict.Invalid, "a control boot takes 5s on this host, which"},
		{"late by more than it is slow", []check.Result{fails(late(60, 7, 10))}, slow(5 * time.Second), verdict.Fail, "late"},
		{"late on a host that is as fast as others", []check.Result{fails(late(60, 1, 100))}, slow(2 * time.Second), verdict.Fail, "late"},
		{"a finding on a slow host", []check.Result{fails(soft)}, slow(5 * time.Second), verdict.Fail, "vector.service failed"},
		{"a finding on one that takes twice the time", []check.Result{fails(soft)}, slow(6 * time.Second), verdict.Invalid, "the host is slow: a control boot takes 6s"},
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
			j := verdict.Of(tt.results, tt.d, verdict.Bounds{})
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

func TestWhatOnlyARealVectorKnowsIsInvalidOnce(t *testing.T) {
	t.Parallel()
	failed := []check.Result{{Check: "vector-active", Outcome: check.Fail, Findings: []check.Finding{{Check: "vector-active", Summary: "failed", Intrinsic: true}}}}
	j := verdict.Of(failed, verdict.Disturbance{Measured: true, Undecided: "the stand-in cannot decide: sinks.x has an option that it does not know"}, verdict.Bounds{})
	assert.Equal(t, verdict.Invalid, j.Verdict)
	assert.True(t, j.Settled)
	assert.Contains(t, j.Reason, "sinks.x")
	j = verdict.Of(failed, verdict.Disturbance{Measured: true}, verdict.Bounds{})
	assert.Equal(t, verdict.Fail, j.Verdict)
	assert.False(t, j.Settled)
}

func TestWhatIsNotJudgedIsNamedInAPass(t *testing.T) {
	t.Parallel()
	j := verdict.Of([]check.Result{{Check: "vector-active", Outcome: check.Pass}, {Check: "logs-delivered", Outcome: check.NotJudged}}, verdict.Disturbance{Measured: true}, verdict.Bounds{})
	assert.Equal(t, verdict.Pass, j.Verdict)
	assert.Equal(t, "1 checks, not judged: logs-delivered", j.Reason)
	assert.Equal(t, verdict.Error, verdict.Of([]check.Result{{Check: "logs-delivered", Outcome: check.NotJudged}}, verdict.Disturbance{Measured: true}, verdict.Bounds{}).Verdict)
}

func TestAFaultThatWasMissedOnABusyHostMayBeMetOnAnother(t *testing.T) {
	t.Parallel()
	results := []check.Result{passes("a")}
	for _, tt := range []struct {
		name   string
		d      verdict.Disturbance
		bounds verdict.Bounds
		want   verdict.Verdict
	}{
		{"nobody asked", starving(), verdict.Bounds{Undone: "no request met it"}, verdict.NotApplicable},
		{"somebody asked too late, on a busy host", starving(), verdict.Bounds{Undone: "no request met it", Late: true}, verdict.Invalid},
		{"somebody asked too late, on a slow host", slow(9 * time.Second), verdict.Bounds{Undone: "no request met it", Late: true}, verdict.Invalid},
		{"somebody asked too late, on a calm host", calm(), verdict.Bounds{Undone: "no request met it", Late: true}, verdict.NotApplicable},
		{"it was met", starving(), verdict.Bounds{}, verdict.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := verdict.Of(results, tt.d, tt.bounds)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Equal(t, tt.want == verdict.NotApplicable, j.Settled)
		})
	}
}

func TestWhatAMachineLacksDecidesAfterWhatItDoesNotExplain(t *testing.T) {
	t.Parallel()
	lack := verdict.Lack{Reason: "a.service is skipped here", Explains: func(f check.Finding) bool { return f.Unit == "a.service" }}
	decides := lack
	decides.Decides = true
	its, others := check.Finding{Summary: "a", Unit: "a.service"}, check.Finding{Summary: "b", Unit: "b.service"}
	silent := check.Result{Check: "s", Outcome: check.NoEvidence}
	for _, tt := range []struct {
		name    string
		results []check.Result
		d       verdict.Disturbance
		lack    verdict.Lack
		want    verdict.Verdict
	}{
		{"all well, and nobody needs it", []check.Result{passes("a")}, calm(), lack, verdict.Pass},
		{"all well, and it is needed", []check.Result{passes("a")}, calm(), decides, verdict.Untestable},
		{"what comes of it failed", []check.Result{fails(its)}, calm(), lack, verdict.Untestable},
		{"something else failed", []check.Result{fails(its), fails(others)}, calm(), decides, verdict.Fail},
		{"something else failed, and the host may be to blame", []check.Result{fails(others)}, disturbed(), decides, verdict.Untestable},
		{"the host spoilt the boot", []check.Result{fails(its)}, spoilt(), decides, verdict.Invalid},
		{"a check has no evidence", []check.Result{silent}, calm(), decides, verdict.Untestable},
		{"a check has no evidence, and nobody needs it", []check.Result{silent}, calm(), lack, verdict.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := verdict.Of(tt.results, tt.d, verdict.Bounds{Lacks: []verdict.Lack{tt.lack}})
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			if tt.want == verdict.Untestable {
				assert.Equal(t, "a container cannot show it: a.service is skipped here", j.Reason, "it is said first")
			}
		})
	}
	u, p := verdict.Judgement{Verdict: verdict.Untestable}, verdict.Judgement{Verdict: verdict.Invalid}
	assert.Equal(t, verdict.Untestable, verdict.Combine([]verdict.Judgement{p, u}).Verdict)
}

func TestWhatIsExcusedDecidedNothing(t *testing.T) {
	full := verdict.Disturbance{Causes: []verdict.Cause{{Reason: "the disk is full"}}}
	lacking := verdict.Bounds{Lacks: []verdict.Lack{{Reason: "no kernel log", Explains: func(f check.Finding) bool { return f.Unit == "klog.service" }}}}
	for _, tt := range []struct {
		name string
		f    check.Finding
		d    verdict.Disturbance
		b    verdict.Bounds
		want string
	}{
		{"of the subject", check.Finding{}, verdict.Disturbance{Measured: true}, verdict.Bounds{}, ""},
		{"of a host whose disk is full", check.Finding{}, full, verdict.Bounds{}, "the disk is full"},
		{"of the subject, however full the disk is", check.Finding{Intrinsic: true}, full, verdict.Bounds{}, ""},
		{"of what a container lacks", check.Finding{Unit: "klog.service", Intrinsic: true}, verdict.Disturbance{}, lacking, "no kernel log"},
		{"of another unit", check.Finding{Unit: "vector.service"}, verdict.Disturbance{Measured: true}, lacking, ""},
	} {
		assert.Equal(t, tt.want, verdict.Excuse(tt.f, tt.d, tt.b), tt.name)
	}
}
