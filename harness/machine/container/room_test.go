package container

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

func TestHowManyMachinesRunAtOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                          string
		asked, inotify, cores, freeMB int
		atOnce, ever                  int
	}{
		{"eight a core, and as many as memory holds on a calm host", 0, unknown, 2, 24_000, 16, 200},
		{"as the inotify limit allows", 0, 9, 2, 24_000, 9, 9},
		{"as memory holds", 0, 128, 2, 5 * machineMB, 5, 5},
		{"one where memory holds none", 0, 128, 2, 10, 1, 1},
		{"what was asked for", 48, 128, 2, 10, 48, 48},
		{"what was asked for, within the inotify limit", 48, 9, 2, 24_000, 9, 9},
	} {
		assert.Equal(t, machine.Room{AtOnce: tt.atOnce, Ever: tt.ever}, within(tt.asked, tt.inotify, tt.cores, tt.freeMB), tt.name)
	}
}

func TestWhatIsNotKnownOfAHostLimitsNothing(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 128/inotifyPerMachine-controlRoom, inotifyRoom(recording.HostFacts{InotifyInstances: 128}))
	assert.Equal(t, 1, inotifyRoom(recording.HostFacts{InotifyInstances: 128, InotifyInUse: 200}))
	assert.Equal(t, unknown, inotifyRoom(recording.HostFacts{InotifyInUse: 5}))
	assert.Equal(t, 7, freeMemory(recording.HostFacts{FreeMB: 7}))
	assert.Equal(t, unknown, freeMemory(recording.HostFacts{}))
}

func TestTheEnginesHostIsAskedWhatItHas(t *testing.T) {
	l := newLab(t)
	f, err := l.backend.facts(t.Context(), l.azure)
	require.NoError(t, err)
	assert.Positive(t, f.FreeMB)
	assert.Positive(t, f.FreeDiskMB)
	assert.NotZero(t, f.Capabilities)
	room, err := l.backend.Room(t.Context(), l.azure, 1)
	require.NoError(t, err)
	assert.Equal(t, 1, room)

	// An image that does not know how to look.
	room, err = l.backend.Room(t.Context(), l.worker, 3)
	require.Error(t, err)
	assert.Equal(t, 3, room, "what is not known limits nothing")
	names, err := l.running(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names, "nothing is left behind")
}
