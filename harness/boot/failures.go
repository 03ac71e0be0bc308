package boot

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Failure is a unit that failed at some moment: it entered failed, its start failed, or
// it was started again without a word of PID 1.
type Failure struct {
	Unit   string
	At     time.Duration // the first time
	Result string        // of the first time, as systemd.exec(5) names it, or the job's; empty: only its start is known to have failed
	Times  int           // how often the journal has it entering failed
	// Unheard is how often it was started again by its Restart= without a word of PID 1 in
	// the journal.
	Unheard int
	// Stopped: it failed as it was stopped, and never else.
	Stopped bool
	// Evidence is that of the first two times and of the last, and the state at the end.
	Evidence []timeline.Evidence
}

// Failures are the units that failed, by name. The console counts where the journal has
// nothing of a unit: before journald runs, PID 1 speaks there only. What systemd itself
// keeps of a unit counts where neither has anything: LogLevelMax=, a rate limit or a
// journal that is gone hide nothing.
func (b Facts) Failures() Seen[Failure] {
	byUnit := map[string]*Failure{}
	of := func(unit string, at time.Duration) *Failure {
		if byUnit[unit] == nil {
			byUnit[unit] = &Failure{Unit: unit, At: at}
		}
		return byUnit[unit]
	}
	var said []string // by the journal
	stopping, refused := b.failedStopping(), b.failedRefused()
	for _, ev := range append(b.failed(false), b.failed(true)...) {
		unit := ev.Unit
		if ev.Kind == timeline.OnConsole {
			var words string
			if unit, words = consoleName(ev); named(byUnit, unit) || slices.ContainsFunc(said, func(s string) bool { return same(words, s) }) {
				continue // the journal has it, with the time
			}
		}
		said = append(said, ev.Text)
		f := of(unit, ev.At)
		if f.Evidence = append(f.Evidence, ev.Evidence); len(f.Evidence) > 3 {
			f.Evidence = append(f.Evidence[:2], f.Evidence[3])
		}
		if f.Result == ForDependency && ev.Change.Result != "" { // it was started all the same
			f.Result = ""
		}
		f.Result = cmp.Or(f.Result, ev.Change.Result, jobResult(ev))
		f.Stopped = stopping[ev.Evidence] && (f.Stopped || len(f.Evidence) == 1)
		if ev.Kind == timeline.Failed && !refused[ev.Evidence] {
			f.Times++
		}
	}
	for id, u := range b.Final.Units {
		unheard := b.unheardRestarts(u)
		result, at := u.Result, b.End
		switch {
		case u.Assert > 0:
			result, at = "assert", u.Assert
		case u.Active == "failed", result != "" && !slices.Contains(noFailure, result), unheard > 0:
		default:
			continue
		}
		f := of(id, at)
		f.Evidence = append(f.Evidence, u.Evidence)
		f.Unheard = unheard
		if !slices.Contains(noFailure, result) {
			f.Result = cmp.Or(f.Result, result)
		}
	}
	var out []Failure
	for _, unit := range slices.Sorted(maps.Keys(byUnit)) {
		out = append(out, *byUnit[unit])
	}
	return seen(b, out, timeline.Journal, timeline.Console, timeline.Units)
}

// stopping are the units that are being stopped, or were and have not begun again.
type stopping map[string]bool

func (s stopping) see(ev timeline.Event) {
	if ev.Manager && goesDown(ev.Text) {
		s[ev.Unit] = true
	}
	switch ev.Kind {
	case timeline.Stopping:
		s[ev.Unit] = true
	case timeline.Starting, timeline.Started, timeline.Restart:
		s[ev.Unit] = false
	}
}

// downWith are the targets that stop all else.
var downWith = []string{"shutdown.target", "umount.target", "final.target", "reboot.target", "poweroff.target", "halt.target", "kexec.target"}

// goesDown: PID 1 refused a job since the machine is going down (since 245 it names the job
// that is in the way).
func goesDown(text string) bool {
	_, of, refused := strings.Cut(text, " is destructive (")
	by, _, queued := strings.Cut(of, " has 'start' job queued")
	return refused && queued && slices.Contains(downWith, by)
}

