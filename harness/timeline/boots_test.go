package timeline

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func logFile(name, data string) LogFile {
	return LogFile{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil }}
}

func bootsOf(t *testing.T, data ...string) []Timeline {
	t.Helper()
	var files []LogFile
	for i, d := range data {
		files = append(files, logFile(fmt.Sprintf("f%d", i+1), d))
	}
	boots, err := ReadLogs(t.Context(), files)
	require.NoError(t, err)
	var out []Timeline
	for _, b := range boots {
		out = append(out, b.Timeline())
	}
	return out
}

// entry is one of journalctl -o json.
func entryOf(boot string, mono int, msg string) string {
	return fmt.Sprintf(`{"__REALTIME_TIMESTAMP":"%d","__MONOTONIC_TIMESTAMP":"%d","_BOOT_ID":"%s","_PID":"1","SYSLOG_IDENTIFIER":"systemd","MESSAGE":"%s"}`+"\n", 1795473573000000+mono, mono, boot, msg)
}

func TestBootsOfAFileAreToldApart(t *testing.T) {
	t.Parallel()
	const kernel = "Mar 10 16:46:30 h kernel: Linux version 6.1\n"
	const one = "Mar 10 16:46:31 h systemd[1]: Started A.\n"
	for _, tt := range []struct {
		name, data string
		boots      int
	}{
		{"one", kernel + one, 1},
		{"journalctl's mark since 250", one + "-- Boot 3ace50a34b1f48faaa68b34f2764544d --\n" + kernel + one, 2},
		{"plymouth's mark in boot.log", strings.Repeat("------------ Fri Nov 27 21:10:00 UTC 2026 ------------\n[  OK  ] Reached target Basic System.\n[  OK  ] Started A.\n", 3), 3},
		{"journalctl's mark before", one + "-- Reboot --\n" + kernel + one + "-- Reboot --\n" + one, 3},
		{"the kernel's first line", kernel + one + kernel + one, 2},
		{"the kernel's clock that begins anew", "[  900.000001] systemd[1]: Started A.\n[    0.900000] systemd[1]: Started B.\n", 2},
		{"lines that come out of order", "[   10.000001] systemd[1]: Started A.\n[    9.900000] systemd[1]: Started B.\n", 1},
		{"boot IDs, mixed", entryOf("aa", 5, "Started A.") + entryOf("bb", 5, "Started A.") + entryOf("aa", 9, "Started B."), 2},
		{"PID 1 again after the machine ended", "Mar 10 16:46:30 h systemd[1]: systemd 252 running in system mode (+PAM)\nMar 10 16:46:40 h systemd[1]: Reached target Shutdown.\nMar 10 16:47:40 h systemd[1]: systemd 252 running in system mode (+PAM)\n", 2},
		{"the words that startup is finished alone", "Mar 10 16:46:40 h systemd[1]: Startup finished in 1.2s (kernel) + 3.1s (userspace) = 4.3s.\nMar 11 16:46:40 h systemd[1]: Startup finished in 1.3s (kernel) + 3.1s (userspace) = 4.4s.\n", 2},
		{"two boots that say the same", strings.Repeat("[    0.000000] Linux version 6.1\n[    1.000000] systemd[1]: systemd 252 running in system mode (+PAM)\n[    2.000000] systemd[1]: Started A.\n", 2), 2},
		{"each line twice", strings.Repeat("Mar 10 16:46:40 h systemd[1]: Startup finished in 1.2s (kernel) + 3.1s (userspace) = 4.3s.\n", 2), 1},
		{"and systemd-analyze", "Mar 10 16:46:40 h systemd[1]: Startup finished in 1.2s (kernel) + 3.1s (userspace) = 4.3s.\nStartup finished in 1.201s (kernel) + 3.102s (userspace) = 4.303s\n", 1},
		{"PID 1 executed again", "Mar 10 16:46:40 h systemd[1]: Startup finished in 1.2s (kernel) + 3.1s (userspace) = 4.3s.\nMar 10 16:47:40 h systemd[1]: Reexecuting.\nMar 10 16:47:40 h systemd[1]: systemd 252 running in system mode (+PAM)\n", 1},
		{"PID 1 again after the initrd", "Mar 10 16:46:30 h systemd[1]: systemd 252 running in system mode (+PAM)\nMar 10 16:46:33 h systemd[1]: systemd 252 running in system mode (+PAM)\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Len(t, bootsOf(t, tt.data), tt.boots)
		})
	}
}

