package check

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

const journald = "systemd-journald.service"

// quieterThanInfo are the levels, by name and number (syslog(3)), at which what services
// print, which is info, is not kept.
var quieterThanInfo = []string{"emerg", "alert", "crit", "err", "warning", "notice", "0", "1", "2", "3", "4", "5"}

// vacuumed is what journalctl(1) and journald say of files that they remove.
var vacuumed = regexp.MustCompile(`^(Deleted archived journal |Vacuuming done, freed [1-9])`)

// journalKept finds what the image does to the journal that Vector reads: none of it is the
// host's doing, and each is the same in every boot.
func journalKept(b boot.Facts, owed boot.Owed) []Finding {
	if b.Final.Unread != "" || b.Final.Pipeline == nil || len(owed.Lines)+len(owed.Doubt) == 0 {
		return nil // Vector need not read it
	}
	var out []Finding
	add := func(unit string, ev timeline.Evidence, format string, args ...any) {
		out = append(out, Finding{At: b.End, Unit: unit, Intrinsic: true, Evidence: evidence(ev), Summary: fmt.Sprintf(format, args...)})
	}
	if s := b.Final.Journald["Storage"]; s.Value == "none" {
		add(journald, s.Evidence, "journald keeps nothing (Storage=none in %s): there is nothing that Vector could read", s.Path)
	}
	if s := b.Final.Journald["MaxLevelStore"]; slices.Contains(quieterThanInfo, s.Value) {
		add(journald, s.Evidence, "journald keeps nothing below %s (MaxLevelStore= in %s), so no line of the worker", s.Value, s.Path)
	}
	switch u, known := b.Final.Units[journald]; {
	case !known:
	case u.Active == "inactive" || u.Load == "masked":
		add(journald, u.Evidence, "%s is %s, %s at the end: there is nothing that Vector could read", journald, u.Load, u.Active)
	case len(out) == 0 && u.Active == "active" && b.Missing[timeline.Journal] == timeline.NoEntry && b.DiskHasRoom():
		add(journald, u.Evidence, "the journal is empty though journald runs and the disk has room: its files were removed")
	}
	if b.Removed > 0 {
		unit, ev := vacuumedBy(b)
		by := ""
		if unit != "" {
			by = " by " + unit
		}
		add(unit, ev, "%d entries were removed from the journal%s: Vector reads no more of them what it has not read yet", b.Removed, by)
	}
	for _, ev := range b.Of(timeline.Suppressed) {
		// What is built in, 10000 messages in 30 s, is far more than PID 1 has to say.
		if s, set := rateLimit(b); set && ev.Unit == "init.scope" {
			add(journald, s.Evidence, "journald suppressed %d messages of PID 1 by the rate limit in %s: what failed then, nobody could see", ev.Change.Count, s.Path)
			break
		}
	}
	return out
}

// rateLimit is journald's own, where it was set (journald.conf(5), RateLimitBurst=).
func rateLimit(b boot.Facts) (timeline.Setting, bool) {
	for _, name := range []string{"RateLimitBurst", "RateLimitIntervalSec", "RateLimitInterval"} {
		if s, set := b.Final.Journald[name]; set {
			return s, true
		}
	}
	return timeline.Setting{}, false
}

// fewMessages is a limit that the boot logger meets within a minute; what is built in is 10000
// in 30 s.
const fewMessages = 100

// keptOut blames the image's own limit on what journald takes of a unit for lines that the
// journal lacks: as long as the limit's interval lasts journald does not say that it drops any.
func keptOut(b boot.Facts, owed boot.Owed, why string) []Finding {
	s := b.Final.Journald["RateLimitBurst"]
	n, err := strconv.Atoi(s.Value)
	off := b.Final.Journald["RateLimitIntervalSec"].Value == "0"
	if err != nil || n <= 0 || n > fewMessages || off || len(owed.Lines)+len(owed.Doubt) == 0 {
		return nil
	}
	return []Finding{{At: b.End, Unit: journald, Intrinsic: true, Evidence: evidence(s.Evidence),
		Summary: fmt.Sprintf("journald takes %d messages of a unit at a time (RateLimitBurst= in %s): %s", n, s.Path, why)}}
}

// vacuumedBy is who removed entries, as far as the journal still has it.
func vacuumedBy(b boot.Facts) (unit string, ev timeline.Evidence) {
	for _, e := range b.Of(timeline.Log) {
		if vacuumed.MatchString(e.Text) {
			return strings.Replace(e.Unit, journald, "", 1), e.Evidence
		}
	}
	for _, e := range b.Events {
		if e.Evidence.File == timeline.Journal {
			return "", e.Evidence // the first that is left
		}
	}
	return "", timeline.Evidence{}
}