// failedStopping are the failures of units that were being stopped, of a log: of the boot they
// are none.
func (b Facts) failedStopping() map[timeline.Evidence]bool {
	out := map[timeline.Evidence]bool{}
	if b.Origin == nil {
		return out
	}
	down := stopping{}
	_, ends := b.Ending(nil)
	ends = ends || slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
		return ev.Manager && strings.HasPrefix(ev.Text, "Shutdown is already active")
	})
	for i, ev := range b.Events {
		if ends && ev.Manager && strings.Contains(ev.Text, "/restart is destructive (") && strings.Contains(ev.Text, "has 'stop' job queued") {
			down[ev.Unit] = true
		}
		if down.see(ev); ev.Kind == timeline.Failed {
			// Nothing of a scope is started: in time or not is how it ends (systemd.scope(5)).
			out[ev.Evidence] = down[ev.Unit] || strings.HasSuffix(ev.Unit, ".scope") && ev.Change.Result == "timeout" || b.stoppedAmongOthers(i)
		}
	}
	return out
}

// nearTo is how soon a unit that failed as the machine goes down is stopped, and others with it;
// amongOthers is how many they are at least, the unit itself included.
const (
	nearTo      = 2 * time.Second
	amongOthers = 4
)

// stoppedAmongOthers: what comes at once of the unit that failed in an event is that it is
// stopped, and others are; that PID 1 was stopping it is not in the log. One that waits for its
// restart is stopped as well, later.
func (b Facts) stoppedAmongOthers(failed int) bool {
	of := b.Events[failed]
	stopped, gone := map[string]bool{}, false
	for _, ev := range b.Events[failed+1:] {
		switch {
		case of.Untimed || ev.Untimed || ev.At-of.At > nearTo:
			return gone && len(stopped) >= amongOthers
		case !ev.Manager:
		case ev.Kind == timeline.Stopped:
			stopped[cmp.Or(ev.Unit, ev.Text)] = true
			gone = gone || ev.Unit == of.Unit
		case ev.Unit == of.Unit && slices.Contains([]timeline.Kind{timeline.Failed, timeline.Restart, timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Refused}, ev.Kind):
			return false
		}
	}
	return gone && len(stopped) >= amongOthers
}

// failedRefused are the failures that are a refused start's: PID 1 says a unit's last result once
// more when it has used up its starts, and nothing has run in between.
func (b Facts) failedRefused() map[timeline.Evidence]bool {
	out, refused := map[timeline.Evidence]bool{}, map[string]bool{}
	for _, ev := range b.Events {
		switch ev.Kind {
		case timeline.Refused:
			refused[ev.Unit] = ev.Manager
		case timeline.Starting, timeline.Started, timeline.Exit, timeline.Restart:
			delete(refused, ev.Unit)
		case timeline.Failed:
			out[ev.Evidence] = refused[ev.Unit]
			delete(refused, ev.Unit)
		}
	}
	return out
}

// ForDependency is the result of a start that failed for want of what the unit depends on.
const ForDependency = "dependency"

// noFailure are the results of services that did not fail (systemd.service(5),
// ExecCondition=).
var noFailure = []string{"success", "exec-condition"}

// justNow is how much younger than the journal the state of the units may be.
const justNow = 2 * time.Second

// unheardRestarts is how many of a unit's automatic restarts (NRestarts=) the journal has
// no word of.
func (b Facts) unheardRestarts(u timeline.Unit) int {
	// A failure is a warning, a restart is info: who is heard of the one and not of the
	// other did not fail.
	if u.Restarts == 0 || b.saysFailures(u) && !b.saysStarts(u) {
		return 0
	}
	heard := 0
	for _, ev := range b.Of(timeline.Restart) {
		if ev.Unit == u.ID {
			heard = max(heard+1, ev.Change.Count)
		}
	}
	missed := u.Restarts - heard
	if missed == 1 && (b.End-u.InactiveExit < justNow || u.Active == "activating") {
		return 0
	}
	return max(0, missed)
}

// saysFailures and saysStarts: PID 1 logs those of the unit, by its own LogLevel= and the
// unit's LogLevelMax=.
func (b Facts) saysFailures(u timeline.Unit) bool {
	return min(b.Final.LogLevel, u.LogLevelMax) >= timeline.Warning
}

func (b Facts) saysStarts(u timeline.Unit) bool {
	return min(b.Final.LogLevel, u.LogLevelMax) >= timeline.Info
}

// StartsUnsaid reports whether unit started, and PID 1 does not log how often.
func (b Facts) StartsUnsaid(unit string) bool {
	u, ok := b.Final.Units[unit]
	return ok && !b.saysStarts(u) && (u.ActiveEnter > 0 || u.InactiveExit > 0)
}

// failed are the console's words on failures, or all others.
func (b Facts) failed(console bool) []timeline.Event {
	var out []timeline.Event
	for _, ev := range b.Events {
		if ev.Untimed == console && failure(ev) {
			out = append(out, ev)
		}
	}
	return out
}

// Unsupported is the result of a start of a swap, a device or an automount in a container,
// which has none (systemd's unit_type_supported): that is no failure of the unit.
const Unsupported = "unsupported"

