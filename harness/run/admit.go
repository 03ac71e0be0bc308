package run

import (
	"context"
	"sync"
	"time"
)

// admission bounds how many machines boot and how many run at once: booting
// ones disturb each other, waiting ones only take memory.
type admission struct {
	running, booting chan struct{}
	alone            *sync.Mutex // who wants all booting places collects them by himself
}

func newAdmission(running, booting int) admission {
	return admission{running: make(chan struct{}, max(1, running)), booting: make(chan struct{}, max(1, booting)), alone: &sync.Mutex{}}
}

// enter waits for a place to run. leave gives it back; it may be called twice.
func enter(ctx context.Context, places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	left := make(chan struct{}, 1)
	return func() {
		select {
		case left <- struct{}{}:
			<-places
		default:
		}
	}, nil
}

// outOfTheWay waits until fewer than so many run, or the host has room for one more.
func (a admission) outOfTheWay(ctx context.Context, crowd int, spare func() bool) {
	for crowd > 0 && len(a.running) >= crowd && !spare() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sampledEvery):
		}
	}
}

// bootAlone waits until nobody else boots, for a boot that others have spoilt.
func (a admission) bootAlone(ctx context.Context) (leave func(), err error) {
	a.alone.Lock()
	defer a.alone.Unlock()
	var all []func()
	leave = func() {
		for _, l := range all {
			l()
		}
	}
	for range cap(a.booting) {
		l, err := enter(ctx, a.booting)
		if err != nil {
			leave()
			return nil, err
		}
		all = append(all, l)
	}
	return leave, nil
}
