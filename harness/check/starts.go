package check

import (
	"time"

	"bootrace/harness/timeline"
)

// start is one start of a unit.
type start struct {
	at       time.Duration
	evidence timeline.Evidence
}

// starts counts them by invocation ID: systemd makes a new one each time it
// really starts a unit (systemd.exec(5), $INVOCATION_ID). "Starting" alone would
// miss a Type=simple service, of which only "Started" is said; a refused start
// keeps the ID of the one before.
func starts(tl timeline.Timeline) map[string][]start {
	seen := map[string]bool{}
	out := map[string][]start{}
	open := map[string]bool{} // without an ID: "Starting" seen, its end not yet
	for _, ev := range tl.Of(timeline.Starting, timeline.Started, timeline.StartFailed) {
		id := ev.Change.Invocation
		switch {
		case id != "" && seen[id]:
			continue
		case id != "":
			seen[id] = true
		case ev.Kind == timeline.Starting:
			open[ev.Unit] = true
		case open[ev.Unit] || ev.Kind == timeline.StartFailed:
			open[ev.Unit] = false
			continue
		}
		out[ev.Unit] = append(out[ev.Unit], start{ev.At, ev.Evidence})
	}
	return out
}

// busiest finds the most starts within any window of that length, and where it begins.
func busiest(s []start, window time.Duration) (n, first int) {
	for lo, hi := 0, 0; hi < len(s); hi++ {
		for s[hi].at-s[lo].at >= window {
			lo++
		}
		if hi-lo+1 > n {
			n, first = hi-lo+1, lo
		}
	}
	return n, first
}
