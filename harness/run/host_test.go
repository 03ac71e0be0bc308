package run

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

func TestAHostIsCalmWhenNobodyWaitsForTheCPU(t *testing.T) {
	var h hostWatch
	assert.False(t, h.isCalm(), "nothing is known yet")
	h.samples = []recording.HostSample{{CPUSomeUS: 0}, {CPUSomeUS: 900_000}}
	assert.False(t, h.isCalm())
	h.samples = append(h.samples, recording.HostSample{CPUSomeUS: 950_000})
	assert.True(t, h.isCalm())
}

func TestHostSamplesOfACaseBeginOneBeforeIt(t *testing.T) {
	h := &hostWatch{}
	for i := range 10 {
		h.samples = append(h.samples, recording.HostSample{Clock: recording.Clock{Mono: int64(i * 100)}})
	}
	var got []string
	samples, err := h.between(350, 600)
	require.NoError(t, err)
	for l := range strings.Lines(string(samples)) {
		got = append(got, l[:len(`{"mono":300`)])
	}
	assert.Equal(t, []string{`{"mono":300`, `{"mono":400`, `{"mono":500`, `{"mono":600`}, got)
}

func TestAHostThatCannotBeWatchedIsUnknownAndNotWaitedFor(t *testing.T) {
	h := &hostWatch{}
	h.follow(strings.NewReader(""))
	_, err := h.between(0, 1)
	require.ErrorContains(t, err, "samples of the engine's host ended")
	assert.Zero(t, h.now())
	assert.True(t, h.isCalm())
}

// An engine in a virtual machine, or on another host, has clocks of its own.
func TestTheBootClockIsTheMachinesAndNotOurs(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"the same": 0, "ahead": 90 * time.Hour, "behind": -recordingAge()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRunner(t, &fakeBackend{skew: skew})
			cases := quick(1)
			cases[0].Scenario.Look.Settle.Duration = 200 * time.Millisecond // for some samples
			out, err := r.Run(t.Context(), cases)
			require.NoError(t, err)
			_, man, err := recording.Open(out[0].Recording)
			require.NoError(t, err)
			took := time.Duration(man.EndMono - man.BootZeroMono)
			assert.True(t, took > 0 && took < time.Minute, "%s", took)
			assert.WithinDuration(t, time.Now().Add(skew), time.UnixMicro(man.BootRealtime), time.Minute)
			fsys := os.DirFS(out[0].Recording)
			tl, err := timeline.Read(fsys)
			require.NoError(t, err)
			assert.NotEmpty(t, tl.Host)
			assert.NotContains(t, tl.Missing, timeline.Manifest)
		})
	}
}

// Beyond the crowd a machine begins only where the host is known to have room for it.
func TestACrowdGrowsOnACalmHost(t *testing.T) {
	place := newAdmission(9, 1)
	for range 2 {
		_, err := enter(t.Context(), place.running)
		require.NoError(t, err)
	}
	looks := 0
	place.outOfTheWay(t.Context(), 2, func() bool { looks++; return looks > 1 })
	assert.Equal(t, 2, looks, "a busy host is looked at again")
	for name, crowd := range map[string]int{"there is no crowd": 3, "no crowd disturbs": 0} {
		place.outOfTheWay(t.Context(), crowd, func() bool { t.Error(name); return true })
	}
	ended, end := context.WithCancel(t.Context())
	end()
	place.outOfTheWay(ended, 2, func() bool { return false })

	var h hostWatch
	assert.False(t, h.hasSpare(), "nothing is known")
	h.samples = []recording.HostSample{{}, {}}
	assert.False(t, h.hasSpare(), "the kernel has no PSI")
	h.samples = []recording.HostSample{{CPUSomeUS: 1_000_000}, {CPUSomeUS: 1_050_000}}
	assert.True(t, h.hasSpare())
	h.samples = append(h.samples, recording.HostSample{CPUSomeUS: 1_900_000})
	assert.False(t, h.hasSpare(), "busy")
	h.samples = append(h.samples, recording.HostSample{CPUSomeUS: 1_900_000})
	assert.True(t, h.hasSpare())
	h.ended = io.EOF
	assert.False(t, h.hasSpare(), "nothing is heard of it any more")
}

// recordingAge is so far back that the other host has only just been booted.
func recordingAge() time.Duration {
	return time.Duration(recording.Monotonic()) - time.Minute
}
