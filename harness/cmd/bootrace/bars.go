package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"bootrace/harness/run"
)

// bars is for people: how far the run is, and the cases that are under way, each
// with the time left. Cases that came out as expected are counted only; the table
// at the end has them.
type bars struct {
	pool  *mpb.Progress
	style style
	names int // columns of the longest case id

	mu    sync.Mutex // of the next three; held while the pool is told
	live  map[string]*row
	rows  int // so far, for their order
	total *mpb.Bar

	// What is drawn. Not held while the pool is told anything: it may be drawing
	// just then, and waits for this.
	drawn sync.Mutex
	count tally // and the fields of all rows
}

// refresh is how often the terminal is drawn anew.
const refresh = 200 * time.Millisecond

func newBars(w io.Writer, style style, cases []run.Case) *bars {
	b := &bars{
		pool:  mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(refresh)),
		style: style, live: map[string]*row{}, count: tally{planned: len(cases), began: time.Now()},
	}
	for _, c := range cases {
		b.names = max(b.names, len(c.ID), len(run.ControlOf(c)))
	}
	// First, for a terminal with too few lines loses the last ones.
	b.total = b.add(-1, func(width int) string {
		b.drawn.Lock()
		defer b.drawn.Unlock()
		return b.count.line(width, time.Now())
	})
	return b
}

// add adds a line that draws itself.
func (b *bars) add(priority int, line func(width int) string) *mpb.Bar {
	draw := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		_, err := io.WriteString(w, line(s.AvailableWidth))
		return err
	})
	bar, err := b.pool.Add(1, draw, mpb.BarFillerTrim(), mpb.BarRemoveOnComplete(), mpb.BarPriority(priority))
	if err != nil {
		return nil // the pool is closed; nothing is drawn any more
	}
	return bar
}

func remove(bar *mpb.Bar) {
	if bar != nil {
		bar.Abort(true)
	}
}

func (b *bars) Update(u run.Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.live[u.Case]
	switch {
	case u.Over || u.Result != nil:
		if r != nil {
			remove(r.bar)
			delete(b.live, u.Case)
		}
		bad := u.Result != nil && !u.Result.AsExpected() && u.Result.Applies()
		b.change(func() {
			if u.Result != nil {
				b.count.ended++
			}
			if bad {
				b.count.bad++
			}
		})
		if bad {
			b.Note(b.style.caseLine(*u.Result, b.names, 0))
		}
	case r == nil:
		r = &row{name: u.Case, names: b.names}
		r.take(u)
		b.live[u.Case] = r
		b.rows++
		r.bar = b.add(b.rows, func(width int) string {
			b.drawn.Lock()
			defer b.drawn.Unlock()
			return r.line(width, time.Now())
		})
	default:
		b.change(func() { r.take(u) })
	}
	b.change(func() { b.count.underWay = len(b.live) })
}

func (b *bars) change(f func()) {
	b.drawn.Lock()
	defer b.drawn.Unlock()
	f()
}

func (b *bars) Note(text string) { _, _ = fmt.Fprintln(b.pool, text) }

func (b *bars) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.live {
		remove(r.bar)
	}
	remove(b.total)
	b.pool.Wait()
}

// tally is how far the run is.
type tally struct {
	planned, underWay, ended, bad int
	began                         time.Time
}

func (t tally) line(width int, now time.Time) string {
	text := fmt.Sprintf("%d of %d ended", t.ended, t.planned)
	switch {
	case t.bad > 0:
		text += fmt.Sprintf(", %d not as expected", t.bad)
	case t.ended > 0:
		text += ", all as expected"
	}
	text += fmt.Sprintf("; %d under way, %s", t.underWay, now.Sub(t.began).Round(time.Second))
	return runewidth.Truncate(text, width, "…")
}

// row is one case that is under way.
type row struct {
	bar   *mpb.Bar
	name  string
	names int
	step  string
	took  time.Duration
	ends  time.Time
}

func (r *row) take(u run.Update) {
	r.step = u.Step
	if u.Planned > 0 {
		r.took, r.ends = u.Planned, time.Now().Add(u.Planned)
	}
}

// leastColumns is the narrowest terminal that rows are drawn on: a name's two ends
// and the time left.
const leastColumns = 24

// Columns of a row: the step, the bar, the time left.
const (
	stepColumns = 25 // "multi-user.target reached"
	barColumns  = 24
	leftColumns = 6 // "59m59s"
)

// line draws the row in leastColumns or more. What there is no room for goes: the bar first, then the
// step; the name is cut in its middle, for its end tells repetitions apart.
func (r *row) line(width int, now time.Time) string {
	width = max(width, leastColumns)
	names := min(r.names, max(20, width-2-2-stepColumns-2-leftColumns), width-2-2-leftColumns)
	room := width - 2 - names
	out := "  " + pad(shorten(r.name, names), names)
	left, share := "", 0.0
	if !r.ends.IsZero() {
		d := max(0, r.ends.Sub(now))
		left, share = d.Round(time.Second).String(), 1-float64(d)/float64(r.took)
	}
	withStep := room >= 2+stepColumns+2+leftColumns
	withBar := room >= 2+stepColumns+2+leftColumns+2+barColumns
	if withStep {
		out += "  " + pad(runewidth.Truncate(r.step, stepColumns, "…"), stepColumns)
	}
	if withBar {
		fill := ""
		if left != "" {
			full := int(share * (barColumns - 2))
			fill = "[" + strings.Repeat("=", full) + strings.Repeat("-", barColumns-2-full) + "]"
		}
		out += "  " + pad(fill, barColumns)
	}
	return strings.TrimRight(out+"  "+fmt.Sprintf("%*s", leftColumns, left), " ")
}

func pad(s string, columns int) string { return runewidth.FillRight(s, columns) }

// shorten cuts the middle out of what is too long.
func shorten(s string, columns int) string {
	if len(s) <= columns {
		return s
	}
	tail := columns / 2
	return s[:columns-tail-1] + "…" + s[len(s)-tail:]
}
