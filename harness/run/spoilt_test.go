package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
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