func TestABootsIDIsThatOfItsMark(t *testing.T) {
	t.Parallel()
	tls := bootsOf(t, "-- Boot 3ace50a34b1f48faaa68b34f2764544d --\nMar 10 16:46:31 h systemd[1]: Started A.\n-- Boot 4ace50a34b1f48faaa68b34f2764544d --\nMar 10 17:46:31 h systemd[1]: Started A.\n")
	require.Len(t, tls, 2)
	assert.Equal(t, "4ace50a34b1f48faaa68b34f2764544d", tls[1].Origin.Boot)
}

func TestFilesOfOneBootAreOne(t *testing.T) {
	t.Parallel()
	const console = "[    1.000000] Linux version 6.1\n[  OK  ] Started A.\n"
	short := func(day, host string) string { return "Mar " + day + " 16:46:31 " + host + " systemd[1]: Started A.\n" }
	for _, tt := range []struct {
		name  string
		files []string
		boots int
	}{
		{"a console and a journal", []string{console, short("10", "h")}, 1},
		{"journals of two hosts", []string{short("10", "h"), short("10", "i")}, 2},
		{"a host by its short name", []string{short("10", "h"), short("10", "h.example.com")}, 1},
		{"journals of two days", []string{short("10", "h"), short("14", "h")}, 2},
		{"one boot by its ID", []string{entryOf("aa", 5, "Started A."), entryOf("aa", 9, "Started B.")}, 1},
		{"two boots by their IDs", []string{entryOf("aa", 5, "Started A."), entryOf("bb", 9, "Started B.")}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Len(t, bootsOf(t, tt.files...), tt.boots)
		})
	}
}

func TestWhatTwoFilesOfABootHaveIsSaidOnce(t *testing.T) {
	t.Parallel()
	const journal = "[    2.000000] h systemd[1]: systemd 257 running in system mode (+PAM)\n[    5.000000] h systemd[1]: Failed to start a.service - A.\n[    9.000000] h systemd[1]: Failed to start a.service - A.\n"
	const console = "[FAILED] Failed to start a.service - A.\n[    5.010000] systemd[1]: Failed to start a.service - A.\n[    6.000000] systemd[1]: Failed to start b.service - B.\n[FAILED] Failed to start c.service - C.\n"
	for _, files := range [][]string{{journal, console}, {console, journal}} {
		tls := bootsOf(t, files...)
		require.Len(t, tls, 1)
		var units []string
		for _, ev := range tls[0].Of(StartFailed) {
			units = append(units, ev.Unit)
		}
		assert.ElementsMatch(t, []string{"a.service", "a.service", "b.service", "c.service"}, units)
	}
}

