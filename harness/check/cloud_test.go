package check_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	facts "bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestRoleEnvFresh(t *testing.T) {
	present := func(path string, size int) func(*boot) {
		return func(b *boot) { b.EnvFile(200*time.Millisecond, path, "present", size, "0600", "", true) }
	}
	judged(t, "role-env-fresh", []row{
		{name: "written by cloud-init", want: check.Pass},
		{name: "in the image", want: check.Fail, say: []string{"worker.env is in the image: it was there at +0.200s"}, break_: present("/etc/opensandbox/worker.env", 212)},
		{name: "the server's, in the image", want: check.Fail, say: []string{"server.env is in the image"}, break_: present("/etc/opensandbox/server.env", 212)},
		{name: "a link to where it will be", want: check.Pass, break_: present("/etc/opensandbox/worker.env", -1)},
		{name: "an empty file", want: check.Pass, break_: present("/etc/opensandbox/worker.env", 0)},
		{name: "made of the image before cloud-init came to it", want: check.Fail, say: []string{"worker.env was written at +0.800s, before cloud-init"}, break_: func(b *boot) {
			b.EnvFile(800*time.Millisecond, "/etc/opensandbox/worker.env", "create", 132, "0644", "", true)
		}},
		{name: "written by the unit that plays cloud-final's part on a real host", want: check.Pass, break_: func(b *boot) {
			b.Step(700*time.Millisecond, "start")
			b.EnvFile(800*time.Millisecond, "/etc/opensandbox/worker.env", "create", 132, "0644", "", true)
		}},
		{name: "made of the image before that unit began", want: check.Fail, say: []string{"worker.env was written at +0.600s"}, break_: func(b *boot) {
			b.EnvFile(600*time.Millisecond, "/etc/opensandbox/worker.env", "create", 132, "0644", "", true)
			b.Step(700*time.Millisecond, "start")
		}},
		{name: "a stub of vector.env", want: check.Pass, break_: present("/etc/opensandbox/vector.env", 212)},
		{name: "the scenario has it there", want: check.NotApplicable, expect: func(e *expect) { e.RoleEnv = facts.Pre }, break_: present("/etc/opensandbox/worker.env", 212)},
		{name: "nobody watched", want: check.NotJudged, break_: func(b *boot) {
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["_SYSTEMD_UNIT"] == "boot-logger.service" })
		}},
		{name: "the journal is not whole", want: check.NoEvidence, break_: func(b *boot) { b.Drop = []string{"journal.json.gz"} }},
	})
}

func TestTheWorkersStartIsNotHeld(t *testing.T) {
	started := func(after time.Duration) func(*boot) {
		return func(b *boot) {
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["BOOTRACE_STEP"] == "worker-started" })
			if after > 0 {
				b.Step(timelinetest.CompleteAt+after, "worker-started")
			}
		}
	}
	judged(t, "registered", []row{
		{name: "at once", want: check.Pass},
		{name: "after 20 s", want: check.Fail, unit: "opensandbox-worker.service", late: "since +20.000s, 18s over 2s",
			say: []string{"the start of opensandbox-worker.service was held for 20s after it was asked for at +20.000s"}, break_: started(20 * time.Second)},
		{name: "the script does not say", want: check.Pass, break_: started(0)},
	})
}

