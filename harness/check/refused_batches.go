package check

import (
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// final are the answers after which Vector's axiom sink drops a batch; it
// retries 408, 429, the other 5xx, and what fails below HTTP.
var final = []int{400, 401, 403, 404, 501}

// refusedBatches finds batches of logs that were dropped.
func refusedBatches(b boot.Facts) []Finding {
	type group struct {
		batches, events int
		first           timeline.Event
		ev              []timeline.Evidence
	}
	groups := map[int]*group{}
	for _, ev := range b.Of(timeline.Request) {
		c := ev.Call
		if c.Op != "ingest" || !slices.Contains(final, c.Status) || !carriesLogs(c) {
			continue
		}
		g := groups[c.Status]
		if g == nil {
			g = &group{first: ev}
			groups[c.Status] = g
		}
		g.batches, g.events = g.batches+1, g.events+c.Events
		if len(g.ev) < 3 {
			g.ev = append(g.ev, ev.Evidence)
		}
	}
	var out []Finding
	for status, g := range groups {
		how := ""
		if auth := g.first.Call.Auth; auth != "" && auth != "ok" {
			how = ", token " + auth
		}
		out = append(out, Finding{At: g.first.At, Unit: boot.Vector, Intrinsic: true, Evidence: g.ev,
			Summary: fmt.Sprintf("Axiom refused %d batches with %d events (%d%s): Vector drops them for good", g.batches, g.events, status, how)})
	}
	return out
}

// carriesLogs tells batches of logs from those of the metrics sink, which has a
// dataset and token of its own. Both are optional in the vault, and without them
// Axiom answers 404 to an empty dataset for ever: by design, and no line is lost.
func carriesLogs(c *timeline.Call) bool {
	if len(c.Lines) > 0 {
		return true
	}
	metrics := strings.Contains(c.Dataset, "metrics") || strings.Contains(c.TokenName, "metrics")
	return c.Events > 0 && c.Dataset != "" && !metrics
}