func TestTheClockOfALog(t *testing.T) {
	t.Parallel()
	at := func(tl Timeline) (out []time.Duration) {
		for _, e := range tl.Events {
			out = append(out, e.At)
		}
		return out
	}
	tl := bootsOf(t, "Mar 10 16:46:30 h systemd[1]: systemd 252 running in system mode (+PAM)\nMar 10 16:46:35 h systemd[1]: Started A.\nMar 10 13:46:36 h systemd[1]: Started B.\nMar 10 13:46:38 h systemd[1]: Started C.\n")[0]
	assert.Equal(t, []time.Duration{0, 5 * time.Second, 5 * time.Second, 7 * time.Second}, at(tl), "a clock that is set back does not take the boot back")
	require.Len(t, tl.Origin.Steps, 1)
	assert.Contains(t, tl.Origin.Steps[0], "the clock steps by -2h59m59s at f1:3")

	tl = bootsOf(t, "Dec 31 23:59:59 h systemd[1]: Started A.\nJan 01 00:00:01 h systemd[1]: Started B.\n")[0]
	assert.Equal(t, []time.Duration{0, 2 * time.Second}, at(tl), "a year that ends")
	assert.Empty(t, tl.Origin.Steps)

	tl = bootsOf(t, "Mar 10 16:46:38 h systemd[1]: Started C.\nMar 10 16:46:35 h systemd[1]: Started B.\nMar 10 16:46:30 h systemd[1]: Started A.\n")[0]
	assert.Equal(t, []time.Duration{0, 5 * time.Second, 8 * time.Second}, at(tl), "the newest line first, as journalctl -r has it")
	assert.True(t, tl.Origin.Backwards)
	assert.Equal(t, "A", tl.Events[0].Unit)

	tls := bootsOf(t, "Mar 11 10:00:09 h systemd[1]: Started Z.\nMar 11 10:00:05 h kernel: Linux version 6.1\n-- Reboot --\nMar 10 16:46:38 h systemd[1]: agent.service: Failed with result 'exit-code'.\nMar 10 16:46:38 h systemd[1]: agent.service: Main process exited, code=exited, status=1/FAILURE\nMar 10 16:46:36 h agent[7]: no key\nMar 10 16:46:30 h kernel: Linux version 6.1\n")
	require.Len(t, tls, 2, "the kernel's first line is the last of a boot that is told backwards")
	assert.True(t, tls[0].Origin.Backwards && tls[0].Origin.Kernel && tls[1].Origin.Kernel)
	assert.Equal(t, "no key", tls[0].Of(Log)[0].Text, "what a program said last is before its end")
	tls = bootsOf(t, "-- Boot 11111111111111111111111111111111 --\n[   2.000000] h systemd[1]: Started B.\n[   1.000000] h systemd[1]: Started A.\n-- Boot 22222222222222222222222222222222 --\n[   5.000000] h systemd[1]: Started D.\n[   4.000000] h systemd[1]: Started C.\n")
	require.Len(t, tls, 2)
	assert.Equal(t, []string{"22222222222222222222222222222222", "11111111111111111111111111111111"}, []string{tls[0].Origin.Boot, tls[1].Origin.Boot})
	assert.Equal(t, "C", tls[0].Events[0].Unit)

	tl = bootsOf(t, "[    0.500000] kernel: Linux version 6.1\n[    1.300000] h systemd[1]: Started A.\n")[0]
	assert.Contains(t, tl.Missing[Journal], "no line of PID 1 before +1.300s")
}

func TestTheHostsOfACentralLogAreToldApart(t *testing.T) {
	t.Parallel()
	line := func(host, said string) string { return "Mar 10 16:46:30 " + host + " systemd[1]: " + said + "\n" }
	var both, one string
	for _, said := range []string{"systemd 257 running in system mode (+PAM)", "Started a.service - A.", "Started b.service - B.", "Reached target multi-user.target - Multi-User System."} {
		both += line("h1", said) + line("h2.internal", said)
		one += line("localhost.localdomain", said) + line("h1", said)
	}
	both += line("h1", "c.service: Failed with result 'exit-code'.") + line("h2", "Started c.service - C.")
	tls := bootsOf(t, both)
	require.Len(t, tls, 2)
	assert.Equal(t, []string{"h1", "h2"}, []string{tls[0].Origin.Host, short(tls[1].Origin.Host)})
	assert.Len(t, tls[0].Of(Failed), 1)
	assert.Empty(t, tls[1].Of(Failed))
	assert.Len(t, bootsOf(t, one), 1, "localhost is nobody's name")
	renamed := strings.Repeat(line("image", "Started a.service - A."), 3) + strings.Repeat(line("h1", "Started b.service - B."), 3)
	assert.Len(t, bootsOf(t, renamed), 1, "a host gets its name as it boots")
	kernel := "Mar 10 16:46:30 image kernel: Linux version 6.1\n"
	assert.Len(t, bootsOf(t, strings.Repeat(kernel+renamed, 4)), 4, "at each boot")
}

