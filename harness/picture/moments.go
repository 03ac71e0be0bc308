package picture

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// burst is how close changes of a file follow each other that are drawn as one.
const burst = 250 * time.Millisecond

// change is a burst of changes of one file.
type change struct {
	event results.Event
	last  time.Duration
	n     int
	words []string
	is    *timeline.FileChange
}

// files are the changes of the files a boot is about, a group a file.
func files(b boot.Facts) []group {
	var out []group
	for _, name := range []string{"worker.env", "server.env", path.Base(boot.VectorEnv)} {
		out = append(out, group{name, changes(b, path.Join(path.Dir(boot.VectorEnv), name))})
	}
	return out
}

func changes(b boot.Facts, of string) []results.Event {
	var out []results.Event
	var c *change
	flush := func() {
		if c != nil && c.n > 0 {
			c.event.Text = c.text()
			out = append(out, c.event)
		}
		c = nil
	}
	for _, ev := range b.Of(timeline.EnvFile, timeline.Script) {
		if ev.Kind == timeline.Script {
			// Text is the step and the file that it is about.
			if about := strings.TrimPrefix(ev.Text, boot.StepComplete+" "); about == of {
				flush()
				out = append(out, results.Event{At: ev.At, Lane: results.LaneFile, Name: path.Base(of), Text: "complete"})
			}
			continue
		}
		if ev.File.Path != of {
			continue
		}
		if c == nil || ev.At-c.last > burst {
			flush()
			c = &change{event: results.Event{At: ev.At, Lane: results.LaneFile, Name: path.Base(of)}}
		}
		c.add(ev)
	}
	flush()
	return out
}

// words say what an operation did; closing a file is no change of it.
var words = map[string]string{"present": "there", "create": "created", "modify": "written", "rename": "renamed into place", "remove": "removed", "attrib": "mode changed"}

func (c *change) add(ev timeline.Event) {
	c.last, c.is = ev.At, ev.File
	word, is := words[ev.File.Op]
	if !is {
		return
	}
	c.n++
	if !slices.Contains(c.words, word) {
		c.words = append(c.words, word)
	}
}

func (c *change) text() string {
	s := strings.Join(c.words, ", ")
	if c.n > len(c.words) {
		s += fmt.Sprintf(", %d changes", c.n)
	}
	if c.is.Size >= 0 && c.is.Op != "remove" {
		s += fmt.Sprintf(": %d bytes, mode %s", c.is.Size, c.is.Mode)
	}
	return s
}

// moments are the steps of the scenario, and what happened to the machine as a
// whole.
func moments(b boot.Facts) group {
	g := group{name: "moments"}
	add := func(at time.Duration, name, text string, bad bool) {
		g.events = append(g.events, results.Event{At: at, Lane: results.LaneMoment, Name: name, Text: clip(text), Bad: bad})
	}
	registered := false
	cycle := -1 // its place among the events
	for _, ev := range b.Events {
		switch {
		case ev.Kind == timeline.Cycle: // several lines for each; the deleted job is its unit's
			if cycle < 0 || g.events[cycle].At != ev.At {
				cycle = len(g.events)
				add(ev.At, "systemd", said(ev), true)
			} else if ev.Change.Dropped == "" {
				g.events[cycle].Text = clip(g.events[cycle].Text + "; " + said(ev))
			}
		case ev.Untimed:
		case ev.Kind == timeline.Script && ev.Step != boot.StepComplete:
			add(ev.At, "script", ev.Step, false)
		case ev.Kind == timeline.Finished && ev.Unit == "init.scope":
			add(ev.At, "systemd", "startup finished", false)
		case ev.Kind == timeline.Suppressed:
			add(ev.At, "journald", fmt.Sprintf("suppressed %d lines of %s", ev.Change.Count, ev.Unit), true)
		case ev.Kind != timeline.Request || ev.Call.Service != "controlplane":
		case ev.Call.Op == "destroyed":
			add(ev.At, "controlplane", "destroyed the worker", true)
		case boot.Registration(ev.Call) && !registered:
			registered = true
			add(ev.At+ev.Call.Duration, "controlplane", "the worker is registered", false)
		}
	}
	if b.Exited != nil {
		add(b.End, "systemd", fmt.Sprintf("PID 1 had ended with status %d", *b.Exited), true)
	}
	return g
}

// said leaves out the unit that systemd puts before what it says of a cycle.
func said(ev timeline.Event) string {
	if _, text, ok := strings.Cut(ev.Text, ": Found "); ok {
		return "Found " + text
	}
	return ev.Text
}
