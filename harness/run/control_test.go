package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/timeline/timelinetest"
)

func TestACaseWhoseControlBootsFailedIsAnError(t *testing.T) {
	r, _ := newRunner(t, &fakeBackend{reaches: true, fail: func(name string) error {
		if name == "control@trixie#2" {
			return errors.New("no room")
		}
		return nil
	}})
	out, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	assert.Equal(t, "error", out[0].Verdict, "it says nothing of the subject")
	assert.Contains(t, out[0].Reason, "control boot: no room")
	assert.Len(t, out[0].Attempts, 1, "and no further boot would help")
}

func TestAControlThatCannotBeLookedAtSaysSo(t *testing.T) {
	r, _ := newRunner(t, &fakeBackend{exits: func(name string) bool { return strings.HasPrefix(name, "control") }})
	out, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	assert.Equal(t, "error", out[0].Verdict)
	assert.Contains(t, out[0].Reason, "a machine without the subject could not be looked at (read what was collected: is not running)")
	assert.NotContains(t, out[0].Reason, "within", "it was not waited for")
}

func TestSecretsAreSearchedForInCasesAlone(t *testing.T) {
	b := &fakeBackend{}
	r, _ := newRunner(t, b)
	_, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	assert.Equal(t, []string{"quick@trixie#1.1"}, b.searched)
}

func TestControlBootsTakeTurnsWithTheFirstCases(t *testing.T) {
	const a, b, c = "control@trixie#1", "control@trixie#2", "control@trixie#3"
	for running, want := range map[int][]string{
		4: {a, "quick", b, "quick", c, "quick", "quick"},
		1: {a, "quick", b, c, "quick", "quick", "quick"}, // which waits for them before it gives its place back
	} {
		backend := &fakeBackend{}
		r, _ := newRunner(t, backend)
		r.Running, r.Booting = running, 1
		out, err := r.Run(t.Context(), quick(4))
		require.NoError(t, err)
		require.Len(t, out, 4)
		for i, name := range backend.started {
			if strings.HasPrefix(name, "quick") {
				backend.started[i] = "quick"
			}
		}
		assert.Equal(t, want, backend.started, "%d at once", running)
	}
}

func TestWhereTheNetworkIsLateItIsInTheControlBootsToo(t *testing.T) {
	b := &fakeBackend{reaches: true}
	r, _ := newRunner(t, b)
	cases := quick(2)
	cases[1].Scenario.Network.After.Duration = 20 * time.Second
	_, err := r.Run(t.Context(), cases)
	require.NoError(t, err)
	count := map[string]int{}
	for _, name := range b.started {
		kind, _, _ := strings.Cut(name, "#")
		count[kind]++
	}
	assert.Equal(t, controlBoots, count["control@trixie"])
	assert.Equal(t, controlBoots, count["control@trixie,network-after-20s"])
	assert.Equal(t, "control@trixie,network-after-20s#1", ControlOf(cases[1]))
	assert.Equal(t, soon, bootsFor(20*time.Second), "it waits, and is in nobody's way")
	assert.Equal(t, bootsAtMost, bootsFor(time.Second), "as one whose network is there")
}

func TestAControlBootThatTheHostSpoiltIsMadeAgain(t *testing.T) {
	t.Parallel() // it waits for a calm host
	const busy, calm = `"control_lost_ns": 300000000`, `"control_lost_ns": 20000000`
	for name, tt := range map[string]struct {
		loses  func(string) time.Duration
		boots  int
		expect []string // of the case's boots
	}{
		"once": {func(name string) time.Duration {
			if name == "control@trixie#2" {
				return 300 * time.Millisecond
			}
			return 20 * time.Millisecond
		}, controlBoots + 1, []string{calm}},
		"all but one": {func(name string) time.Duration {
			if strings.HasPrefix(name, "control@trixie#3") {
				return 20 * time.Millisecond
			}
			return 300 * time.Millisecond
		}, 1 + (controlBoots-1)*maxAttempts, []string{calm}},
		"until it boots alone": {func(name string) time.Duration {
			if name == "control@trixie#4" {
				return 20 * time.Millisecond
			}
			return 300 * time.Millisecond
		}, controlBoots*maxAttempts + 1, []string{busy, calm, calm}},
		"ever": {func(string) time.Duration { return 300 * time.Millisecond }, controlBoots*maxAttempts + maxAttempts - 1, []string{busy, busy, busy}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{reaches: true, loses: tt.loses}
			r, _ := newRunner(t, b)
			out, err := r.Run(t.Context(), quick(1))
			require.NoError(t, err)
			assert.Len(t, slices.DeleteFunc(b.started, func(name string) bool { return !strings.HasPrefix(name, "control") }), tt.boots)
			for i, want := range tt.expect {
				expect, err := os.ReadFile(filepath.Join(out[0].Attempts[i].Recording, "expect.json"))
				require.NoError(t, err)
				assert.Contains(t, string(expect), `"control_multi_user_ns": 500000000`)
				assert.Contains(t, string(expect), want, "boot %d", i+1)
			}
		})
	}
}

