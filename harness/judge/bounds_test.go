package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/harness/verdict"
)

// skips has a unit skipped for a condition, and never started.
func skips(b *timelinetest.Boot, unit, condition string) {
	b.Prop(unit, "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0",
		"ConditionResult", "no", "ConditionTimestampMonotonic", timelinetest.Micros(time.Second), "UnmetCondition", condition)
}

// withoutCredentials is a boot in which Vector stays on the stub and nobody asks the cloud.
func withoutCredentials() *timelinetest.Boot {
	b := timelinetest.Healthy()
	b.EnvFileAtEnd("0600", timelinetest.StubVars)
	b.VectorProcess(400, timelinetest.RealAt, timelinetest.StubVars)
	var kept []map[string]any
	for _, c := range b.Cloud {
		if s := c["service"]; s != "imds" && s != "keyvault" && s != "axiom" {
			kept = append(kept, c)
		}
	}
	b.Cloud = kept
	return b
}

const tuner = "tuner.service"

func withTuner() check.Expect {
	e := late()
	e.SubjectUnits = append(e.SubjectUnits, tuner)
	e.Populator = timelinetest.Subject
	return e
}

func TestWhatAContainerCannotShowIsUntestableWhereItDecides(t *testing.T) {
	t.Parallel()
	fails := func(b *timelinetest.Boot, unit string, said ...string) {
		b.Starting(2*time.Second, unit)
		for _, line := range said {
			b.Log(2*time.Second+time.Millisecond, unit, line)
		}
		b.Failed(2*time.Second+10*time.Millisecond, unit, "exit-code")
		b.Prop(unit, "ActiveState", "failed", "SubState", "failed", "Result", "exit-code", "InactiveExitTimestampMonotonic", timelinetest.Micros(2*time.Second))
	}
	netlink := "RTNETLINK answers: Operation not permitted"
	for _, tt := range []struct {
		name   string
		boot   func() *timelinetest.Boot
		change func(*timelinetest.Boot, *check.Expect)
		want   verdict.Verdict
		reason string
	}{
		{"the populator is skipped in a container", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionVirtualization=!container")
		}, verdict.Untestable, "a container cannot show it: populate-vector-env.service is skipped here, for ConditionVirtualization=!container (units.txt:"},
		{"it is skipped for a reason of its own", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionPathExists=/etc/never")
		}, verdict.Fail, "vector-credentialed"},
		{"for both", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionPathExists=/etc/never\nUnmetCondition=ConditionVirtualization=vm")
		}, verdict.Fail, "vector-credentialed"},
		{"for one of two that trigger", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionPathExists=|/etc/never\nUnmetCondition=ConditionVirtualization=|vm")
		}, verdict.Untestable, "a container cannot show it"},
		{"on metal only, which Azure is not", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionVirtualization=no")
		}, verdict.Fail, "vector-credentialed"},
		{"for a controller that the host lacks", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionControlGroupController=memory")
		}, verdict.Untestable, "ConditionControlGroupController=memory"},
		{"for a device", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionPathExists=/dev/ptp_hyperv")
		}, verdict.Untestable, "/dev/ptp_hyperv"},
		{"for a file of its own in memory", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionPathExists=/dev/shm/ready")
		}, verdict.Fail, "vector-credentialed"},
		{"what triggers the fetcher is skipped, whichever that is", withoutCredentials, func(b *timelinetest.Boot, e *check.Expect) {
			skips(b, "fetch.timer", "ConditionVirtualization=vm")
			e.SubjectUnits, e.Populator = append(e.SubjectUnits, "fetch.timer"), ""
		}, verdict.Untestable, "fetch.timer is skipped here"},
		{"it asserts what a container is not", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "AssertVirtualization=vm")
			b.Prop(timelinetest.Subject, "ConditionResult", "yes", "AssertResult", "no", "AssertTimestampMonotonic", timelinetest.Micros(time.Second))
		}, verdict.Untestable, "does not start here, for AssertVirtualization=vm"},
		{"another unit is skipped, and all is well", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, tuner, "ConditionVirtualization=vm")
		}, verdict.Pass, "not seen here: tuner.service is skipped here"},
		{"a swap, which no container has", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			b.Console = append(b.Console, "[\x1b[0;1;33mUNSUPP\x1b[0m] Starting of \x1b[0;1;39mpage.swap\x1b[0m - /page unsupported.")
			b.Prop("page.swap", "LoadState", "loaded", "ActiveState", "inactive", "WantedBy", "swap.target")
			e.SubjectUnits = append(e.SubjectUnits, "page.swap")
		}, verdict.Pass, "not seen here: page.swap is of a kind that systemd does not start in a container"},
		{"a swap that Vector wants", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			b.StartFailed(time.Second, "page.swap", "unsupported")
			b.Prop("page.swap", "LoadState", "loaded", "ActiveState", "inactive", "WantedBy", timelinetest.Vector)
			e.SubjectUnits = append(e.SubjectUnits, "page.swap")
		}, verdict.Untestable, "page.swap is of a kind that systemd does not start in a container"},
		{"another unit is skipped, that Vector wants", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, tuner, "ConditionVirtualization=vm")
			b.Prop(tuner, "WantedBy", timelinetest.Vector)
		}, verdict.Untestable, "tuner.service is skipped here"},
		{"another unit is skipped, and the populator does not deliver", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, tuner, "ConditionVirtualization=vm")
		}, verdict.Fail, "vector-credentialed"},
		{"which of the two fetches is not known, and nobody asked the cloud", withoutCredentials, func(b *timelinetest.Boot, e *check.Expect) {
			skips(b, tuner, "ConditionVirtualization=vm")
			e.Populator = ""
		}, verdict.Untestable, "tuner.service is skipped here"},
		{"which of the two fetches is not known, and somebody asked the cloud", withoutCredentials, func(b *timelinetest.Boot, e *check.Expect) {
			skips(b, tuner, "ConditionVirtualization=vm")
			b.Call(21*time.Second, "imds", "token", 404)
			e.Populator = ""
		}, verdict.Fail, "vector-credentialed"},
		{"the populator runs here only", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(timelinetest.Subject, "HeldCondition", "ConditionVirtualization=container")
		}, verdict.Untestable, "runs here only, for ConditionVirtualization=container"},
		{"it runs in any machine that is none of metal", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(timelinetest.Subject, "HeldCondition", "ConditionVirtualization=yes")
		}, verdict.Pass, ""},
		{"Vector has more memory than its unit allows, and nobody counts", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(timelinetest.Vector, "MemoryMax", "8388608", "MemoryUncounted", "25690112")
		}, verdict.Untestable, "vector.service may have 8192 KiB of memory (MemoryMax=) and has 25088, for which a real worker ends it"},
		{"it has less", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(timelinetest.Vector, "MemoryMax", "536870912", "MemoryUncounted", "25690112")
		}, verdict.Pass, ""},
		{"it has no limit, or one that is kept", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(timelinetest.Vector, "MemoryMax", "8388608")
			b.Prop(timelinetest.Subject, "MemoryMax", "infinity")
		}, verdict.Pass, ""},
		{"another unit has more, that nobody needs", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			b.Prop(tuner, "MemoryMax", "8388608", "MemoryUncounted", "25690112")
		}, verdict.Pass, "not seen here: tuner.service may have 8192 KiB"},
		{"the populator is to have no network", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) { networked(b, timelinetest.Subject) },
			verdict.Untestable, "populate-vector-env.service has the machine's network here, and none on a real worker"},
		{"who fetches is to have no network, whichever that is", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			b.Starting(2*time.Second, tuner)
			networked(b, tuner)
			e.Populator = ""
		}, verdict.Untestable, "tuner.service has the machine's network here"},
		{"a unit that was done before anybody asked is to have none", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			b.Starting(time.Second, tuner)
			networked(b, tuner)
			b.PID1(2*time.Second, "7ad2d189f7e94e70a38c781354912448", tuner, "tuner.service: Deactivated successfully.", nil)
			e.Populator = ""
		}, verdict.Pass, "not seen here: tuner.service has the machine's network here"},
		{"a unit may not change the network", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) { fails(b, tuner, netlink) },
			verdict.Untestable, "tuner.service failed on a machine that may not change the network"},
		{"nor may its user", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, netlink)
			b.Prop(tuner, "User", "nobody")
		}, verdict.Fail, "tuner.service failed"},
		{"nor may it by its own bounding set", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, netlink)
			b.Prop(tuner, "CapabilityBoundingSet", "2")
		}, verdict.Fail, "tuner.service failed"},
		{"nor may it by its own sandbox", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, "tune: cannot create /proc/sys/net/core/somaxconn: Read-only file system")
			b.Prop(tuner, "ProtectKernelTunables", "yes")
		}, verdict.Fail, "tuner.service failed"},
		{"a unit may not change the kernel's settings", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, "tune: cannot create /proc/sys/net/core/somaxconn: Read-only file system")
			b.Prop(tuner, "ProtectKernelTunables", "no")
		}, verdict.Untestable, "may not change the kernel's settings"},
		{"a unit fails for a reason of its own", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) { fails(b, tuner, "no such tenant") },
			verdict.Fail, "tuner.service failed"},
		{"and said so long before", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, netlink, "going on without", "asking", "asking again", "no such tenant")
		}, verdict.Fail, "tuner.service failed"},
		{"one unit may not, another fails", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, netlink)
			fails(b, "other.service", "no such tenant")
		}, verdict.Fail, "other.service failed"},
		{"a kernel module", timelinetest.Healthy, func(b *timelinetest.Boot, _ *check.Expect) {
			fails(b, tuner, "modprobe: FATAL: Module wireguard not found in directory /lib/modules/6.12")
		}, verdict.Untestable, "has no kernel modules"},
		{"a disk that a unit mounts", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			fails(b, "data.mount")
			b.Prop("data.mount", "RequiresMountsFor", "/dev/disk/by-label/data /", "WantedBy", timelinetest.MultiUser)
			e.SubjectUnits = append(e.SubjectUnits, "data.mount")
		}, verdict.Untestable, "data.mount mounts /dev/disk/by-label/data"},
		{"a disk without which no machine boots", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			fails(b, "data.mount")
			b.Prop("data.mount", "RequiresMountsFor", "/dev/disk/by-label/data /", "RequiredBy", "local-fs.target")
			e.SubjectUnits = append(e.SubjectUnits, "data.mount")
		}, verdict.Fail, "data.mount failed"},
		{"a secret lies about, whatever is skipped", withoutCredentials, func(b *timelinetest.Boot, _ *check.Expect) {
			skips(b, timelinetest.Subject, "ConditionVirtualization=vm")
			b.Leaks = append(b.Leaks, timelinetest.LogToken+"\t/tmp/x")
		}, verdict.Fail, "secrets-contained"},
		{"a disk of fstab that a boot needs", timelinetest.Healthy, func(_ *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "UUID=1 on /data is not mounted here", Mount: "/data", Boot: true}}
		}, verdict.Untestable, "UUID=1 on /data"},
		{"one that may be missing", timelinetest.Healthy, func(_ *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "UUID=1 on /data is not mounted here", Mount: "/data"}}
		}, verdict.Pass, "not seen here: UUID=1 on /data"},
		{"one that the populator lies on", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "UUID=1 on /data is not mounted here", Mount: "/data"}}
			b.Prop(timelinetest.Subject, "RequiresMountsFor", "/etc /data/state")
		}, verdict.Untestable, "which populate-vector-env.service needs"},
		{"a populator that a device starts", withoutCredentials, func(b *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "no device comes here for the rules of x.rules", Starts: "other.service " + timelinetest.Subject}}
			b.Prop(timelinetest.Subject, "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0", "WantedBy", "")
		}, verdict.Untestable, timelinetest.Subject + " does not start here: no device comes"},
		{"rules of a populator that has started", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "no device comes here for the rules of x.rules", Starts: timelinetest.Subject}}
		}, verdict.Pass, "not seen here: no device comes"},
		{"modules that the populator waits for", timelinetest.Healthy, func(b *timelinetest.Boot, e *check.Expect) {
			e.Image = []boot.Asked{{What: "module x is not loaded here", After: "systemd-modules-load.service"}}
			b.Prop(timelinetest.Subject, "After", "systemd-modules-load.service")
		}, verdict.Untestable, "module x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, e := tt.boot(), withTuner()
			tt.change(b, &e)
			j := judged(t, b, e)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Contains(t, j.Reason, tt.reason)
			assert.Equal(t, tt.want == verdict.Untestable, j.Settled, "another boot would come to the same")
		})
	}
}

