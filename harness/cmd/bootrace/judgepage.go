package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/harness/run"
	"bootrace/results"
	"bootrace/results/page"
)

// writeJudged writes what was judged as a page, each boot as a case of a run that never was.
func writeJudged(w io.Writer, all []judged, now time.Time) error {
	p := page.Page{Run: results.Run{Version: results.Version, ID: "judged", Started: now, Ended: now, Vector: "-", Planned: len(all)}, Explained: map[string]page.Why{}}
	for i, b := range all {
		c := results.Case{ID: fmt.Sprintf("%s#%d", label(b), i+1), Scenario: b.Host, Base: strings.Join(b.Files, ", "), Repetition: i + 1, Backend: "host",
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
	return results.Attempt{Verdict: b.Verdict, Reason: b.Headline, Recording: b.from, Boot: b.picture,
		Checks: run.Stored(b.Checks, func(check.Finding) string { return "" })}
}

// pictureOf is the boot on its clock; nil where it has none.
func pictureOf(j judge.Judgement) *results.Boot {
	if boot := picture.Of(j.Boot, j.Expect.Setup, j.Expect.Control); boot.End > 0 {
		return &boot
	}
	return nil
}
