package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
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
