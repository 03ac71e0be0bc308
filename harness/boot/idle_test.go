package boot_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

func TestWhyAServiceRanNothing(t *testing.T) {
	t.Parallel()
	const fetch = "fetch.service"
	unit := func(b *timelinetest.Boot, pairs ...string) {
		b.Prop(fetch, append([]string{"LoadState", "loaded", "ActiveState", "inactive", "SubState", "dead", "Result", "success"}, pairs...)...)
	}
	at := timelinetest.Micros(time.Second)
	for name, tt := range map[string]struct {
		with func(*timelinetest.Boot)
		want string // empty: it ran, or it is not known
	}{
		"it is active": {func(b *timelinetest.Boot) { b.Up(fetch, time.Second, 2*time.Second) }, ""},
		"it has ended": {func(b *timelinetest.Boot) { unit(b, "InactiveExitTimestampMonotonic", at) }, ""},
		"not loaded":   {func(*timelinetest.Boot) {}, "is wanted by nothing that was started"},
		"not known":    {func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} }, ""},
		"nobody's":     {func(b *timelinetest.Boot) { unit(b, "UnitFileState", "static") }, "is wanted by nothing that was started"},
		"another's":    {func(b *timelinetest.Boot) { unit(b, "UnitFileState", "enabled") }, "is enabled for what nothing starts"},
		"after one that stays active": {func(b *timelinetest.Boot) {
			unit(b, "OnSuccessOf", "role.service")
			b.Up("role.service", time.Second, time.Second)
		}, "is started by OnSuccess= of role.service alone, which acts when that becomes inactive: it is active"},
		"masked":    {func(b *timelinetest.Boot) { unit(b, "LoadState", "masked") }, "is masked"},
		"not there": {func(b *timelinetest.Boot) { unit(b, "LoadState", "not-found") }, "has no file"},
		"a condition": {func(b *timelinetest.Boot) {
			unit(b, "ConditionResult", "no", "ConditionTimestampMonotonic", at, "UnmetCondition", "ConditionFirstBoot=yes")
		}, "was skipped at +1.000s for ConditionFirstBoot=yes"},
		"ExecCondition": {func(b *timelinetest.Boot) { unit(b, "Result", "exec-condition", "InactiveExitTimestampMonotonic", at) }, "was skipped at +1.000s by its ExecCondition="},
		"a dependency": {func(b *timelinetest.Boot) {
			unit(b, "WantedBy", "multi-user.target")
			b.StartFailed(time.Second, fetch, "dependency")
		}, "was not started at +1.000s (dependency)"},
		"refused": {func(b *timelinetest.Boot) {
			unit(b, "LoadState", "bad-setting")
			b.Console = append(b.Console, "\x1b[0;1;31mfetch.service: Service has no ExecStart=. Refusing.\x1b[0m")
		}, "is refused by systemd (bad-setting): Service has no ExecStart=. Refusing."},
		"requires what is not there": {func(b *timelinetest.Boot) {
			unit(b, "WantedBy", "multi-user.target")
			b.Prop("agent.service", "LoadState", "not-found", "ActiveState", "inactive", "RequiredBy", fetch)
		}, "requires agent.service, which is not there"},
		"a target that was not reached": {func(b *timelinetest.Boot) { unit(b, "WantedBy", "mutli-user.target") }, "is wanted by mutli-user.target alone, which was not reached"},
		"a timer that elapses later": {func(b *timelinetest.Boot) {
			unit(b, "TriggeredBy", "fetch.timer")
			b.Up("fetch.timer", time.Second, time.Second)
			b.Prop("fetch.timer", "NextElapseUSecMonotonic", timelinetest.Micros(600*time.Second))
		}, "waits for fetch.timer, which elapses at +600.000s"},
		"an idle socket": {func(b *timelinetest.Boot) {
			unit(b, "TriggeredBy", "fetch.socket")
			b.Up("fetch.socket", time.Second, time.Second)
		}, "waits for fetch.socket, which has not started it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			tt.with(b)
			idle := read(t, b).Idle([]string{fetch, "fetch@.service", "fetch.timer", timelinetest.Subject})
			if tt.want == "" {
				assert.Empty(t, idle)
				return
			}
			require.Len(t, idle, 1)
			assert.Equal(t, []string{fetch, tt.want}, []string{idle[0].Unit, idle[0].Why})
		})
	}
}

