package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/results"
	"bootrace/results/page"
)

// writeJudged writes what was judged as a page, each boot as a case of a run that never was.
func writeJudged(w io.Writer, all []judged, now time.Time) error {
	p := page.Page{Run: results.Run{Version: results.Version, ID: "judged", Started: now, Ended: now, Vector: "-", Planned: len(all)}, Explained: map[string]page.Why{}}
	for i, b := range all {
		c := results.Case{ID: fmt.Sprintf("%s#%d", label(b), i+1), Scenario: b.Host, Base: strings.Join(b.Files, ", "), Repetition: i + 1, Subject: p.Run.Subject, Backend: "host",
			Expected: "pass", Verdict: b.Verdict, Reason: b.Headline, Recording: b.from}
		c.Attempts = []results.Attempt{attemptOf(b)}
		p.Run.Cases = append(p.Run.Cases, c)
		if b.Verdict == "fail" {
			p.Explained[c.ID] = page.Why{Check: "why", Saw: b.Headline, More: b.Notes, Then: b.Then, Change: b.Change}
		}
	}
	return page.HTML(w, p)
}

func attemptOf(b judged) results.Attempt {
	a := results.Attempt{Verdict: b.Verdict, Reason: b.Headline, Recording: b.from}
	for _, r := range b.Checks {
		c := results.Check{Name: r.Check, Outcome: string(r.Outcome), Note: r.Note}
		for _, f := range r.Findings {
			finding := results.Finding{Summary: f.Summary, At: f.At, Unit: f.Unit}
			for _, e := range f.Evidence {
				finding.Evidence = append(finding.Evidence, results.Evidence{File: e.File, Line: e.Line, Text: e.Text})
			}
			c.Findings = append(c.Findings, finding)
		}
		a.Checks = append(a.Checks, c)
	}
	a.Boot = b.picture
	return a
}

// pictureOf is the boot on its clock; nil where it has none.
func pictureOf(j judge.Judgement) *results.Boot {
	if boot := picture.Of(j.Boot, j.Expect.Setup, j.Expect.Control); boot.End > 0 {
		return &boot
	}
	return nil
}