func TestRegistered(t *testing.T) {
	without := func(b *boot) {
		kept := b.Cloud[:0]
		for _, c := range b.Cloud {
			if c["op"] != "register" {
				kept = append(kept, c)
			}
		}
		b.Cloud = kept
	}
	judged(t, "registered", []row{
		{name: "not at all, for cloud-init runs something of the image's before", want: check.Fail,
			say: []string{"cloud-final.service has not come to the user data, which writes worker.env and starts the worker: it is activating, in which cloud-init runs `/bin/sh /usr/local/bin/fetch`; the worker has not"}, break_: func(b *boot) {
				without(b)
				b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["BOOTRACE_EVENT"] == "script" })
				b.Prop("cloud-final.service", "LoadState", "loaded", "ActiveState", "activating", "SubState", "start")
				b.Jobs = append(b.Jobs, "9 cloud-final.service start running")
				b.Procs = append(b.Procs, "50\tcloud-init-main.service\t1\t\t/usr/bin/python3 /usr/bin/cloud-init --all-stages\t/usr/bin/python3",
					"80\tcloud-init-main.service\t1\t\t/bin/sh /usr/local/bin/fetch\t/usr/bin/dash", "81\tcloud-init-main.service\t1\t\tsleep 1\t/usr/bin/sleep")
			}},
		{name: "in time", want: check.Pass, say: []string{"registered at +20.300s"}},
		{name: "not at all, for cloud-init did not come to its script", want: check.Fail, say: []string{"worker.env was never written: cloud-final.service is masked; the worker has not registered by the end"}, break_: func(b *boot) {
			without(b)
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool {
				return e["BOOTRACE_EVENT"] == "script" || e["UNIT"] == "cloud-final.service"
			})
			b.Prop("cloud-final.service", "LoadState", "masked", "ActiveState", "inactive", "ActiveEnterTimestampMonotonic", "0", "InactiveExitTimestampMonotonic", "0")
		}},
		{name: "nor where worker.env was there before", want: check.Fail, expect: func(e *expect) { e.RoleEnv = facts.Pre }, say: []string{"the worker was never started: cloud-init is disabled"}, break_: func(b *boot) {
			without(b)
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["BOOTRACE_EVENT"] == "script" })
			delete(b.Units, "cloud-final.service")
		}},
		{name: "not at all", want: check.Fail, break_: without, say: []string{"has not registered by the end"}},
		{name: "refused", want: check.Fail, break_: func(b *boot) {
			without(b)
			b.Call(21*time.Second, "controlplane", "register", 410)
		}},
		{name: "after pendingWorkerTTL, counted from the cloud's ready", want: check.Fail, late: "since -2.000s, 300ms over 22s", say: []string{"22.3s after the cloud was ready, pendingWorkerTTL is 22s"},
			expect: func(e *expect) { e.PendingWorkerTTL = 22 * time.Second }},
		{name: "destroyed", want: check.Fail, late: "since -2.000s, 10s over 10m0s", say: []string{"destroyed the worker"}, break_: func(b *boot) {
			without(b)
			b.Call(30*time.Second, "controlplane", "destroyed", 0)
		}},
		{name: "and stopped", want: check.Fail, unit: timelinetest.Worker, say: []string{"the worker registered, and opensandbox-worker.service was stopped at +25.000s and not started again, as swap.service was started (Conflicts="},
			expect: func(e *expect) { e.SubjectUnits = []string{"swap.service"} }, break_: func(b *boot) {
				b.Starting(25*time.Second+time.Millisecond, "swap.service")
				b.Stopped(25*time.Second, timelinetest.Worker)
				delete(b.Units, timelinetest.Worker)
			}},
		{name: "stopped and started again", want: check.Pass, break_: func(b *boot) {
			b.Stopped(25*time.Second, timelinetest.Worker)
			b.Starting(26*time.Second, timelinetest.Worker)
			b.Started(26*time.Second, timelinetest.Worker)
		}},
		{name: "where none is expected", boot: timelinetest.Never(), expect: never, want: check.NotApplicable},
	})
}

func TestCloudPoliteness(t *testing.T) {
	ask := func(n int, every time.Duration, service, op string) func(*boot) {
		return func(b *boot) {
			for i := range n {
				b.Call(2*time.Second+time.Duration(i)*every, service, op, 200, "secret", fmt.Sprint("s", i))
			}
		}
	}
	limited := func(next time.Duration, secret string) func(*boot) {
		return func(b *boot) {
			b.Call(2*time.Second, "keyvault", "secrets.get", 429, "secret", "a", "retry_after_s", 5)
			b.Call(2*time.Second+next, "keyvault", "secrets.get", 200, "secret", secret)
		}
	}
	judged(t, "cloud-politeness", []row{
		{name: "one token and some secrets", want: check.Pass, say: []string{"imds 1 requests, keyvault 3"}},
		{name: "a storm at IMDS", want: check.Fail, break_: ask(30, 10*time.Millisecond, "imds", "token"), say: []string{"imds token was asked 30 times within 1s, allowed 20"}},
		{name: "as many as IMDS allows", want: check.Pass, break_: ask(20, 10*time.Millisecond, "imds", "token")},
		{name: "a storm at the vault", want: check.Fail, break_: ask(50, 100*time.Millisecond, "keyvault", "secrets.get")},
		{name: "a poll each half second for a minute", want: check.Fail, break_: ask(75, 500*time.Millisecond, "imds", "token"), say: []string{"allowed 60"}},
		{name: "an agent that asks for scheduled events", want: check.Pass, break_: ask(75, time.Second, "imds", "scheduledevents"), say: []string{"imds 1 requests"}},
		{name: "a poll each 5 s", want: check.Pass, break_: ask(7, 5*time.Second, "keyvault", "secrets.get")},
		{name: "Retry-After not kept", want: check.Fail, break_: limited(2*time.Second, "a"), say: []string{"before its Retry-After of 5s was over"}},
		{name: "Retry-After kept", want: check.Pass, break_: limited(5100*time.Millisecond, "a")},
		{name: "another secret, asked for at the same time", want: check.Pass, break_: limited(500*time.Microsecond, "b")},
		{name: "Vector's own retries are not the subject's", want: check.Pass, break_: func(b *boot) {
			b.Call(2*time.Second, "axiom", "ingest", 429, "retry_after_s", 5)
			b.Call(3*time.Second, "axiom", "ingest", 200)
		}},
	})
}

