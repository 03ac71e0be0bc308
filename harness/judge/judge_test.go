package judge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/harness/verdict"
)

func late() check.Expect {
	return check.Expect{
		Setup:   boot.Setup{RoleEnv: boot.Late, SubjectUnits: []string{timelinetest.Subject}, EnvDigests: timelinetest.Digests(), LogToken: timelinetest.LogToken},
		Control: boot.Control{MultiUser: 850 * time.Millisecond, Active: []string{timelinetest.Logger, "console-getty.service"}},
		Limits:  check.Limits{CredentialsWithin: 5 * time.Second, BootBudget: time.Second, Registered: true, PendingWorkerTTL: 600 * time.Second},
	}
}

func judged(t *testing.T, b *timelinetest.Boot, e check.Expect) judge.Judgement {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	b.Extra[recording.ExpectFile] = data
	j, err := judge.Recording(b.FS())
	require.NoError(t, err)
	return j
}

func failing(j judge.Judgement) []string {
	var out []string
	for _, r := range j.Results {
		if r.Outcome == check.Fail {
			out = append(out, r.Check)
		}
	}
	return out
}

func TestAHealthyRecordingPasses(t *testing.T) {
	t.Parallel()
	j := judged(t, timelinetest.Healthy(), late())
	assert.Equal(t, verdict.Pass, j.Verdict, j.Reason)
	assert.Equal(t, timelinetest.MultiAt, j.MultiUser)
	assert.True(t, j.Disturbance.Measured)
	assert.Equal(t, late(), j.Expect)
}

func TestASubjectsTemplateIsJudgedByItsInstances(t *testing.T) {
	t.Parallel()
	const instance = "fetch@azure.service"
	b := timelinetest.Healthy()
	for i := range 4 {
		b.Starting(time.Duration(i+3)*time.Second, instance)
	}
	b.Up(instance, 3*time.Second, 0)
	b.Prop(instance, "ActiveState", "activating", "SubState", "start")
	e := late()
	e.SubjectUnits = append(e.SubjectUnits, "fetch@.service", "other@.service")
	assert.Equal(t, []string{"start-rate", "quiescent"}, failing(judged(t, b, e)))
}

