package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
)

func TestABootGivesItsPlaceBackOnceItIsInNobodysWay(t *testing.T) {
	for name, tt := range map[string]struct {
		cpu  func(since time.Duration) (time.Duration, error)
		want time.Duration
	}{
		"blocked":              {func(time.Duration) (time.Duration, error) { return 3 * time.Second, nil }, bootsAtMost + idleWithin},
		"blocked, and polls":   {func(d time.Duration) (time.Duration, error) { return d / 50, nil }, bootsAtMost + idleWithin},
		"slow, beside fifteen": {func(d time.Duration) (time.Duration, error) { return d / 8, nil }, bootsAtMost + slowly},
		"slow, then blocked": {func(d time.Duration) (time.Duration, error) {
			return min(d, 14*time.Second), nil
		}, 15 * time.Second},
		"an engine that does not tell": {func(time.Duration) (time.Duration, error) { return 0, errors.New("no stats") }, bootsAtMost},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				b := &fakeBackend{cpu: func() (time.Duration, error) { return tt.cpu(time.Since(began)) }}
				w := watch{shot: shot{boots: bootsAtMost}, machine: &fakeMachine{backend: b}, see: newSightings()}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go w.tellBlocked(ctx)
				assert.Equal(t, blocked, <-w.see.c)
				assert.Equal(t, tt.want, time.Since(began))
			})
		})
	}
}

func TestAWindowIsNotOverWhileASlowHostStillBootsTheMachine(t *testing.T) {
	for name, tt := range map[string]struct {
		final time.Duration // when cloud-final started; 0: never
		cpu   func(since time.Duration) time.Duration
		want  time.Duration
	}{
		"booted in time":      {4 * time.Second, func(d time.Duration) time.Duration { return d }, 15 * time.Second},
		"booted late":         {21 * time.Second, func(d time.Duration) time.Duration { return d }, 21*time.Second + soon},
		"blocked":             {0, func(time.Duration) time.Duration { return 0 }, 15 * time.Second},
		"busy without an end": {0, func(d time.Duration) time.Duration { return d }, bootsAtMost + slowly + soon},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				b := &fakeBackend{cpu: func() (time.Duration, error) { return tt.cpu(time.Since(began)), nil }}
				w := watch{shot: shot{boots: bootsAtMost, window: 15 * time.Second, until: windowOver},
					machine: &fakeMachine{backend: b}, see: newSightings(), reach: func(boot.Milestone) {}}
				if tt.final > 0 {
					time.AfterFunc(tt.final, func() { w.see.add(boot.CloudFinalStarted) })
				}
				ended, err := w.toTheEnd(t.Context())
				require.NoError(t, err)
				assert.Equal(t, windowOver, ended)
				assert.Equal(t, tt.want, time.Since(began))
			})
		})
	}
}
