package unit

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const name = "vector.service"

// sighting is what the manager says of the service at one look.
type sighting struct{ load, active, job, jobState string }

// fakeManager shows sightings in turn, the last one for ever.
type fakeManager struct {
	sightings []sighting
	result    string // of the restart's job; empty: it never ends
	calls     []string
}

func (m *fakeManager) ListJobsContext(context.Context) ([]dbus.JobStatus, error) {
	jobs := []dbus.JobStatus{{Unit: "other.service", JobType: "start", Status: "waiting"}}
	if s := m.sightings[0]; s.job != "" {
		jobs = append(jobs, dbus.JobStatus{Unit: name, JobType: s.job, Status: s.jobState})
	}
	return jobs, nil
}

func (m *fakeManager) GetUnitPropertiesContext(context.Context, string) (map[string]any, error) {
	s := m.sightings[0]
	if len(m.sightings) > 1 {
		m.sightings = m.sightings[1:]
	}
	return map[string]any{"LoadState": s.load, "ActiveState": s.active}, nil
}

func (m *fakeManager) ResetFailedUnitContext(context.Context, string) error {
	m.calls = append(m.calls, "reset-failed")
	return nil
}

func (m *fakeManager) RestartUnitContext(_ context.Context, _, mode string, done chan<- string) (int, error) {
	m.calls = append(m.calls, "restart "+mode)
	if m.result != "" {
		done <- m.result
	}
	return 1, nil
}

func (m *fakeManager) Close() { m.calls = append(m.calls, "close") }

func TestReload(t *testing.T) {
	t.Parallel()
	restarted := []string{"reset-failed", "restart replace", "close"}
	for _, tc := range []struct {
		name   string
		m      fakeManager
		how    string
		err    string
		calls  []string
		within time.Duration
	}{
		{"a running service is restarted, its failures forgotten first",
			fakeManager{sightings: []sighting{{"loaded", "active", "", ""}}, result: "done"}, "has been restarted", "", restarted, 0},
		{"a failed one is restarted",
			fakeManager{sightings: []sighting{{"loaded", "failed", "", ""}}, result: "done"}, "has been restarted", "", restarted, 0},
		{"one that is starting may have read the old file, and is restarted once it has started",
			fakeManager{sightings: []sighting{
				{"loaded", "activating", "start", "running"}, {"loaded", "activating", "start", "running"}, {"loaded", "active", "", ""},
			}, result: "done"}, "has been restarted", "", restarted, time.Second},
		{"one that does not get started is restarted all the same",
			fakeManager{sightings: []sighting{{"loaded", "activating", "start", "running"}}, result: "done"}, "has been restarted", "", restarted, startGrace},
		{"a start that waited and is now under way reads the new file",
			fakeManager{sightings: []sighting{
				{"loaded", "inactive", "start", "waiting"}, {"loaded", "activating", "start", "running"},
			}}, "has started", "", []string{"close"}, time.Second / 2},
		{"a start that waits behind others is left alone",
			fakeManager{sightings: []sighting{
				{"loaded", "inactive", "start", "waiting"}, {"loaded", "inactive", "start", "waiting"}, {"loaded", "active", "", ""},
			}}, "has started", "", []string{"close"}, time.Second},
		{"a start that waited and came to nothing is made good",
			fakeManager{sightings: []sighting{{"loaded", "inactive", "start", "waiting"}, {"loaded", "inactive", "", ""}}, result: "done"},
			"has been restarted", "", restarted, 500 * time.Millisecond},
		{"a start that never comes is said",
			fakeManager{sightings: []sighting{{"loaded", "inactive", "start", "waiting"}}}, "", "its start job still waits", []string{"close"}, time.Minute},
		{"a restart that fails is said",
			fakeManager{sightings: []sighting{{"loaded", "active", "", ""}}, result: "failed"}, "", `ended with "failed"`, restarted, 0},
		{"a restart that does not end is said",
			fakeManager{sightings: []sighting{{"loaded", "active", "", ""}}}, "", "not ended in time", restarted, time.Minute},
		{"a service that is not installed needs nothing",
			fakeManager{sightings: []sighting{{"not-found", "inactive", "", ""}}}, "is not-found", "", []string{"close"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := Service{Name: name, dial: func(context.Context) (manager, error) { return &tc.m, nil }}
				how, err := s.Reload(ctx)
				if tc.err == "" {
					require.NoError(t, err)
					assert.Contains(t, how, tc.how)
				} else {
					require.ErrorContains(t, err, tc.err)
				}
				assert.Equal(t, tc.calls, tc.m.calls)
				assert.Equal(t, tc.within, time.Since(began))
			})
		})
	}
}

func TestIdle(t *testing.T) {
	t.Parallel()
	for active, want := range map[string]bool{"inactive": true, "active": false, "activating": false, "failed": false, "deactivating": false} {
		m := &fakeManager{sightings: []sighting{{"loaded", active, "start", "waiting"}}}
		got, err := Service{Name: name, dial: func(context.Context) (manager, error) { return m, nil }}.Idle(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got, active)
	}
	_, err := Service{Name: name, dial: func(context.Context) (manager, error) { return nil, errors.New("no bus") }}.Idle(t.Context())
	require.ErrorContains(t, err, "vector.service: no bus")
}

func TestSelf(t *testing.T) {
	require.NoError(t, Self{}.Ready("without a service manager"))

	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	require.NoError(t, Self{}.Ready("a\nMAINPID=1"))
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	require.NoError(t, err)
	assert.Equal(t, "READY=1\nSTATUS=a MAINPID=1", string(buf[:n]), "a status cannot be another assignment")
}
