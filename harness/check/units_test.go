package check_test

import (
	"slices"
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestNoUnitFailed(t *testing.T) {
	judged(t, "no-unit-failed", []row{
		{name: "none", want: check.Pass},
		{name: "one that was well again at the end", want: check.Fail, unit: timelinetest.Subject, say: []string{"failed (exit-code), is active at the end"}, break_: func(b *boot) {
			b.Failed(2*time.Second, timelinetest.Subject, "exit-code")
		}},
		{name: "why it failed is said with it", want: check.Fail, unit: timelinetest.Subject, say: []string{"failed (resources), is active at the end; a file of its EnvironmentFile= could not be read (No such file or directory)"}, break_: func(b *boot) {
			b.PID1(2*time.Second, "", timelinetest.Subject, timelinetest.Subject+": Failed to load environment files: No such file or directory", nil)
			b.Failed(2*time.Second, timelinetest.Subject, "resources")
		}},
		{name: "which file it was, and who asks for it again", want: check.Fail, unit: timelinetest.Subject, say: []string{
			"failed (resources), is active at the end; its EnvironmentFile=/etc/opensandbox/worker.env could not be read (No such file or directory)",
			"; Upholds= of multi-user.target starts it whenever it is not active"}, break_: func(b *boot) {
			b.PID1(2*time.Second, "", timelinetest.Subject, timelinetest.Subject+": Failed to load environment files: No such file or directory", nil)
			b.Failed(2*time.Second, timelinetest.Subject, "resources")
			b.Prop(timelinetest.Subject, "UpheldBy", "multi-user.target", "EnvironmentFilesRequired", "/etc/opensandbox/worker.env")
		}},
		{name: "READY=1 came from a child, and not from the main process", want: check.Fail, unit: timelinetest.Subject, say: []string{"failed (timeout), is active at the end; what a process of it told systemd, READY=1 or the like, was not taken: NotifyAccess="}, break_: func(b *boot) {
			b.PID1(time.Second, "", timelinetest.Subject, timelinetest.Subject+": Got notification message from PID 345, but reception only permitted for main PID 340", nil)
			b.Failed(2*time.Second, timelinetest.Subject, "timeout")
		}},
		{name: "one that failed again and again is one finding", want: check.Fail, say: []string{"vector.service failed (exit-code) 5 times"}, break_: func(b *boot) {
			for i := range 5 {
				b.Failed(time.Duration(i+1)*time.Second, timelinetest.Vector, "exit-code")
			}
		}},
		{name: "one that only the last state knows", want: check.Fail, say: []string{"x.service failed (timeout)"}, break_: func(b *boot) {
			b.Prop("x.service", "ActiveState", "failed", "Result", "timeout")
		}},
		{name: "one that failed before journald ran", want: check.Fail, unit: "early.mount", break_: func(b *boot) {
			b.Console = append(b.Console, "[\x1b[0;1;31mFAILED\x1b[0m] Failed to mount \x1b[0;1;39mearly.mount\x1b[0m - Early.")
		}},
		{name: "console and journal are one finding, also where the console shortens the name", want: check.Fail, unit: timelinetest.Subject, say: []string{"failed (exit-code),"}, break_: func(b *boot) {
			b.Failed(2*time.Second, timelinetest.Subject, "exit-code")
			b.Console = append(b.Console, "[FAILED] Failed to start populate-vector-e\u2026fetch the credentials of Vector.")
		}},
		{name: "an allowed one is named and passes", want: check.Pass, say: []string{"cloud-config.service failed, allowed: locale"}, break_: func(b *boot) {
			b.Failed(2*time.Second, "cloud-config.service", "exit-code")
		}, expect: func(e *expect) { e.AllowedFailed = []check.Allowed{{Unit: "cloud-*.service", Reason: "locale"}} }},
		{name: "the subject was left out because of what it depends on", want: check.Fail, unit: timelinetest.Subject, say: []string{"populate-vector-env.service failed (dependency)"}, break_: func(b *boot) {
			b.StartFailed(2*time.Second, timelinetest.Subject, "dependency")
		}},
		{name: "the subject was left out because of what it is bound to, which has ended", want: check.Fail, unit: timelinetest.Subject, say: []string{"failed (dependency), is active at the end, and needs tick.service, which is inactive"}, break_: func(b *boot) {
			b.StartFailed(2*time.Second, timelinetest.Subject, "dependency")
			b.Prop("tick.service", "ActiveState", "inactive", "BoundBy", timelinetest.Subject)
		}},
		{name: "what it said as it was stopped is not why it is left out now", want: check.Fail, unit: timelinetest.Subject, say: []string{"populate-vector-env.service failed (dependency)"}, never: "cut short", break_: func(b *boot) {
			b.Log(time.Second, timelinetest.Subject, "error: the drain was cut short")
			b.StartFailed(2*time.Second, timelinetest.Subject, "dependency")
		}},
		{name: "the subject was left out because of what had to be up before it", want: check.Fail, unit: timelinetest.Subject, say: []string{"and needs tick.service to be up already (Requisite= starts nothing)"}, break_: func(b *boot) {
			b.StartFailed(2*time.Second, timelinetest.Subject, "dependency")
			b.Prop("tick.service", "ActiveState", "active", "RequisiteOf", timelinetest.Subject)
		}},
		{name: "the subject was left out because of what may fail", want: check.Pass, say: []string{"populate-vector-env.service was not started, for want of another unit"},
			expect: func(e *expect) { e.AllowedFailed = []check.Allowed{{Unit: "base.service", Reason: "known"}} }, break_: func(b *boot) {
				b.Failed(time.Second, "base.service", "exit-code")
				b.StartFailed(2*time.Second, timelinetest.Subject, "dependency")
			}},
		{name: "a unit of the base was left out because of what it is bound to", want: check.Pass, break_: func(b *boot) {
			b.StartFailed(2*time.Second, "systemd-networkd-wait-online.service", "dependency")
			b.Console = append(b.Console, "[DEPEND] Dependency failed for systemd-networkd-wait-online.service - Wait for Network to be Configured.")
		}},
		{name: "an assertion did not hold", want: check.Fail, unit: "x.service", say: []string{"x.service failed (assert)"}, break_: func(b *boot) {
			b.StartFailed(2*time.Second, "x.service", "assert")
		}},
		{name: "an assertion did not hold, and PID 1 was not heard", want: check.Fail, unit: "x.service", say: []string{"x.service failed (assert)"}, break_: func(b *boot) {
			b.Prop("x.service", "AssertResult", "no", "AssertTimestampMonotonic", timelinetest.Micros(2*time.Second))
		}},
		{name: "an assertion that was never looked at", want: check.Pass, break_: func(b *boot) {
			b.Prop("x.service", "AssertResult", "no", "AssertTimestampMonotonic", "0")
		}},
		{name: "a crash loop that is not heard", want: check.Fail, unit: "x.service",
			say: []string{"x.service ended and was started again 11 times by its Restart=, without a word of PID 1 (LogLevelMax=emerg), is active at the end"}, break_: func(b *boot) {
				b.Up("x.service", 30*time.Second, 30*time.Second)
				b.Prop("x.service", "NRestarts", "11", "LogLevelMax", "0")
			}},
		{name: "restarts that are heard are judged by what ended it", want: check.Pass, break_: func(b *boot) {
			b.Up("x.service", 30*time.Second, 30*time.Second)
			b.Prop("x.service", "NRestarts", "2", "LogLevelMax", "-1")
			b.RestartScheduled(10*time.Second, "x.service", 1)
			b.RestartScheduled(30*time.Second, "x.service", 2)
		}},
		{name: "restarts are more than what was heard", want: check.Fail, unit: "x.service", say: []string{"started again 3 times"}, break_: func(b *boot) {
			b.Up("x.service", 30*time.Second, 30*time.Second)
			b.Prop("x.service", "NRestarts", "5")
			b.RestartScheduled(10*time.Second, "x.service", 1)
			b.RestartScheduled(30*time.Second, "x.service", 2)
		}},
		{name: "a restart as the recording was taken", want: check.Pass, break_: func(b *boot) {
			b.Up("x.service", timelinetest.EndAt-time.Second, timelinetest.EndAt-time.Second)
			b.Prop("x.service", "NRestarts", "1")
		}},
		{name: "the service has failed and is to be started again, and PID 1 was not heard", want: check.Fail, unit: "x.service", say: []string{"x.service failed (exit-code)"}, break_: func(b *boot) {
			b.Prop("x.service", "ActiveState", "activating", "SubState", "auto-restart", "Result", "exit-code")
		}},
		{name: "ExecCondition= said no", want: check.Pass, break_: func(b *boot) { b.Prop("x.service", "Result", "exec-condition") }},
		{name: "PID 1 says nothing of failures", want: check.Fail, unit: "init.scope", say: []string{"LogLevel=emerg"}, break_: func(b *boot) {
			b.Extra["manager.txt"] = []byte("Version=257\nSystemState=running\nLogLevel=emerg\nLogTarget=journal\n")
		}},
		{name: "PID 1 says them to nobody", want: check.Fail, unit: "init.scope", say: []string{"LogTarget=null"}, break_: func(b *boot) {
			b.Extra["manager.txt"] = []byte("Version=257\nSystemState=running\nLogLevel=info\nLogTarget=null\n")
		}},
		{name: "restarts that are not said, of a unit whose failures would be", want: check.Pass, break_: func(b *boot) {
			b.Prop("x.service", "NRestarts", "11", "LogLevelMax", "5")
		}},
		{name: "PID 1 says failures, and not much more", want: check.Pass, break_: func(b *boot) {
			b.Extra["manager.txt"] = []byte("Version=257\nSystemState=running\nLogLevel=warning\nLogTarget=journal-or-kmsg\n")
		}},
		{name: "the console alone says that a job timed out", want: check.Fail, unit: "dev-sdz.device", break_: func(b *boot) {
			b.Console = append(b.Console, "[ TIME ] Timed out waiting for device dev-sdz.device - /dev/sdz.")
		}},
		{name: "the console alone says what was left out of the base", want: check.Pass, break_: func(b *boot) {
			b.Console = append(b.Console, "[DEPEND] Dependency failed for Wait for Network to be Configured.")
		}},
		{name: "the console alone says what was left out", want: check.Fail, unit: timelinetest.Subject, break_: func(b *boot) {
			b.Console = append(b.Console, "[DEPEND] Dependency failed for populate-vector-env.service - Vector's credentials.")
		}},
		{name: "the console alone says, by its description, what an assertion kept", want: check.Fail, unit: "Helper.", break_: func(b *boot) {
			b.Console = append(b.Console, "[ASSERT] Assertion failed for Helper.")
		}},
		{name: "a mount that would not go is no start that failed", want: check.Pass, break_: func(b *boot) {
			b.Console = append(b.Console, "[FAILED] Failed unmounting etc-hosts.mount - /etc/hosts.")
		}},
		{name: "the machine was rebooted as a unit failed", want: check.Fail, unit: timelinetest.Subject,
			say: []string{"the machine was rebooted at +31.000s, by populate-vector-env.service, as it failed"}, break_: func(b *boot) {
				b.Failed(30900*time.Millisecond, timelinetest.Subject, "exit-code")
				b.Stopped(30990*time.Millisecond, "timers.target")
				b.Failed(31200*time.Millisecond, "killed-by-it.service", "signal")
				b.Started(31500*time.Millisecond, "reboot.target")
			}},
		{name: "the machine was rebooted, of which the console alone tells", want: check.Fail, unit: timelinetest.Subject,
			say: []string{"the machine was rebooted, by populate-vector-env.service, as it failed"}, break_: func(b *boot) {
				b.Console = append(b.Console, "[FAILED] Failed to start populate-vector-env.servi…tor's credentials from Key Vault.", "[  OK  ] Stopped target timers.target - Timer Units.", "Rebooting.")
				b.Drop = []string{"journal.json.gz", "units.txt", "jobs.txt", "manager.txt"}
			}},
		{name: "an engine stopped it", want: check.Pass, break_: func(b *boot) {
			b.PID1(30*time.Second, "", "", "Received SIGRTMIN+3.", nil)
			b.Started(31*time.Second, "halt.target")
		}},
		{name: "emergency mode", want: check.Fail, unit: "emergency.target", say: []string{"waits for somebody at its console"}, break_: func(b *boot) {
			b.Started(2*time.Second, "emergency.target")
		}},
		{name: "emergency mode, on the console alone", want: check.Fail, unit: "emergency.target", break_: func(b *boot) {
			b.Console = append(b.Console, "You are in emergency mode. After logging in, type \"journalctl -xb\" to view")
		}},
		{name: "a disk of fstab that is not there, on Azure's serial console", want: check.Fail, unit: "dev-incorrect.device", say: []string{"dev-incorrect.device failed (timeout)", "Welcome to emergency mode!"}, break_: func(b *boot) {
			b.Console = append(b.Console, "[\x1b[1;31m TIME \x1b[0m] Timed out waiting for device dev-incorrect.device.", "[\x1b[1;33mDEPEND\x1b[0m] Dependency failed for /data.",
				"[\x1b[1;33mDEPEND\x1b[0m] Dependency failed for Local File Systems.", "Welcome to emergency mode! After logging in, type \"journalctl -xb\" to view")
		}},
		{name: "a user's unit is not the machine's", want: check.Pass, break_: func(b *boot) {
			b.Entry(2*time.Second, map[string]any{"_PID": "99", "_SYSTEMD_UNIT": "user@1000.service", "USER_UNIT": "vector.service", "SYSLOG_IDENTIFIER": "systemd",
				"MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c", "UNIT_RESULT": "exit-code", "MESSAGE": "vector.service: Failed with result 'exit-code'."})
		}},
		{name: "a program cannot fail another's unit by words", want: check.Pass, break_: func(b *boot) {
			b.Entry(2*time.Second, map[string]any{"_PID": "99", "_SYSTEMD_UNIT": "x.service", "UNIT": "vector.service",
				"MESSAGE_ID": "d9b373ed55a64feb8242e02dbe79a49c", "MESSAGE": "vector.service: Failed with result 'exit-code'."})
		}},
	})
}

func withTimer(e *expect) { e.SubjectUnits = append(e.SubjectUnits, "creds.timer", "creds.service") }

// tooEarly: the subject's unit was skipped two seconds after the boot's beginning.
func tooEarly(b *boot, unmet, met string) {
	dropStarts(b, timelinetest.Subject, 0)
	b.Prop(timelinetest.Subject, "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0",
		"ConditionResult", "no", "ConditionTimestampMonotonic", timelinetest.Micros(2*time.Second), "UnmetCondition", unmet)
	if met != "" {
		b.Prop(timelinetest.Subject, "MetCondition", met)
	}
}

// neverStarted has Vector skipped for a vector.env that comes later.
func neverStarted(b *boot) {
	const condition = "ConditionPathExists=/etc/opensandbox/vector.env"
	dropStarts(b, timelinetest.Vector, 0)
	b.Procs = nil
	b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "inactive", "SubState", "dead", "InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0",
		"ConditionResult", "no", "ConditionTimestampMonotonic", timelinetest.Micros(2*time.Second), "UnmetCondition", condition, "MetCondition", condition)
}

