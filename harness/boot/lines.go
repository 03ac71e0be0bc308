package boot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

// Who writes numbered lines.
const (
	BootLogger = "boot-logger"
	Worker     = "opensandbox-worker"
)

// silenceAllowed is what the journal may lack of the boot logger at the end before its
// silence means a dead journal: it writes every 2 s at least.
const silenceAllowed = 5 * time.Second

// numbered collects the numbered lines of the journal, by source and number: the first
// of each.
func numbered(tl timeline.Timeline) map[string]map[int]timeline.Event {
	out := map[string]map[int]timeline.Event{}
	for _, ev := range tl.Of(timeline.Line) {
		if out[ev.Line.Source] == nil {
			out[ev.Line.Source] = map[int]timeline.Event{}
		}
		if _, dup := out[ev.Line.Source][ev.Line.Seq]; !dup {
			out[ev.Line.Source][ev.Line.Seq] = ev
		}
	}
	return out
}

// WithoutBootLogger: the image has no boot logger, on purpose.
func (b Facts) WithoutBootLogger() bool {
	if _, unknown := b.Missing[timeline.Units]; unknown || len(b.Final.Units) == 0 {
		return false
	}
	u, loaded := b.Final.Units[BootLogger+".service"]
	gone := !loaded || slices.Contains([]string{"masked", "not-found"}, u.Load) || slices.Contains([]string{"masked", "disabled"}, u.FileState)
	return gone && !slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
		return ev.Unit == BootLogger+".service" || ev.Kind == timeline.Line && ev.Line.Source == BootLogger
	})
}

// LinesLost says what the journal itself lacks of what is owed to Axiom; empty: nothing.
// A line that never got into it cannot be missed there, and is nothing Vector could have
// shipped. The boot logger is what speaks all the time; an image that leaves it out has
// the worker's lines.
func (b Facts) LinesLost() string {
	witness := BootLogger
	if b.WithoutBootLogger() {
		witness = Worker
		if len(b.Logged[Worker]) == 0 {
			return ""
		}
	}
	if len(b.Logged[witness]) == 0 {
		return "the journal has no line of the boot logger"
	}
	last := time.Duration(0)
	for _, ev := range b.Logged[witness] {
		last = max(last, ev.At)
	}
	if silent := b.End - last; silent > silenceAllowed {
		return fmt.Sprintf("the journal's last line of %s is %s old at the end", strings.Replace(witness, BootLogger, "the boot logger", 1), Round(silent))
	}
	owed := b.Owed()
	for _, source := range slices.Sorted(maps.Keys(b.Logged)) {
		lines := b.Logged[source]
		highest := slices.Max(slices.Collect(maps.Keys(lines)))
		first := recording.FirstOfBoot(highest)
		total := highest - first + 1
		if len(lines) == total || !owed.Lines[source] && source != witness {
			continue
		}
		var gone []int
		for seq := first; seq <= highest && len(gone) < total-len(lines); seq++ {
			if _, ok := lines[seq]; !ok {
				gone = append(gone, seq)
			}
		}
		return fmt.Sprintf("the journal itself lost %s %s%s", source, timeline.Ranges(gone), b.suppressed())
	}
	return ""
}

func (b Facts) suppressed() string {
	var out []string
	for _, ev := range b.Of(timeline.Suppressed) {
		out = append(out, fmt.Sprintf("%d of %s at %s", ev.Change.Count, ev.Unit, timeline.Since(ev.At)))
	}
	if len(out) == 0 {
		return ""
	}
	return "; journald suppressed " + strings.Join(out, ", ")
}

// Arrival is a line at Axiom: how often it came, and when it was first answered.
type Arrival struct {
	Times int
	First time.Duration
}

// Arrivals tells of each line, by source and number, that Axiom accepted with the token
// that the configuration names for it.
func (b Facts) Arrivals(s Setup) map[string]map[int]Arrival {
	out := map[string]map[int]Arrival{}
	named := !b.otherToken()
	for _, ev := range b.Ingested().All {
		if named && !s.WithToken(ev.Call) {
			continue
		}
		for source, ranges := range ev.Call.Lines {
			if out[source] == nil {
				out[source] = map[int]Arrival{}
			}
			for _, r := range ranges {
				for seq := r.First; seq <= r.Last; seq++ {
					a, before := out[source][seq]
					if !before {
						a.First = ev.At + ev.Call.Duration
					}
					a.Times++
					out[source][seq] = a
				}
			}
		}
	}
	return out
}

// Line is a numbered line on its way from the journal to Axiom.
type Line struct {
	Logged    time.Duration
	Arrived   bool          // it was accepted with the right token
	Delivered time.Duration // when that was first answered; not before Logged
}

// Lines are the numbered lines of the journal, by when they were logged. A line counts
// once, however often it was logged or delivered.
func (b Facts) Lines(s Setup) []Line {
	arrivals := b.Arrivals(s)
	var out []Line
	for source, lines := range b.Logged {
		for seq, ev := range lines {
			l := Line{Logged: ev.At}
			if a, ok := arrivals[source][seq]; ok {
				l.Arrived, l.Delivered = true, max(a.First, ev.At)
			}
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Logged, b.Logged), cmp.Compare(a.Delivered, b.Delivered))
	})
	return out
}
