package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// Measures of a picture, in its own units, about a pixel each on a wide screen.
const (
	labelsWidth = 205.0 // the lanes' names
	plotWidth   = 785.0
	valuesWidth = 110.0 // what the lines came to
	laneHeight  = 16
	headHeight  = 44 // the clock, and the names of the two guides
	linesHeight = 64
	mostUnits   = 18 // in the first picture; the others have one of their own
	mostLabel   = 30 // characters of a lane's name
)

// vectorUnit is the unit whose restarts are told apart.
const vectorUnit = "vector.service"

// picture is a boot as it is drawn: names in lanes, one clock for all.
type picture struct {
	Title, Desc   string
	Width, Height float64
	Pauses        []pause
	Ticks         []tick
	Guides        []guide
	Headings      []heading
	Lanes         []lane
	Lines         *curve
	PlotX, PlotTo float64
	Bottom        float64 // of the lanes
}

// guide is a time that the others are compared with.
type guide struct {
	X     float64
	Label string
	Left  bool // of the line is its label
}

// heading stands above the lanes of a kind.
type heading struct {
	Y    float64
	Text string
}

// pause is a squeezed part of the clock.
type pause struct {
	X, Width, Middle float64
	Label            string
}

// lane is what is known of one name.
type lane struct {
	Y     float64
	Name  string
	Label string
	Spans []shape
	Marks []shape
}

// shape is something within a lane: a span, as a path, or a moment, as a symbol.
type shape struct {
	Class, Path string
	X           string
	Title       string
}

// curve is how many lines were logged and delivered by when. Between the two is
// what is buffered, or lost.
type curve struct {
	Top                     float64
	Logged, Delivered, Area string
	LoggedN, DeliveredN     int
	LoggedY, DeliveredY     float64 // of the numbers at the right
}

// draw makes the pictures of a boot: of what matters, and of the other units,
// if there are any, on the same clock.
func draw(c results.Case, b results.Boot) (main picture, others *picture) {
	end := b.End
	var marks []mark
	from := time.Duration(0)
	for _, e := range b.Events {
		from, end = min(from, e.At), max(end, e.At, e.Until)
		marks = append(marks, mark{e.At, e.Lane == results.LaneRequest})
		if e.Until > 0 {
			marks = append(marks, mark{e.Until, e.Lane == results.LaneRequest})
		}
	}
	clock := newClock(marks, from, end, labelsWidth, plotWidth)
	events := byLane(b)
	first, rest := chosen(c, b)
	main = frame(clock, b)
	main.Title, main.Desc = "Boot of "+c.ID, describe(b)
	main.fill(clock, "Scenario and files", slices.Concat(ofKind(events, scenarioLane), ofKind(events, fileLane)), events)
	main.fill(clock, "Units", first, events)
	main.fill(clock, "Requests to the cloud", ofKind(events, requestLane), events)
	main.lines(clock, b)
	if len(rest) > 0 {
		p := frame(clock, b)
		p.Title, p.Desc = fmt.Sprintf("Boot of %s: the other %s", c.ID, plural(len(rest), "unit")), "Units that neither failed nor held anything up for long."
		p.fill(clock, "", rest, events)
		others = &p
	}
	return main, others
}

// byLane are the events of each lane. A moment that lasts is what was left out of
// a picture for its size, and belongs to what it was left out of.
func byLane(b results.Boot) map[laneKey][]results.Event {
	kinds := map[string]laneKind{}
	for _, e := range b.Events {
		if e.Lane != results.LaneMoment {
			kinds[e.Name] = keyOf(e).kind
		}
	}
	out := map[laneKey][]results.Event{}
	for _, e := range b.Events {
		key := keyOf(e)
		if kind, ok := kinds[e.Name]; ok && e.Lane == results.LaneMoment && e.Until > 0 {
			key = laneKey{kind, e.Name}
		}
		out[key] = append(out[key], e)
	}
	return out
}

// laneKey is a lane's: several kinds of things may have the same name.
type laneKey struct {
	kind laneKind
	name string
}

type laneKind int

const (
	unitLane laneKind = iota
	scenarioLane
	fileLane
	requestLane
)

func keyOf(e results.Event) laneKey {
	switch e.Lane {
	case results.LaneMoment:
		return laneKey{scenarioLane, "scenario"}
	case results.LaneFile:
		return laneKey{fileLane, e.Name}
	case results.LaneRequest:
		return laneKey{requestLane, e.Name}
	}
	return laneKey{unitLane, e.Name}
}