func TestWhatTheHostDoesMakesABootInvalid(t *testing.T) {
	t.Parallel()
	status := 255
	fail := func(b *timelinetest.Boot) { b.Failed(3*time.Second, "x.service", "exit-code") }
	for _, tt := range []struct {
		name   string
		break_ func(*timelinetest.Boot)
		want   verdict.Verdict
		reason string
	}{
		{"PID 1 exited", func(b *timelinetest.Boot) { b.Exited = &status }, verdict.Invalid, "exited by itself with status 255"},
		{"a recording that was ended early, of which a unit failed", func(b *timelinetest.Boot) {
			fail(b)
			b.Cut = "other processes had the CPU for 3s of the 7s that it took"
		}, verdict.Invalid, "other processes had the CPU for 3s"},
		{"one that lay about with a secret in a file, which the subject was about to remove", func(b *timelinetest.Boot) {
			b.Leaks = append(b.Leaks, "shared-token\t/run/credentials.new/token")
			b.Cut = "other processes had the CPU for 3s of the 7s that it took"
		}, verdict.Invalid, "other processes had the CPU for 3s"},
		{"the same, seen to its end", func(b *timelinetest.Boot) {
			b.Leaks = append(b.Leaks, "shared-token\t/run/credentials.new/token")
		}, verdict.Fail, "/run/credentials.new/token"},
		{"one that said a secret", func(b *timelinetest.Boot) {
			b.Log(3*time.Second, "x.service", "the token is [secret:shared-token]")
			b.Cut = "other processes had the CPU for 3s of the 7s that it took"
		}, verdict.Fail, "shared-token"},
		{"one in which the subject powered the machine off", func(b *timelinetest.Boot) {
			status := 0
			b.Exited = &status
			b.Started(30*time.Second, "poweroff.target")
			b.Cut = "other processes had the CPU for 3s of the 7s that it took"
		}, verdict.Fail, "the machine was powered off"},
		{"a machine that was shut down from within has not been spoilt", func(b *timelinetest.Boot) {
			status := 0
			b.Exited = &status
			b.Started(30*time.Second, "poweroff.target")
		}, verdict.Fail, "the machine was powered off at +30.000s while populate-vector-env.service ran"},
		{"one that was shut down as cloud-init was done", func(b *timelinetest.Boot) {
			status := 0
			b.Exited = &status
			b.Started(29500*time.Millisecond, boot.CloudFinal)
			b.Started(30*time.Second, "poweroff.target")
		}, verdict.Fail, "while populate-vector-env.service ran; cloud-init was done right before, and ends a machine only where power_state says so"},
		{"an engine that stops the machine as it should", func(b *timelinetest.Boot) {
			status := 130
			b.Exited = &status
			b.PID1(30*time.Second, "", "", "Received SIGRTMIN+3.", nil)
			b.Started(30*time.Second, "halt.target")
		}, verdict.Invalid, "exited by itself with status 130, halted as an engine stops it"},
		{"an engine that stops it, of which the console alone tells", func(b *timelinetest.Boot) {
			status := 130
			b.Exited = &status
			b.Console = append(b.Console, "[  OK  ] Reached target halt.target - System Halt.", "Halting system.")
			b.Drop = []string{timeline.Journal, timeline.Units, timeline.Jobs}
		}, verdict.Invalid, "exited by itself with status 130, halted as an engine stops it"},
		{"a program that sends the signal itself", func(b *timelinetest.Boot) {
			b.PID1(30*time.Second, "", "", "Received SIGRTMIN+3 from PID 812 (kill).", nil)
			b.Started(30*time.Second, "halt.target")
		}, verdict.Fail, "the machine was halted"},
		{"inotify used up, and every job waits", func(b *timelinetest.Boot) {
			b.Console = append(b.Console, "Failed to create inotify object: Too many open files")
			b.Drop = []string{timeline.Journal, timeline.Units, timeline.Jobs}
		}, verdict.Invalid, "inotify instances are used up"},
		{"out of memory", func(b *timelinetest.Boot) {
			b.PID1(3*time.Second, "", timelinetest.Vector, "vector.service: A process of this unit has been killed by the OOM killer.", nil)
			fail(b)
		}, verdict.Invalid, "for want of memory"},
		{"out of the unit's own memory", func(b *timelinetest.Boot) {
			b.PID1(3*time.Second, "", "x.service", "x.service: A process of this unit has been killed by the OOM killer.", nil)
			b.Prop("x.service", "MemoryMax", "67108864")
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"out of its slice's memory", func(b *timelinetest.Boot) {
			b.PID1(3*time.Second, "", "x.service", "x.service: Failed with result 'oom-kill'.", nil)
			b.Prop("x.service", "MemoryMax", "infinity", "Slice", "small.slice")
			b.Prop("small.slice", "MemoryMax", "67108864")
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"the kernel speaks of a unit's limit", func(b *timelinetest.Boot) {
			b.Entry(3*time.Second, map[string]any{"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": "Memory cgroup out of memory: Killed process 271 (x) total-vm:9kB"})
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"the kernel speaks of all memory", func(b *timelinetest.Boot) {
			b.Entry(3*time.Second, map[string]any{"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": "Out of memory: Killed process 271 (x) total-vm:9kB"})
			fail(b)
		}, verdict.Invalid, "for want of memory"},
		{"disk full", func(b *timelinetest.Boot) {
			b.PID1(3*time.Second, "", "x.service", "x.service: Failed to create cgroup: No space left on device", nil)
			fail(b)
		}, verdict.Invalid, "no space left on device"},
		{"disk full, as journald has it", func(b *timelinetest.Boot) {
			b.Log(3*time.Second, "systemd-journald.service", "Failed to write entry: No space left on device")
			b.Extra["room.txt"] = []byte("/\t4096\n/run\t80000000\n")
			fail(b)
		}, verdict.Invalid, "no space left on device"},
		{"a tmpfs that something filled", func(b *timelinetest.Boot) {
			b.PID1(3*time.Second, "", "x.service", "x.service: Failed to set up credentials: No space left on device", nil)
			b.Extra["room.txt"] = []byte("/\t8000000000\n/run\t0\n")
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"a unit's own words on its own cache", func(b *timelinetest.Boot) {
			b.Log(3*time.Second, "x.service", "cache: write: No space left on device, going on without")
			b.Console = append(b.Console, "[ 2034.328387] sh[74]: cache: write: No space left on device", "cache: No space left on device")
		}, verdict.Pass, ""},
		{"a unit's own words on inotify", func(b *timelinetest.Boot) {
			b.Log(3*time.Second, "x.service", "inotify_init: too many open files")
			b.Console = append(b.Console, "[ 2034.328387] x[74]: inotify_init: too many open files")
		}, verdict.Pass, ""},
		{"a program that ran out of its own descriptors", func(b *timelinetest.Boot) {
			b.Log(3*time.Second, "x.service", "accept: too many open files")
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"a tick a second late, and a unit failed", func(b *timelinetest.Boot) {
			b.Numbered(39*time.Second, "boot-logger", 81, time.Second)
			fail(b)
		}, verdict.Invalid, "a tick was 1s late"},
		{"the harness's own tick late, and a unit failed", func(b *timelinetest.Boot) {
			b.Host[5]["late_us"] = 700_000
			fail(b)
		}, verdict.Invalid, "a tick was 700ms late"},
		{"stalled for memory, and a unit failed", func(b *timelinetest.Boot) {
			for i := range b.Host {
				b.Host[i]["psi_mem_full_us"] = i * 300_000
			}
			fail(b)
		}, verdict.Invalid, "memory or disk stalled the host"},
		{"late before the boot began", func(b *timelinetest.Boot) {
			b.Host[0]["late_us"] = 900_000
			fail(b)
		}, verdict.Fail, "x.service failed"},
		{"late, and nothing came of it", func(b *timelinetest.Boot) { b.Host[5]["late_us"] = 700_000 }, verdict.Pass, ""},
		{"no units.txt", func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} }, verdict.Invalid, "no evidence for vector-active: units.txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			tt.break_(b)
			j := judged(t, b, late())
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}

func TestWhatCannotBeJudgedIsAnError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, expect, want string }{
		{"no expectation", "", "expect.json"},
		{"not JSON", "{", "expect.json"},
		{"a key nobody knows", `{"role_env":"late","budget":1}`, `unknown field "budget"`},
		{"a word nobody knows", `{"role_env":"later"}`, "must be pre, late or never"},
		{"no limits", `{"role_env":"late"}`, "boot_budget_ns 0: must be a time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			if tt.expect != "" {
				b.Extra[recording.ExpectFile] = []byte(tt.expect)
			}
			_, err := judge.Recording(b.FS())
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := judge.Recording(fstest.MapFS{recording.ExpectFile: {Data: []byte(`{"role_env":"pre","credentials_within_ns":5,"boot_budget_ns":5}`)}})
	require.ErrorContains(t, err, "manifest.json")
}

// slowly is a boot that comes a second late by its own units, with the subject
// in the chain of what multi-user.target waited for.
func slowly(subject, rest time.Duration) *timelinetest.Boot {
	b := timelinetest.Healthy()
	b.Postpone(timelinetest.StubAt-time.Millisecond, subject)         // in the subject
	b.Postpone(timelinetest.StubAt+subject+40*time.Millisecond, rest) // in what comes after it
	return b
}

// busy gives others the CPU for a share of the time.
func busy(t *testing.T, b *timelinetest.Boot, share float64) {
	t.Helper()
	lines := 0
	for _, e := range b.Journal {
		text, _ := e["MESSAGE"].(string)
		if rest, ok := strings.CutPrefix(text, `{"source":`); ok {
			us, err := strconv.ParseInt(e["__MONOTONIC_TIMESTAMP"].(string), 10, 64)
			require.NoError(t, err)
			e["MESSAGE"] = fmt.Sprintf(`{"psi_cpu_full_us":%d,"source":`, int64(share*float64(us-timelinetest.Mono(0)/1000))) + rest
			lines++
		}
	}
	require.NotZero(t, lines)
}

func TestTheCPUThatOthersHadExplainsALateBoot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		subject time.Duration // of three seconds, what the subject took
		share   float64       // of the time that others had the CPU
		want    verdict.Verdict
		reason  string
	}{
		{"late elsewhere on a busy host", 100 * time.Millisecond, 0.45, verdict.Invalid, "other processes had the CPU"},
		{"late in the subject on a busy host", 2900 * time.Millisecond, 0.45, verdict.Invalid, "other processes had the CPU"},
		{"late elsewhere on an idle host", 100 * time.Millisecond, 0.01, verdict.Fail, "later than in the control boot"},
		{"late in the subject on an idle host", 2900 * time.Millisecond, 0.01, verdict.Fail, "later than in the control boot"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := slowly(tt.subject, 3*time.Second-tt.subject)
			busy(t, b, tt.share)
			e := late()
			e.Checks = []string{"boot-unblocked"}
			j := judged(t, b, e)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
			assert.Contains(t, j.Reason, tt.reason)
		})
	}
}

// A subject that keeps the processors busy makes tasks of its own machine wait, and
// those of the host; others have not had the CPU for that.
func TestWhatTheSubjectTookFromItselfIsNotTheHosts(t *testing.T) {
	t.Parallel()
	b := slowly(100*time.Millisecond, 2900*time.Millisecond)
	for i := range b.Host {
		b.Host[i]["psi_cpu_some_us"] = i * 999_000
	}
	busy(t, b, 0.01)
	e := late()
	e.Checks = []string{"boot-unblocked"}
	assert.Equal(t, verdict.Fail, judged(t, b, e).Verdict)
}

func TestAMachineThatSaysNothingMayHaveLostWhatTheHostWaitedFor(t *testing.T) {
	t.Parallel()
	for waited, want := range map[int]verdict.Verdict{999_000: verdict.Invalid, 1000: verdict.Fail} {
		b := slowly(100*time.Millisecond, 2900*time.Millisecond)
		b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool {
			text, _ := e["MESSAGE"].(string)
			return strings.HasPrefix(text, `{"source":`)
		})
		for i := range b.Host {
			b.Host[i]["psi_cpu_some_us"] = i * waited
		}
		e := late()
		e.Checks = []string{"boot-unblocked"}
		j := judged(t, b, e)
		assert.Equal(t, want, j.Verdict, j.Reason)
	}
}

