package container

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/moby/moby/client"
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
	room, err := l.backend.Room(t.Context(), l.azure, 2, 9)
	require.NoError(t, err)
	assert.Equal(t, machine.Room{AtOnce: 2, Ever: 2}, room)
	room, err = l.backend.Room(t.Context(), "no such image", 0, 1)
	require.NoError(t, err, "for one there is always room: nobody looks")
	assert.Equal(t, machine.Room{AtOnce: 1, Ever: 1}, room)

	// An image that does not know how to look.
	room, err = l.backend.Room(t.Context(), l.worker, 3, 3)
	require.Error(t, err)
	assert.Equal(t, machine.Room{AtOnce: 3, Ever: 3}, room, "what is not known limits nothing")
	names, err := l.running(t.Context())
	require.NoError(t, err)
	assert.Empty(t, names, "nothing is left behind")
}

func TestTheHostsInotifyLimitIsRaised(t *testing.T) {
	l := newLab(t)
	f, err := l.backend.facts(t.Context(), l.azure)
	require.NoError(t, err)
	if f.InotifyInstances > recording.InotifyEnough {
		t.Skip("the limit is higher than what it would be raised to")
	}
	was := strconv.Itoa(f.InotifyInstances)
	t.Cleanup(func() { _ = os.WriteFile("/proc/sys/fs/inotify/max_user_instances", []byte(was), 0) })
	f.InotifyInstances = 128
	raised, note := l.backend.raised(t.Context(), l.azure, f, 100)
	info, err := l.backend.Engine().Info(t.Context(), client.InfoOptions{})
	require.NoError(t, err)
	if slices.Contains(info.Info.SecurityOptions, "name=rootless") || l.backend.cli[0] != "docker" { // the host's is root's
		assert.Contains(t, note, "sysctl -w fs.inotify.max_user_instances=8192")
		return
	}
	assert.Regexp(t, `was 128, enough for \d+ machines at once, and is 8192 until the host boots again`, note)
	assert.GreaterOrEqual(t, inotifyRoom(raised), 100)
	now, err := l.backend.facts(t.Context(), l.azure)
	require.NoError(t, err)
	assert.Equal(t, recording.InotifyEnough, now.InotifyInstances)

	_, note = l.backend.raised(t.Context(), l.worker, f, 100) // an image that cannot
	assert.Contains(t, note, "not for 100 (sysctl -w fs.inotify.max_user_instances=8192)")
}
