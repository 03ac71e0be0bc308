package unit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
)

// pollEvery is how often a queued job is looked at. Its end is not signalled
// to who did not enqueue it without subscribing to every unit's.
const pollEvery = 500 * time.Millisecond

// Service is a unit whose processes are to get a new environment file.
type Service struct {
	Name string
	// dial is connect, or a test's.
	dial func(context.Context) (manager, error)
}

// NewService returns the service of that name.
func NewService(name string) Service { return Service{Name: name, dial: connect} }

// manager is what is asked of systemd.
type manager interface {
	ListJobsContext(ctx context.Context) ([]dbus.JobStatus, error)
	GetUnitPropertiesContext(ctx context.Context, unit string) (map[string]any, error)
	ResetFailedUnitContext(ctx context.Context, name string) error
	RestartUnitContext(ctx context.Context, name, mode string, done chan<- string) (int, error)
	Close()
}

// connect prefers systemd's own socket, which is there from its first moment;
// the bus needs dbus.service, which may be starting, restarting or waiting for
// us at that time.
func connect(ctx context.Context) (manager, error) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err == nil {
		return conn, nil
	}
	conn, busErr := dbus.NewSystemConnectionContext(ctx)
	if busErr != nil {
		return nil, errors.Join(err, busErr)
	}
	return conn, nil
}

// Idle says whether the service is known to have no process: it will read its
// environment files when it gets one (systemd.exec(5), EnvironmentFile=).
func (s Service) Idle(ctx context.Context) (bool, error) {
	m, err := s.dial(ctx)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Name, err)
	}
	defer m.Close()
	state, err := s.state(ctx, m)
	return err == nil && state.active == "inactive", err
}

// Reload sees to it that the service runs with the environment files as they
// are now, and says how. It returns when the service has started, or with an
// error when it has not by the end of ctx.
func (s Service) Reload(ctx context.Context) (how string, err error) {
	m, err := s.dial(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.Name, err)
	}
	defer m.Close()
	waited := false
	for began := time.Now(); ; {
		state, err := s.state(ctx, m)
		if err != nil {
			return "", err
		}
		switch {
		case state.load == "not-found" || state.load == "masked":
			return fmt.Sprintf("%s is %s", s.Name, state.load), nil
		case state.willRead():
			// Its first start of this boot, or a restart somebody asked for,
			// has not begun: one more would only disturb it.
			waited = true
		case waited && (state.active == "active" || state.starting()):
			return s.Name + " has started", nil
		case state.starting() && time.Since(began) < startGrace:
			// A restart now would kill its ExecStartPre=, and what is killed
			// while it starts has failed.
		default:
			return s.restart(ctx, m)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%s: its %s job still waits for others", s.Name, cmp.Or(state.job, "start"))
		case <-time.After(pollEvery):
		}
	}
}

// startGrace is how long a start that is under way may take before it is cut
// short: validation takes milliseconds, on a busy host a second.
const startGrace = 3 * time.Second

func (s Service) restart(ctx context.Context, m manager) (string, error) {
	// Starts count against StartLimitBurst=, manual ones too, until the
	// counter is reset (systemd.unit(5), StartLimitIntervalSec=). A unit that
	// is not loaded at the moment has nothing to reset and can be started.
	resetErr := m.ResetFailedUnitContext(ctx, s.Name)
	done := make(chan string, 1)
	if _, err := m.RestartUnitContext(ctx, s.Name, "replace", done); err != nil {
		return "", fmt.Errorf("restart %s: %w", s.Name, errors.Join(err, resetErr))
	}
	select {
	case result := <-done:
		if result != "done" {
			return "", fmt.Errorf("restart %s: its job ended with %q", s.Name, result)
		}
		return s.Name + " has been restarted", nil
	case <-ctx.Done():
		return "", fmt.Errorf("restart %s: its job has not ended in time", s.Name)
	}
}

// serviceState is a service as the manager sees it.
type serviceState struct {
	load, active, sub string
	job               string // the type of its job, if that has not begun
}

// starting: its commands are being run. Between two tries none is.
func (s serviceState) starting() bool {
	return s.active == "activating" && s.sub != "auto-restart" && s.sub != "auto-restart-queued"
}

// willRead: everything the service will run is yet to be started.
func (s serviceState) willRead() bool {
	switch s.job {
	case "restart":
		return true
	case "start":
		return s.active == "inactive" || s.active == "failed"
	}
	return false
}

func (s Service) state(ctx context.Context, m manager) (serviceState, error) {
	// Jobs first: one that begins in between shows as a state that has moved
	// on, never as a start that is yet to come.
	jobs, err := m.ListJobsContext(ctx)
	if err != nil {
		return serviceState{}, fmt.Errorf("jobs of %s: %w", s.Name, err)
	}
	properties, err := m.GetUnitPropertiesContext(ctx, s.Name)
	if err != nil {
		return serviceState{}, fmt.Errorf("state of %s: %w", s.Name, err)
	}
	var state serviceState
	state.load, _ = properties["LoadState"].(string)
	state.active, _ = properties["ActiveState"].(string)
	state.sub, _ = properties["SubState"].(string)
	i := slices.IndexFunc(jobs, func(j dbus.JobStatus) bool { return j.Unit == s.Name })
	if i >= 0 && jobs[i].Status == "waiting" {
		state.job = jobs[i].JobType
	}
	return state, nil
}
