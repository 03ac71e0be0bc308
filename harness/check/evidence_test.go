package check_test

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

// blocked is the boot of pr257: the subject polls for worker.env before it is
// ready, multi-user.target waits for Vector and so for the subject, and
// cloud-final, which would write the file, waits for multi-user.target.
func blocked() *boot {
	b := timelinetest.Never()
	for _, unit := range []string{timelinetest.Vector, timelinetest.MultiUser, "cloud-final.service"} {
		dropStarts(b, unit, 0)
		b.Prop(unit, "ActiveState", "inactive", "SubState", "dead", "MainPID", "0", "ActiveEnterTimestampMonotonic", "0", "InactiveExitTimestampMonotonic", "0")
	}
	dropStarts(b, timelinetest.Subject, 300*time.Millisecond)
	b.Prop(timelinetest.Subject, "ActiveState", "activating", "SubState", "start", "ActiveEnterTimestampMonotonic", "0")
	b.Jobs = []string{
		"75 vector.service              start waiting",
		"80 populate-vector-env.service start running",
		"2  multi-user.target           start waiting",
		"90 cloud-final.service         start waiting",
	}
	b.Procs, b.Files = nil, nil
	return b
}

// slow is the boot of pr256: the poll gives up after 25 s.
func slow() *boot {
	b := timelinetest.Never()
	for _, unit := range []string{timelinetest.Vector, timelinetest.MultiUser} {
		dropStarts(b, unit, 0)
	}
	dropStarts(b, timelinetest.Subject, 300*time.Millisecond)
	b.Started(25*time.Second, timelinetest.Subject)
	b.Starting(25*time.Second+10*time.Millisecond, timelinetest.Vector)
	b.Started(25*time.Second+100*time.Millisecond, timelinetest.Vector)
	b.Started(25*time.Second+110*time.Millisecond, timelinetest.MultiUser)
	b.Up(timelinetest.Subject, 230*time.Millisecond, 25*time.Second)
	b.Up(timelinetest.Vector, 25*time.Second+10*time.Millisecond, 25*time.Second+100*time.Millisecond)
	b.Up(timelinetest.MultiUser, 25*time.Second+110*time.Millisecond, 25*time.Second+110*time.Millisecond)
	return b
}

