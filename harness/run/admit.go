package run

import (
	"context"
)

// admission bounds how many machines boot and how many run at once: booting
// ones disturb each other, waiting ones only take memory.
type admission struct {
	running, booting chan struct{}
}

func newAdmission(running, booting int) admission {
	return admission{running: make(chan struct{}, max(1, running)), booting: make(chan struct{}, max(1, booting))}
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
