package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"bootrace/harness/machine"
)

// downWithin is how long a machine may take to stop its units. systemd gives each 90 s
// (systemd-system.conf(5), DefaultTimeoutStopSec=) before it kills what is left of it.
const downWithin = 100 * time.Second

// Down implements machine.Machine. The worker's stop signal has systemd stop all units, as
// for a reboot. The page cache is the host's: a loss of power loses nothing that was
// written, synced or not.
func (m *box) Down(ctx context.Context, how machine.Ending) error {
	m.stop()
	var err error
	if how == machine.PowerLoss {
		_, err = m.engine.ContainerKill(ctx, m.worker, client.ContainerKillOptions{Signal: "KILL"})
		if err == nil {
			err = m.awaitEnd(ctx)
		}
	} else {
		grace := int(downWithin.Seconds())
		_, err = m.engine.ContainerStop(ctx, m.worker, client.ContainerStopOptions{Timeout: &grace})
	}
	if err != nil {
		return fmt.Errorf("end the boot of machine %s: %w", m.ID(), err)
	}
	return nil
}

// awaitEnd waits until the worker does not run.
func (m *box) awaitEnd(ctx context.Context) error {
	wait := m.engine.ContainerWait(ctx, m.worker, client.ContainerWaitOptions{Condition: "not-running"})
	select {
	case <-wait.Result:
		return nil
	case err := <-wait.Error:
		return err
	}
}

// Up implements machine.Machine. The cloud, which knows one boot, is started anew as well,
// and with it the network that the worker joins.
func (m *box) Up(ctx context.Context, next machine.Next) (_ machine.Machine, err error) {
	n := &box{backend: m.backend, engine: m.engine, cloud: m.cloud, worker: m.worker, journal: m.journal, exited: make(chan struct{})}
	defer func() {
		if err != nil {
			if n.stop != nil {
				n.stop()
			}
			err = fmt.Errorf("boot machine %s again: %w", m.ID(), err)
		}
	}()
	now := 0
	if _, err := m.engine.ContainerStop(ctx, m.cloud, client.ContainerStopOptions{Timeout: &now}); err != nil {
		return nil, fmt.Errorf("stop its cloud: %w", err)
	}
	began, err := m.backend.now(ctx)
	if err != nil {
		return nil, err
	}
	config := []machine.File{{Path: cloudConfig, Mode: 0o600, Data: next.CloudConfig}}
	if err := errors.Join(m.backend.copy(ctx, m.cloud, began, config), m.backend.copy(ctx, m.worker, began, next.Files)); err != nil {
		return nil, err
	}
	if _, err := m.engine.ContainerStart(ctx, m.cloud, client.ContainerStartOptions{}); err != nil {
		return nil, fmt.Errorf("start its cloud: %w", err)
	}
	if err := n.followCloud(ctx, began); err != nil {
		return nil, fmt.Errorf("start its cloud: %w", err)
	}
	if _, err := m.engine.ContainerStart(ctx, m.worker, client.ContainerStartOptions{}); err != nil {
		return nil, err
	}
	if err := n.followWorker(ctx, began); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.closed = true // n is it now
	m.mu.Unlock()
	return n, nil
}
