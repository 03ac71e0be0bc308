package run

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/judge"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/harness/verdict"
	"bootrace/scenarios"
)

func TestTheWorldGoesOnFromBootToBoot(t *testing.T) {
	t.Parallel()
	first := newWorld()
	second := first.again(scenarios.Again{Rotated: []string{secretToken}})
	third := second.again(scenarios.Again{NewVault: true})
	fourth := third.again(scenarios.Again{})

	fresh := second.rotated()[secretToken]
	require.NotEmpty(t, fresh)
	assert.Equal(t, first.vault, second.vault)
	assert.True(t, second.rotatedLogs())
	assert.Equal(t, fresh, second.vectorEnv(nil)["AXIOM_PLATFORM_TOKEN"], "what Vector must have")
	assert.Equal(t, first.token, second.before().vectorEnv(nil)["AXIOM_PLATFORM_TOKEN"], "what it had")
	assert.Equal(t, map[string]string{secretToken: first.token, secretToken + recording.Rotated: fresh, secretMetricsToken: first.metricsToken}, second.secrets(), "neither may leak")
	config, err := second.cloudConfig(time.Minute, 0)
	require.NoError(t, err)
	assert.Contains(t, string(config), first.token, "Axiom takes the old one still")

	assert.Equal(t, fresh, third.token, "it is no news any more")
	assert.NotEqual(t, first.vault, third.vault)
	assert.Len(t, third.rotated(), 2)
	assert.Equal(t, first.workerID, third.workerID, "it is the same worker")
	assert.Empty(t, fourth.rotated())
	assert.False(t, fourth.rotatedLogs())
	assert.Equal(t, third.rotated()[secretToken], fourth.token)
	assert.Empty(t, first.rotated(), "a world is a value")
}