// ofKind are the lanes of a kind, by name.
func ofKind(events map[laneKey][]results.Event, kind laneKind) []laneKey {
	var out []laneKey
	for key := range events {
		if key.kind == kind {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b laneKey) int { return strings.Compare(a.name, b.name) })
	return out
}

// chosen parts the units into those that matter, by what befell them, and the
// rest; both by when they began to start, and those that only wait last.
func chosen(c results.Case, b results.Boot) (first, rest []laneKey) {
	began, score, starts := map[string]time.Duration{}, map[string]float64{}, map[string]int{}
	const never = time.Duration(math.MaxInt64)
	multiUser, reached := b.Measures[results.MeasureMultiUser]
	for _, e := range b.Events {
		if keyOf(e).kind != unitLane {
			continue
		}
		at, known := began[e.Name]
		switch {
		case e.Lane != results.LaneWaiting && (!known || at == never):
			began[e.Name] = e.At
			if reached && e.At.Seconds() > multiUser {
				score[e.Name] += 20 // began when the boot was over
			}
		case !known:
			began[e.Name] = never
		}
		switch {
		case e.Bad || e.Lane == results.LaneFailed:
			score[e.Name] += 1000
		case e.Lane == results.LaneStart:
			if starts[e.Name]++; starts[e.Name] > 1 {
				score[e.Name] += 100
			}
			score[e.Name] += (e.Until - e.At).Seconds()
		case e.Lane == results.LaneWaiting:
			score[e.Name] += (e.Until - e.At).Seconds()
		}
	}
	for _, check := range c.Decided().Checks {
		for _, f := range check.Findings {
			score[f.Unit] += 500
		}
	}
	for _, l := range b.Chain {
		score[l.Unit] += 50
	}
	score[vectorUnit] += 1000

	var units []laneKey
	for name := range began {
		units = append(units, laneKey{unitLane, name})
	}
	slices.SortFunc(units, func(a, b laneKey) int {
		return cmp.Or(cmp.Compare(score[b.name], score[a.name]), strings.Compare(a.name, b.name))
	})
	first = units[:min(mostUnits, len(units))]
	rest = units[len(first):]
	for _, part := range [][]laneKey{first, rest} {
		slices.SortFunc(part, func(a, b laneKey) int {
			return cmp.Or(cmp.Compare(began[a.name], began[b.name]), strings.Compare(a.name, b.name))
		})
	}
	return first, rest
}

// frame is a picture with its clock and no lane yet.
func frame(c clock, b results.Boot) picture {
	p := picture{Width: labelsWidth + plotWidth + valuesWidth, PlotX: labelsWidth, PlotTo: labelsWidth + plotWidth, Ticks: c.ticks(), Bottom: headHeight}
	for _, part := range c.parts {
		if part.squeezed {
			p.Pauses = append(p.Pauses, pause{part.x, part.width, part.x + part.width/2, number(math.Round((part.to-part.from).Seconds()*10)/10) + " s"})
		}
	}
	if s, ok := b.Measures[results.MeasureMultiUser]; ok {
		p.Guides = append(p.Guides, guide{X: c.x(time.Duration(s * float64(time.Second))), Label: "multi-user.target"})
	}
	if i := slices.IndexFunc(b.Events, complete); i >= 0 {
		p.Guides = append(p.Guides, guide{X: c.x(b.Events[i].At), Label: b.Events[i].Name + " complete"})
	}
	// The labels of two go to different sides, so that they cannot meet.
	slices.SortFunc(p.Guides, func(a, b guide) int { return cmp.Compare(a.X, b.X) })
	if len(p.Guides) > 0 {
		p.Guides[0].Left = true
	}
	return p
}

// fill adds lanes below those that there are.
func (p *picture) fill(c clock, title string, keys []laneKey, events map[laneKey][]results.Event) {
	if len(keys) > 0 && title != "" {
		p.Headings = append(p.Headings, heading{p.Bottom + laneHeight, title})
		p.Bottom += 1.5 * laneHeight
	}
	for _, key := range keys {
		l := lane{Y: p.Bottom, Name: key.name, Label: middle(key.name, mostLabel)}
		starts := 0
		for _, e := range events[key] {
			if e.Lane == results.LaneStart {
				starts++
			}
			l.add(c, e, starts)
		}
		p.Lanes = append(p.Lanes, l)
		p.Bottom += laneHeight
	}
	p.Height = p.Bottom + 8
}