func TestNoOrderingCycle(t *testing.T) {
	judged(t, "no-ordering-cycle", []row{
		{name: "skipped for what came later", want: check.Fail, unit: timelinetest.Subject,
			say: []string{"never ran: it was skipped at +2.000s for ConditionPathExists=/etc/opensandbox/worker.env, which held later"}, break_: func(b *boot) {
				tooEarly(b, "ConditionPathExists=/etc/opensandbox/worker.env", "ConditionPathExists=/etc/opensandbox/worker.env")
			}},
		{name: "Vector, skipped for what came later", want: check.Fail, unit: timelinetest.Vector, say: []string{"vector.service never ran: it was skipped at +2.000s"}, break_: neverStarted},
		{name: "skipped for what never came", want: check.Pass, break_: func(b *boot) { tooEarly(b, "ConditionPathExists=/etc/opensandbox/server.env", "") }},
		{name: "skipped for what came later, and a path starts it then", want: check.Pass, break_: func(b *boot) {
			tooEarly(b, "ConditionPathExists=/etc/opensandbox/worker.env", "ConditionPathExists=/etc/opensandbox/worker.env")
			b.Prop(timelinetest.Subject, "TriggeredBy", "populate-vector-env.path")
		}},
		{name: "skipped for want of any of two, and one came later", want: check.Fail, unit: timelinetest.Subject, break_: func(b *boot) {
			tooEarly(b, "ConditionPathExists=|/etc/opensandbox/worker.env\nUnmetCondition=ConditionPathExists=|/etc/opensandbox/server.env", "ConditionPathExists=|/etc/opensandbox/worker.env")
		}},
		{name: "skipped for want of both of two, and one came later", want: check.Pass, break_: func(b *boot) {
			tooEarly(b, "ConditionPathExists=/etc/opensandbox/worker.env\nUnmetCondition=ConditionPathExists=/etc/opensandbox/server.env", "ConditionPathExists=/etc/opensandbox/worker.env")
		}},
		{name: "skipped for what came after its timer had elapsed", want: check.Fail, unit: timelinetest.Subject, break_: func(b *boot) {
			tooEarly(b, "ConditionPathExists=/etc/opensandbox/worker.env", "ConditionPathExists=/etc/opensandbox/worker.env")
			b.Prop(timelinetest.Subject, "TriggeredBy", "once.timer")
			b.Up("once.timer", time.Second, time.Second)
			b.Prop("once.timer", "SubState", "elapsed")
		}},
		{name: "skipped at first, and started later", want: check.Pass, break_: func(b *boot) {
			tooEarly(b, "ConditionPathExists=/etc/opensandbox/worker.env", "ConditionPathExists=/etc/opensandbox/worker.env")
			b.Prop(timelinetest.Subject, "InactiveExitTimestampMonotonic", timelinetest.Micros(30*time.Second))
		}},
		{name: "a timer that counts from nothing", want: check.Fail, unit: "creds.service", expect: withTimer, say: []string{"creds.service never ran: creds.timer has elapsed"}, break_: func(b *boot) {
			b.Up("creds.timer", time.Second, time.Second)
			b.Prop("creds.timer", "SubState", "elapsed")
		}},
		{name: "a timer that has nothing more to do", want: check.Pass, expect: withTimer, break_: func(b *boot) {
			b.Up("creds.timer", time.Second, time.Second)
			b.Prop("creds.timer", "SubState", "elapsed")
			b.Prop("creds.service", "TriggeredBy", "creds.timer", "InactiveExitTimestampMonotonic", timelinetest.Micros(3*time.Second))
		}},
		{name: "a timer that waits", want: check.Pass, expect: withTimer, break_: func(b *boot) {
			b.Up("creds.timer", time.Second, time.Second)
			b.Prop("creds.timer", "SubState", "waiting")
		}},
		{name: "none", want: check.Pass},
		{name: "on the console only, up to 257", want: check.Fail, unit: "vector.service", say: []string{"dropped the start of vector.service"}, break_: func(b *boot) {
			b.Console = append(b.Console,
				"\x1b[0;1;38:5:185mmulti-user.target: Found ordering cycle on vector.service/start\x1b[0m",
				"\x1b[0;1;31mmulti-user.target: Job vector.service/start deleted to break ordering cycle starting with multi-user.target/start\x1b[0m",
				"[\x1b[0;1;31m SKIP \x1b[0m] Ordering cycle found, skipping \x1b[0;1;39mvector.service\x1b[0m - Vector")
		}},
		{name: "in the journal, since 258", want: check.Fail, say: []string{"found an ordering cycle"}, break_: func(b *boot) {
			b.PID1(time.Second, "f27a3f94406a4783b946a9bc849e9452", "", "Found ordering cycle: a.service/start after b.service/start", nil)
		}},
		{name: "one that cannot be broken", want: check.Fail, break_: func(b *boot) {
			b.PID1(time.Second, "b3112ddad19045538c76685ba5918a80", "", "Unable to break ordering cycle starting with a.service/start", nil)
		}},
		{name: "an enabled unit without a job, for what it requires is not there", want: check.Fail, unit: "vector.service", say: []string{"never got its start job: it requires agent.service, which is not there"}, break_: func(b *boot) {
			neverGotItsJob(b)
			b.Prop("agent.service", "LoadState", "not-found", "ActiveState", "inactive", "RequiredBy", "vector.service")
		}},
		{name: "an enabled unit without a job and without a word", want: check.Fail, unit: "vector.service", say: []string{"never got its start job"}, break_: neverGotItsJob},
		{name: "an enabled unit that a condition kept", want: check.Pass, break_: func(b *boot) {
			neverGotItsJob(b)
			b.ConditionUnmet(time.Second, timelinetest.Vector)
		}},
		{name: "an enabled unit whose job still waits", want: check.Pass, break_: func(b *boot) {
			neverGotItsJob(b)
			b.Jobs = []string{"5 vector.service start waiting"}
		}},
		{name: "a unit that ran and is inactive again", want: check.Pass, break_: func(b *boot) {
			neverGotItsJob(b)
			b.Prop(timelinetest.Vector, "InactiveExitTimestampMonotonic", timelinetest.Micros(time.Second))
		}},
		{name: "a disabled unit", want: check.Pass, break_: func(b *boot) {
			neverGotItsJob(b)
			b.Prop(timelinetest.Vector, "UnitFileState", "disabled")
		}},
		{name: "a program that talks of cycles", want: check.Pass, break_: func(b *boot) {
			b.Log(time.Second, "x.service", "we once had: Found ordering cycle on a/start")
		}},
	})
}

