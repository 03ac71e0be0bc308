package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	facts "bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestVectorActive(t *testing.T) {
	end := timelinetest.EndAt
	judged(t, "vector-active", []row{
		{name: "running to the end", want: check.Pass, say: []string{"active since +20.900s"}},
		{name: "on the stub, while worker.env never comes", boot: timelinetest.Never(), expect: never, want: check.Pass},
		{name: "masked", want: check.Fail, say: []string{"vector.service is masked, and nothing starts it"}, never: "Restart=", break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "LoadState", "masked", "ActiveState", "inactive", "SubState", "dead", "Restart", "no")
		}},
		{name: "failed", want: check.Fail, unit: "vector.service", say: []string{"failed/failed at the end, result exit-code"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "ActiveState", "failed", "SubState", "failed", "Result", "exit-code")
		}},
		{name: "inactive, because its job was dropped", want: check.Fail, say: []string{"inactive/dead"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "ActiveState", "inactive", "SubState", "dead")
		}},
		{name: "waiting for its automatic restart", want: check.Fail, say: []string{"activating/auto-restart"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "ActiveState", "activating", "SubState", "auto-restart")
		}},
		{name: "forgotten by systemd", want: check.Fail, say: []string{"not loaded"}, break_: func(b *boot) { delete(b.Units, timelinetest.Vector) }},
		{name: "started 4 s before the end, having gone before", want: check.Fail, late: "since +20.300s, 1s over 14.7s", say: []string{"for the last 4s only"}, break_: func(b *boot) {
			b.Up(timelinetest.Vector, end-5*time.Second, end-4*time.Second)
		}},
		{name: "started first 4 s before the end", boot: timelinetest.Never(), expect: never, want: check.Fail, late: "since +0.000s, 1s over 35s", break_: func(b *boot) {
			b.Up(timelinetest.Vector, end-5*time.Second, end-4*time.Second)
		}},
		{name: "gone 5 s before the end", want: check.Fail, late: "since +37.000s, 3s over 0s", break_: func(b *boot) {
			b.Stopped(end-3*time.Second, timelinetest.Vector)
			b.Up(timelinetest.Vector, end-3*time.Second, end-2*time.Second)
		}},
		{name: "started 5 s before the end", want: check.Pass, break_: func(b *boot) {
			b.Up(timelinetest.Vector, end-6*time.Second, end-5*time.Second)
		}},
		{name: "gone for a moment, and its time of activation says otherwise", want: check.Fail, say: []string{"did not stay active"}, break_: func(b *boot) {
			b.Failed(end-2*time.Second, timelinetest.Vector, "exit-code")
		}},
		{name: "a reload command that ended", want: check.Pass, break_: func(b *boot) {
			b.PID1(end-time.Second, "98e322203f7a4ed290d09fe03c09fe15", timelinetest.Vector, "Control process exited", map[string]any{"COMMAND": "ExecReload"})
		}},
		{name: "active, and nothing would start it again", want: check.Fail, unit: "vector.service", say: []string{"Restart=no: the first crash of Vector ends log shipping for good"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "Restart", "no")
		}},
		{name: "started again when it ends well only", want: check.Fail, say: []string{"Restart=on-success"}, break_: func(b *boot) { b.Prop(timelinetest.Vector, "Restart", "on-success") }},
		{name: "started again whenever it ends", want: check.Pass, break_: func(b *boot) { b.Prop(timelinetest.Vector, "Restart", "always") }},
		{name: "started again when a signal ends it", want: check.Pass, break_: func(b *boot) { b.Prop(timelinetest.Vector, "Restart", "on-abort") }},
		{name: "started again by a unit that its failure starts", want: check.Pass, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "Restart", "no", "OnFailure", "vector-again.service")
		}},
		{name: "upheld by another unit", want: check.Pass, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "Restart", "no", "UpheldBy", "multi-user.target")
		}},
	})
}

