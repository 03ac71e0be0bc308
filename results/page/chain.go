package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bootrace/results"
)

// comparison is two boots' critical chains side by side.
type comparison struct {
	Other string // the boot beside this one, and why it
	Rows  []chainRow
	Most  time.Duration // the longest start of both, which a bar is whole for
}

// chainRow is a unit of one chain or of both.
type chainRow struct {
	Unit        string
	This, Other *results.Link // nil: not in that chain
}

// compared puts the chains side by side, the last unit first: this boot's order,
// and what only the other one has before the unit that it came before there.
func compared(this, other []results.Link) []chainRow {
	find := func(chain []results.Link, unit string) int {
		return slices.IndexFunc(chain, func(l results.Link) bool { return l.Unit == unit })
	}
	var rows []chainRow
	next := 0 // of other
	skip := func(to int) {
		for ; next < to; next++ {
			if find(this, other[next].Unit) < 0 {
				rows = append(rows, chainRow{Unit: other[next].Unit, Other: &other[next]})
			}
		}
	}
	for i := range this {
		row := chainRow{Unit: this[i].Unit, This: &this[i]}
		if at := find(other, this[i].Unit); at >= 0 {
			skip(at)
			next = max(next, at+1)
			row.Other = &other[at]
		}
		rows = append(rows, row)
	}
	skip(len(other))
	return rows
}

// against is what a case's chain is compared with: the same case of the other
// run, if there is one, else the fastest boot of this run that passed.
func (p Page) against(c results.Case) (comparison, bool) {
	this := c.Decided().Boot
	if this == nil {
		return comparison{}, false
	}
	other, name, ok := p.counterpart(c)
	if !ok {
		other = &results.Boot{}
	}
	cmp := comparison{Other: name, Rows: compared(this.Chain, other.Chain)}
	for _, l := range slices.Concat(this.Chain, other.Chain) {
		cmp.Most = max(cmp.Most, l.Ended-l.Began)
	}
	return cmp, len(cmp.Rows) > 0
}

func (p Page) counterpart(c results.Case) (*results.Boot, string, bool) {
	for _, o := range p.Against.Cases {
		if b := o.Decided().Boot; o.ID == c.ID && b != nil && len(b.Chain) > 0 {
			return b, fmt.Sprintf("the same case of run %s (%s)", p.Against.ID, o.Verdict), true
		}
	}
	var best *results.Case
	for i, o := range p.Run.Cases {
		b := o.Decided().Boot
		if o.ID == c.ID || o.Verdict != "pass" || b == nil || len(b.Chain) == 0 {
			continue
		}
		if best == nil || faster(o, *best, c.Base) {
			best = &p.Run.Cases[i]
		}
	}
	if best == nil {
		return nil, "", false
	}
	return best.Decided().Boot, fmt.Sprintf("%s, the fastest other boot of this run that passed", best.ID), true
}

// faster reports whether a is the better boot to compare with: of the same base
// first, then by multi-user.target.
func faster(a, b results.Case, base string) bool {
	reached := func(c results.Case) time.Duration { return c.Decided().Boot.Chain[0].Ended }
	if (a.Base == base) != (b.Base == base) {
		return a.Base == base
	}
	return cmp.Or(cmp.Compare(reached(a), reached(b)), cmp.Compare(a.ID, b.ID)) < 0
}

// Only says of a unit of one chain which one that is.
func (r chainRow) Only() string {
	switch {
	case r.Other == nil:
		return "only in this boot"
	case r.This == nil:
		return "only in the other"
	}
	return ""
}

// Later is how much later this boot had the unit than the other one, and Longer
// how much longer the unit took in it, in seconds.
func (r chainRow) Later() string {
	return r.difference(func(l results.Link) time.Duration { return l.Ended })
}

// Longer: see Later.
func (r chainRow) Longer() string {
	return r.difference(func(l results.Link) time.Duration { return l.Ended - l.Began })
}

func (r chainRow) difference(of func(results.Link) time.Duration) string {
	if r.This == nil || r.Other == nil {
		return ""
	}
	return fmt.Sprintf("%+.3f", (of(*r.This) - of(*r.Other)).Seconds())
}

// Bar is the length of a unit's bar, of 100.
func (c comparison) Bar(l *results.Link) string {
	if l == nil || c.Most <= 0 {
		return "0"
	}
	return place(100 * float64(l.Ended-l.Began) / float64(c.Most))
}

// took and reached print a link's columns.
func took(l *results.Link) string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%.3f", (l.Ended - l.Began).Seconds())
}

func reached(l *results.Link) string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%.3f", l.Ended.Seconds())
}
