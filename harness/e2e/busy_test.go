package e2e

import (
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
)

func TestNightlyTwoHundredBootsAreJudgedAlikeOnACalmAndOnABusyHost(t *testing.T) {
	wiretest.Nightly(t)
	all := append(slices.Clone(brokenSubjects), sound)
	var dirs []string
	var plans [][]run.Case
	want := map[string]string{}
	for _, b := range all {
		repeat := 10
		if b.check == "" {
			repeat = 50 // half are sound, so that a false alarm is as likely to be seen as a miss
		}
		dirs, want[b.name] = append(dirs, b.write(t)), b.check
		plans = append(plans, run.Plan(wiretest.Find(t, "delay-0s"), run.Matrix{Bases: images.Suites(), Subject: b.name, Vector: "stand-in", Repeat: repeat}))
	}
	lab := wiretest.New(t, dirs, images.Suites()...)
	cases := run.Merge(plans...)
	require.Len(t, cases, 200)
	for _, host := range []struct {
		name    string
		burners int
	}{{"calm", 0}, {"busy", 2 * runtime.NumCPU()}} {
		t.Run(host.name, func(t *testing.T) {
			burn(t, host.burners)
			machines, invalid := 0, 0
			for _, c := range lab.Once(t, cases, 8) {
				machines += c.Machines()
				switch check := want[c.Subject]; {
				case c.Verdict == "invalid" && host.burners > 0:
					invalid++
				case check == "":
					assert.Equal(t, "pass", c.Verdict, wiretest.Explain(c))
				default:
					assert.Equal(t, "fail", c.Verdict, wiretest.Explain(c))
					assert.Contains(t, museum.Failed(c), check, wiretest.Explain(c))
				}
			}
			t.Logf("%d cases, %d machines, %d invalid in the end", len(cases), machines, invalid)
			assert.Less(t, invalid, len(cases)/2, "so busy a host shows nothing")
		})
	}
}

// burn has n processes keep a CPU busy each until the test ends, and half an hour at most.
func burn(t *testing.T, n int) {
	t.Helper()
	for range n {
		cmd := exec.CommandContext(t.Context(), "timeout", "30m", "sh", "-c", "while :; do :; done")
		// timeout(1) hands it on to what it runs.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		// And that of a test that is killed: they burnt on.
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Wait() }) // t's context has ended by then
	}
}