func neverGotItsJob(b *boot) {
	dropStarts(b, timelinetest.Vector, 0)
	b.Prop(timelinetest.Vector, "ActiveState", "inactive", "SubState", "dead", "MainPID", "0",
		"InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0")
}

func TestNoStartLimit(t *testing.T) {
	judged(t, "no-start-limit", []row{
		{name: "none, with what was used", want: check.Pass, say: []string{"vector.service used 1 of 5 starts in 10s"}},
		{name: "repeated too quickly, with result exit-code", want: check.Fail, unit: "vector.service", break_: func(b *boot) {
			b.TooQuickly(3*time.Second, timelinetest.Vector)
		}},
		{name: "a start asked for while a restart is pending is charged twice", want: check.Pass, say: []string{"populate-vector-env.service used 3 of 5 starts"}, break_: func(b *boot) {
			b.PID1(2*time.Second, "5eb03494b6584870a536b337290809b3", timelinetest.Subject,
				timelinetest.Subject+": Scheduled restart job immediately on client request, restart counter is at 1.", map[string]any{"N_RESTARTS": "1"})
			b.Starting(2010*time.Millisecond, timelinetest.Subject)
		}},
		{name: "result start-limit-hit at the end", want: check.Fail, break_: func(b *boot) { b.Prop("x.service", "Result", "start-limit-hit") }},
		{name: "asked for by what is started again and again", want: check.Fail, unit: "vector.service", never: "said last",
			say:    []string{"repeated too quickly.; it was asked for 5 times, and fetch.service was started 6 times: Upholds= of multi-user.target starts it again whenever it is over"},
			expect: func(e *expect) { e.SubjectUnits = append(slices.Clone(e.SubjectUnits), "fetch.service") }, break_: func(b *boot) {
				for i := range 6 {
					b.StartsAtOnce(22*time.Second+time.Duration(i)*time.Second, "fetch.service")
				}
				for i := range 4 {
					b.StartsAtOnce(22500*time.Millisecond+time.Duration(i)*time.Second, timelinetest.Vector)
				}
				b.Log(26*time.Second, timelinetest.Vector, "ERROR sink: cannot drain")
				b.TooQuickly(27*time.Second, timelinetest.Vector)
				b.Up("fetch.service", 21*time.Second, 22*time.Second)
				b.Prop("fetch.service", "UpheldBy", "multi-user.target")
			}},
		{name: "triggered again as soon as it is over", want: check.Fail, unit: "fetch.service",
			say: []string{"repeated too quickly.; it ended well each time, and fetch.path starts it again whenever it is over and what that waits for is still there"}, break_: func(b *boot) {
				for i := range 5 {
					b.StartsAtOnce(22*time.Second+time.Duration(i)*time.Second, "fetch.service")
				}
				b.TooQuickly(27*time.Second, "fetch.service")
				b.Prop("fetch.service", "LoadState", "loaded", "ActiveState", "inactive", "TriggeredBy", "fetch.path")
			}},
		{name: "a unit prints the words it looks for", want: check.Pass, break_: func(b *boot) {
			b.Log(3*time.Second, timelinetest.Subject, "example.service: Start request repeated too quickly.")
			b.Log(3*time.Second, timelinetest.Subject, "Job for example.service failed because start of the service was attempted too often.")
		}},
		{name: "what systemctl says in a script", want: check.Fail, unit: "vector.service", break_: func(b *boot) {
			b.Log(3*time.Second, "waiter.service", "Job for vector.service failed because start of the service was attempted too often.")
		}},
		{name: "a unit that may not be started by hand", want: check.Fail, unit: "vector.service", break_: func(b *boot) {
			b.Log(3*time.Second, "cloud-final.service", "Failed to start vector.service: Operation refused, unit vector.service may be requested by dependency only (it is configured to refuse manual start/stop).")
		}},
	})
}