func TestTheSeedOfAFurtherBoot(t *testing.T) {
	t.Parallel()
	w := newWorld()
	files := func(p provisioning, changed bool) map[string]string {
		list, err := w.seedAgain(p, 3, changed)
		require.NoError(t, err)
		out := map[string]string{}
		for _, f := range list {
			out[f.Path] = string(f.Data)
		}
		return out
	}
	const script = "/var/lib/cloud/scripts/per-boot/bootrace"
	kept := files(provisioning{beforeBoot: true}, false)
	assert.Equal(t, "3\n", kept[recording.BootFile])
	assert.Contains(t, kept[script], "systemctl start opensandbox-worker")
	assert.NotContains(t, kept, "/etc/opensandbox/worker.env", "it is as it was")
	assert.Contains(t, files(provisioning{beforeBoot: true}, true)["/etc/opensandbox/worker.env"], w.vault)
	late := files(provisioning{write: true, delay: 5 * time.Second}, true)
	assert.Contains(t, late[script], "role-env-complete")
	assert.NotContains(t, late, "/etc/opensandbox/worker.env", "the script writes it")
	cmd := exec.CommandContext(t.Context(), "sh", "-n")
	cmd.Stdin = strings.NewReader(late[script])
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

func judged(v verdict.Verdict, number int, reason string) attempt {
	return attempt{number: number, dir: fmt.Sprint(number), Judgement: judge.Judgement{Judgement: verdict.Judgement{Verdict: v, Reason: reason}}}
}

func TestAMachineIsAsBadAsTheBootThatIsNoPass(t *testing.T) {
	t.Parallel()
	one := []attempt{judged(verdict.Fail, 0, "cycle")}
	assert.Equal(t, "cycle", ofMachine(one).Reason)
	bad := []attempt{judged(verdict.Pass, 1, "13 checks"), judged(verdict.Fail, 2, "stale")}
	assert.Equal(t, verdict.Judgement{Verdict: verdict.Fail, Reason: "boot 2: stale"}, ofMachine(bad))
	assert.Equal(t, 2, deciding(bad).number)
	first := []attempt{judged(verdict.Fail, 1, "cycle")}
	assert.Equal(t, "cycle", ofMachine(first).Reason)
	good := []attempt{judged(verdict.Pass, 1, "13 checks"), judged(verdict.Pass, 2, "12 checks")}
	assert.Equal(t, verdict.Judgement{Verdict: verdict.Pass, Reason: "2 boots, the first: 13 checks"}, ofMachine(good))
	assert.Equal(t, 1, deciding(good).number, "it is like the boots of machines that boot once")
}

// aLife is a second boot to be, of a machine that runs.
func aLife(t *testing.T, b *fakeBackend, after string) (*Runner, life, *control) {
	t.Helper()
	r, _ := newRunner(t, b)
	r.place = newAdmission(2, 2)
	m, err := b.Start(t.Context(), machine.Spec{Name: "first"})
	require.NoError(t, err)
	c := quick(1)[0]
	c.Scenario.Boots = []scenarios.Again{{After: after, Rotated: []string{secretToken}}}
	s := c.Scenario.EachBoot()[1]
	s.Look.Settle.Duration, s.Look.Window.Duration = time.Millisecond, 300*time.Millisecond
	c.Scenario = s
	w := newWorld().again(*s.Before)
	return r, life{Case: c, world: w, try: 1, number: 2, of: 2, name: "quick, boot 2", dir: t.TempDir() + "/r", before: m}, &control{}
}

func TestABootOfAMachineThatWasBootedBefore(t *testing.T) {
	t.Parallel()
	b := &fakeBackend{}
	r, l, ctl := aLife(t, b, scenarios.ByPowerLoss)
	var steps []string
	r.Watch = func(u Update) { steps = append(steps, u.Step) }
	a, err := r.reboot(t.Context(), l, ctl)
	require.NoError(t, err)
	assert.Equal(t, 2, a.number)
	assert.Equal(t, []machine.Ending{machine.PowerLoss}, b.downs)
	require.Len(t, b.nexts, 1)
	assert.Contains(t, string(b.nexts[0].CloudConfig), l.world.rotated()[secretToken])
	assert.Zero(t, b.living, "the last boot's machine is gone, and it was one")
	assert.Equal(t, 1, b.removed)
	assert.Contains(t, steps, "boot 2: after power-loss")
	assert.Contains(t, steps, "boot 2: started")
	_, m, err := recording.Open(l.dir)
	require.NoError(t, err)
	assert.Equal(t, 2, m.Boot)
	assert.Positive(t, m.StartMono)
	assert.LessOrEqual(t, m.StartMono, m.EndMono)
	assert.Equal(t, 2, a.Expect.Boot)
	assert.True(t, a.Expect.RotatedBefore)
	assert.Equal(t, boot.DigestOf(l.world.token), a.Expect.EnvBefore["AXIOM_PLATFORM_TOKEN"])
	assert.NotEqual(t, a.Expect.EnvBefore["AXIOM_PLATFORM_TOKEN"], a.Expect.EnvDigests["AXIOM_PLATFORM_TOKEN"])
	assert.Empty(t, a.Expect.Faults, "a rotation that nobody asks about is the point, no fault that was not met")
	assert.Equal(t, boot.Pre, a.Expect.RoleEnv)
}

func TestAMachineThatCannotBootAgainIsAnError(t *testing.T) {
	t.Parallel()
	b := &fakeBackend{downErr: errors.New("the engine is gone")}
	r, l, ctl := aLife(t, b, scenarios.ByReboot)
	_, err := r.reboot(t.Context(), l, ctl)
	require.EqualError(t, err, "boot 2: the engine is gone")

	b = &fakeBackend{fail: func(name string) error {
		if strings.HasSuffix(name, "+") {
			return errors.New("no room")
		}
		return nil
	}}
	r, l, ctl = aLife(t, b, scenarios.ByReboot)
	a, err := r.reboot(t.Context(), l, ctl)
	require.NoError(t, err)
	assert.Equal(t, verdict.Error, a.Verdict)
	assert.Contains(t, a.Reason, "no room")
	assert.Zero(t, b.living, "it is removed")

	b = &fakeBackend{}
	r, l, ctl = aLife(t, b, scenarios.ByReboot)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // all places are taken
		r.place.booting <- struct{}{}
	}
	_, err = r.reboot(ctx, l, ctl)
	require.ErrorIs(t, err, context.Canceled)
}

func TestTheLastTryBootsAlone(t *testing.T) {
	t.Parallel()
	for try, waits := range map[int]bool{1: false, maxAttempts: true} {
		b := &fakeBackend{}
		r, l, ctl := aLife(t, b, scenarios.ByPowerLoss)
		l.try, r.host.ended = try, errors.New("nobody watches the host, so it is taken for calm")
		leave, err := enter(t.Context(), r.place.booting) // another machine boots
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := r.reboot(t.Context(), l, ctl)
			done <- err
		}()
		if waits {
			assert.Never(t, func() bool { return len(done) > 0 }, time.Second, 50*time.Millisecond, "it boots beside another")
		} else {
			require.NoError(t, <-done)
		}
		leave()
		if waits {
			require.NoError(t, <-done)
		}
		require.Len(t, b.nexts, 1)
	}
}
