package boot

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Ending is that systemd was told to end the machine.
type Ending struct {
	Moment
	How    string // rebooted, powered off, …
	Engine bool   // the engine may have asked for it, or did: nothing of the machine's own
	// By is the unit whose doing it is, and Why says how that is seen. With RanThen it is
	// only the one that may have asked.
	By, Why string
	// Said are logind's words of it. AfterCloudInit: cloud-init had just come to its end, whose
	// power_state ends a machine then.
	Said           string
	AfterCloudInit bool
}

// RanThen is why of a unit nothing more is known.
const RanThen = "which ran then"

// endings are the targets that end a machine (systemd.special(7)), with the last words of
// systemd-shutdown(8) on the console, which are there however it was asked for.
var endings = []struct{ target, word, how string }{
	{"reboot.target", "Rebooting.", "rebooted"},
	{"poweroff.target", "Powering off.", "powered off"},
	{"halt.target", "Halting system.", "halted"},
	{"kexec.target", "Rebooting with kexec.", "rebooted with kexec"},
	{"soft-reboot.target", "", "rebooted softly"},
	{"exit.target", "", "ended"},
}

var (
	// Engines stop a container by its stop signal, which PID 1 says (systemd(1), Signals).
	// From outside of its namespace the sender has no number there.
	stopSignal = regexp.MustCompile(`(?:^|\] )Received SIGRTMIN\+[0-9]+( from PID 0 \(.*\))?\.$`)
	// What logind tells of a shutdown that was given a message (shutdown(8)).
	wall = regexp.MustCompile(`^System is (rebooting|powering down|halting|going)[^(]* \(.+\)`)
	// Of systemd 253 and later; a reload of PID 1 is told in the same words.
	asker = regexp.MustCompile(`requested from client PID [0-9]+ \('[^']*'\) \(unit ([^)]+)\)`)
)

// Ending is how the machine was told to end. Not ok: it was not. subject are the units that
// may have told it so.
func (b Facts) Ending(subject []string) (e Ending, ok bool) {
	halted, heard, stopped := false, false, false
	for _, ev := range b.Events {
		heard = heard || ev.Manager
		for _, end := range endings {
			if !ok && endsWith(ev, end.target, end.word) {
				e, ok = Ending{Moment: Moment{ev.At, ev.Evidence}, How: end.how}, true
				halted = end.target == "halt.target"
			}
		}
		stopped = stopped || ev.Manager && stopSignal.MatchString(ev.Text)
	}
	for _, j := range b.Final.Jobs {
		for _, end := range endings {
			if !ok && j.Unit == end.target && j.Type == "start" {
				e, ok = Ending{Moment: Moment{b.End, j.Evidence}, How: end.how}, true
			}
		}
	}
	// An engine's stop halts. Where the signal would have been said is not to be seen.
	if e.Engine = stopped || halted && !heard; ok {
		b.blame(&e, subject)
	}
	return e, ok
}

func endsWith(ev timeline.Event, target, word string) bool {
	switch ev.Kind {
	case timeline.Starting, timeline.Started:
		return ev.Unit == target
	case timeline.OnConsole:
		return ev.Status == "OK" && ev.Unit == target || word != "" && ev.Text == word
	}
	return false
}

// atOnce is how soon after what asks for it a shutdown begins to stop units.
const atOnce = time.Second

// blame finds who asked for the end: by what is said of it, else the unit of the subject
// that failed or was done as it began (FailureAction=, SuccessAction=), else the one that
// ran then.
func (b Facts) blame(e *Ending, subject []string) {
	for _, ev := range b.Of(timeline.Stopped) {
		if slices.Contains([]string{MultiUser, "graphical.target", "basic.target", "timers.target", "sockets.target", "paths.target"}, ev.Unit) {
			if e.At == 0 || ev.At < e.At { // the console has no times
				e.At = ev.At
			}
		}
	}
	var asked, failed, done string
	var running []string
	for _, ev := range b.Events {
		asked = cmp.Or(askedBy(ev), asked)
		if soon := !ev.Untimed && ev.At <= e.At && e.At-ev.At <= atOnce; soon {
			e.AfterCloudInit = e.AfterCloudInit || ev.Kind == timeline.Started && ev.Unit == CloudFinal
			if ev.Unit == "systemd-logind.service" && wall.MatchString(ev.Text) {
				e.Said = ev.Text
			}
		}
		if ev.Untimed || e.At > 0 && ev.At > e.At || !slices.Contains(subject, ev.Unit) {
			continue
		}
		running = slices.DeleteFunc(running, func(u string) bool { return u == ev.Unit && ev.Kind != timeline.Log })
		switch {
		case ev.Kind == timeline.Started && !strings.HasPrefix(ev.Text, "Finished "): // a oneshot is over then
			running = append(running, ev.Unit)
		case e.At-ev.At > atOnce:
		case failure(ev):
			failed = ev.Unit
		case ev.Kind == timeline.Succeeded:
			done = ev.Unit
		}
	}
	if failed == "" {
		failed = b.failedOnConsole(subject)
	}
	switch {
	case asked != "":
		e.By, e.Why = asked, "which asked for it"
	case failed != "":
		e.By, e.Why = failed, "as it failed"
	case done != "":
		e.By, e.Why = done, "as it ended"
	case len(running) > 0:
		e.By, e.Why = running[len(running)-1], RanThen
	}
}

// askedBy is the unit that PID 1 or logind says to have asked for the end.
func askedBy(ev timeline.Event) string {
	m := asker.FindStringSubmatch(ev.Text)
	if m == nil || !ev.Manager && ev.Unit != "systemd-logind.service" || strings.HasPrefix(ev.Text, "Reload") || strings.HasPrefix(ev.Text, "Reexec") {
		return ""
	}
	return m[1]
}

// failedOnConsole is the unit of the subject that the console says last to have failed
// before units were stopped.
func (b Facts) failedOnConsole(subject []string) (unit string) {
	for _, ev := range b.Of(timeline.OnConsole) {
		if strings.Contains(ev.Text, "Stopping ") || strings.Contains(ev.Text, "Stopped target ") {
			break
		}
		if !failure(ev) {
			continue
		}
		name, _ := consoleName(ev)
		prefix, _, _ := strings.Cut(name, "…")
		if i := slices.IndexFunc(subject, func(s string) bool { return strings.HasPrefix(s, prefix) }); i >= 0 {
			unit = subject[i]
		}
	}
	return unit
}
