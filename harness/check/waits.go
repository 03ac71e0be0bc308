package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// waits answers who waits for whom, from After= and Before= of the last state,
// the jobs that are queued, and the times of the starts.
type waits struct {
	tl    timeline.Timeline
	after map[string][]string
	job   map[string]timeline.Job
	began map[string]time.Duration // first sign of a start
	ended map[string]time.Duration // first end of a start job
	end   map[string]timeline.Evidence
}

func waitsOf(tl timeline.Timeline) *waits {
	w := &waits{tl: tl, after: map[string][]string{}, job: map[string]timeline.Job{},
		began: map[string]time.Duration{}, ended: map[string]time.Duration{}, end: map[string]timeline.Evidence{}}
	for id, u := range tl.Final.Units {
		w.after[id] = append(w.after[id], u.After...)
		for _, b := range u.Before {
			w.after[b] = append(w.after[b], id)
		}
	}
	for id := range w.after {
		slices.Sort(w.after[id])
		w.after[id] = slices.Compact(w.after[id])
	}
	for _, j := range tl.Final.Jobs {
		w.job[j.Unit] = j
	}
	w.times()
	return w
}

// times takes the journal's first word on each unit, and systemd's own
// timestamps where they are earlier or the only ones: a unit without default
// dependencies starts before journald does.
func (w *waits) times() {
	first := func(m map[string]time.Duration, unit string, at time.Duration) bool {
		if have, ok := m[unit]; ok && have <= at {
			return false
		}
		m[unit] = at
		return true
	}
	for _, ev := range w.tl.Of(timeline.Starting, timeline.Started, timeline.StartFailed) {
		first(w.began, ev.Unit, ev.At)
		if ev.Kind != timeline.Starting && first(w.ended, ev.Unit, ev.At) {
			w.end[ev.Unit] = ev.Evidence
		}
	}
	for id, u := range w.tl.Final.Units {
		if u.InactiveExit > 0 {
			first(w.began, id, u.InactiveExit)
		}
		if u.ActiveEnter > 0 && first(w.ended, id, u.ActiveEnter) {
			w.end[id] = u.Evidence
		}
	}
}

// blockers are the units the queued job of unit waits for.
func (w *waits) blockers(unit string) []string {
	if j, ok := w.job[unit]; !ok || j.State == "running" {
		return nil
	}
	var out []string
	for _, a := range w.after[unit] {
		if _, queued := w.job[a]; queued && a != unit {
			out = append(out, a)
		}
	}
	return out
}

// chain follows the longest way from unit through what waits to what does not
// come to an end. The jobs at the end of a boot are few.
func (w *waits) chain(unit string) []string {
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
		for _, b := range w.blockers(u) {
			if c := walk(b); len(c) > len(best) {
				best = c
			}
		}
		open[u] = false
		memo[u] = append([]string{u}, best...)
		return memo[u]
	}
	return walk(unit)
}

// describe writes one link: what the unit is doing, and since when.
func (w *waits) describe(unit string) string {
	u := w.tl.Final.Units[unit]
	s := unit
	if j, ok := w.job[unit]; ok && j.State == "running" {
		s += fmt.Sprintf(" (%s job running", j.Type)
		if at, ok := w.began[unit]; ok {
			s += " since " + timeline.Since(at)
		}
		return s + ", " + cmp.Or(u.Active, "state unknown") + ")"
	}
	return s
}

func (w *waits) describeChain(units []string) string {
	parts := make([]string, len(units))
	for i, u := range units {
		parts[i] = w.describe(u)
	}
	return strings.Join(parts, ", which waits for ")
}

// queue describes each queued job and what it waits for.
func (w *waits) queue() []timeline.Evidence {
	jobs := slices.Clone(w.tl.Final.Jobs)
	slices.SortStableFunc(jobs, func(a, b timeline.Job) int {
		return cmp.Or(cmp.Compare(b2i(a.State == "waiting"), b2i(b.State == "waiting")), cmp.Compare(a.Unit, b.Unit))
	})
	var out []timeline.Evidence
	for _, j := range jobs {
		ev := j.Evidence
		if b := w.blockers(j.Unit); len(b) > 0 {
			ev.Text += ": waits for " + strings.Join(b, ", ")
		}
		out = append(out, ev)
	}
	return out
}

// late goes back from a unit that is up to what it was up last after, as
// systemd-analyze critical-chain does.
func (w *waits) late(unit string) []string {
	chain := []string{unit}
	for len(chain) < 16 {
		cur := chain[len(chain)-1]
		limit, ok := w.began[cur]
		if cur == unit || !ok {
			limit = w.ended[cur]
		}
		best, at := "", time.Duration(-1)
		for _, a := range w.after[cur] {
			if t, up := w.ended[a]; up && t <= limit+5*time.Millisecond && t > at && !slices.Contains(chain, a) {
				best, at = a, t
			}
		}
		if best == "" {
			break
		}
		chain = append(chain, best)
	}
	return chain
}

// describeLate writes a chain of `unit @when +duration`.
func (w *waits) describeLate(chain []string) string {
	var parts []string
	for _, u := range chain {
		s := fmt.Sprintf("%s @%s", u, round(w.ended[u]))
		if at, ok := w.began[u]; ok && w.ended[u]-at >= 10*time.Millisecond {
			s += fmt.Sprintf(" +%s", round(w.ended[u]-at))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " <- ")
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
