package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// A boot is over in seconds and then waits for minutes, so its picture has a
// clock that is linear piece by piece: where nothing happens for long it is
// squeezed, visibly, and what lies between two breaks has a scale of its own.

const (
	quiet      = 5 * time.Second        // a pause that is squeezed is longer
	margin     = 250 * time.Millisecond // of a pause, left unsqueezed at both its ends
	mostBreaks = 5
)

// mark is a time at which something happened.
type mark struct {
	at    time.Duration
	minor bool // alone it does not interrupt a pause
}

// clock maps times to places.
type clock struct{ parts []part }

// part is a stretch of the clock with one scale.
type part struct {
	from, to time.Duration
	x, width float64
	squeezed bool
	marks    int
}

// newClock spreads from to to over width, beginning at x.
func newClock(marks []mark, from, to time.Duration, x, width float64) clock {
	to = max(to, from+time.Millisecond)
	marks = append([]mark{{at: from}, {at: to}}, marks...)
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	var c clock
	at := from
	for _, p := range pauses(marks) {
		c.parts = append(c.parts, part{from: at, to: p.from}, part{from: p.from, to: p.to, squeezed: true})
		at = p.to
	}
	c.parts = append(c.parts, part{from: at, to: to})
	c.layOut(marks, x, width)
	return c
}

// pauses finds what to squeeze.
func pauses(marks []mark) []part {
	var out []part
	for i := 1; i < len(marks); i++ {
		if marks[i].at-marks[i-1].at > quiet {
			out = append(out, part{from: marks[i-1].at, to: marks[i].at})
		}
	}
	// Who only asks again and again while it waits does not end the waiting.
	for i := len(out) - 1; i > 0; i-- {
		if !slices.ContainsFunc(marks, func(m mark) bool { return !m.minor && m.at >= out[i-1].to && m.at <= out[i].from }) {
			out = join(out, i)
		}
	}
	// Of too many, those go together that have least between them.
	for len(out) > mostBreaks {
		least := 1
		for i := range out[1:] {
			if out[i+1].from-out[i].to < out[least].from-out[least-1].to {
				least = i + 1
			}
		}
		out = join(out, least)
	}
	for i := range out {
		out[i].from, out[i].to = out[i].from+margin, out[i].to-margin
	}
	return out
}

// join makes one pause of the i-th and the one before it.
func join(pauses []part, i int) []part {
	pauses[i-1].to = pauses[i].to
	return slices.Delete(pauses, i, i+1)
}

// layOut gives each part its place. A pause takes what its label and its marks
// need. The others share the rest by the mean of what their length and their
// number of marks would give them: a boot of three seconds is not lost beside an
// hour, and an hour is still longer.
func (c clock) layOut(marks []mark, x, width float64) {
	pausesWidth, weight := 0.0, 0.0
	for i := range c.parts {
		p := &c.parts[i]
		for _, m := range marks {
			if m.at >= p.from && m.at <= p.to {
				p.marks++
			}
		}
		if p.squeezed {
			p.width = 46 + min(120, 4*float64(p.marks))
			pausesWidth += p.width
		} else {
			p.width = math.Sqrt((p.to - p.from).Seconds() * float64(1+p.marks))
			weight += p.width
		}
	}
	shrink := min(1, width/2/max(1, pausesWidth))
	for i := range c.parts {
		p := &c.parts[i]
		if p.squeezed {
			p.width *= shrink
		} else {
			p.width *= (width - pausesWidth*shrink) / weight
		}
		p.x = x
		x += p.width
	}
}

// x is a time's place; what is outside of the clock is at its edge.
func (c clock) x(t time.Duration) float64 {
	for _, p := range c.parts {
		if t <= p.to {
			return p.x + p.width*max(0, float64(t-p.from)/float64(p.to-p.from))
		}
	}
	last := c.parts[len(c.parts)-1]
	return last.x + last.width
}

// tick is a labelled place of the clock.
type tick struct {
	X     float64
	Label string
}

// ticks are round times, so far apart that their labels do not touch.
func (c clock) ticks() []tick {
	const room, edge = 44.0, 16.0 // edge: a pause has its length written on it
	var out []tick
	last := math.Inf(-1)
	for i, p := range c.parts {
		if p.squeezed {
			continue
		}
		from, to := p.x, p.x+p.width
		if i > 0 {
			from += edge
		}
		if i < len(c.parts)-1 {
			to -= edge
		}
		step := roundUp((p.to - p.from).Seconds() * room / p.width)
		for n := math.Ceil(p.from.Seconds()/step - 1e-9); n*step <= p.to.Seconds()+1e-9; n++ {
			at := time.Duration(math.Round(n * step * 1e9))
			if x := c.x(at); x-last >= room-1 && x >= from && x <= to {
				out = append(out, tick{x, number(n * step)})
				last = x
			}
		}
	}
	return out
}

// roundUp is the next number of 1, 2, 5, 10, 20 …
func roundUp(v float64) float64 {
	ten := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*ten >= v {
			return n * ten
		}
	}
	return 10 * ten
}

// number prints at most three decimals, and no zeros behind them.
func number(v float64) string {
	v = math.Round(v*1000) / 1000
	if v == 0 {
		v = 0 // there is a negative one
	}
	return fmt.Sprint(v)
}