func TestBootUnblocked(t *testing.T) {
	judged(t, "boot-unblocked", []row{
		{name: "as fast as the control boot", want: check.Pass, say: []string{"multi-user.target at +0.900s, control +0.850s"}},
		{name: "there was no control boot", want: check.NoEvidence, expect: func(e *expect) { e.MultiUser = 0 }},
		{name: "others had most of the control boot's CPU", want: check.NoEvidence, say: []string{"other processes had the CPU for 600ms of the control boot's 850ms"},
			expect: func(e *expect) { e.Lost = 600 * time.Millisecond }},
		{name: "others had some of it", want: check.Pass, expect: func(e *expect) { e.Lost = 400 * time.Millisecond }},
		{name: "never reached, with the chain and what waits behind it", boot: blocked(), want: check.Fail, unit: "multi-user.target", late: "since +0.000s, 38.15s over 1s", say: []string{
			"not reached at +40.000s: it waits for populate-vector-env.service (start job running since +0.230s, activating); on the way: vector.service",
			"for multi-user.target itself wait cloud-final.service"}},
		{name: "never reached, also without a control boot", boot: blocked(), want: check.Fail, expect: func(e *expect) { e.MultiUser = 0 }},
		{name: "its start failed", boot: blocked(), want: check.Fail, late: "since +0.000s, 0s over 0s", say: []string{"ended with dependency"}, break_: func(b *boot) {
			b.StartFailed(3*time.Second, timelinetest.MultiUser, "dependency")
		}},
		{name: "what its start runs waits for another", boot: blocked(), want: check.Fail, break_: func(b *boot) {
			b.Jobs = append(b.Jobs, "9 agent.service start running")
			b.Procs = append(b.Procs, "80\t"+timelinetest.Subject+"\t1\t\tsystemctl start agent\t/usr/bin/systemctl")
		}, say: []string{"activating), in which `systemctl start agent` waits for agent.service (start job running"}},
		{name: "what its start is not over before", boot: blocked(), want: check.Fail, break_: func(b *boot) {
			b.Prop(timelinetest.Subject, "SubState", "start", "Type", "dbus")
		}, say: []string{"activating until it has its BusName= on the bus: Type=dbus)"}},
		{name: "the command of its start that is not over", boot: blocked(), want: check.Fail, break_: func(b *boot) {
			b.Prop(timelinetest.Subject, "SubState", "start-pre", "Type", "dbus")
		}, say: []string{"activating in its ExecStartPre=)"}, never: "Type=dbus"},
		{name: "a long way to what it waits for", boot: blocked(), want: check.Fail, break_: func(b *boot) {
			b.Jobs = append(b.Jobs, "8 a.service start waiting", "9 b.service start running")
			b.Prop(timelinetest.Subject, "After", "a.service")
			b.Prop("a.service", "After", "b.service")
			b.Jobs = slices.DeleteFunc(b.Jobs, func(j string) bool { return strings.Contains(j, timelinetest.Subject) })
			b.Jobs = append(b.Jobs, "7 "+timelinetest.Subject+" start waiting")
		}, say: []string{"not reached at +40.000s: it waits for b.service (start job running, state unknown); on the way: vector.service, " + timelinetest.Subject + ", a.service"}},
		{name: "no job for it", boot: blocked(), want: check.Fail, say: []string{"no job for it is queued"}, break_: func(b *boot) { b.Jobs = b.Jobs[:2] }},
		{name: "late, with the chain and its times", boot: slow(), want: check.Fail, unit: "multi-user.target", late: "since +0.000s, 23.26s over 1s", say: []string{
			"24.26s later than in the control boot, budget 1s, most of it the start of populate-vector-env.service, which took 24.77s: multi-user.target @25.11s <- vector.service @25.1s +90ms <- populate-vector-env.service @25s +24.77s"}},
		{name: "late for the generators", boot: slow(), want: check.Fail, unit: "multi-user.target", say: []string{
			"24.26s later than in the control boot, budget 1s, most of it the generators, which took 20s before PID 1 loaded any unit: multi-user.target"}, break_: func(b *boot) {
			b.Extra["manager.txt"] = []byte("Version=257\nSystemState=running\nGeneratorsStartTimestampMonotonic=" + timelinetest.Micros(time.Second) + "\nGeneratorsFinishTimestampMonotonic=" + timelinetest.Micros(21*time.Second) + "\n")
		}},
		{name: "the machine boots to another target", want: check.Fail, unit: timelinetest.MultiUser, say: []string{"no job for it is queued: the boot was over without it, for the default target is another one"}, break_: func(b *boot) {
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool { return e["UNIT"] == timelinetest.MultiUser })
			b.Console = nil
			b.Prop(timelinetest.MultiUser, "ActiveState", "inactive", "ActiveEnterTimestampMonotonic", "0", "InactiveExitTimestampMonotonic", "0")
			b.Up("basic.target", 100*time.Millisecond, 100*time.Millisecond)
		}},
		{name: "cloud-final came late to the user data", want: check.Fail, unit: "cloud-final.service", late: "since +0.900s, 2.06s over 4s",
			say: []string{"cloud-final came to the user data, which writes worker.env, 6.06s after multi-user.target, and may take 4s"}, break_: func(b *boot) { b.Postpone(955*time.Millisecond, 6*time.Second) }},
		{name: "late within the budget", boot: slow(), want: check.Pass, expect: func(e *expect) { e.BootBudget = 30 * time.Second }},
		{name: "a job waited on the subject though multi-user.target did not", boot: slow(), want: check.Fail, unit: timelinetest.Subject, late: "since +0.230s, 23.77s over 1s",
			say: []string{"vector.service waited for the start of populate-vector-env.service, which took 24.77s"}, break_: func(b *boot) {
				b.Started(800*time.Millisecond, timelinetest.MultiUser)
				b.Up(timelinetest.MultiUser, 800*time.Millisecond, 800*time.Millisecond)
				b.Started(26*time.Second, timelinetest.Vector)
				b.Jobs = nil
			}},
		{name: "who waited on the subject waited for the network as long", boot: slow(), want: check.Pass, expect: func(e *expect) { e.MultiUser = 25 * time.Second }, break_: func(b *boot) {
			b.Started(24800*time.Millisecond, "network-online.target")
			b.Up("network-online.target", 24800*time.Millisecond, 24800*time.Millisecond)
		}},
		{name: "longer than for the network", boot: slow(), want: check.Fail, unit: timelinetest.Subject, expect: func(e *expect) { e.MultiUser = 25 * time.Second },
			say: []string{"vector.service waited for the start of populate-vector-env.service"}, break_: func(b *boot) {
				b.Started(22*time.Second, "network-online.target")
				b.Up("network-online.target", 22*time.Second, 22*time.Second)
			}},
		{name: "what came after the subject was up excuses nothing", boot: slow(), want: check.Fail, unit: timelinetest.Subject, expect: func(e *expect) { e.MultiUser = 25 * time.Second },
			say: []string{"vector.service waited for the start of populate-vector-env.service"}, break_: func(b *boot) {
				b.Started(26*time.Second, "network-online.target")
				b.Up("network-online.target", 26*time.Second, 26*time.Second)
			}},
		{name: "the subject takes long and nobody waits", boot: slow(), want: check.Pass, break_: func(b *boot) {
			b.Started(800*time.Millisecond, timelinetest.MultiUser)
			b.Prop(timelinetest.Subject, "Before", "")
			b.Prop(timelinetest.Vector, "After", "")
		}},
	})
}