func TestVectorCredentialed(t *testing.T) {
	complete := timelinetest.CompleteAt
	stub := func(b *boot) { b.VectorProcess(300, 360*time.Millisecond, timelinetest.StubVars) }
	judged(t, "vector-credentialed", []row{
		{name: "restarted with the vault's values", want: check.Pass, say: []string{"after worker.env was complete"}},
		{name: "the scenario in which they cannot come", boot: timelinetest.Never(), expect: never, want: check.NotApplicable},
		{name: "there before the boot", want: check.Pass, expect: func(e *expect) { e.RoleEnv = facts.Pre }, boot: timelinetest.Never(), break_: func(b *boot) {
			b.VectorProcess(300, 360*time.Millisecond, timelinetest.VaultVars)
		}},
		{name: "a stub for ever while all is green", want: check.Fail, unit: "vector.service", break_: stub, late: "since +20.000s, 15s over 5s",
			say: []string{"vector.env has the vault's values since +20.", ", and nothing started vector.service again after that: the Vector that runs", "AXIOM_PLATFORM_TOKEN is another value", "worker.env was complete at +20.000s"}},
		{name: "a stub for ever, for it was reloaded", want: check.Fail, say: []string{", and vector.service was reloaded at +21.000s, which gives a process no other environment: the Vector"}, break_: func(b *boot) {
			stub(b)
			b.PID1(21*time.Second, "", timelinetest.Vector, "Reloading vector.service - Vector...", nil)
		}},
		{name: "a stub for ever, for another file is read after it", want: check.Fail, say: []string{"vector.env has the vault's values since +20.", "before this Vector was started, which has others from elsewhere (a later EnvironmentFile="}, break_: func(b *boot) {
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "axiom" })
			b.VectorProcess(500, complete+3*time.Second, timelinetest.StubVars)
		}},
		{name: "a stub for ever, and the file that Vector reads besides is gone", want: check.Fail, say: []string{"/run/vk/vector.env, which vector.service reads (EnvironmentFile=), is not there at the end: "}, break_: func(b *boot) {
			stub(b)
			b.Prop(timelinetest.Vector, "EnvironmentFilesMissing", "/etc/default/vector /etc/opensandbox/server.env /run/vk/vector.env")
		}},
		{name: "a stub for ever, and what the base reads besides is not there", want: check.Fail, never: "is not there at the end", break_: func(b *boot) {
			stub(b)
			b.Prop(timelinetest.Vector, "EnvironmentFilesMissing", "/etc/default/vector /etc/opensandbox/server.env")
		}},
		{name: "a stub for ever, and settings of its own keep the fetch from the network", want: check.Fail, say: []string{"; " + timelinetest.Subject + " has RestrictAddressFamilies=AF_UNIX, which keeps it from the network; "},
			expect: func(e *expect) {
				e.Setup.Image = []facts.Asked{{What: timelinetest.Subject + " has RestrictAddressFamilies=AF_UNIX, which keeps it from the network", Hint: true, Of: timelinetest.Subject},
					{What: "other.service has PrivateNetwork=yes", Hint: true, Of: "other.service"}}
			}, never: "other.service", break_: func(b *boot) {
				stub(b)
				b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "imds" || row["service"] == "keyvault" })
			}},
		{name: "a stub for ever, for what fetches is masked", want: check.Fail, say: []string{"no request came to IMDS or the vault; fetch.service is masked; "}, break_: func(b *boot) {
			stub(b)
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "imds" || row["service"] == "keyvault" })
			b.Prop("fetch.service", "LoadState", "masked", "ActiveState", "inactive", "WantedBy", "multi-user.target")
		}},
		{name: "a stub for ever, and what nothing wants is masked", want: check.Fail, say: []string{"no request came to IMDS or the vault; populate-vector-env.service runs"}, break_: func(b *boot) {
			stub(b)
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "imds" || row["service"] == "keyvault" })
			b.Prop("fetch.service", "LoadState", "masked", "ActiveState", "inactive")
		}},
		{name: "no Vector runs, for it is bound to what ended", want: check.Fail, say: []string{"no Vector runs, so none has the vault's values: it was stopped at +22.010s, as fetch.service ended, on which it has BindsTo="}, break_: func(b *boot) {
			b.Stopped(22*time.Second, timelinetest.Vector)
			b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "inactive")
			b.Prop("fetch.service", "LoadState", "loaded", "ActiveState", "inactive", "BoundBy", "vector.service")
			b.Procs = nil
		}},
		{name: "no Vector runs, for what ended took it along", want: check.Fail, say: []string{"it was stopped at +22.010s, as fetch.service ended, which has PropagatesStopTo= it"}, break_: func(b *boot) {
			b.Stopped(22*time.Second, timelinetest.Vector)
			b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "inactive", "StopPropagatedFrom", "fetch.service other.service")
			b.Prop("fetch.service", "LoadState", "loaded", "ActiveState", "inactive")
			b.Procs = nil
		}},
		{name: "no Vector runs, and what could take it along is there", want: check.Fail, never: "PropagatesStopTo=", say: []string{"no Vector runs, so none has the vault's values"}, break_: func(b *boot) {
			b.Stopped(22*time.Second, timelinetest.Vector)
			b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "inactive", "StopPropagatedFrom", "fetch.service")
			b.Up("fetch.service", 2*time.Second, 3*time.Second)
			b.Procs = nil
		}},
		{name: "no Vector runs, for it was told to end and is left so", want: check.Fail, say: []string{"no Vector runs, so none has the vault's values: it ended at +22.000s without an error, and Restart=on-failure does not start it again"}, break_: func(b *boot) {
			endsWell(b)
			b.Prop(timelinetest.Vector, "Restart", "on-failure")
		}},
		{name: "no Vector runs, for it was told to end, under Restart=always", want: check.Fail, never: "does not start it again", say: []string{"no Vector runs, so none has the vault's values"}, break_: func(b *boot) {
			endsWell(b)
			b.Prop(timelinetest.Vector, "Restart", "always")
		}},
		{name: "no Vector runs, for it was stopped", want: check.Fail, never: "does not start it again", say: []string{"no Vector runs, so none has the vault's values"}, break_: func(b *boot) {
			endsWell(b)
			b.Stopped(21*time.Second, timelinetest.Vector)
			b.Prop(timelinetest.Vector, "Restart", "on-failure")
		}},
		{name: "a stub for ever, for its restart does not end", want: check.Fail, say: []string{", and a restart job of vector.service is running since (it is deactivating/stop): the Vector"}, break_: func(b *boot) {
			stub(b)
			b.Jobs = []string{"7 vector.service restart running"}
			b.Prop(timelinetest.Vector, "ActiveState", "deactivating", "SubState", "stop")
		}},
		{name: "a stub for ever, for nobody asked once there was a network", want: check.Fail, break_: func(b *boot) {
			stub(b)
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "imds" || row["service"] == "keyvault" })
			b.Call(20*time.Second, "azure", "network", 0)
		}, say: []string{"there was no network until +20.000s, and no request for credentials came after that"}},
		{name: "a stub for ever, though somebody asked", want: check.Fail, break_: func(b *boot) {
			stub(b)
			b.Call(20*time.Second, "azure", "network", 0)
		}, say: []string{"no network until +20.000s, and IMDS was asked 1 times and the vault 3 times after that"}},
		{name: "an empty token", want: check.Fail, say: []string{"AXIOM_PLATFORM_TOKEN is empty"}, break_: func(b *boot) {
			b.VectorProcess(300, 360*time.Millisecond, strings.Replace(timelinetest.VaultVars, "70ce0001", "-", 1))
		}},
		{name: "two that are mixed up", want: check.Fail, say: []string{"AXIOM_PLATFORM_TOKEN has the value of AXIOM_PLATFORM_DATASET"}, break_: func(b *boot) {
			b.VectorProcess(300, 360*time.Millisecond, strings.Replace(timelinetest.VaultVars, "70ce0001", "dada0001", 1))
		}},
		{name: "a variable that is not set", want: check.Fail, say: []string{"OPENCOMPUTER_CELL_ID is unset"}, break_: func(b *boot) {
			b.VectorProcess(300, 360*time.Millisecond, "AXIOM_PLATFORM_DATASET=dada0001,AXIOM_PLATFORM_TOKEN=70ce0001")
		}},
		{name: "vector.env is right and Vector was not restarted", want: check.Fail, break_: stub, say: []string{"runs since +0.360s"}},
		{name: "started too late", want: check.Fail, late: "since +20.000s, 7s over 5s", say: []string{"12s after worker.env was complete, must be within 5s"}, break_: func(b *boot) {
			dropStarts(b, timelinetest.Vector, complete)
			b.VectorProcess(400, complete+12*time.Second, timelinetest.VaultVars)
		}},
		{name: "loaded in time, and restarted once more later", want: check.Pass, say: []string{"900ms after"}, break_: func(b *boot) {
			b.Starting(complete+12*time.Second, timelinetest.Vector)
			b.VectorProcess(500, complete+12*time.Second, timelinetest.VaultVars)
		}},
		{name: "the recording ends before the time is over", want: check.NoEvidence, expect: func(e *expect) { e.CredentialsWithin = time.Minute }, break_: stub},
		{name: "no Vector runs, and the time is not over", want: check.NoEvidence, expect: func(e *expect) { e.CredentialsWithin = time.Minute }, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "failed")
			b.Procs = nil
		}},
		{name: "no Vector runs", want: check.Fail, late: "since +20.000s, 15s over 5s", say: []string{"no Vector runs"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "failed")
			b.Procs = nil
		}},
		{name: "no Vector runs, for it was skipped", want: check.Fail, say: []string{"no Vector runs, so none has the vault's values: vector.service was skipped at +2.000s for ConditionPathExists=/etc/opensandbox/vector.env"}, break_: func(b *boot) {
			neverStarted(b)
		}},
		{name: "Vector runs and its environment was not recorded", want: check.NoEvidence, break_: func(b *boot) { b.Procs = nil }},
		{name: "another process than the main one was recorded", want: check.NoEvidence, break_: func(b *boot) { b.Prop(timelinetest.Vector, "MainPID", "401") }},
		{name: "a shell is the main process, and Vector below it has them", want: check.Pass, say: []string{"after worker.env was complete"}, break_: func(b *boot) {
			below(b, timelinetest.StubVars, "/bin/sh /usr/local/bin/run-vector\t/usr/bin/dash", timelinetest.VaultVars, "/usr/bin/vector\t/usr/bin/vector")
		}},
		{name: "a shell that is the main process has them, and Vector below it has not", want: check.Fail, say: []string{"AXIOM_PLATFORM_TOKEN is another value"}, break_: func(b *boot) {
			below(b, timelinetest.VaultVars, "/bin/sh /usr/local/bin/run-vector\t/usr/bin/dash", timelinetest.StubVars, "vector -c /etc/vector\t/opt/vector")
		}},
		{name: "the program's file tells it where its name does not", want: check.Pass, break_: func(b *boot) {
			below(b, timelinetest.StubVars, "/bin/sh run\t/usr/bin/dash", timelinetest.VaultVars, "shipper\t/usr/bin/vector")
		}},
		{name: "vector validate below a shell is not the Vector that runs", want: check.Fail, break_: func(b *boot) {
			below(b, timelinetest.StubVars, "/bin/sh run\t/usr/bin/dash", timelinetest.VaultVars, "/usr/bin/vector validate /etc/vector\t/usr/bin/vector")
		}},
		{name: "what Vector starts is not Vector", want: check.Fail, break_: func(b *boot) {
			below(b, timelinetest.StubVars, "/usr/bin/vector", timelinetest.VaultVars, "journalctl --follow\t/usr/bin/journalctl")
		}},
		{name: "environments that could not be read, and what was read is right", want: check.NoEvidence, say: []string{"CAP_SYS_PTRACE"}, break_: func(b *boot) {
			b.Missing["processes.txt"] = "search: 3 environments not read, first process 128 (vector.service): permission denied; the collector has not CAP_SYS_PTRACE"
		}},
		{name: "the script did not write worker.env though the boot went on", want: check.NoEvidence, boot: timelinetest.Never()},
		{name: "the script could not, because the boot is blocked", want: check.Fail, say: []string{"was not reached"}, boot: timelinetest.Never(), break_: func(b *boot) {
			dropStarts(b, timelinetest.MultiUser, 0)
			b.Prop(timelinetest.MultiUser, "ActiveState", "inactive", "ActiveEnterTimestampMonotonic", "0", "InactiveExitTimestampMonotonic", "0")
		}},
		{name: "Vector 0.57 sends the literal text", want: check.Fail, say: []string{"sends no token of the vault (literal)"}, break_: func(b *boot) {
			b.Call(timelinetest.LoadedAt+time.Second, "axiom", "ingest", 403, "auth", "literal", "events", 3)
		}},
		{name: "the metrics sink has no token, because the vault has none", want: check.Pass, break_: func(b *boot) {
			b.Call(timelinetest.LoadedAt+time.Second, "axiom", "ingest", 404, "auth", "empty", "events", 3)
		}},
		{name: "an optional value that is empty in the vault", want: check.Pass, expect: func(e *expect) {
			e.EnvDigests["OPENCOMPUTER_CELL_ID"] = "-"
		}, break_: func(b *boot) {
			b.VectorProcess(400, timelinetest.LoadedAt, strings.Replace(timelinetest.VaultVars, "ce110001", "-", 1))
		}},
		{name: "in a later boot, what the boot before had", want: check.Fail, unit: "vector.service", late: "since +20.000s, 15s over 5s",
			say:    []string{"has still what it had in the boot before, though the vault has other values since: AXIOM_PLATFORM_TOKEN; the vault was asked 3 times in this boot"},
			expect: rotatedBefore, break_: func(b *boot) { b.VectorProcess(300, 360*time.Millisecond, beforeRotation) }},
		{name: "the same, and nobody asked", want: check.Fail, say: []string{"no request came to the vault in this boot; populate-vector-env.service was skipped at +0.210s for a condition"}, expect: rotatedBefore, break_: func(b *boot) {
			b.VectorProcess(300, 360*time.Millisecond, beforeRotation)
			b.ConditionUnmet(210*time.Millisecond, timelinetest.Subject)
			b.Cloud = slices.DeleteFunc(b.Cloud, func(c map[string]any) bool { return c["service"] == "keyvault" })
		}},
		{name: "nobody asked, though it ran", want: check.Fail, say: []string{"no request came to IMDS or the vault; fetch.service runs since +1.000s; the Vector that runs since"}, boot: timelinetest.Never(), break_: func(b *boot) {
			b.Step(20*time.Second, "role-env-complete")
			b.Up("fetch.service", time.Second, time.Second)
		}, expect: func(e *expect) { e.SubjectUnits = []string{"fetch.service"} }},
		{name: "nobody asked, for it runs and says what it lacks", want: check.Fail, say: []string{"fetch.service runs since +1.000s, and said last: \"fetch: 3: resolvectl: not found\"; nothing carries out /etc/cron.d/fetch: the image has no cron; the Vector that runs since"}, boot: timelinetest.Never(), break_: func(b *boot) {
			b.Step(20*time.Second, "role-env-complete")
			b.Up("fetch.service", time.Second, time.Second)
			b.Log(25*time.Second, "fetch.service", "fetch: 3: resolvectl: not found")
		}, expect: func(e *expect) {
			e.SubjectUnits, e.Image = []string{"fetch.service"}, []facts.Asked{{What: "nothing carries out /etc/cron.d/fetch: the image has no cron", Idle: true}, {What: "no device comes here for the rules of a.rules"}}
		}},
		{name: "the vault gives nothing", want: check.Fail, break_: func(b *boot) {
			stub(b)
			for _, c := range b.Cloud {
				if c["service"] == "keyvault" {
					c["status"], c["error"] = 400, "BadParameter"
				}
			}
		}, say: []string{"the vault gave no secret in 3 requests, the last answer at +20.", "s was 400 BadParameter: "}},
		{name: "the vault gives one of its secrets", want: check.Fail, never: "gave no", break_: func(b *boot) {
			stub(b)
			seen := 0
			for _, c := range b.Cloud {
				if c["service"] != "keyvault" || c["status"] != 200 {
					continue
				}
				if seen++; seen > 1 {
					c["status"], c["error"] = 404, "SecretNotFound"
				}
			}
		}},
		{name: "IMDS gives nothing", want: check.Fail, break_: func(b *boot) {
			stub(b)
			b.Cloud = slices.DeleteFunc(b.Cloud, func(c map[string]any) bool { return c["service"] == "keyvault" })
			for _, c := range b.Cloud {
				if c["service"] == "imds" {
					c["status"], c["error"] = 400, "bad_request_102"
				}
			}
		}, say: []string{"IMDS gave no token in 1 requests, the last answer at +20.", "s was 400 bad_request_102: "}},
		{name: "PID 1 has not read Vector's unit again", want: check.Fail, say: []string{"a file of vector.service is newer than what PID 1 has read of it (no systemctl daemon-reload since): "}, break_: func(b *boot) {
			stub(b)
			b.Prop(timelinetest.Vector, "NeedDaemonReload", "yes")
		}},
		{name: "the fetch may not restart Vector", want: check.Fail, say: []string{", and nothing started vector.service again after that (populate-vector-env.service said: \"Failed to restart vector.service: Access denied\"): the Vector"}, break_: func(b *boot) {
			stub(b)
			b.Log(21*time.Second, timelinetest.Subject, "Failed to restart vector.service: Access denied")
			b.Log(21*time.Second, timelinetest.Subject, "could not restart vector, going on")
		}},
		{name: "nobody asked", want: check.Fail, say: []string{"no request came to IMDS or the vault; populate-vector-env.service was skipped at +1.000s for ConditionFirstBoot=yes; the Vector that runs since"}, boot: timelinetest.Never(), break_: func(b *boot) {
			b.Step(20*time.Second, "role-env-complete")
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["UNIT"] == timelinetest.Subject })
			b.Prop(timelinetest.Subject, "ActiveState", "inactive", "ActiveEnterTimestampMonotonic", "0", "InactiveExitTimestampMonotonic", "0",
				"ConditionResult", "no", "ConditionTimestampMonotonic", timelinetest.Micros(time.Second), "UnmetCondition", "ConditionFirstBoot=yes")
		}},
		{name: "a stub in a later boot is no value of the boot before", want: check.Fail, say: []string{"has not the vault's values"}, expect: rotatedBefore, break_: stub},
		{name: "in a later boot, with the new value", want: check.Pass, expect: rotatedBefore},
		{name: "nothing to compare with", want: check.NoEvidence, expect: func(e *expect) { e.EnvDigests = nil }},
	})
}

