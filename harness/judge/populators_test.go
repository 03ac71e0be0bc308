package judge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/timeline/timelinetest"
	"bootrace/harness/verdict"
)

// The populators that were, or could have been, shipped, and the check that must
// see each.
func TestBrokenPopulatorsFailInTheCheckThatShouldSeeThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		boot   func() *timelinetest.Boot
		checks []string // exactly these
		reason string
	}{
		{"exits 1 without a role env file", exitsOne, []string{"no-unit-failed", "no-start-limit", "start-rate"}, "populate-vector-env.service"},
		{"polls for 90 s before it is ready", polls, []string{"boot-unblocked"}, "later than in the control boot"},
		{"logs a token", logsToken, []string{"secrets-contained"}, "shared-axiom-platform-ingest-token"},
		{"writes vector.env in place", inPlace, []string{"env-file-whole"}, "in place"},
		{"leaves a stub for ever while every unit is green", stubForEver, []string{"vector-credentialed", "logs-delivered"}, "has not the vault's values"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := judged(t, tt.boot(), late())
			assert.Equal(t, verdict.Fail, j.Verdict, j.Reason)
			assert.Equal(t, tt.checks, failing(j), "%v", j.Findings)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}

// exitsOne is pr254: each automatic restart of Vector asks for the populator
// again, and its starts are used up at once. It recovers here when worker.env
// comes, so that the end is green.
func exitsOne() *timelinetest.Boot {
	b := timelinetest.Healthy()
	for i := range 5 {
		at := time.Second + time.Duration(i)*300*time.Millisecond
		b.Starting(at, timelinetest.Subject)
		b.Failed(at+20*time.Millisecond, timelinetest.Subject, "exit-code")
		b.StartFailed(at+25*time.Millisecond, timelinetest.Subject, "failed")
	}
	b.TooQuickly(3*time.Second, timelinetest.Subject)
	return b
}

// polls is pr256: a oneshot that is up when its poll has ended, and all that is
// ordered after it comes 90 s later.
func polls() *timelinetest.Boot {
	b := timelinetest.Healthy()
	b.Postpone(timelinetest.StubAt, 90*time.Second)
	return b
}

func logsToken() *timelinetest.Boot {
	b := timelinetest.Healthy()
	b.Log(timelinetest.RealAt, timelinetest.Subject, "writing AXIOM_PLATFORM_TOKEN=[secret:shared-axiom-platform-ingest-token]")
	return b
}

func inPlace() *timelinetest.Boot {
	b := timelinetest.Healthy()
	at := timelinetest.RealAt - 5*time.Millisecond
	b.EnvFile(at, timelinetest.VectorEnv, "modify", 0, "0600", "", false)
	b.EnvFile(at+time.Millisecond, timelinetest.VectorEnv, "modify", 40, "0600", "AXIOM_PLATFORM_DATASET=dada0001", false)
	return b
}

// stubForEver is pr260 at its worst: all units active, no failure, boot
// unblocked, nothing asked of the vault, and nothing arrives at Axiom.
func stubForEver() *timelinetest.Boot {
	b := timelinetest.Never()
	b.Step(timelinetest.CompleteAt-50*time.Millisecond, "role-env-created")
	b.Step(timelinetest.CompleteAt, "role-env-complete")
	b.Step(timelinetest.CompleteAt+100*time.Millisecond, "worker-started")
	b.Call(timelinetest.CompleteAt+300*time.Millisecond, "controlplane", "register", 200)
	return b
}