func TestLogsDelivered(t *testing.T) {
	judged(t, "logs-delivered", []row{
		{name: "Vector's user may not read the journal", want: check.Fail, unit: "boot-logger.service", say: []string{"vector.service runs as nobody, and the journalctl that it starts ends: that user may not read the journal"}, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "User", "nobody")
			b.Log(9*time.Second, timelinetest.Vector, "WARN vector::sources::journald: Journalctl process stopped. error=journalctl: exit status 1")
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "axiom" })
		}},
		{name: "Vector's user is another one, whose journalctl its stop ends", want: check.Pass, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "User", "vector")
			b.Log(9*time.Second, timelinetest.Vector, "WARN vector::sources::journald: Journalctl process stopped. error=journalctl: signal: terminated")
		}},
		{name: "Vector's user is another one, whose journalctl failed once", want: check.Pass, break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "User", "vector")
			b.Log(9*time.Second, timelinetest.Vector, "WARN vector::sources::journald: Journalctl process stopped. error=journalctl: exit status 1")
		}},
		{name: "no line arrives, and Vector's user may read the journal", want: check.Fail, unit: "boot-logger.service", break_: func(b *boot) {
			b.Prop(timelinetest.Vector, "User", "vector")
			b.Log(9*time.Second, timelinetest.Vector, "WARN vector::sources::journald: Journalctl process stopped. error=journalctl: signal: terminated")
			b.Cloud = slices.DeleteFunc(b.Cloud, func(row map[string]any) bool { return row["service"] == "axiom" })
		}},
		{name: "Vector's user is another one, and may", want: check.Pass, break_: func(b *boot) { b.Prop(timelinetest.Vector, "User", "vector") }},
		{name: "journalctl ends once, and Vector is root's", want: check.Pass, break_: func(b *boot) {
			b.Log(9*time.Second, timelinetest.Vector, "WARN vector::sources::journald: Journalctl process stopped. error=journalctl: exit status 1")
		}},
		{name: "every line", want: check.Pass, say: []string{"boot-logger 70 of 70 lines", "opensandbox-worker"}},
		{name: "lines of the boot dropped with the stub's token", want: check.Fail, say: []string{
			"Axiom refused 1 batches with 50 events (403", "boot-logger 1 was answered 403"}, break_: func(b *boot) {
			b.Cloud = append(b.Cloud[:len(b.Cloud)-2], b.Cloud[len(b.Cloud)-1])
			b.Ingest(2*time.Second, 403, "1-44", "")
		}},
		{name: "lines that never came anywhere", want: check.Fail, unit: "boot-logger.service", late: "since +0.250s, 34.75s over 5s", say: []string{"44 of 70 lines of boot-logger are not at Axiom: 1-44"}, break_: func(b *boot) {
			b.Cloud = append(b.Cloud[:len(b.Cloud)-2], b.Cloud[len(b.Cloud)-1])
		}},
		{name: "accepted under another token", want: check.Fail, break_: func(b *boot) { b.Cloud[len(b.Cloud)-1]["token_name"] = "shared-axiom-platform-metrics-ingest-token" }},
		{name: "answered 503 and sent again", want: check.Pass, break_: func(b *boot) { b.Ingest(21*time.Second, 503, "1-44", "1-2") }},
		{name: "twice is once too often, and counted", want: check.Pass, say: []string{"10 more than once"}, break_: func(b *boot) {
			b.Ingest(30*time.Second, 200, "1-10", "")
		}},
		{name: "the newest lines are not due yet", want: check.Pass, break_: func(b *boot) { b.Numbered(timelinetest.EndAt-time.Second, "opensandbox-worker", 37, 0) }},
		{name: "journald's rate limit kept lines out", want: check.Fail, unit: "boot-logger.service", say: []string{"journald suppressed 7 lines of boot-logger by its rate limit"}, break_: func(b *boot) {
			b.Entry(20*time.Second, map[string]any{"MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e", "N_DROPPED": "7", "MESSAGE": "Suppressed 7 messages from boot-logger.service"})
		}},
		{name: "another unit's lines kept out", want: check.Pass, break_: func(b *boot) {
			b.Entry(20*time.Second, map[string]any{"MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e", "N_DROPPED": "7", "MESSAGE": "Suppressed 7 messages from chatty.service"})
		}},
		{name: "the journal itself lost a line", want: check.NoEvidence, say: []string{"the journal itself lost boot-logger 4"}, break_: func(b *boot) {
			dropLine(b, `"seq":4,`)
		}},
		{name: "the journal stopped early", want: check.NoEvidence, say: []string{"last line of the boot logger"}, break_: func(b *boot) {
			kept := b.Journal[:0]
			for _, e := range b.Journal {
				if e["__MONOTONIC_TIMESTAMP"].(string) < timelinetest.Micros(30*time.Second) {
					kept = append(kept, e)
				}
			}
			b.Journal = kept
		}},
		{name: "no boot logger", want: check.NoEvidence, break_: func(b *boot) { dropLine(b, `"boot-logger"`) }},
		{name: "without credentials nothing need arrive", boot: timelinetest.Never(), expect: never, want: check.Pass, say: []string{"not judged"}},
		{name: "without credentials a journal that lost its beginning is none all the same", boot: timelinetest.Never(), expect: never, want: check.NoEvidence,
			say: []string{"the journal itself lost boot-logger 1"}, break_: func(b *boot) { dropLine(b, `"seq":1,`) }},
		{name: "without credentials nothing may be dropped either", boot: timelinetest.Never(), expect: never, want: check.Fail, say: []string{"token empty"}, break_: func(b *boot) {
			b.Call(3*time.Second, "axiom", "ingest", 401, "auth", "empty", "events", 7, "lines", map[string]string{"boot-logger": "1-5"})
		}},
		{name: "a refused batch of metrics is no lost line", want: check.Pass, break_: func(b *boot) {
			b.Call(3*time.Second, "axiom", "ingest", 403, "dataset", "[secret:shared-axiom-platform-metrics-dataset]", "events", 7)
		}},
		{name: "nor is one without a dataset, because the vault has none for metrics", want: check.Pass, break_: func(b *boot) {
			b.Call(25*time.Second, "axiom", "ingest", 404, "auth", "empty", "events", 7, "path", "/v1/datasets//ingest")
		}},
		{name: "logs to an empty dataset are lost", boot: timelinetest.Never(), expect: never, want: check.Fail, break_: func(b *boot) {
			b.Call(3*time.Second, "axiom", "ingest", 404, "auth", "empty", "events", 7, "lines", map[string]string{"boot-logger": "1-5"})
		}},
	})
}