func TestAStoreThatKeepsFewFieldsKeepsTheUnit(t *testing.T) {
	t.Parallel()
	const line = `{"_time":"2026-11-27T10:00:0%dZ","SYSLOG_IDENTIFIER":"systemd","_PID":"1","_SYSTEMD_UNIT":"init.scope","message":"%s"}` + "\n"
	tl := bootsOf(t, fmt.Sprintf(line, 1, "a.service: Failed with result 'exit-code'.")+fmt.Sprintf(line, 2, "init.scope: Failed with result 'resources'."))[0]
	var units []string
	for _, ev := range tl.Of(Failed) {
		units = append(units, ev.Unit)
	}
	assert.Equal(t, []string{"a.service", "init.scope"}, units)
	tl = bootsOf(t, `{"_time":"2026-11-27T10:00:01Z","SYSLOG_IDENTIFIER":"systemd","_PID":"1","message":"a.service: Failed with result 'exit-code'."}`+"\n")[0]
	assert.Equal(t, "a.service", tl.Of(Failed)[0].Unit, "nor was _SYSTEMD_UNIT=")
}

func TestUsersManagersAreToldFromTheMachines(t *testing.T) {
	t.Parallel()
	cycle := func(pid int) string {
		return fmt.Sprintf("Nov 06 17:22:02 h systemd[%d]: a.target: Job b.service/start deleted to break ordering cycle starting with a.target/start\n", pid)
	}
	for _, tt := range []struct {
		name, data string
		cycles     int
	}{
		{"PID 1", cycle(1), 1},
		{"a user's", cycle(1778), 0},
		{"a user's beside PID 1", "Nov 06 17:22:01 h systemd[1]: Started User Manager for UID 1000.\n" + cycle(1778), 0},
		{"a forwarder's PID, by what it says", "Nov 06 17:22:01 h systemd[1623]:  systemd 249 running in system mode (+PAM)\n" + cycle(1623), 1},
		{"a forwarder's PID, which others have too", cycle(1623) + "Nov 06 17:22:02 h systemd-journald[1623]: Journal started\nNov 06 17:22:02 h sshd[1623]: x\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tl := bootsOf(t, tt.data)[0]
			assert.Len(t, tl.Of(Cycle), tt.cycles)
			if tt.cycles == 0 {
				assert.NotEmpty(t, tl.Origin.Users)
			}
		})
	}
}

func TestDescriptionsAreGivenTheirUnits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, unit string }{
		{"229", "h systemd[1]: Failed to start Queue Keeper.\nh systemd[1]: Unit queue-keeper.service entered failed state.\n", "queue-keeper.service"},
		{"247", "h systemd[1]: queue-keeper.service: Failed with result 'exit-code'.\nh systemd[1]: Failed to start Queue Keeper.\n", "queue-keeper.service"},
		{"248", "h systemd[1]: Failed to start queue-keeper.service - Queue Keeper.\n", "queue-keeper.service"},
		{"a console", "[FAILED] Failed to start Queue Keeper.\nSee 'systemctl status queue-keeper.service' for details.\n", "queue-keeper.service"},
		{"one that nobody names", "h systemd[1]: Failed to start Queue Keeper.\n", "Queue Keeper"},
		{"systemd's own", "h systemd[1]: Failed to mount /srv/my data.\nh systemd[1]: Failed to mount /srv/data.\n", "srv-data.mount"},
		{"a device", `h systemd[1]: Timed out waiting for device /dev/disk/by-uuid/5A0C-11F2.` + "\n", `dev-disk-by\x2duuid-5A0C\x2d11F2.device`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			failed := bootsOf(t, strings.ReplaceAll(tt.data, "h systemd", "Mar 10 16:46:30 h systemd"))[0].Of(StartFailed)
			require.NotEmpty(t, failed)
			assert.Equal(t, tt.unit, failed[len(failed)-1].Unit)
		})
	}
}