func TestStartRate(t *testing.T) {
	start := func(unit string, n int, every time.Duration) func(*boot) {
		return func(b *boot) {
			for i := range n {
				b.StartsAtOnce(12*time.Second+time.Duration(i)*every, unit)
			}
		}
	}
	judged(t, "start-rate", []row{
		{name: "as often as is right", want: check.Pass, say: []string{"vector.service 1 of 3"}},
		{name: "fifty times a second", want: check.Fail, unit: timelinetest.Subject, say: []string{"allowed 3"}, break_: start(timelinetest.Subject, 100, 20*time.Millisecond)},
		{name: "three more starts of the subject, spread out", want: check.Pass, break_: start(timelinetest.Subject, 5, 5*time.Second)},
		{name: "four starts within 10 s", want: check.Fail, break_: start(timelinetest.Subject, 4, 3*time.Second)},
		{name: "four starts within just over 10 s", want: check.Pass, break_: start(timelinetest.Subject, 4, 3400*time.Millisecond)},
		{name: "what the scenario allows", want: check.Pass, break_: start(timelinetest.Subject, 4, time.Second), expect: func(e *expect) {
			e.StartsAllowed = map[string]int{timelinetest.Subject: 6}
		}},
		{name: "another unit has systemd's own limit", want: check.Pass, break_: start("modprobe@x.service", 5, time.Second)},
		{name: "another unit beyond systemd's own limit", want: check.Fail, unit: "helper.service", break_: start("helper.service", 6, time.Second)},
		{name: "a refused start is none", want: check.Pass, break_: func(b *boot) {
			start(timelinetest.Subject, 2, time.Second)(b)
			for i := range 5 {
				b.TooQuickly(14*time.Second+time.Duration(i)*time.Second, timelinetest.Subject)
			}
		}},
		{name: "PID 1 does not say how often", want: check.NotJudged, say: []string{"does not log the starts of " + timelinetest.Subject}, break_: func(b *boot) {
			b.Prop(timelinetest.Subject, "LogLevelMax", "5")
		}},
		{name: "a unit skipped by its condition is not started", want: check.Pass, break_: func(b *boot) {
			for range 20 {
				b.ConditionUnmet(2*time.Second, timelinetest.Subject)
			}
		}},
	})
}