func TestAControlBootThatDoesNotReachMultiUserIsTheHostsFaultWhereOthersHadTheCPU(t *testing.T) {
	t.Parallel() // it waits for a calm host
	for name, tt := range map[string]struct {
		lost    time.Duration // of half a second
		boots   int
		verdict string
		why     string
	}{
		"others had it": {450 * time.Millisecond, controlBoots * maxAttempts, "invalid",
			"control boot: multi-user.target was not reached within 1m0s without the subject, and other processes had the CPU for most of it: the host is too slow"},
		"it had it": {20 * time.Millisecond, controlBoots, "error", "the image is broken, or the host too slow; see "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{loses: func(string) time.Duration { return tt.lost }}
			r, _ := newRunner(t, b)
			out, err := r.Run(t.Context(), quick(1))
			require.NoError(t, err)
			assert.Equal(t, tt.verdict, out[0].Verdict, out[0].Reason)
			assert.Contains(t, out[0].Reason, tt.why)
			assert.Equal(t, 1, strings.Count(out[0].Reason, "was not reached within"), "it is said once: %s", out[0].Reason)
			assert.Len(t, slices.DeleteFunc(b.started, func(name string) bool { return !strings.HasPrefix(name, "control") }), tt.boots)
		})
	}
}

func TestAControlBootsWaitForItsNetworkIsNoSlownessOfTheHost(t *testing.T) {
	t.Parallel()
	ready := timelinetest.Never()
	ready.Started(400*time.Millisecond, "basic.target")
	late := timelinetest.Never()
	late.Started(400*time.Millisecond, "basic.target")
	late.Postpone(450*time.Millisecond, 20*time.Second)
	late.Call(20400*time.Millisecond, "azure", "network", 0)
	for name, tt := range map[string]struct {
		boot     *timelinetest.Boot
		multi    time.Duration
		waited   time.Duration
		own, off time.Duration
	}{
		"a network that is there": {ready, 900 * time.Millisecond, 0, 900 * time.Millisecond, 50 * time.Millisecond},
		"one that is late":        {late, 20900 * time.Millisecond, 20 * time.Second, 900 * time.Millisecond, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, err := judge.Expecting(tt.boot.FS(), check.Expect{Setup: boot.Setup{RoleEnv: boot.Never}})
			require.NoError(t, err)
			c := controlOf(j)
			assert.Equal(t, tt.multi, c.MultiUser)
			assert.Equal(t, tt.waited, c.Waited)
			assert.InDelta(t, tt.own, c.Own(), float64(tt.off))
			assert.False(t, c.Spoilt())
		})
	}
}

func TestAMachineThatDoesNotReachItsCloudWithoutASubjectIsNoSubjectsFault(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		unreached func(string) bool
		controls  int
		settled   bool
	}{
		"all reach it":                         {nil, controlBoots, false},
		"none does":                            {func(string) bool { return true }, controlBoots * maxAttempts, true},
		"one did not, beside others that boot": {func(name string) bool { return name == "control@trixie#2" }, controlBoots + 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{reaches: true, unreached: tt.unreached}
			r, _ := newRunner(t, b)
			out, err := r.Run(t.Context(), quick(1))
			require.NoError(t, err)
			assert.Equal(t, "invalid", out[0].Verdict)
			assert.Equal(t, tt.settled, strings.Contains(out[0].Reason, "does not reach its cloud, with no subject in it: curl: (6) Could not resolve host"), out[0].Reason)
			assert.LessOrEqual(t, strings.Count(out[0].Reason, "curl"), 1, "it is said once")
			assert.Equal(t, tt.settled, len(out[0].Attempts) == 1, "no further boot would help")
			assert.Len(t, slices.DeleteFunc(b.started, func(name string) bool { return !strings.HasPrefix(name, "control") }), tt.controls)
		})
	}
}