// TestWordsOfPID1 has what systemd says, in the words of its versions.
func TestWordsOfPID1(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text   string
		kind   Kind
		unit   string
		change Change
	}{
		{"a.service: main process exited, code=exited, status=1/FAILURE", Exit, "a.service", Change{ExitCode: "exited", ExitStatus: "1", Command: "ExecStart"}},
		{"a.service: control process exited, code=exited status=1", Exit, "a.service", Change{ExitCode: "exited", ExitStatus: "1", Command: "a control process (ExecStartPre=, ExecStartPost=, …)"}},
		{"a.service: Main process exited, code=dumped, status=6/ABRT", Exit, "a.service", Change{ExitCode: "dumped", ExitStatus: "ABRT", Command: "ExecStart"}},
		{"a.mount: Mount process exited, code=exited, status=32/n/a", Exit, "a.mount", Change{ExitCode: "exited", ExitStatus: "32", Command: "mount"}},
		{"Unit a.service entered failed state.", Failed, "a.service", Change{}},
		{"a.service: Failed with result 'start-limit-hit'.", Failed, "a.service", Change{Result: "start-limit-hit"}},
		{"a.service failed.", Log, "a.service", Change{}},
		{"start request repeated too quickly for a.service", Refused, "a.service", Change{}},
		{"a.service start request repeated too quickly, refusing to start.", Refused, "a.service", Change{}},
		{"a.service: Start request repeated too quickly.", Refused, "a.service", Change{}},
		{"a.service holdoff time over, scheduling restart.", Restart, "a.service", Change{}},
		{"a.service: Service hold-off time over, scheduling restart.", Restart, "a.service", Change{}},
		{"a.service: Service RestartSec=100ms expired, scheduling restart.", Restart, "a.service", Change{}},
		{"a.service: Scheduled restart job, restart counter is at 14.", Restart, "a.service", Change{Count: 14}},
		{"[🡕] a.service: Scheduled restart job, restart counter is at 2.", Restart, "a.service", Change{Count: 2}},
		{"Timed out waiting for device dev-a.device - /dev/a.", StartFailed, "dev-a.device", Change{JobType: "start", JobResult: "timeout"}},
		{"dev-a.device: Job dev-a.device/start timed out.", StartFailed, "dev-a.device", Change{JobType: "start", JobResult: "timeout"}},
		{"Job dev-a.device/start timed out.", StartFailed, "dev-a.device", Change{JobType: "start", JobResult: "timeout"}},
		{"local-fs.target: Job local-fs.target/start failed with result 'dependency'.", StartFailed, "local-fs.target", Change{JobType: "start", JobResult: "dependency"}},
		{"Dependency failed for Local File Systems.", StartFailed, "local-fs.target", Change{JobType: "start", JobResult: "dependency"}},
		{"Dependency failed for data.mount - /data.", StartFailed, "data.mount", Change{JobType: "start", JobResult: "dependency"}},
		{"Failed unmounting /cdrom.", Stopped, "cdrom.mount", Change{JobType: "stop", JobResult: "failed"}},
		{"Stopped target Multi-User System.", Stopped, "multi-user.target", Change{JobType: "stop", JobResult: "done"}},
		{"Reached target multi-user.target - Multi-User System.", Started, "multi-user.target", Change{JobType: "start", JobResult: "done"}},
		{"Breaking ordering cycle by deleting job a.service/start", Cycle, "", Change{JobType: "start", Dropped: "a.service"}},
		{"b.target: Job a.service/stop deleted to break ordering cycle starting with b.target/stop", Cycle, "b.target", Change{JobType: "stop", Dropped: "a.service"}},
		{"Walked on cycle path to a.service/start", Cycle, "", Change{JobType: "start"}},
		{"a.target: Found ordering cycle on b.service/stop", Cycle, "a.target", Change{JobType: "stop"}},
		{"a.service: Starting requested but asserts failed.", StartFailed, "a.service", Change{JobType: "start", JobResult: "assert"}},
		{"a.service - A was skipped because of an unmet condition check (ConditionPathExists=/x).", Skipped, "a.service", Change{}},
		{"a.service: Deactivated successfully.", Succeeded, "a.service", Change{}},
		{"Startup finished in 1.1s (kernel) + 2.2s (userspace) = 3.3s.", Finished, "", Change{}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			kind, unit, _, change := said(tt.text)
			assert.Equal(t, tt.kind, kind)
			assert.Equal(t, tt.unit, unit)
			assert.Equal(t, tt.change, change)
		})
	}
}