func TestAScenarioThatDidNothingDoesNotApply(t *testing.T) {
	t.Parallel()
	throttled := []boot.Fault{{Service: "keyvault", Kind: "status"}}
	for _, tt := range []struct {
		name   string
		change func(*timelinetest.Boot, *check.Expect)
		want   verdict.Verdict
		reason string
	}{
		{"there is no such unit", func(b *timelinetest.Boot, _ *check.Expect) {
			b.Step(5*time.Second, "kill-x.service")
			b.Step(5*time.Second, boot.NoUnit+"x.service")
		}, verdict.NotApplicable, "there is no x.service to do it to"},
		{"a kill that hit nothing", func(b *timelinetest.Boot, _ *check.Expect) { b.Step(5*time.Second, boot.HitNothing+"x.service") },
			verdict.NotApplicable, "no process of x.service was there to be killed at +5.000s"},
		{"a kill that hit nothing, and one that did", func(b *timelinetest.Boot, _ *check.Expect) {
			b.Step(5*time.Second, boot.HitNothing+"x.service")
			b.Step(6*time.Second, "done-kill-x.service")
		}, verdict.Pass, ""},
		{"a kill that hit nothing, and something failed", func(b *timelinetest.Boot, _ *check.Expect) {
			b.Step(5*time.Second, boot.HitNothing+"x.service")
			b.Failed(7*time.Second, "x.service", "exit-code")
		}, verdict.Fail, "x.service failed"},
		{"a fault that no request met", func(_ *timelinetest.Boot, e *check.Expect) { e.Faults = throttled },
			verdict.NotApplicable, "no request met what goes wrong in this scenario: keyvault status"},
		{"one that no request met in the first boot of two", func(_ *timelinetest.Boot, e *check.Expect) { e.Faults, e.Boot = throttled, 1 }, verdict.Pass, ""},
		{"a kill that hit nothing in the second boot", func(b *timelinetest.Boot, e *check.Expect) {
			b.Step(5*time.Second, boot.HitNothing+"x.service")
			e.Boot = 2
		}, verdict.Pass, ""},
		{"one that a request met", func(b *timelinetest.Boot, e *check.Expect) {
			e.Faults = throttled
			b.Call(21*time.Second, "keyvault", "secrets.get", 429, "fault", "status")
		}, verdict.Pass, ""},
		{"one of another secret", func(b *timelinetest.Boot, e *check.Expect) {
			e.Faults = []boot.Fault{{Service: "keyvault", Secret: "shared-cell-id", Kind: "status"}}
			b.Call(21*time.Second, "keyvault", "secrets.get", 429, "fault", "status", "secret", timelinetest.LogToken)
		}, verdict.NotApplicable, "keyvault shared-cell-id status"},
		{"one that the resolver tells", func(b *timelinetest.Boot, e *check.Expect) {
			e.Faults = []boot.Fault{{Service: "keyvault", Kind: "no-such-host"}}
			b.Call(21*time.Second, "resolver", "a", 0, "fault", "no-such-host")
		}, verdict.Pass, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, e := timelinetest.Healthy(), late()
			tt.change(b, &e)
			j := judged(t, b, e)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}

func TestWhatTheSubjectSaysOfItselfIsShownWithItsReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(*timelinetest.Boot, *check.Expect)
		want    verdict.Verdict
		check   string
		outcome check.Outcome
		note    string
	}{
		{"a unit that may fail", func(b *timelinetest.Boot, e *check.Expect) {
			b.Failed(7*time.Second, "x.service", "exit-code")
			e.MayFail = []check.Allowed{{Unit: "x.service", Reason: "it is optional"}}
		}, verdict.Pass, "no-unit-failed", check.Pass, "x.service failed, allowed: it is optional"},
		{"another than that", func(b *timelinetest.Boot, e *check.Expect) {
			b.Failed(7*time.Second, "y.service", "exit-code")
			e.MayFail = []check.Allowed{{Unit: "x.service", Reason: "it is optional"}}
		}, verdict.Fail, "no-unit-failed", check.Fail, ""},
		{"a file that it writes", func(b *timelinetest.Boot, e *check.Expect) {
			b.Leaks = append(b.Leaks, timelinetest.LogToken+"\t/run/vk/cache")
			e.Writes = []check.Written{{File: "/run/vk/cache", Reason: "a restart needs no vault"}}
		}, verdict.Pass, "secrets-contained", check.Pass, "/run/vk/cache holds credentials, subject.yaml: a restart needs no vault"},
		{"a file that it writes for all to read", func(b *timelinetest.Boot, e *check.Expect) {
			b.Leaks = append(b.Leaks, timelinetest.LogToken+"\t/run/vk/cache, for others to read or change")
			e.Writes = []check.Written{{File: "/run/vk/cache", Reason: "a restart needs no vault"}}
		}, verdict.Fail, "secrets-contained", check.Fail, ""},
		{"a check that says nothing of it", func(b *timelinetest.Boot, e *check.Expect) {
			b.Failed(7*time.Second, "x.service", "exit-code")
			e.NotJudged = []check.Unjudged{{Check: "no-unit-failed", Reason: "it is being rewritten"}}
		}, verdict.Pass, "no-unit-failed", check.NotJudged, "subject.yaml: it is being rewritten; it saw: x.service failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, e := timelinetest.Healthy(), late()
			tt.change(b, &e)
			j := judged(t, b, e)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			for _, r := range j.Results {
				if r.Check == tt.check {
					assert.Equal(t, tt.outcome, r.Outcome)
					assert.Contains(t, r.Note, tt.note)
				}
			}
			if tt.outcome == check.NotJudged {
				assert.Contains(t, j.Reason, "no-unit-failed (subject.yaml: it is being rewritten")
			}
		})
	}
}

