package boot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// order is who comes after whom, from After= and Before= of the last state, the jobs
// that are queued, and the times of the starts.
type order struct {
	after map[string][]string
	job   map[string]timeline.Job
	began map[string]time.Duration // first sign of a start
	ended map[string]Moment        // first end of a start job
}

func orderOf(tl timeline.Timeline) order {
	o := order{map[string][]string{}, map[string]timeline.Job{}, map[string]time.Duration{}, map[string]Moment{}}
	for id, u := range tl.Final.Units {
		o.after[id] = append(o.after[id], u.After...)
		for _, b := range u.Before {
			o.after[b] = append(o.after[b], id)
		}
	}
	for id := range o.after {
		slices.Sort(o.after[id])
		o.after[id] = slices.Compact(o.after[id])
	}
	for _, j := range tl.Final.Jobs {
		o.job[j.Unit] = j
	}
	o.times(tl)
	return o
}

// times takes the journal's first word on each unit, and systemd's own timestamps where
// they are earlier or the only ones: a unit without default dependencies starts before
// journald does.
func (o order) times(tl timeline.Timeline) {
	began := func(unit string, at time.Duration) {
		if have, ok := o.began[unit]; !ok || at < have {
			o.began[unit] = at
		}
	}
	ended := func(unit string, m Moment) {
		if have, ok := o.ended[unit]; !ok || m.At < have.At {
			o.ended[unit] = m
		}
	}
	for _, ev := range tl.Of(timeline.Starting, timeline.Started, timeline.StartFailed) {
		if ev.Untimed {
			continue
		}
		began(ev.Unit, ev.At)
		if ev.Kind != timeline.Starting {
			ended(ev.Unit, Moment{ev.At, ev.Evidence})
		}
	}
	for id, u := range tl.Final.Units {
		if u.InactiveExit > 0 {
			began(id, u.InactiveExit)
		}
		if u.ActiveEnter > 0 {
			ended(id, Moment{u.ActiveEnter, u.Evidence})
		}
	}
}

// Job is the unit's job that is queued at the end.
func (b Facts) Job(unit string) (timeline.Job, bool) {
	j, queued := b.order.job[unit]
	return j, queued
}

// Began is the first sign of a start of the unit.
func (b Facts) Began(unit string) (time.Duration, bool) {
	at, ok := b.order.began[unit]
	return at, ok
}

// Ended is the first end of a start job of the unit, well or not.
func (b Facts) Ended(unit string) (Moment, bool) {
	m, ok := b.order.ended[unit]
	return m, ok
}

// OrderedAfter names the units that are started after that one only.
func (b Facts) OrderedAfter(unit string) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(b.order.after)) {
		if slices.Contains(b.order.after[id], unit) {
			out = append(out, id)
		}
	}
	return out
}

// Free is when the last of what a unit is started after was up, another one and what was up
// after it left out: from then on the unit waited for that one alone. 0: it is not known of any.
func (b Facts) Free(unit, but string) time.Duration {
	limit, done := b.order.ended[but]
	var free time.Duration
	for _, a := range b.order.after[unit] {
		if m, ok := b.order.ended[a]; ok && a != but && (!done || m.At <= limit.At) {
			free = max(free, m.At)
		}
	}
	return free
}

// Blockers are the units that the queued job of unit waits for; none if it runs.
func (b Facts) Blockers(unit string) []string {
	if j, ok := b.order.job[unit]; !ok || j.State == "running" {
		return nil
	}
	var out []string
	for _, a := range b.order.after[unit] {
		if _, queued := b.order.job[a]; queued && a != unit {
			out = append(out, a)
		}
	}
	return out
}

// WaitingFor are the units whose queued job waits for unit.
func (b Facts) WaitingFor(unit string) []string {
	var out []string
	for _, j := range b.Final.Jobs {
		if slices.Contains(b.Blockers(j.Unit), unit) {
			out = append(out, j.Unit)
		}
	}
	slices.Sort(out)
	return out
}

// Waits follows the longest way from unit through what waits to what does not come to
// an end. The jobs at the end of a boot are few.
func (b Facts) Waits(unit string) []string {
	memo, open := map[string][]string{}, map[string]bool{}
	var walk func(string) []string
	walk = func(u string) []string {
		if c, ok := memo[u]; ok {
			return c
		}
		if open[u] {
			return []string{u}
		}
		open[u] = true
		var best []string
		for _, next := range b.Blockers(u) {
			if c := walk(next); len(c) > len(best) {
				best = c
			}
		}
		open[u] = false
		memo[u] = append([]string{u}, best...)
		return memo[u]
	}
	return walk(unit)
}

// Queue is each queued job, those that run first, and what it waits for.
func (b Facts) Queue() []timeline.Evidence {
	jobs := slices.Clone(b.Final.Jobs)
	waits := func(j timeline.Job) int {
		if j.State == "waiting" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(jobs, func(x, y timeline.Job) int {
		return cmp.Or(cmp.Compare(waits(x), waits(y)), cmp.Compare(x.Unit, y.Unit))
	})
	var out []timeline.Evidence
	for _, j := range jobs {
		ev := j.Evidence
		if blockers := b.Blockers(j.Unit); len(blockers) > 0 {
			ev.Text += ": waits for " + strings.Join(blockers, ", ")
		}
		out = append(out, ev)
	}
	return out
}

// Link is a unit of a critical chain.
type Link struct {
	Unit     string
	Began    time.Duration // first sign of its start; Ended where there is none
	Ended    time.Duration // its start was done
	Evidence timeline.Evidence
}

// Chain is what a unit was up after, from the last unit to the first.
type Chain []Link

// CriticalChain goes back from a unit that is up to what it was up last after, as
// systemd-analyze critical-chain does; nil if it was not reached.
func (b Facts) CriticalChain(unit string) Chain {
	if _, reached := b.Reached(unit).First(); !reached {
		return nil
	}
	chain, in := Chain{b.link(unit)}, map[string]bool{unit: true}
	for len(chain) < 16 {
		cur := chain[len(chain)-1]
		limit := cur.Began
		if cur.Unit == unit {
			limit = cur.Ended
		}
		best, at := "", time.Duration(-1)
		for _, a := range b.order.after[cur.Unit] {
			if up, ok := b.order.ended[a]; ok && up.At <= limit+up.lag() && up.At > at && !in[a] {
				best, at = a, up.At
			}
		}
		if best == "" {
			break
		}
		in[best] = true
		chain = append(chain, b.link(best))
	}
	return chain
}

// lag is by how much a moment may stand later than it was. A start that failed is told by the
// journal alone, whose times are those at which journald got the words: on a busy host 10 ms
// and more after PID 1 had gone on to what waited for it.
func (m Moment) lag() time.Duration {
	if m.Evidence.File == timeline.Journal {
		return 100 * time.Millisecond
	}
	return 5 * time.Millisecond
}

func (b Facts) link(unit string) Link {
	up := b.order.ended[unit]
	l := Link{Unit: unit, Began: up.At, Ended: up.At, Evidence: up.Evidence}
	if at, ok := b.order.began[unit]; ok {
		l.Began = at
	}
	return l
}

// String is each `unit @when +duration`, as systemd-analyze writes them.
func (c Chain) String() string {
	var parts []string
	for _, l := range c {
		s := fmt.Sprintf("%s @%s", l.Unit, Round(l.Ended))
		if took := l.Ended - l.Began; took >= 10*time.Millisecond {
			s += fmt.Sprintf(" +%s", Round(took))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " <- ")
}

// Round makes durations what people read.
func Round(d time.Duration) time.Duration {
	if d.Abs() >= time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
