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

// Failure is a unit that failed at some moment: it entered failed, or its start failed.
type Failure struct {
	Unit   string
	At     time.Duration // the first time
	Result string        // of the first time, as systemd.exec(5) names it; empty: only its start is known to have failed
	Times  int           // how often the journal has it entering failed
	// Evidence is that of the first two times and of the last, and the state at the end.
	Evidence []timeline.Evidence
}

// Failures are the units that failed, by name. The console counts where the journal has
// nothing of a unit: before journald runs, PID 1 speaks there only.
func (b Facts) Failures() Seen[Failure] {
	byUnit := map[string]*Failure{}
	of := func(unit string, at time.Duration) *Failure {
		if byUnit[unit] == nil {
			byUnit[unit] = &Failure{Unit: unit, At: at}
		}
		return byUnit[unit]
	}
	for _, ev := range append(b.failed(false), b.failed(true)...) {
		unit := ev.Unit
		if ev.Untimed {
			if unit = consoleName(ev); named(byUnit, unit) {
				continue // the journal has it, with the time
			}
		}
		f := of(unit, ev.At)
		if f.Evidence = append(f.Evidence, ev.Evidence); len(f.Evidence) > 3 {
			f.Evidence = append(f.Evidence[:2], f.Evidence[3])
		}
		if ev.Kind == timeline.Failed {
			if f.Times++; f.Times == 1 {
				f.Result = ev.Change.Result
			}
		}
	}
	for id, u := range b.Final.Units {
		if u.Active == "failed" {
			f := of(id, b.End)
			f.Evidence = append(f.Evidence, u.Evidence)
			f.Result = cmp.Or(f.Result, u.Result)
		}
	}
	var out []Failure
	for _, unit := range slices.Sorted(maps.Keys(byUnit)) {
		out = append(out, *byUnit[unit])
	}
	return seen(b, out, timeline.Journal, timeline.Console, timeline.Units)
}

// failed are the console's words on failures, or all others.
func (b Facts) failed(console bool) []timeline.Event {
	var out []timeline.Event
	for _, ev := range b.Events {
		if ev.Untimed == console && failure(ev) {
			out = append(out, ev)
		}
	}
	return out
}

// failure: a unit entered failed, or its start failed. A start that failed only because
// of what it depends on leaves the unit inactive; the other one is found.
func failure(ev timeline.Event) bool {
	switch ev.Kind {
	case timeline.Failed:
		return true
	case timeline.StartFailed:
		return ev.Change.JobResult == "failed" || ev.Change.JobResult == "timeout"
	case timeline.OnConsole:
		return ev.Status == "FAILED"
	}
	return false
}

// consoleName is the unit a "[FAILED] Failed to start …" line names. systemd shortens
// long lines in the middle with "…", and what is left is a prefix.
func consoleName(ev timeline.Event) string {
	if ev.Unit != "" {
		return ev.Unit
	}
	if _, name, ok := strings.Cut(ev.Text, "Failed to start "); ok {
		return name
	}
	return ev.Text
}

func named(byUnit map[string]*Failure, name string) bool {
	prefix, _, short := strings.Cut(name, "…")
	for unit := range byUnit {
		if unit == name || short && strings.HasPrefix(unit, prefix) {
			return true
		}
	}
	return false
}

// Refusal is a unit that was refused a start.
type Refusal struct {
	Unit     string
	At       time.Duration // the first time
	Text     string        // what systemd said of it
	Evidence []timeline.Evidence
}

// limitHit is the result of a unit whose last start was refused by its limit.
const limitHit = "start-limit-hit"

// Refusals are the units that were refused a start, at most three words on each: a start
// limit was hit, or a job that somebody asked for was not granted. The unit's result is
// usually that of its last failure, not start-limit-hit.
func (b Facts) Refusals() Seen[Refusal] {
	var out []Refusal
	add := func(r Refusal, ev timeline.Evidence) {
		i := slices.IndexFunc(out, func(o Refusal) bool { return o.Unit == r.Unit })
		if i < 0 {
			i, out = len(out), append(out, r)
		}
		if len(out[i].Evidence) < 3 {
			out[i].Evidence = append(out[i].Evidence, ev)
		}
	}
	for _, ev := range b.Events {
		if ev.Kind == timeline.Refused || ev.Kind == timeline.Failed && ev.Change.Result == limitHit {
			add(Refusal{Unit: ev.Unit, At: ev.At, Text: ev.Text}, ev.Evidence)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[id]; u.Result == limitHit {
			add(Refusal{Unit: id, At: b.End, Text: fmt.Sprintf("its result is %s", limitHit)}, u.Evidence)
		}
	}
	return seen(b, out, timeline.Journal, timeline.Console, timeline.Units)
}
