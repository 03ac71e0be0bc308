package run

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
)

func TestACaseGoesOnForWhatMayStillHappen(t *testing.T) {
	t.Parallel()
	const mono = int64(1000 * time.Second)
	now := time.Now()
	const hold = 8 * time.Second
	in := func(unit string, d time.Duration) recording.Pending {
		return recording.Pending{Unit: unit, How: "elapses", Due: mono + int64(d), Seen: mono}
	}
	for _, tt := range []struct {
		name    string
		pending []recording.Pending
		ago     time.Duration // the delivery
		until   time.Duration // from now; 0: it may end
		why     string
	}{
		{name: "nothing"},
		{name: "a timer", pending: []recording.Pending{in("a.timer", 8*time.Second)}, ago: 7 * time.Second, until: 8*time.Second + hold, why: "a.timer"},
		{name: "the last of several", pending: []recording.Pending{in("a.timer", 8*time.Second), in("b.timer", 30*time.Second), in("c.timer", time.Second)}, until: 30*time.Second + hold, why: "b.timer"},
		{name: "at the bound", pending: []recording.Pending{in("a.timer", goesOnFor)}, until: goesOnFor + hold, why: "a.timer"},
		{name: "beyond the bound", pending: []recording.Pending{in("a.timer", goesOnFor+time.Second), in("b.timer", time.Hour)}},
		{name: "within the bound from now, and not from the delivery", pending: []recording.Pending{in("a.timer", 20*time.Second)}, ago: 50 * time.Second},
		{name: "a path that waits for a change", pending: []recording.Pending{{Unit: "a.path", How: "waits for a change", Seen: mono}}},
		{name: "who is at it", pending: []recording.Pending{in("a.service", 0)}, until: hold, why: "a.service"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := patience{delivered: now.Add(-tt.ago), hold: hold}
			until, why := p.goOn(tt.pending, now)
			assert.Equal(t, tt.until == 0, until.IsZero())
			if tt.until > 0 {
				assert.Equal(t, tt.until, until.Sub(now))
			}
			assert.Equal(t, tt.why, why.Unit)
			require.Len(t, p.seen, len(tt.pending), "all is recorded")
			file, err := p.file()
			require.NoError(t, err)
			for _, e := range tt.pending {
				assert.Contains(t, string(file), e.Unit)
			}
		})
	}
}

func TestALoopEndsAtTheBound(t *testing.T) {
	t.Parallel()
	start := time.Now()
	p := patience{delivered: start, hold: 8 * time.Second}
	now, asked := start.Add(7*time.Second), 0
	for ; asked < 100; asked++ {
		until, _ := p.goOn([]recording.Pending{{Unit: "loop.service", Due: int64(time.Second), Seen: 0}}, now)
		if until.IsZero() {
			break
		}
		now = until.Add(-askAhead)
	}
	assert.LessOrEqual(t, now.Sub(start), goesOnFor+p.hold)
	assert.Less(t, asked, 10)
}

func TestAMachineIsAskedWhatMayStillHappenBeforeItsCaseEnds(t *testing.T) {
	t.Parallel()
	asked := 0
	b := &fakeBackend{pending: func() []recording.Pending {
		if asked++; asked > 1 {
			return []recording.Pending{{Unit: "late.timer", How: "elapses", Due: recording.Monotonic() + int64(time.Hour), Seen: recording.Monotonic()}}
		}
		return []recording.Pending{{Unit: "soon.timer", How: "elapses", Due: recording.Monotonic() + int64(200*time.Millisecond), Seen: recording.Monotonic()}}
	}}
	m, err := b.Start(t.Context(), (shot{}).spec)
	require.NoError(t, err)
	see := newSightings()
	see.add(boot.WorkerRegistered)
	see.add(boot.LogsDelivered)
	var steps []boot.Milestone
	const hold = 50 * time.Millisecond
	w := watch{shot: shot{window: 100 * time.Millisecond, until: boot.WorkerRegistered, hold: hold}, machine: m, see: see, patience: patience{hold: hold},
		reach: func(ms boot.Milestone) { steps = append(steps, ms) }}
	began := time.Now()
	ended, err := w.toTheEnd(t.Context())
	require.NoError(t, err)
	assert.Equal(t, settled, ended)
	assert.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond+hold)
	assert.Contains(t, steps, boot.Milestone("delivered; goes on for soon.timer, which elapses"))
	dir := filepath.Join(t.TempDir(), "r")
	to, err := recording.Create(dir, nil)
	require.NoError(t, err)
	require.NoError(t, w.put(to))
	file, err := os.ReadFile(filepath.Join(dir, recording.PendingFile))
	require.NoError(t, err)
	assert.Regexp(t, `(?s)soon.timer.*"waited":true.*late.timer[^\n]*seen_ns":\d+}`, string(file))
}
