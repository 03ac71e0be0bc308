package picture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// maxUnits bounds the units of a picture; a boot that goes well has about twenty.
const maxUnits = 60

// alwaysSeen are the units a boot is about, beside the subject's.
var alwaysSeen = []string{check.Vector, "opensandbox-worker.service", "boot-logger.service", check.MultiUser, "basic.target"}

// units are the courses of the units worth seeing, a group each.
func units(tl timeline.Timeline, e check.Expect) []group {
	said := map[string][]timeline.Event{}
	for _, ev := range tl.Events {
		if ev.Manager || ev.Kind == timeline.Refused {
			said[ev.Unit] = append(said[ev.Unit], ev)
		}
	}
	state := state{tl: tl, atBoot: atBoot(tl.Final.Units), blockers: check.Blockers(tl), dropped: map[string]timeline.Event{}}
	for _, ev := range tl.Of(timeline.Cycle) {
		if _, known := state.dropped[ev.Change.Dropped]; !known {
			state.dropped[ev.Change.Dropped] = ev
		}
	}
	var out []group
	for _, unit := range worthSeeing(tl, e) {
		if events := state.course(unit, said[unit]); len(events) > 0 {
			out = append(out, group{unit, events})
		}
	}
	return out
}

// worthSeeing names them in the order of their worth: where there are too many,
// the last are left out.
func worthSeeing(tl timeline.Timeline, e check.Expect) []string {
	names := slices.Concat(alwaysSeen, e.SubjectUnits)
	for _, link := range check.CriticalChain(tl) {
		names = append(names, link.Unit)
	}
	for _, ev := range tl.Of(timeline.Failed, timeline.StartFailed, timeline.Refused) {
		names = append(names, ev.Unit)
	}
	for _, ev := range tl.Of(timeline.Cycle) {
		names = append(names, ev.Change.Dropped)
	}
	for _, id := range slices.Sorted(maps.Keys(tl.Final.Units)) {
		if u := tl.Final.Units[id]; u.Active == "failed" || cloudInit(id) {
			names = append(names, id)
		}
	}
	for _, j := range tl.Final.Jobs {
		names = append(names, j.Unit)
	}
	var out []string
	for _, n := range names {
		if n != "" && !slices.Contains(out, n) && len(out) < maxUnits {
			out = append(out, n)
		}
	}
	return out
}

// cloudInit: its units are called so from 20 on; before 24.3 the network stage
// is cloud-init.service.
func cloudInit(unit string) bool {
	for _, prefix := range []string{"cloud-init-", "cloud-init.", "cloud-config.", "cloud-final."} {
		if strings.HasPrefix(unit, prefix) {
			return strings.HasSuffix(unit, ".service")
		}
	}
	return false
}

// atBoot are the units that the boot's own transaction starts, since the default
// target wants them, directly or not: their jobs wait from the clock's zero.
func atBoot(all map[string]timeline.Unit) map[string]bool {
	wants := map[string][]string{}
	for id, u := range all {
		for _, by := range slices.Concat(u.WantedBy, u.RequiredBy) {
			wants[by] = append(wants[by], id)
		}
	}
	in := map[string]bool{}
	open := []string{"default.target", "graphical.target", check.MultiUser}
	for len(open) > 0 {
		unit := open[len(open)-1]
		open = open[:len(open)-1]
		if !in[unit] {
			in[unit] = true
			open = append(open, wants[unit]...)
		}
	}
	return in
}

// state is what a course is read from, beside what PID 1 said of the unit.
type state struct {
	tl       timeline.Timeline
	atBoot   map[string]bool
	blockers map[string][]string
	dropped  map[string]timeline.Event // units whose start was deleted to break an ordering cycle
}

// course is one unit from the boot's beginning to its end.
func (s state) course(unit string, said []timeline.Event) []results.Event {
	c := course{unit: unit, last: s.tl.Final.Units[unit]}
	if ev, dropped := s.dropped[unit]; dropped {
		c.moment(cycleAt(ev), results.LaneFailed, "the start job was deleted to break an ordering cycle", true)
	} else if s.atBoot[unit] {
		c.begin(0, results.LaneWaiting, "")
	}
	if first := slices.IndexFunc(said, starts); first < 0 || said[first].Kind == timeline.Started {
		c.beforeTheJournal(said, first)
	}
	for _, ev := range said {
		c.see(ev)
	}
	c.finish(s)
	slices.SortStableFunc(c.out, func(a, b results.Event) int { return cmp.Compare(a.At, b.At) })
	return c.out
}

func starts(ev timeline.Event) bool {
	return slices.Contains([]timeline.Kind{timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Skipped}, ev.Kind)
}

// finish ends what goes on at the end, if the unit's last state bears it out.
func (c *course) finish(s state) {
	end := s.tl.End
	queued := slices.IndexFunc(s.tl.Final.Jobs, func(j timeline.Job) bool { return j.Unit == c.unit })
	waits := ""
	if queued >= 0 && s.tl.Final.Jobs[queued].State == "waiting" {
		waits = fmt.Sprintf("the %s job still waits at the end", s.tl.Final.Jobs[queued].Type)
		if b := s.blockers[c.unit]; len(b) > 0 {
			waits = clip(waits + ", for " + strings.Join(b, ", "))
		}
	}
	switch c.open.Lane {
	case results.LaneWaiting:
		if waits == "" { // the job was dropped, or never there
			c.open = results.Event{}
			break
		}
		c.open.Text, waits = waits, ""
	case results.LaneStart:
		c.open.Text = strings.TrimPrefix(c.open.Text+", still starts at the end", ", ")
	case results.LaneActive:
		if c.last.Active == "inactive" || c.last.Active == "failed" {
			c.out = append(c.out, results.Event{At: c.open.At, Lane: results.LaneActive, Name: c.unit, Text: "its end is not in the journal"})
			c.open = results.Event{}
		}
	}
	c.end(end)
	if waits != "" {
		c.moment(end, results.LaneWaiting, waits, false)
	}
	if c.last.Active == "failed" && !slices.ContainsFunc(c.out, func(e results.Event) bool { return e.Lane == results.LaneFailed }) {
		c.moment(end, results.LaneFailed, cmp.Or(c.last.Result, "failed")+", as the end shows", true)
	}
}
