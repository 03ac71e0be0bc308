package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
)

func TestWhichUnitsAreTheSubjects(t *testing.T) {
	t.Parallel()
	subject := []string{"fetch.service", "fetch.timer", "fetch@.service"}
	for unit, want := range map[string]bool{
		"fetch.service": true, "fetch.timer": true, "fetch@worker.service": true,
		"fetch@worker.timer": false, "other@worker.service": false, "systemd-journald.service": false,
		"boot-logger.service": false, "opensandbox-worker.service": false, "vector.service": false,
	} {
		assert.Equal(t, want, ofSubject(unit, subject), unit)
	}
	assert.False(t, ofSubject("vector.service", []string{"vector.service"}), "Vector always goes on; what else runs in its unit is looked at")
}

func TestWhoSleepsIsToldWithWhatItRuns(t *testing.T) {
	t.Parallel()
	sleep := exec.CommandContext(t.Context(), "sleep", "30")
	require.NoError(t, sleep.Start())
	t.Cleanup(func() {
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
	})
	unit := process.Unit(fmt.Sprintf("/proc/%d", sleep.Process.Pid))
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		found := ""
		var due time.Duration
		put := func(p recording.Pending) error {
			if p.Process == sleep.Process.Pid {
				found, due = p.Unit+": "+p.How, time.Duration(p.Due)-process.Monotonic()
			}
			return nil
		}
		assert.NoError(t, sleepers(map[string]bool{unit: true}, "", put))
		assert.Equal(t, fmt.Sprintf("%s: goes on (process %d, sleep 30)", unit, sleep.Process.Pid), found)
		assert.InDelta(t, 29, due.Seconds(), 2)
	}, 10*time.Second, 50*time.Millisecond)
	assert.NoError(t, sleepers(map[string]bool{"another.service": true}, "", func(recording.Pending) error { return assert.AnError }), "others' processes are not looked at")
}

func TestWhatMayStillHappenIsAskedWithoutASubjectToo(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(recording.CollectRequest{Pending: true})
	require.NoError(t, err)
	assert.JSONEq(t, `{"secrets":null,"pending":true}`, string(text), "a subject may have no unit of its own")
}

func TestWhatEndsAServiceThatRuns(t *testing.T) {
	const s = 1_000_000
	assert.Empty(t, ends(10*s, 0, 0, math.MaxUint64), "nothing does")
	assert.Equal(t, []end{{"has a watchdog that nobody has fed yet", 30 * s}}, ends(10*s, 10*s, 20*s, math.MaxUint64))
	assert.Empty(t, ends(10*s, 15*s, 20*s, math.MaxUint64), "it was fed")
	assert.Empty(t, ends(10*s, 10*s, math.MaxUint64, math.MaxUint64), "infinity")
	assert.Equal(t, []end{{"may not run for longer (RuntimeMaxSec=)", 25 * s}}, ends(10*s, 0, 0, 15*s))
}