// The control boots are no yardstick where the host is slow for all of them.
func TestASlowHostIsNotTheSubjectsFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		rest    time.Duration // what the boot took beside the subject's 2.9 s
		control time.Duration
		lost    time.Duration // of the control boot's
		want    verdict.Verdict
	}{
		{"ten times slower, as the control boots", 8 * time.Second, 9 * time.Second, 0, verdict.Invalid},
		{"slower than the control boots by far more", 50 * time.Second, 9 * time.Second, 0, verdict.Fail},
		{"slow while others had a part of the control boots' CPU", 8 * time.Second, 9 * time.Second, 4 * time.Second, verdict.Fail},
		{"as fast as any", 0, 850 * time.Millisecond, 0, verdict.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := slowly(2900*time.Millisecond, tt.rest)
			e := late()
			e.Checks, e.MultiUser, e.Lost = []string{"boot-unblocked"}, tt.control, tt.lost
			j := judged(t, b, e)
			assert.Equal(t, tt.want, j.Verdict, j.Reason)
		})
	}
}

func TestTheCPUThatOthersHadExplainsLateCredentials(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]verdict.Verdict{0.6: verdict.Invalid, 0.05: verdict.Fail} {
		b := timelinetest.Healthy()
		busy(t, b, share)
		e := late()
		e.Checks, e.CredentialsWithin = []string{"vector-credentialed"}, 300*time.Millisecond // it takes 410
		assert.Equal(t, want, judged(t, b, e).Verdict)
	}
}

