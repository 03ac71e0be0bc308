package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// describe is a boot in sentences.
func describe(b results.Boot) string {
	var out []string
	if s, ok := b.Measures[results.MeasureMultiUser]; ok {
		out = append(out, fmt.Sprintf("multi-user.target was reached at %s s.", number(s)))
	} else {
		out = append(out, "multi-user.target was not seen to be reached.")
	}
	starts, requests, refused := 0, 0, 0
	var failed, files []string
	for _, e := range b.Events {
		switch e.Lane {
		case results.LaneStart:
			if e.Name == vectorUnit {
				starts++
			}
		case results.LaneFailed:
			if !slices.Contains(failed, e.Name) {
				failed = append(failed, e.Name)
			}
		case results.LaneRequest:
			requests++
			if e.Bad {
				refused++
			}
		case results.LaneFile:
			if !slices.Contains(files, e.Name) {
				files = append(files, e.Name)
				out = append(out, fmt.Sprintf("%s is first seen at %s.", middle(e.Name, 80), clockTime(e.At)))
			}
		}
	}
	out = append(out, fmt.Sprintf("Vector is started %s. The cloud answers %s, %d of them badly.", times(starts), plural(requests, "request"), refused))
	if len(failed) > 0 {
		out = append(out, "Failed: "+clip(strings.Join(failed, ", "), 200)+".")
	}
	if n := len(b.Lines); n > 0 {
		out = append(out, fmt.Sprintf("At the end %d lines are logged and %d delivered.", b.Lines[n-1].Logged, b.Lines[n-1].Delivered))
	}
	return strings.Join(out, " ") + fmt.Sprintf(" The boot was watched until %s.", clockTime(b.End))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// title is an event in words.
func title(e results.Event) string {
	when := clockTime(e.At)
	if e.Until > e.At {
		when += " to " + clockTime(e.Until)
	}
	return strings.TrimRight(fmt.Sprintf("%s %s, %s: %s", middle(e.Name, 80), word(e), when, clip(e.Text, 160)), ": ")
}

// word says what an event is.
func word(e results.Event) string {
	words := map[results.Lane]string{
		results.LaneWaiting: "waits to start", results.LaneStart: "starts", results.LaneActive: "active", results.LaneStop: "stops",
		results.LaneFailed: "failed", results.LaneFile: "file", results.LaneRequest: "request", results.LaneMoment: "step",
	}
	w := cmp.Or(words[e.Lane], string(e.Lane))
	if e.Lane == results.LaneMoment && e.Until > 0 {
		w = "left out"
	}
	if e.Bad && e.Lane != results.LaneFailed {
		w += ", bad"
	}
	return w
}

// clockTime is a time on the boot clock.
func clockTime(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// complete reports whether the event is the end of a file's writing, as
// harness/picture words it.
func complete(e results.Event) bool { return e.Lane == results.LaneFile && e.Text == "complete" }