func TestAJournalOfOneUnitThatIsStartedForEverIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range most + 500 {
		fmt.Fprintf(&b, "[%5d.000000] h systemd[1]: Started a.service - A.\n", i)
	}
	b.WriteString("[99999.000000] h systemd[1]: b.service: Failed with result 'exit-code'.\n")
	tl := bootsOf(t, b.String())[0]
	assert.Len(t, tl.Events, most+1)
	assert.Contains(t, tl.Missing[Journal], "500 lines of PID 1 more than")
	assert.Equal(t, "b.service", tl.Events[most].Unit, "what failed is kept all the same")
}

// PID 1's silence says nothing where journald dropped its words; of another's it does.
func TestWhatJournaldDroppedOfPID1IsMissing(t *testing.T) {
	t.Parallel()
	const begin = "[    1.000000] h systemd[1]: systemd 257.9 running in system mode (+PAM)\n[    2.000000] h systemd[1]: Startup finished in 1s.\n"
	for unit, missing := range map[string]string{"init.scope": "journald dropped messages of PID 1", "a.service": ""} {
		for form, log := range map[string]string{
			"text": begin + "[    3.000000] h systemd-journald[30]: Suppressed 412 messages from " + unit + "\n",
			"json": `{"__MONOTONIC_TIMESTAMP":"1000000","_PID":"1","SYSLOG_IDENTIFIER":"systemd","MESSAGE":"systemd 257.9 running in system mode (+PAM)"}` + "\n" +
				`{"__MONOTONIC_TIMESTAMP":"2000000","_PID":"1","SYSLOG_IDENTIFIER":"systemd","MESSAGE":"Startup finished in 1s.","MESSAGE_ID":"b07a249cd024414a82dd00cd181378ff"}` + "\n" +
				`{"__MONOTONIC_TIMESTAMP":"3000000","_PID":"30","SYSLOG_IDENTIFIER":"systemd-journald","MESSAGE_ID":"a596d6fe7bfa4994828e72309e95d61e","N_DROPPED":"412","MESSAGE":"Suppressed 412 messages from ` + unit + `"}` + "\n",
		} {
			t.Run(form+"/"+unit, func(t *testing.T) {
				t.Parallel()
				tl := bootsOf(t, log)[0]
				assert.Equal(t, missing, tl.Missing[Journal])
				assert.Len(t, tl.Of(Suppressed), 1)
			})
		}
	}
}

func TestWhatTwoHostsSayInTheSameWordsIsOfBoth(t *testing.T) {
	t.Parallel()
	of := func(host string) string {
		return strings.ReplaceAll("Mar 03 07:10:01 HOST systemd[1]: Starting A...\nMar 03 07:10:02 HOST systemd[1]: a.service: Failed with result 'exit-code'.\nMar 03 07:10:03 HOST systemd[1]: Failed to start A.\n", "HOST", host)
	}
	for _, tl := range bootsOf(t, of("h1")+of("h2")) {
		assert.NotContains(t, strings.Join(tl.Origin.Files[0].Faults, " "), "twice")
	}
	assert.Contains(t, strings.Join(bootsOf(t, of("h1")+of("h1"))[0].Origin.Files[0].Faults, " "), "lines 4 to 6 are there twice")
}