// rotatedBefore: it is the second boot, and the token was rotated before it.
func rotatedBefore(e *expect) {
	e.Boot, e.RotatedBefore, e.EnvBefore = 2, true, timelinetest.Digests()
	e.EnvBefore["AXIOM_PLATFORM_TOKEN"] = "70ceold1"
}

// beforeRotation is what Vector has then if nobody asked the vault again.
var beforeRotation = strings.Replace(timelinetest.VaultVars, "70ce0001", "70ceold1", 1)

// below makes Vector's unit of a main process and one that it has started.
func below(b *boot, vars, main, childVars, child string) {
	const row = "%d\tvector.service\t%d\t%s\t%s"
	b.Procs = []string{
		fmt.Sprintf(row, 401, timelinetest.Mono(timelinetest.LoadedAt), childVars, child),
		fmt.Sprintf(row, 400, timelinetest.Mono(timelinetest.LoadedAt-10*time.Millisecond), vars, main),
	}
}

// dropStarts takes what systemd said of a unit from a moment on out of the journal.
func dropStarts(b *boot, unit string, from time.Duration) {
	kept := b.Journal[:0]
	for _, e := range b.Journal {
		if e["UNIT"] == unit && e["__MONOTONIC_TIMESTAMP"].(string) >= timelinetest.Micros(from) {
			continue
		}
		kept = append(kept, e)
	}
	b.Journal = kept
}

// endsWell has Vector end at 22 s, and nothing start it.
func endsWell(b *boot) {
	b.PID1(22*time.Second, "7ad2d189f7e94e70a38c781354912448", timelinetest.Vector, "vector.service: Deactivated successfully.", nil)
	b.Prop(timelinetest.Vector, "MainPID", "0", "ActiveState", "inactive", "SubState", "dead")
	b.Procs = nil
}
