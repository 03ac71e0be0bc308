package check

import (
	"time"

	"bootrace/harness/timeline"
)

// Link is a unit of a boot's critical chain.
type Link struct {
	Unit  string
	Began time.Duration // first sign of its start; Ended where there is none
	Ended time.Duration // its start was done
}

// CriticalChain is what multi-user.target was up after, from the last unit to
// the first, as systemd-analyze critical-chain has it; nil if it was not reached.
func CriticalChain(tl timeline.Timeline) []Link {
	if _, reached := tl.Reached(MultiUser); !reached {
		return nil
	}
	w := waitsOf(tl)
	var out []Link
	for _, unit := range w.late(MultiUser) {
		began, ok := w.began[unit]
		if !ok {
			began = w.ended[unit]
		}
		out = append(out, Link{Unit: unit, Began: began, Ended: w.ended[unit]})
	}
	return out
}

// Blockers names, for each unit whose start is queued at the end and does not
// run, the queued units that it waits for.
func Blockers(tl timeline.Timeline) map[string][]string {
	w := waitsOf(tl)
	out := map[string][]string{}
	for unit, j := range w.job {
		if j.State != "running" {
			out[unit] = w.blockers(unit)
		}
	}
	return out
}