// middle shortens a name in its middle: both ends tell units apart.
func middle(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most/2]) + "…" + string(r[len(r)-most/2+1:])
}

// spans says how a lane's span is drawn: its class, its top and its height. What
// they mean can be told by height and texture, without colour.
var spans = map[results.Lane]struct {
	class       string
	top, height int
}{
	results.LaneWaiting: {"w", 2, 11},
	results.LaneStart:   {"s", 2, 11},
	results.LaneActive:  {"a", 6, 3},
	results.LaneStop:    {"p", 4, 7},
	results.LaneRequest: {"r", 3, 9},
	results.LaneMoment:  {"o", 3, 9},
}

// add draws an event. starts is how often its unit has been started by then.
func (l *lane) add(c clock, e results.Event, starts int) {
	x := c.x(e.At)
	s := shape{X: place(x), Title: title(e)}
	span, isSpan := spans[e.Lane]
	switch {
	case e.Lane == results.LaneRequest && e.Bad:
		s.Class = "bad"
	case isSpan && (e.Until > e.At || e.Lane == results.LaneRequest):
		width := max(1.5, c.x(e.Until)-x)
		s.Class, s.Path = span.class, fmt.Sprintf("M%s %dh%sv%dh-%[3]sz", s.X, span.top, place(width), span.height)
		l.Spans = append(l.Spans, s)
		if e.Lane == results.LaneStart && starts > 1 {
			l.Marks = append(l.Marks, shape{Class: "again", X: s.X, Title: fmt.Sprintf("start %d", starts)})
		}
		return
	case e.Lane == results.LaneFailed:
		s.Class = "failed"
	case e.Lane == results.LaneFile:
		s.Class = "file"
	default:
		s.Class = "moment"
		if e.Bad {
			s.Class = "bad"
		}
	}
	l.Marks = append(l.Marks, s)
}

// place prints a coordinate, to a tenth.
func place(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

// lines draws the curve below the lanes.
func (p *picture) lines(c clock, b results.Boot) {
	if len(b.Lines) == 0 {
		return
	}
	last := b.Lines[len(b.Lines)-1]
	most := 1
	for _, n := range b.Lines {
		most = max(most, n.Logged, n.Delivered)
	}
	top := p.Bottom + laneHeight*1.5
	y := func(n float64) float64 { return top + linesHeight*(1-n/float64(most)) }
	line := func(count func(results.LineCount) int) string {
		var out strings.Builder
		for i, n := range b.Lines {
			if i == 0 {
				fmt.Fprintf(&out, "M%s %s", place(c.x(n.At)), place(y(float64(count(n)))))
				continue
			}
			// Where the clock's scale changes, a straight line has a bend.
			before := b.Lines[i-1]
			for _, part := range c.parts {
				if part.to > before.At && part.to < n.At {
					share := float64(part.to-before.At) / float64(n.At-before.At)
					fmt.Fprintf(&out, "L%s %s", place(c.x(part.to)), place(y(float64(count(before))+share*float64(count(n)-count(before)))))
				}
			}
			fmt.Fprintf(&out, "L%s %s", place(c.x(n.At)), place(y(float64(count(n)))))
		}
		fmt.Fprintf(&out, "H%s", place(p.PlotTo))
		return out.String()
	}
	k := curve{Top: top, LoggedN: last.Logged, DeliveredN: last.Delivered}
	k.Logged = line(func(n results.LineCount) int { return n.Logged })
	k.Delivered = line(func(n results.LineCount) int { return n.Delivered })
	// The area between the two: down to the axis each, and what is in both cancels out.
	floor := fmt.Sprintf("V%sH%sZ", place(y(0)), place(c.x(b.Lines[0].At)))
	k.Area = k.Logged + floor + k.Delivered + floor
	k.LoggedY, k.DeliveredY = y(float64(last.Logged))+4, y(float64(last.Delivered))+4
	if k.DeliveredY-k.LoggedY < 13 {
		k.DeliveredY = k.LoggedY + 13
	}
	p.Lines = &k
	p.Height = top + linesHeight + 8
}
