package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// notes are what is to be known beside it, and is no failure.
func notes(b boot.Facts, items []item, waits []boot.Wait) []string {
	var out []string
	o := b.Origin
	if up := b.Up(); up != "" {
		if len(items) > 0 {
			up += " all the same"
		}
		out = append(out, up)
	} else if o.Finished != "" {
		out = append(out, "PID 1: "+o.Finished)
	} else if len(items) > 0 && o.Said > 0 {
		out = append(out, "multi-user.target is not reached in it")
	}
	if asked := b.ShellAsked(); asked != "" {
		for _, target := range []string{"emergency.target", "rescue.target"} {
			if _, reached := b.Reached(target).First(); reached {
				out = append(out, target+" was reached, and "+asked)
			}
		}
	}
	for _, it := range items {
		if at, ok := startedAfter(b, it.unit); ok && len(out) < 4 {
			out = append(out, fmt.Sprintf("%s was started at %s after that, and no end of it is in it", it.unit, timeline.Since(at)))
		}
	}
	if len(items) > 0 {
		for i, w := range waits {
			if i < 3 && !w.Ongoing {
				out = append(out, fmt.Sprintf("%s took %s to start", w.Unit, boot.Round(w.Took)))
			}
		}
	}
	for _, target := range []string{"reboot.target", "poweroff.target", "halt.target", "shutdown.target"} {
		if down, ok := b.Reached(target).First(); ok {
			out = append(out, fmt.Sprintf("the machine goes down in it: %s was reached at %s", target, timeline.Since(down.At)))
			break
		}
	}
	if users := said(o.Users); len(users) > 0 && (o.Said > 0 || len(items) > 0) {
		out = append(out, fmt.Sprintf("a user's manager, which is not the machine's boot, said %d things that went wrong, the first: %s", len(users), users[0]))
	}
	for _, ev := range b.Of(timeline.Stopped) {
		if said := "as it was stopped: " + bracketed.ReplaceAllString(ev.Text, ""); ev.Change.JobResult == "failed" && len(out) < 8 && !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	for _, ev := range b.Of(timeline.Cycle) {
		if ev.Change.JobType == "stop" && ev.Change.Dropped != "" {
			out = append(out, fmt.Sprintf("as units were stopped, systemd dropped the stop of %s to break an ordering cycle", ev.Change.Dropped))
			break
		}
	}
	for _, ev := range b.Events {
		if ev.Change.JobResult == boot.Unsupported && len(out) < 8 {
			out = append(out, bracketed.ReplaceAllString(ev.Text, ""))
		}
	}
	for _, f := range b.Failures().All {
		if f.Stopped {
			out = append(out, f.Unit+" failed as it was stopped, which is not of the boot")
		}
	}
	for _, u := range askedIdle(b) {
		if !slices.ContainsFunc(items, func(it item) bool { return it.unit == u.ID }) {
			out = append(out, idleWords(u))
		}
	}
	if o.Relayed {
		out = append(out, "the PIDs are a forwarder's: systemd's lines are PID 1's by what they say")
	}
	return append(out, o.Steps...)
}

// startedAfter is when a unit that failed was started, if that is the last that is said of it.
func startedAfter(b boot.Facts, unit string) (at time.Duration, ok bool) {
	failed := false
	for _, ev := range b.Of(timeline.Started, timeline.Starting, timeline.Stopped, timeline.Failed, timeline.StartFailed, timeline.Refused, timeline.Restart) {
		if ev.Unit == unit && unit != "" && !ev.Untimed {
			failed = failed || ev.Kind == timeline.Failed || ev.Kind == timeline.StartFailed
			at, ok = ev.At, failed && ev.Kind == timeline.Started && strings.Contains(ev.Text, "Started ") // and no oneshot that is over
		}
	}
	return at, ok
}

// bracketed is the word in brackets of a console.
var bracketed = regexp.MustCompile(`^\[[A-Z]+\] `)
