package likeness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// Event is a key event, and when it was.
type Event struct {
	Name    string           `json:"name"`
	Journal *time.Duration   `json:"journal_ns"` // nil: not in it
	Boots   []*time.Duration `json:"boots_ns"`
	AtMost  bool             `json:"at_most,omitempty"` // in the journal: it may have been before
}

func (c comparison) events() (rows []Event, unseen []string) {
	for _, e := range c.rows {
		row := Event{Name: e.name}
		had, has := c.had.at[e.name]
		if has {
			row.Journal, row.AtMost = &had.at, had.atMost
		}
		n := 0
		for _, b := range c.courses {
			if p, ok := b.at[e.name]; ok {
				row.Boots = append(row.Boots, &p.at)
				n++
			} else {
				row.Boots = append(row.Boots, nil)
			}
		}
		if !has && n == 0 {
			continue
		}
		rows = append(rows, row)
		early := c.count(func(i int) bool {
			p, ok := c.courses[i].at[e.name]
			return !has && ok && c.had.begunBefore(c.courses[i], p.at) || has && !ok && c.courses[i].begunBefore(c.had, had.at)
		})
		switch {
		case c.most(early) || c.most(c.lacks(e.name)):
		case !has && c.most(n):
			unseen = append(unseen, fmt.Sprintf("%s is not in the journal, which has not all of the boot", e.name))
		case has && !c.most(n):
			unseen = append(unseen, fmt.Sprintf("%s is not in the boots, which were not followed that far", e.name))
		}
	}
	return rows, unseen
}

// lacks is in how many boots an event is there, and not in the journal, or the other way
// round, though both were followed past it.
func (c comparison) lacks(name string) int {
	had, has := c.had.at[name]
	return c.count(func(i int) bool {
		p, ok := c.courses[i].at[name]
		switch {
		case has && !ok:
			return c.courses[i].passed(c.had, had.at) && !c.courses[i].begunBefore(c.had, had.at)
		case ok && !has:
			return c.had.passed(c.courses[i], p.at) && !c.had.begunBefore(c.courses[i], p.at)
		}
		return false
	})
}

// presence are the key events that only one side has.
func (c comparison) presence(rows []Event) []Difference {
	var out []Difference
	for _, row := range rows {
		n := c.lacks(row.Name)
		if !c.most(n) {
			continue
		}
		what := fmt.Sprintf("%s in %d of %d boots, and not in the journal", row.Name, n, len(c.boots))
		if row.Journal != nil {
			what = fmt.Sprintf("%s in the journal, at %s, and not in %d of %d boots", row.Name, timeline.Since(*row.Journal), n, len(c.boots))
		}
		out = append(out, Difference{what, c.try(row.Name)})
	}
	return out
}

// before: it is known that x was before y, which may have no upper bound only.
func before(x, y point) bool { return y.at-x.at > margin && !y.atMost }

// order are the key events that are the other way round in most boots.
func (c comparison) order() []Difference {
	var out []Difference
	names := slices.SortedFunc(maps.Keys(c.had.at), func(x, y string) int {
		return cmp.Or(cmp.Compare(c.had.at[x].at, c.had.at[y].at), cmp.Compare(x, y))
	})
	for i, x := range names {
		for _, y := range names[i+1:] {
			if !before(c.had.at[x], c.had.at[y]) {
				continue
			}
			n := c.count(func(i int) bool {
				bx, hasX := c.courses[i].at[x]
				by, hasY := c.courses[i].at[y]
				return hasX && hasY && before(by, bx)
			})
			if c.most(n) {
				out = append(out, Difference{fmt.Sprintf("%s before %s in the journal, after it in %d of %d boots", x, y, n, len(c.boots)), c.try(x)})
			}
		}
	}
	return out
}

// heldInBoth names the unit whose start took long in the journal and in most boots.
func (c comparison) heldInBoth() string {
	for _, unit := range []string{c.populator, boot.Vector} {
		n := c.count(func(i int) bool { return c.courses[i].took[unit].Took >= longStart })
		if c.had.took[unit].Took >= longStart && c.most(n) {
			return unit
		}
	}
	return ""
}

// held are starts that took long in the journal and not in the boots, or the other way round.
func (c comparison) held() []Difference {
	var out []Difference
	for _, unit := range []string{c.populator, boot.Vector} {
		had, has := c.had.took[unit]
		n := c.count(func(i int) bool {
			w, ok := c.courses[i].took[unit]
			long, short := had, w
			if w.Took > had.Took {
				long, short = w, had
			}
			return has && ok && long.Took >= longStart && short.Took < longStart && !short.Ongoing
		})
		if c.most(n) {
			i := slices.IndexFunc(c.courses, func(b course) bool { return (b.took[unit].Took >= longStart) != (had.Took >= longStart) })
			out = append(out, Difference{fmt.Sprintf("%s took %s to start in the journal, %s in a boot, as in %d of %d", unit, boot.Round(had.Took), boot.Round(c.courses[i].took[unit].Took), n, len(c.boots)), c.try(unit)})
		}
	}
	return out
}
