package check

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var noUnitFailed = Check{
	Name: "no-unit-failed",
	Why: "a unit entered failed at any moment, not only at the end: a restart that succeeds hides a failure that the next boot may not survive; " +
		"or the machine was told to reboot, to power off or to stay in emergency mode",
	Needs: []string{timeline.Journal, timeline.Console, timeline.Units},
	Judge: func(b boot.Facts, e Expect) Result {
		end, told := ending(b, e)
		out := slices.Concat(end, emergency(b), silenced(b), loggedFailures(b))
		var allowed []string
		var first time.Duration // that an allowed unit failed
		for _, f := range b.Failures().All {
			if reason, ok := e.allowed(f.Unit); ok {
				allowed = append(allowed, fmt.Sprintf("%s failed, allowed: %s", f.Unit, reason))
				first = cmp.Or(first, f.At)
			}
		}
		for _, f := range b.Failures().All {
			if _, ok := e.allowed(f.Unit); ok || told.blames(f) {
				continue
			}
			if f.Result == boot.ForDependency && (len(allowed) > 0 && f.At >= first || !e.concerns(f.Unit)) {
				allowed = append(allowed, fmt.Sprintf("%s was not started, for want of another unit", f.Unit))
				continue
			}
			if f.Stopped {
				allowed = append(allowed, f.Unit+" failed as it was stopped")
				continue
			}
			finding := explained(b, failed(b, f, e))
			if by := b.Final.Units[f.Unit].UpheldBy; len(by) > 0 {
				finding.Summary += fmt.Sprintf("; Upholds= of %s starts it whenever it is not active", by[0])
			}
			out = append(out, finding)
		}
		return found(append(out, dependents(b, out)...), strings.Join(allowed, "; "))
	},
}

func failed(b boot.Facts, f boot.Failure, e Expect) Finding {
	u := b.Final.Units[f.Unit]
	summary := fmt.Sprintf("%s failed (%s)%s", f.Unit, cmp.Or(f.Result, "start failed"), times(f.Times))
	if f.Unheard > 0 && f.Times == 0 && f.Result == "" {
		summary = f.Unit + " ended"
	}
	if f.Unheard > 0 {
		summary += fmt.Sprintf(" and was started again %d times by its Restart=, without a word of PID 1", f.Unheard)
		if u.LogLevelMax < timeline.Info {
			summary += fmt.Sprintf(" (LogLevelMax=%s)", u.LogLevelMax)
		}
	}
	if u.Active != "" {
		summary += ", is " + u.Active + " at the end"
	}
	if wanting := b.Wanting(f.Unit); f.Result == boot.ForDependency && wanting != "" {
		summary += ", and needs " + wanting
	}
	if slices.Contains(e.Presets, f.Unit) {
		summary += "; the build left it disabled, and the first boot's presets enabled it (there was no machine-id)"
	}
	// What a unit asserts does not hold on a calm host either.
	return Finding{At: f.At, Unit: f.Unit, Intrinsic: f.Result == "assert", Evidence: f.Evidence, Summary: summary}
}

// told is that the machine was told to end, by something of its own.
type told struct{ boot.Ending }

// blames: the failure is what ended the machine, or comes of that.
func (t told) blames(f boot.Failure) bool {
	name, _, _ := strings.Cut(f.Unit, "…")
	return t.How != "" && (strings.HasPrefix(t.By, name) || t.At > 0 && f.At >= t.At)
}

func ending(b boot.Facts, e Expect) ([]Finding, told) {
	end, ok := b.Ending(e.SubjectUnits)
	if !ok || end.Engine {
		return nil, told{}
	}
	if b.Origin != nil && (b.Up() != "" || b.Origin.Finished != "" || !b.Origin.Begins) {
		return nil, told{end} // a boot that was over, on a machine that lives on
	}
	f := Finding{At: end.At, Unit: end.By, Intrinsic: true, Evidence: []timeline.Evidence{end.Evidence}, Summary: "the machine was " + end.How}
	if end.At > 0 { // the console has no times
		f.Summary += " at " + timeline.Since(end.At)
	}
	switch {
	case end.Why == boot.RanThen:
		f.Summary += fmt.Sprintf(" while %s ran", end.By)
		if end.AfterCloudInit {
			f.Summary += "; cloud-init was done right before, and ends a machine only where power_state says so"
		}
	case end.By != "":
		f.Summary += fmt.Sprintf(", by %s, %s", end.By, end.Why)
	}
	if end.Said != "" {
		f.Summary += "; logind said: " + end.Said
	}
	return []Finding{f}, told{end}
}

// emergencyTargets are those in which a machine waits for somebody at its console
// (systemd.special(7)).
var emergencyTargets = []string{"emergency.target", "rescue.target"}

// emergencyWords are sulogin's, as the units of both have it print them.
var emergencyWords = regexp.MustCompile(`^(You are in|Welcome to) (emergency|rescue) mode|^Entering emergency mode|^Cannot open access to console, the root account is locked`)

func emergency(b boot.Facts) []Finding {
	if b.ShellAsked() != "" {
		return nil
	}
	for _, target := range emergencyTargets {
		if up, reached := b.Reached(target).First(); reached {
			return []Finding{{At: up.At, Unit: target, Evidence: []timeline.Evidence{up.Evidence},
				Summary: fmt.Sprintf("%s was reached: the machine waits for somebody at its console", target)}}
		}
	}
	for _, ev := range b.Of(timeline.OnConsole) {
		if emergencyWords.MatchString(ev.Text) {
			return []Finding{{Unit: emergencyTargets[0], Evidence: []timeline.Evidence{ev.Evidence}, Summary: "the machine waits for somebody at its console: " + ev.Text}}
		}
	}
	return nil
}

// silenced: PID 1 itself is kept from saying that a unit failed, which it does as a
// warning (systemd's unit.c, unit_log_failure), or from saying it to the journal.
func silenced(b boot.Facts) []Finding {
	var how string
	switch target := b.Final.LogTarget; {
	case b.Unknown(timeline.Manager) != "":
		return nil
	case b.Final.LogLevel < timeline.Warning:
		how = "LogLevel=" + b.Final.LogLevel.String()
	case target != "" && !slices.Contains([]string{"journal", "journal-or-kmsg", "auto"}, target):
		how = "LogTarget=" + target
	default:
		return nil
	}
	return []Finding{{At: b.End, Unit: "init.scope", Intrinsic: true, Evidence: []timeline.Evidence{{File: timeline.Manager, Line: 1, Text: how}},
		Summary: fmt.Sprintf("PID 1 says nothing of units that fail (%s, systemd-system.conf(5)): nobody could see it, here or in production", how)}}
}

// concerns: the unit is the subject's, Vector or the worker. What another one lacks has
// failed itself, or the base is such: bookworm's systemd-networkd-wait-online.service is
// bound to a unit that a container skips.
func (e Expect) concerns(unit string) bool {
	return unit == boot.Vector || unit == boot.Worker+".service" || slices.Contains(e.SubjectUnits, unit)
}

func (e Expect) allowed(unit string) (string, bool) {
	for _, a := range slices.Concat(e.AllowedFailed, e.MayFail) {
		if ok, err := path.Match(a.Unit, unit); err == nil && ok {
			return a.Reason, true
		}
	}
	return "", false
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" %d times", n)
}