// failure: a unit entered failed, or its start failed. A job that was cancelled or had
// nothing to do is none (systemd's job.h, JobResult).
func failure(ev timeline.Event) bool {
	switch ev.Kind {
	case timeline.Failed:
		return true
	case timeline.StartFailed:
		return !slices.Contains([]string{"", "done", "canceled", "skipped", Unsupported}, ev.Change.JobResult) && !goesDown(ev.Text)
	case timeline.OnConsole:
		_, fails := failedStatus[ev.Status]
		return fails && (ev.Status == "ONCE" || startWhole.MatchString(ev.Text))
	}
	return false
}

// jobResult is what a job's result adds to that its start failed.
func jobResult(ev timeline.Event) string {
	switch {
	case ev.Kind == timeline.OnConsole:
		return failedStatus[ev.Status]
	case ev.Kind == timeline.StartFailed && ev.Change.JobResult != "failed":
		return ev.Change.JobResult
	}
	return ""
}

// startSaid is how sentences on starts that failed begin.
const startSaid = `(?:Failed to (?:start|listen on|mount|set up automount|activate swap)|Timed out (?:starting|mounting|waiting for device|activating swap)|` +
	`Dependency failed for|Assertion failed (?:on job )?for|Starting of) `

// The words in brackets with the results of jobs that they are for, systemd's job.c since
// 218, and what is said of stops rather than of starts.
var (
	failedStatus = map[string]string{"FAILED": "", "TIME": "timeout", "DEPEND": ForDependency, "ASSERT": "assert", "ONCE": "once"}
	startWords   = regexp.MustCompile(`^` + startSaid + `(.+)`)
	// The sentence has its end, or the unit's whole name: what was cut names a unit that there is not.
	startWhole = regexp.MustCompile(startSaid + `(?:.*[.…?]\W*$|\S+\.\w+ - )`)
)

// consoleName is the unit that a "[FAILED] Failed to start …" line names, and its words.
// systemd shortens long lines in the middle with "…", and what is left is a prefix; and
// where a unit is told by its description its name is not there at all.
func consoleName(ev timeline.Event) (name, words string) {
	_, words, _ = strings.Cut(ev.Text, "] ")
	if words == "" {
		words = ev.Text
	}
	if m := startWords.FindStringSubmatch(words); ev.Unit == "" && m != nil {
		return m[1], words
	}
	return cmp.Or(ev.Unit, words), words
}

// same: the console's words are the journal's, as far as they are there.
func same(console, journal string) bool {
	start, end, short := strings.Cut(console, "…")
	return console == journal || short && strings.HasPrefix(journal, start) && strings.HasSuffix(journal, end)
}

func named(byUnit map[string]*Failure, name string) bool {
	prefix, _, short := strings.Cut(name, "…")
	for unit := range byUnit {
		if unit == name || short && strings.HasPrefix(unit, prefix) {
			return true
		}
	}
	return false
}

// Refusal is a unit that was refused a start.
type Refusal struct {
	Unit     string
	At       time.Duration // the first time
	Text     string        // what systemd said of it
	Evidence []timeline.Evidence
}

// limitHit is the result of a unit whose last start was refused by its limit.
const limitHit = "start-limit-hit"

// Refusals are the units that were refused a start, at most three words on each: a start
// limit was hit, or a job that somebody asked for was not granted. The unit's result is
// usually that of its last failure, not start-limit-hit.
func (b Facts) Refusals() Seen[Refusal] {
	var out []Refusal
	add := func(r Refusal, ev timeline.Evidence) {
		i := slices.IndexFunc(out, func(o Refusal) bool { return o.Unit == r.Unit })
		if i < 0 {
			i, out = len(out), append(out, r)
		}
		if len(out[i].Evidence) < 3 {
			out[i].Evidence = append(out[i].Evidence, ev)
		}
	}
	for _, ev := range b.Events {
		// Who is not PID 1 may print anything; of a unit that there is, it is believed.
		if _, there := b.Final.Units[ev.Unit]; ev.Kind == timeline.Refused && !ev.Manager && !ev.Untimed && !there && b.Unknown(timeline.Units) == "" {
			continue
		}
		if ev.Kind == timeline.Refused || ev.Kind == timeline.Failed && ev.Change.Result == limitHit {
			add(Refusal{Unit: ev.Unit, At: ev.At, Text: ev.Text}, ev.Evidence)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; u.Result == limitHit {
			add(Refusal{Unit: id, At: b.End, Text: fmt.Sprintf("its result is %s", limitHit)}, u.Evidence)
		}
	}
	return seen(b, out, timeline.Journal, timeline.Console, timeline.Units)
}