func dropLine(b *boot, text string) {
	kept := b.Journal[:0]
	for _, e := range b.Journal {
		if m, ok := e["MESSAGE"].(string); ok && strings.Contains(m, `"source":"boot-logger"`) && strings.Contains(m, text) {
			continue
		}
		kept = append(kept, e)
	}
	b.Journal = kept
}

func TestSecretsContained(t *testing.T) {
	const leaked = "token is [secret:shared-axiom-platform-ingest-token]"
	const temporary = "/etc/opensandbox/.vector.env.tmp"
	sight := func(b *boot, after time.Duration, op, mode, uid, vars, others string) {
		b.EnvFile(timelinetest.RealAt-time.Second+after, temporary, op, 160, mode, vars, true)
		b.Others(uid, others)
	}
	judged(t, "secrets-contained", []row{
		{name: "in vector.env and in Vector only", want: check.Pass, break_: func(b *boot) {
			b.Leaks = []string{"shared-axiom-platform-ingest-token\t/etc/opensandbox/vector.env"}
		}},
		{name: "logged", want: check.Fail, unit: timelinetest.Subject, say: []string{"is in journal.json.gz, said by populate-vector-env.service"}, break_: func(b *boot) {
			b.Log(21*time.Second, timelinetest.Subject, leaked)
		}},
		{name: "in a field of the journal that nobody reads", want: check.Fail, break_: func(b *boot) {
			b.Entry(21*time.Second, map[string]any{"MESSAGE": "x", "_SYSTEMD_UNIT": "x.service", "_CMDLINE": "curl " + leaked})
		}},
		{name: "on the console", want: check.Fail, say: []string{"console.log"}, break_: func(b *boot) { b.Console = append(b.Console, "[  1.2] "+leaked) }},
		{name: "in the arguments of a process", want: check.Fail, break_: func(b *boot) {
			b.Procs = append(b.Procs, "77\tx.service\t1454460000000000\t\tcurl -H "+leaked)
		}},
		{name: "in another file", want: check.Fail, say: []string{"is in /tmp/vector.env.bak"}, break_: func(b *boot) {
			b.Leaks = []string{"shared-axiom-platform-ingest-token\t/tmp/vector.env.bak"}
		}},
		{name: "a token of the identity in another file", want: check.Fail, say: []string{"a bearer token of the machine's identity is in /tmp/token"}, break_: func(b *boot) {
			b.Leaks = []string{"imds-token\t/tmp/token, for others to read or change"}
		}},
		{name: "in another process", want: check.Fail, break_: func(b *boot) {
			b.Leaks = []string{"shared-axiom-platform-ingest-token\tprocess 77 environment (x.service)"}
		}},
		{name: "sent to the control plane", want: check.Fail, say: []string{"cloud.jsonl"}, break_: func(b *boot) {
			b.Call(21*time.Second, "controlplane", "heartbeat", 200, "path", "/v1/"+leaked)
		}},
		{name: "vector.env for all to read", want: check.Fail, say: []string{"with mode 0644, owner 0"}, break_: func(b *boot) {
			b.EnvFileAtEnd("0644", timelinetest.VaultVars)
		}},
		{name: "the vault's token under another name, for all to read", want: check.Fail, break_: func(b *boot) {
			b.EnvFileAtEnd("0644", "LOG_TOKEN=70ce0001")
		}},
		{name: "a stub for all to read holds no secret", want: check.Pass, break_: func(b *boot) {
			b.EnvFileAtEnd("0644", timelinetest.StubVars)
		}},
		{name: "what is for all to read and cannot be compared", want: check.Fail, break_: func(b *boot) {
			b.EnvFileAtEnd("0644", "")
		}},
		{name: "vector.env for all to read for a moment", want: check.Fail, break_: func(b *boot) {
			b.EnvFile(timelinetest.RealAt-time.Millisecond, timelinetest.VectorEnv, "rename", 160, "0644", timelinetest.VaultVars, true)
		}},
		{name: "a temporary for all to read, while it is written", want: check.Fail, say: []string{temporary + " holds values of the vault with mode 0644"}, break_: func(b *boot) {
			sight(b, 0, "create", "0644", "0", "", "others")
			sight(b, time.Millisecond, "modify", "0644", "0", timelinetest.VaultVars, "others")
			sight(b, 2*time.Millisecond, "attrib", "0600", "0", timelinetest.VaultVars, "-")
		}},
		{name: "a temporary that is looked at when its mode has changed already", want: check.Fail, say: []string{"others may read or change it"}, break_: func(b *boot) {
			sight(b, 0, "create", "0644", "0", "", "others")
			sight(b, time.Millisecond, "modify", "0600", "0", timelinetest.VaultVars, "-")
			sight(b, 2*time.Millisecond, "attrib", "0600", "0", timelinetest.VaultVars, "-")
		}},
		{name: "a temporary whose mode changes before it is written", want: check.Pass, break_: func(b *boot) {
			sight(b, 0, "create", "0644", "0", "", "others")
			sight(b, time.Millisecond, "attrib", "0600", "0", "", "-")
			sight(b, 2*time.Millisecond, "modify", "0600", "0", timelinetest.VaultVars, "-")
		}},
		{name: "a temporary of the stub for all to read", want: check.Pass, break_: func(b *boot) {
			sight(b, 0, "modify", "0644", "0", "OPENCOMPUTER_CELL_ID=ce110001,AXIOM_PLATFORM_TOKEN=5700b001", "others")
		}},
		{name: "a file that Vector's user owns", want: check.Pass, break_: func(b *boot) {
			sight(b, 0, "modify", "0600", "998", timelinetest.VaultVars, "user:vector")
		}},
		{name: "a file that another user owns", want: check.Fail, say: []string{"user:deploy may"}, break_: func(b *boot) {
			sight(b, 0, "modify", "0600", "998", timelinetest.VaultVars, "user:deploy")
		}},
		{name: "a file that an access list opens", want: check.Fail, say: []string{"user:nobody may"}, break_: func(b *boot) {
			sight(b, 0, "modify", "0640", "0", timelinetest.VaultVars, "user:nobody")
		}},
		{name: "a file of the group in which Vector reads it", want: check.Pass, break_: func(b *boot) {
			sight(b, 0, "modify", "0640", "0", timelinetest.VaultVars, "group:vector")
		}},
		{name: "the directory for all to write into", want: check.Fail, say: []string{"in the place of vector.env"}, break_: func(b *boot) {
			b.EnvFile(timelinetest.RealAt, path.Dir(timelinetest.VectorEnv), "attrib", 4096, "0777", "", false)
			b.Others("0", "others")
		}},
		{name: "the directory for all to read", want: check.Pass, break_: func(b *boot) {
			b.EnvFile(timelinetest.RealAt, path.Dir(timelinetest.VectorEnv), "present", 4096, "0755", "", false)
			b.Others("0", "others")
		}},
		{name: "a search that did not find its canary", want: check.NoEvidence, say: []string{"search: canary not found"}, break_: func(b *boot) {
			b.Extra[timeline.Leaks] = nil
		}},
		{name: "a leak found by a search that missed its canary elsewhere", want: check.Fail, say: []string{"is in /tmp/vector.env.bak"}, break_: func(b *boot) {
			b.Missing[timeline.Leaks] = "search: canary not found"
			b.Leaks = []string{"shared-axiom-platform-ingest-token\t/tmp/vector.env.bak"}
		}},
		{name: "an engine that lets nobody watch", want: check.NotJudged, say: []string{"what did not last was not looked for: fanotify: operation not permitted"}, break_: func(b *boot) {
			b.Leaks = []string{"(unwatched)\tfanotify: operation not permitted"}
		}},
		{name: "a leak on such an engine", want: check.Fail, say: []string{"is in /tmp/vector.env.bak"}, break_: func(b *boot) {
			b.Leaks = []string{"(unwatched)\tfanotify: operation not permitted", "shared-axiom-platform-ingest-token\t/tmp/vector.env.bak"}
		}},
		{name: "nobody watched", want: check.NoEvidence, say: []string{"said nothing"}, break_: func(b *boot) {
			b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool {
				return e["SYSLOG_IDENTIFIER"] == "boot-logger" || e["_SYSTEMD_UNIT"] == "boot-logger.service"
			})
		}},
		{name: "the recorder did not know what to look for", want: check.NoEvidence, break_: func(b *boot) { b.Secrets = nil }},
	})
}
