package timeline

import (
	"io"
	"regexp"
	"strings"
)

var (
	// CSI and OSC sequences, and the two-byte escapes systemd sends on a terminal.
	escape = regexp.MustCompile("\x1b(?:\\[[0-9;:?!]*[ -/]*[@-~]|\\][^\a\x1b]*(?:\a|\x1b\\\\)?|[@-Z\\\\-_])")
	// Nothing but printable text remains; the bell ends an OSC sequence.
	control = regexp.MustCompile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
	status  = regexp.MustCompile(`^\[\s*([A-Z]+)\s*\] `)
	// "Failed to start vector.service - Vector."; long names are shortened with "…".
	consoleUnit = regexp.MustCompile(`(?:^|\s)([A-Za-z0-9:_.@\\-]+\.(?:service|target|socket|mount|automount|device|timer|path|swap|slice|scope))(?: - |\.?$|\s)`)
)

// readConsole reads what PID 1 wrote to /dev/console. It has no times.
func readConsole(r io.Reader, d *damage) []Event {
	var events []Event
	eachLine(r, d, func(n int, line []byte) {
		for _, e := range ConsoleLine(line) {
			e.Evidence = Evidence{File: Console, Line: n, Text: clip(e.Text)}
			events = append(events, e)
		}
	})
	if len(events) == 0 {
		d.say("empty")
	}
	return events
}

// ConsoleLine is what one line of PID 1's console says. A bare CR redraws a line: each
// version of it was said.
func ConsoleLine(line []byte) []Event {
	var events []Event
	for _, part := range strings.Split(string(line), "\r") {
		text := plain(part)
		if text == "" {
			continue
		}
		e := Event{Untimed: true, Kind: OnConsole, Text: text, Secrets: secretsIn(text)}
		if m := status.FindStringSubmatch(text); m != nil {
			e.Status = m[1]
		}
		if m := consoleUnit.FindStringSubmatch(text); m != nil {
			e.Unit = m[1]
		}
		if cycleText.MatchString(text) {
			e.Kind = Cycle
			// A shortened name is none; the line "Job … deleted" has it whole.
			if name := droppedUnit(text); !strings.Contains(name, "…") {
				e.Change.Dropped = name
			}
		}
		events = append(events, e)
	}
	return events
}

func plain(s string) string {
	s = escape.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	return scrub(strings.TrimSpace(control.ReplaceAllString(s, "")))
}
