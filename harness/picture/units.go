package picture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// maxUnits bounds the units of a picture; a boot that goes well has about twenty.
const maxUnits = 60

// alwaysSeen are the units a boot is about, beside the subject's.
var alwaysSeen = []string{boot.Vector, "opensandbox-worker.service", "boot-logger.service", boot.MultiUser, "basic.target"}

// units are the courses of the units worth seeing, a group each.
func units(b boot.Facts, s boot.Setup) []group {
	said := map[string][]timeline.Event{}
	for _, ev := range b.Events {
		if ev.Manager || ev.Kind == timeline.Refused {
			said[ev.Unit] = append(said[ev.Unit], ev)
		}
	}
	cycles := b.Cycles().All
	var out []group
	for _, unit := range worthSeeing(b, s) {
		if events := courseOf(b, unit, said[unit], cycles); len(events) > 0 {
			out = append(out, group{unit, events})
		}
	}
	return out
}

// worthSeeing names them in the order of their worth: where there are too many,
// the last are left out.
func worthSeeing(b boot.Facts, s boot.Setup) []string {
	names := slices.Concat(alwaysSeen, s.SubjectUnits)
	for _, link := range b.CriticalChain(boot.MultiUser) {
		names = append(names, link.Unit)
	}
	for _, f := range b.Failures().All {
		if f.Result != boot.ForDependency { // what it depends on is worth more
			names = append(names, f.Unit)
		}
	}
	for _, r := range b.Refusals().All {
		names = append(names, r.Unit)
	}
	for _, ev := range b.Of(timeline.StartFailed) { // also for want of what it depends on
		names = append(names, ev.Unit)
	}
	for _, c := range b.Cycles().All {
		names = append(names, c.Unit)
	}
	names = append(names, slices.DeleteFunc(slices.Sorted(maps.Keys(b.Final.Units)), func(id string) bool { return !cloudInit(id) })...)
	for _, j := range b.Final.Jobs {
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

// courseOf is one unit from the boot's beginning to its end.
func courseOf(b boot.Facts, unit string, said []timeline.Event, cycles []boot.Cycle) []results.Event {
	c := course{unit: unit, last: b.Final.Units[unit]}
	if i := slices.IndexFunc(cycles, func(c boot.Cycle) bool { return c.Dropped && c.Unit == unit }); i >= 0 {
		c.moment(cycles[i].At, results.LaneFailed, "the start job was deleted to break an ordering cycle", true)
	} else if b.WantedAtBoot(unit) {
		c.begin(0, results.LaneWaiting, "")
	}
	if first := slices.IndexFunc(said, starts); first < 0 || said[first].Kind == timeline.Started {
		c.beforeTheJournal(said, first)
	}
	for _, ev := range said {
		c.see(ev)
	}
	c.finish(b)
	slices.SortStableFunc(c.out, func(a, b results.Event) int { return cmp.Compare(a.At, b.At) })
	return c.out
}

func starts(ev timeline.Event) bool {
	return slices.Contains([]timeline.Kind{timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Skipped}, ev.Kind)
}

// finish ends what goes on at the end, if the unit's last state bears it out.
func (c *course) finish(b boot.Facts) {
	waits := ""
	if j, queued := b.Job(c.unit); queued && j.State == "waiting" {
		waits = fmt.Sprintf("the %s job still waits at the end", j.Type)
		if blockers := b.Blockers(c.unit); len(blockers) > 0 {
			waits = clip(waits + ", for " + strings.Join(blockers, ", "))
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
	c.end(b.End)
	if waits != "" {
		c.moment(b.End, results.LaneWaiting, waits, false)
	}
	if c.last.Active == "failed" && !slices.ContainsFunc(c.out, func(e results.Event) bool { return e.Lane == results.LaneFailed }) {
		c.moment(b.End, results.LaneFailed, cmp.Or(c.last.Result, "failed")+", as the end shows", true)
	}
}
