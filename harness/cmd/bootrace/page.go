package main

import (
	"io"

	"bootrace/results"
	"bootrace/results/page"
)

// writePage writes a run as a page, with why its cases failed, what the runs
// before it measured, and the run to compare it with.
func writePage(w io.Writer, r results.Run, o others) error {
	p := page.Page{Run: withBoots(r), Explained: map[string]page.Why{}}
	for _, c := range r.Cases {
		if c.AsExpected() {
			continue
		}
		if e, ok, _ := explained(c); ok { // without its recording it is still explained, in less detail
			p.Explained[c.ID] = page.Why{Check: e.Check, Saw: e.Why, More: e.More, Then: e.Then, Change: e.Change}
		}
	}
	var err error
	if p.Trends, err = o.samples(); err != nil {
		return err
	}
	if o.against != "" {
		other, err := o.run(o.against)
		if err != nil {
			return err
		}
		p.Against = withBoots(other)
	}
	return page.HTML(w, p)
}

// trendRuns is how many runs a page goes back for its trends.
const trendRuns = 60
