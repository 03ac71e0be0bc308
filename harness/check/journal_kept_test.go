package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestTheJournalIsKeptForVector(t *testing.T) {
	conf := func(text string) func(*boot) {
		return with(t, workerOnly, func(b *boot) { b.Extra["journald.conf"] = []byte(text) })
	}
	none := "# /etc/systemd/journald.conf\n[Journal]\n#Storage=auto\n\n# /etc/systemd/journald.conf.d/10-none.conf\n[Journal]\nStorage=none\n"
	judged(t, "logs-delivered", []row{
		{name: "as it is built in", want: check.Pass, break_: conf("# /etc/systemd/journald.conf\n[Journal]\n#Storage=none\n")},
		{name: "volatile", want: check.Pass, break_: conf("# /etc/systemd/journald.conf\n[Journal]\nStorage=volatile\n")},
		{name: "none", want: check.Fail, unit: "systemd-journald.service", say: []string{"Storage=none in /etc/systemd/journald.conf.d/10-none.conf"}, break_: func(b *boot) {
			conf(none)(b)
			b.Journal = nil
		}},
		{name: "none, which a later file takes back", want: check.Pass, break_: conf(none + "# /etc/systemd/journald.conf.d/20.conf\n[Journal]\nStorage=\n")},
		{name: "none, and Vector reads something else", want: check.NoEvidence, break_: func(b *boot) {
			conf(none)(b)
			configuration(t, strings.Replace(workerOnly, "type: journald, include_units: [opensandbox-worker]", "type: syslog, mode: unix, path: /run/systemd/journal/syslog", 1))(b)
			b.Journal = nil
		}},
		{name: "an empty journal that nothing explains", want: check.NoEvidence, break_: func(b *boot) {
			conf("")(b)
			b.Journal = nil
		}},
		{name: "an empty journal of a journald that runs", want: check.Fail, unit: "systemd-journald.service", say: []string{"its files were removed"}, break_: func(b *boot) {
			conf("")(b)
			b.Journal = nil
			b.Up("systemd-journald.service", time.Second, time.Second)
			b.Extra["room.txt"] = []byte("/\t12000000000\n")
		}},
		{name: "an empty journal on a full disk", want: check.NoEvidence, break_: func(b *boot) {
			conf("")(b)
			b.Journal = nil
			b.Up("systemd-journald.service", time.Second, time.Second)
			b.Extra["room.txt"] = []byte("/\t4096\n")
		}},
		{name: "warnings only", want: check.Fail, unit: "systemd-journald.service", say: []string{"journald keeps nothing below warning (MaxLevelStore= in /etc/systemd/journald.conf)"},
			break_: conf("# /etc/systemd/journald.conf\n[Journal]\nMaxLevelStore=warning\n")},
		{name: "all but what is for debugging", want: check.Pass, break_: conf("# /etc/systemd/journald.conf\n[Journal]\nMaxLevelStore=info\n")},
		{name: "journald is masked", want: check.Fail, unit: "systemd-journald.service", say: []string{"is masked, inactive at the end"}, break_: func(b *boot) {
			conf("")(b)
			b.Journal = nil
			b.Prop("systemd-journald.service", "LoadState", "masked")
		}},
		{name: "what was logged is removed", want: check.Fail, unit: "x.service", say: []string{"60 entries were removed from the journal by x.service"}, break_: func(b *boot) {
			conf("")(b)
			b.Log(30*time.Second, "x.service", "Vacuuming done, freed 3.7M of archived journals from /var/log/journal/91a2.")
			b.Vacuumed = 60
		}},
		{name: "it is removed without a word", want: check.Fail, say: []string{"60 entries were removed from the journal:"}, break_: func(b *boot) {
			conf("")(b)
			b.Vacuumed = 60
		}},
		{name: "there was nothing to remove", want: check.Pass, break_: func(b *boot) {
			conf("")(b)
			b.Log(30*time.Second, "x.service", "Vacuuming done, freed 0B of archived journals from /var/log/journal/91a2.")
		}},
		{name: "units are kept short by a limit of the image", want: check.Fail, unit: "systemd-journald.service", say: []string{"journald takes 5 messages of a unit at a time (RateLimitBurst= in /etc/systemd/journald.conf.d/10.conf): the journal's last line of the boot logger is"}, break_: func(b *boot) {
			conf("# /etc/systemd/journald.conf.d/10.conf\n[Journal]\nRateLimitBurst=5\n")(b)
			fallSilent(b)
		}},
		{name: "a limit that is off explains no silence", want: check.NoEvidence, break_: func(b *boot) {
			conf("# /etc/systemd/journald.conf\n[Journal]\nRateLimitBurst=5\nRateLimitIntervalSec=0\n")(b)
			fallSilent(b)
		}},
		{name: "nor does a wide one", want: check.NoEvidence, break_: func(b *boot) {
			conf("# /etc/systemd/journald.conf\n[Journal]\nRateLimitBurst=20000\n")(b)
			fallSilent(b)
		}},
		{name: "PID 1 is kept short by a limit of the image", want: check.Fail, unit: "systemd-journald.service", say: []string{"12 messages of PID 1 by the rate limit in /etc/systemd/journald.conf.d/10.conf"}, break_: func(b *boot) {
			conf("# /etc/systemd/journald.conf.d/10.conf\n[Journal]\nRateLimitBurst=40\n")(b)
			suppressed(b)
		}},
		{name: "PID 1 is kept short, and nobody set a limit", want: check.NoEvidence, break_: func(b *boot) {
			conf("")(b)
			suppressed(b)
		}},
	})
}

// suppressed is what journald says when it drops messages of PID 1.
func suppressed(b *boot) {
	b.Entry(10*time.Second, map[string]any{"_PID": "30", "_SYSTEMD_UNIT": "systemd-journald.service", "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e",
		"N_DROPPED": "12", "MESSAGE": "Suppressed 12 messages from init.scope"})
}

// fallSilent takes the boot logger's lines of the last 20 s out of the journal.
func fallSilent(b *boot) {
	seq := 0
	b.Journal = slices.DeleteFunc(b.Journal, func(e map[string]any) bool {
		if e["_SYSTEMD_UNIT"] != timelinetest.Logger {
			return false
		}
		seq++
		return seq > 40
	})
}