func TestAUnitThatTheFirstBootEnabledIsSaidToBe(t *testing.T) {
	t.Parallel()
	for unit, said := range map[string]bool{"old.service": true, "other.service": false} {
		b, e := timelinetest.Healthy(), late()
		e.Presets = []string{"old.service"}
		b.Failed(3*time.Second, unit, "exit-code")
		j := judged(t, b, e)
		assert.Equal(t, verdict.Fail, j.Verdict)
		assert.Equal(t, said, strings.Contains(j.Reason, "the build left it disabled, and the first boot's presets enabled it"), j.Reason)
	}
}

func TestWithoutABootClockNothingFails(t *testing.T) {
	t.Parallel()
	status := 0
	for _, tt := range []struct {
		name    string
		change  func(*timelinetest.Boot)
		verdict verdict.Verdict
	}{
		{"with it", func(*timelinetest.Boot) {}, verdict.Fail},
		{"the machine did not say", func(b *timelinetest.Boot) { b.Missing["boot clock"] = "no UserspaceTimestampMonotonic" }, verdict.Invalid},
		{"the end is another clock's", func(b *timelinetest.Boot) { b.End = -time.Hour }, verdict.Invalid},
		{"the machine had ended, by its own word", func(b *timelinetest.Boot) {
			b.Missing["boot clock"], b.Exited = "the machine had ended", &status
			b.Leaks = append(b.Leaks, timelinetest.LogToken+"\t/tmp/x")
		}, verdict.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := built["asks for ever"]()
			tt.change(b)
			j := judged(t, b, late())
			assert.Equal(t, tt.verdict, j.Verdict, j.Reason)
			if tt.verdict == verdict.Invalid {
				assert.Contains(t, j.Reason, "boot clock")
				assert.False(t, j.Settled, "another boot may have one")
			}
		})
	}
}

// networked: PID 1's child says of the unit that it does without what it was told.
func networked(b *timelinetest.Boot, unit string) {
	b.Log(2*time.Second, unit, unit+": PrivateNetwork=yes is configured, but the kernel does not support or we lack privileges for network namespace, proceeding without.")
}