func TestWhyCloudInitDidNotComeToTheUserData(t *testing.T) {
	t.Parallel()
	unwritten := func() *timelinetest.Boot {
		b := timelinetest.Never()
		b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["BOOTRACE_EVENT"] == "script" })
		delete(b.Units, boot.CloudFinal)
		return b
	}
	for name, tt := range map[string]struct {
		boot *timelinetest.Boot
		with func(*timelinetest.Boot)
		want string
	}{
		"it did":      {timelinetest.Healthy(), func(*timelinetest.Boot) {}, ""},
		"disabled":    {unwritten(), func(*timelinetest.Boot) {}, "cloud-init is disabled"},
		"not known":   {unwritten(), func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} }, ""},
		"not there":   {unwritten(), func(b *timelinetest.Boot) { b.Up("cloud-init-local.service", time.Second, time.Second) }, "cloud-final.service is not in the boot"},
		"masked":      {unwritten(), func(b *timelinetest.Boot) { b.Prop(boot.CloudFinal, "LoadState", "masked", "ActiveState", "inactive") }, "cloud-final.service is masked"},
		"its scripts": {unwritten(), func(b *timelinetest.Boot) { b.Up(boot.CloudFinal, time.Second, time.Second) }, "cloud-final.service ran, and not the scripts"},
		"it waits": {unwritten(), func(b *timelinetest.Boot) {
			b.Prop(boot.CloudFinal, "LoadState", "loaded", "ActiveState", "inactive")
			b.Jobs = append(b.Jobs, "9 cloud-final.service start waiting")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := tt.boot
			tt.with(b)
			if got := read(t, b).Unprovisioned(); tt.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, tt.want)
			}
		})
	}
}

func TestWhatAServiceRanInVain(t *testing.T) {
	t.Parallel()
	const fetch, complete = "fetch.service", 20 * time.Second
	at := timelinetest.Micros(3 * time.Second)
	for name, tt := range map[string]struct {
		with func(*timelinetest.Boot)
		want []string
	}{
		"at it": {func(b *timelinetest.Boot) { b.Up(fetch, 3*time.Second, 3*time.Second) }, []string{"runs since +3.000s"}},
		"done before": {func(b *timelinetest.Boot) {
			b.Prop(fetch, "LoadState", "loaded", "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", at)
			b.PID1(4*time.Second, "7ad2d189f7e94e70a38c781354912448", fetch, "fetch.service: Deactivated successfully.", nil)
		}, []string{"was done at +4.000s, before the role env was complete, and nothing started it again"}},
		"done after": {func(b *timelinetest.Boot) {
			b.Prop(fetch, "LoadState", "loaded", "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", at)
			b.PID1(24*time.Second, "7ad2d189f7e94e70a38c781354912448", fetch, "fetch.service: Deactivated successfully.", nil)
		}, []string{"was done at +24.000s"}},
		"never ran": {func(*timelinetest.Boot) {}, nil},
		"not known": {func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			tt.with(b)
			var got []string
			for _, m := range read(t, b).InVain([]string{fetch, "fetch.path"}, complete) {
				got = append(got, m.Why)
			}
			assert.Equal(t, tt.want, got)
		})
	}
	b := timelinetest.Healthy()
	require.Len(t, read(t, b).InVain([]string{"fetch@.service"}, complete), 1)
	b.Up("fetch@main.service", time.Second, time.Second)
	assert.Empty(t, read(t, b).InVain([]string{"fetch@.service"}, complete))
}
