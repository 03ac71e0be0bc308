package run

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/machine"
)

func TestABootIsSpoiltWhereTheHostMayBeWhyItIsLate(t *testing.T) {
	t.Parallel()
	const budget = 2 * time.Second
	second := func(n float64) *time.Duration { d := time.Duration(n * float64(time.Second)); return &d }
	calm := boot.Control{MultiUser: 2 * time.Second}
	for name, tt := range map[string]struct {
		took    float64
		lost    *time.Duration // nil: the machine does not tell
		control []boot.Control
		want    string
	}{
		"late beside others":         {7, second(3), []boot.Control{calm}, "other processes had the CPU for 3s of the 7s that it took, which may be why multi-user.target was reached 5s later than in the control boot, budget 2s"},
		"late by itself":             {7, second(0.1), []boot.Control{calm}, ""},
		"late by more than they had": {14, second(2), []boot.Control{calm}, ""},
		"in time beside others":      {3.9, second(3), []boot.Control{calm}, ""},
		"nobody knows":               {7, nil, []boot.Control{calm}, ""},
		"nothing to compare with":    {7, second(3), nil, ""},
		"the control boots are spoilt, which is its own reason": {7, second(3), []boot.Control{{MultiUser: 4 * time.Second, Lost: 3 * time.Second}}, ""},
		"late on a slow host": {9, second(0), []boot.Control{{MultiUser: 6 * time.Second}}, "a control boot takes 6s on this host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{}
			if tt.lost != nil {
				b.lost = func(string) time.Duration { return *tt.lost }
			}
			why := spoiltBy(&control{boots: tt.control}, budget)(t.Context(), &fakeMachine{backend: b}, *second(tt.took))
			if tt.want == "" {
				assert.Empty(t, why)
			} else {
				assert.Contains(t, why, tt.want)
			}
		})
	}
}

func TestTheLastBootOfACaseIsSeenThroughAndWhereNobodyJudgesItAllAre(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		declared check.Declared
		settle   time.Duration // enough for the answer on any host; a boot that is cut does not wait for it
		cut      int
	}{
		"late":                      {check.Declared{}, 10 * time.Second, maxAttempts - 1},
		"late, which is not judged": {check.Declared{NotJudged: []check.Unjudged{{Check: "boot-unblocked", Reason: "it migrates"}}}, 500 * time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{reaches: true, lost: func(string) time.Duration { return time.Second }}
			b.late = func(name string) time.Duration {
				if strings.HasPrefix(name, "control") {
					return 0
				}
				return time.Second // the control boots say 0.5 s
			}
			r, _ := newRunner(t, b)
			r.Subjects = map[string]Subject{"mine": {Images: map[string]string{"trixie": "worker"}, Declared: tt.declared}}
			plan := quick(1)
			plan[0].Scenario.Look.Settle.Duration = tt.settle
			plan[0].Scenario.Expect.BootBudget.Duration = 100 * time.Millisecond
			out, err := r.Run(t.Context(), plan)
			require.NoError(t, err)
			require.Len(t, out[0].Attempts, maxAttempts, "%+v", out[0])
			cut := 0
			for _, a := range out[0].Attempts {
				assert.Equal(t, "invalid", a.Verdict)
				if strings.Contains(a.Reason, "ended there, to boot again") {
					cut++
				}
			}
			assert.Equal(t, tt.cut, cut)
			assert.NotContains(t, out[0].Attempts[maxAttempts-1].Reason, "ended there")
		})
	}
}

func TestAnAnswerThatComesLateCutsTheBootThen(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]struct {
		ended boot.Milestone
		after time.Duration
	}{
		"the host was busy": {cutShort, 9 * time.Second},
		"":                  {windowOver, 15 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			b := &fakeBackend{cpu: func() (time.Duration, error) { return time.Since(began), nil }}
			w := watch{shot: shot{boots: bootsAtMost, window: 15 * time.Second, until: windowOver},
				machine: &fakeMachine{backend: b}, see: newSightings(), reach: func(boot.Milestone) {}}
			w.spoilt = func(_ context.Context, _ machine.Machine, took time.Duration) string {
				assert.Equal(t, 4*time.Second, took)
				time.Sleep(5 * time.Second) // for the control boots
				return why
			}
			time.AfterFunc(4*time.Second, func() {
				w.see.add(boot.MultiUserReached)
				w.see.add(boot.CloudFinalStarted)
			})
			ended, err := w.toTheEnd(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want.ended, ended)
			assert.Equal(t, want.after, time.Since(began))
			assert.Equal(t, why, w.cut)
		})
	}
}
