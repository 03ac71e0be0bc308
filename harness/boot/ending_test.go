package boot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

func TestEnding(t *testing.T) {
	t.Parallel()
	const health, other = "health-check.service", "other.service"
	const logind = "systemd-logind.service"
	// What is left of a machine whose journal went with it.
	consoleOnly := func(lines ...string) func(*timelinetest.Boot) {
		return func(b *timelinetest.Boot) {
			b.Console = append(b.Console, lines...)
			b.Drop = []string{timeline.Journal, timeline.Units, timeline.Jobs, timeline.Manager}
		}
	}
	reboots := func(b *timelinetest.Boot) {
		b.Stopped(30990*time.Millisecond, "timers.target")
		b.Started(31500*time.Millisecond, "reboot.target")
	}
	for _, tt := range []struct {
		name      string
		break_    func(*timelinetest.Boot)
		how, by   string
		why       string
		at        time.Duration
		engine    bool
		said      string
		cloudInit bool
		evidence  string
	}{
		{name: "a boot that goes on", break_: func(*timelinetest.Boot) {}},
		{name: "a unit of the subject fails as it begins", how: "rebooted", by: health, why: "as it failed", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Failed(30900*time.Millisecond, health, "exit-code")
			reboots(b)
		}},
		{name: "a unit of the subject is done as it begins", how: "rebooted", by: health, why: "as it ended", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Starting(30*time.Second, health)
			b.PID1(30980*time.Millisecond, "7ad2d189f7e94e70a38c781354912448", health, "health-check.service: Deactivated successfully.", nil)
			reboots(b)
		}},
		{name: "a unit of the subject runs then", how: "rebooted", by: health, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Failed(10*time.Second, other, "exit-code")
			b.Started(20*time.Second, health)
			reboots(b)
		}},
		{name: "logind says who asked", how: "rebooted", by: other, why: "which asked for it", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Started(20*time.Second, health)
			b.Log(30900*time.Millisecond, logind, "Reboot requested from client PID 271 ('systemctl') (unit other.service)...")
			reboots(b)
		}},
		{name: "cloud-init does, after its end", how: "rebooted", by: health, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, said: "System is rebooting (first boot done).", cloudInit: true, break_: func(b *timelinetest.Boot) {
			b.Started(20*time.Second, health)
			b.Started(30500*time.Millisecond, boot.CloudFinal)
			b.Log(30900*time.Millisecond, logind, "System is rebooting (first boot done).")
			reboots(b)
		}},
		{name: "cloud-init was done long before", how: "rebooted", by: health, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Started(20*time.Second, health)
			b.Started(25*time.Second, boot.CloudFinal)
			reboots(b)
		}},
		{name: "a reload that was asked for is none", how: "rebooted", by: health, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.PID1(2*time.Second, "", "", "Reload requested from client PID 171 ('systemctl') (unit other.service)...", nil)
			b.Started(20*time.Second, health)
			reboots(b)
		}},
		{name: "a unit that says so itself is not believed", how: "rebooted", by: health, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, break_: func(b *timelinetest.Boot) {
			b.Log(2*time.Second, other, "Reboot requested from client PID 271 ('systemctl') (unit other.service)...")
			b.Started(20*time.Second, health)
			reboots(b)
		}},
		{name: "a shutdown that something holds", how: "powered off", by: timelinetest.Subject, why: "which ran then", at: timelinetest.EndAt, evidence: timeline.Jobs, break_: func(b *timelinetest.Boot) {
			b.Jobs = append(b.Jobs, "312 poweroff.target start waiting")
		}},
		{name: "the console alone, with the targets", how: "rebooted", by: health, why: "as it failed", evidence: timeline.Console, break_: consoleOnly(
			"[FAILED] Failed to start health-check.servi…he machine if it is not configured.",
			"[  OK  ] Stopped target timers.target - Timer Units.",
			"[FAILED] Failed to start other.service - Other.",
			"[  OK  ] Reached target reboot.target - System Reboot.")},
		{name: "the console alone, by force", how: "powered off", evidence: timeline.Console, break_: consoleOnly("Sending SIGTERM to remaining processes...", "Powering off.")},
		{name: "an engine's stop", how: "halted", by: timelinetest.Subject, why: "which ran then", at: 31 * time.Second, evidence: timeline.Journal, engine: true, break_: func(b *timelinetest.Boot) {
			b.PID1(30*time.Second, "", "", "Received SIGRTMIN+3.", nil)
			b.Stopped(30990*time.Millisecond, "timers.target")
			b.Started(32*time.Second, "halt.target")
		}},
		{name: "words of a unit", break_: func(b *timelinetest.Boot) { b.Log(time.Second, other, "Rebooting.") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			tt.break_(b)
			got, ok := read(t, b).Ending([]string{timelinetest.Subject, health, other})
			assert.Equal(t, tt.how != "", ok)
			assert.Equal(t, tt.evidence, got.Evidence.File)
			got.Evidence = timeline.Evidence{}
			assert.Equal(t, tt.said, got.Said)
			assert.Equal(t, tt.cloudInit, got.AfterCloudInit)
			got.Said, got.AfterCloudInit = "", false
			assert.Equal(t, boot.Ending{Moment: boot.Moment{At: tt.at}, How: tt.how, Engine: tt.engine, By: tt.by, Why: tt.why}, got)
			assert.Equal(t, tt.by == "", strings.TrimSpace(got.Why) == "")
		})
	}
}