func TestQuiescent(t *testing.T) {
	end := timelinetest.EndAt
	undelivered := func(b *boot) { b.VectorProcess(400, 360*time.Millisecond, timelinetest.StubVars) }
	judged(t, "quiescent", []row{
		{name: "nothing goes on", want: check.Pass},
		{name: "the reboot before took what a reboot takes", want: check.Pass, break_: func(b *boot) { b.Down = 3 * time.Second }},
		{name: "Vector had its minute for the last batches", want: check.Pass, break_: func(b *boot) { b.Down = 70 * time.Second }},
		{name: "the reboot before was held", want: check.Fail, unit: "holds.service", say: []string{"took 1m34s to end", "holds.service took 1m32s to stop"}, break_: func(b *boot) {
			b.PID1(-93*time.Second, "de5b426a63be47a7b6ac3eaac82e2f6f", "holds.service", "Stopping holds.service...", nil)
			b.Down = 94 * time.Second
		}},
		{name: "by what the journal does not say", want: check.Fail, say: []string{"took 1m34s to end"}, break_: func(b *boot) { b.Down = 94 * time.Second }},
		{name: "a job waits", want: check.Fail, unit: "x.service", say: []string{"start job of x.service is waiting at the end"}, break_: func(b *boot) {
			b.Jobs = []string{"7 x.service start waiting"}
		}},
		{name: "a timer of the base elapses at midnight", want: check.Pass, break_: func(b *boot) {
			b.Jobs = []string{"7 daily.service start running"}
			b.Units["daily.timer"] = map[string]string{"Id": "daily.timer", "LoadState": "loaded", "ActiveState": "active", "SubState": "x"}
		}},
		{name: "a job whose timer does not run", want: check.Fail, unit: "daily.service", break_: func(b *boot) {
			b.Jobs = []string{"7 daily.service start running"}
			b.Units["daily.timer"] = map[string]string{"Id": "daily.timer", "LoadState": "loaded", "ActiveState": "inactive", "SubState": "x"}
		}},
		{name: "the vault is still asked", want: check.Fail, say: []string{"keyvault was asked 1 times in the last 5s"}, break_: func(b *boot) {
			b.Call(end-time.Second, "keyvault", "secrets.get", 200)
		}},
		{name: "the vault is asked by what a service left behind", want: check.Fail, break_: func(b *boot) {
			b.Call(end-time.Second, "keyvault", "secrets.get", 200)
			b.Prop(timelinetest.Subject, "ActiveState", "inactive", "SubState", "dead", "MainPID", "0")
			b.Procs = append(b.Procs, fmt.Sprintf("77\t%s\t%d\t\tcurl -s vault", timelinetest.Subject, timelinetest.Mono(3*time.Second)))
		}, say: []string{"though Vector has its values; " + timelinetest.Subject + ", which is over (inactive), has left a process behind: pid 77 curl -s vault"}},
		{name: "an agent asks for scheduled events", want: check.Pass, break_: func(b *boot) {
			b.Call(end-time.Second, "imds", "scheduledevents", 200)
		}},
		{name: "the vault is asked, because nothing was delivered yet", want: check.Pass, break_: func(b *boot) {
			undelivered(b)
			b.Call(end-time.Second, "keyvault", "secrets.get", 503)
		}},
		{name: "the subject is started again and again", want: check.Fail, unit: timelinetest.Subject, break_: func(b *boot) {
			b.StartsAtOnce(end-time.Second, timelinetest.Subject)
		}},
		{name: "the subject is still starting", want: check.Fail, say: []string{"activating/start at the end"}, break_: func(b *boot) {
			b.Prop(timelinetest.Subject, "ActiveState", "activating", "SubState", "start")
		}},
		{name: "no subject named", want: check.NoEvidence, expect: func(e *expect) { e.SubjectUnits = nil }},
	})
}
