package check_test

import (
	"strings"
	"testing"
	"time"

	"bootrace/harness/check"
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