func TestWhatTheCollectorMayNotReadAnotherBootDoesNotShow(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Missing["processes.txt"] = "search: 9 environments not read, first process 1 (init.scope): permission denied; the collector has not CAP_SYS_PTRACE"
	j, err := judge.Expecting(b.FS(), late())
	require.NoError(t, err)
	assert.Equal(t, verdict.Invalid, j.Verdict)
	assert.True(t, j.Settled)
	assert.Contains(t, j.Reason, "CAP_SYS_PTRACE")
	assert.NotContains(t, j.Reason, "no evidence: ", "it is said once")

	busy(t, b, 0.6)
	e := late()
	e.MultiUser, e.BootBudget = time.Millisecond, time.Millisecond // the boot is late, which others' CPU explains
	j, err = judge.Expecting(b.FS(), e)
	require.NoError(t, err)
	assert.Equal(t, verdict.Invalid, j.Verdict)
	assert.True(t, j.Settled)
	assert.Regexp(t, "^no evidence: processes.txt: .* CAP_SYS_PTRACE; other processes had the CPU", j.Reason, "no calmer host mends it")

	b = timelinetest.Healthy()
	b.Missing["processes.txt"] = "search: canary not found"
	j, err = judge.Expecting(b.FS(), late())
	require.NoError(t, err)
	assert.Equal(t, verdict.Invalid, j.Verdict)
	assert.False(t, j.Settled)
}
