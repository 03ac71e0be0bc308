// Package picture makes of a boot's timeline what reports draw and history
// compares: the events worth seeing on one clock, the lines on their way to
// Axiom, the critical chain and the measures.
//
//	p := picture.Of(boot.Of(tl), setup, control)
//	fmt.Println(p.Measures[results.MeasureMultiUser], len(p.Events))
//
// It judges nothing, and its size is bounded whatever the boot did: where a
// storm has more events than fit, the picture has its beginning and its end, and
// says how many it left out between them.
package picture

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// maxEvents bounds a picture; a boot that goes well has about sixty.
const maxEvents = 300

// Of pictures a boot of a case that was set up so, beside its control boots. Without a boot clock there is nothing to draw on, and the
// picture is empty.
func Of(b boot.Facts, s boot.Setup, c boot.Control) results.Boot {
	if _, gone := b.Missing[timeline.Manifest]; gone || b.End <= 0 {
		return results.Boot{}
	}
	groups := units(b, s)
	groups = append(groups, files(b)...)
	groups = append(groups, requests(b)...)
	groups = append(groups, moments(b))
	out := results.Boot{End: b.End, Measures: b.Measures(s, c), Events: fair(groups, b.End), Lines: lines(b, s)}
	if b.StartedAt.Unix() > 0 {
		out.Zero = b.StartedAt
	}
	for _, l := range b.CriticalChain(boot.MultiUser) {
		out.Chain = append(out.Chain, results.Link{Unit: l.Unit, Began: l.Began, Ended: l.Ended})
	}
	return out
}

// group is what competes for a place in the picture as one: a unit, a file, a
// service, the moments.
type group struct {
	name   string
	events []results.Event // by time
}

// fair brings the groups together. If they are too many events, each group gets
// the same number of places and those that need fewer leave theirs to the others,
// so that no storm hides what it did to the rest.
func fair(groups []group, end time.Duration) []results.Event {
	for i := range groups {
		groups[i].events = within(groups[i].events, end)
	}
	most := maxEvents
	for places(groups, most) > maxEvents {
		most--
	}
	var out []results.Event
	for _, g := range groups {
		out = append(out, g.thinned(most)...)
	}
	slices.SortStableFunc(out, func(a, b results.Event) int { return cmp.Compare(a.At, b.At) })
	return out
}

func places(groups []group, most int) int {
	n := 0
	for _, g := range groups {
		n += min(len(g.events), most)
	}
	return n
}

// thinned keeps the beginning and the end, and says what it left out.
func (g group) thinned(most int) []results.Event {
	if len(g.events) <= most {
		return g.events
	}
	head := most / 2
	tail := len(g.events) - (most - head - 1)
	gap := g.events[head:tail]
	out := slices.Clone(g.events[:head])
	out = append(out, span(results.Event{At: gap[0].At, Lane: results.LaneMoment, Name: g.name,
		Text: fmt.Sprintf("%d more, left out of the picture", len(gap))}, gap[len(gap)-1].At))
	return append(out, g.events[tail:]...)
}

// span ends an event then. Only a moment has no end, so a span of no length gets
// the shortest.
func span(e results.Event, until time.Duration) results.Event {
	e.Until = max(until, e.At+1)
	return e
}

// within puts events on the boot's clock: what began before PID 1 did is seen
// from there, what came after the recording was taken is not in it.
func within(events []results.Event, end time.Duration) []results.Event {
	var out []results.Event
	for _, e := range events {
		if e.At > end || e.Until != 0 && e.Until <= 0 {
			continue
		}
		e.At = max(e.At, 0)
		if e.Until != 0 {
			e.Until = min(e.Until, end)
			if e.Until <= e.At { // it began as the recording was taken
				e.Until = 0
			}
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b results.Event) int { return cmp.Compare(a.At, b.At) })
	return out
}

// maxText bounds what an event says, in runes.
const maxText = 200

func clip(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText]) + "…"
	}
	return s
}
