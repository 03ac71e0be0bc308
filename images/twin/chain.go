package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// unitTimes is what the critical chain is made of; times are of
// CLOCK_MONOTONIC in microseconds, 0 for never.
type unitTimes struct {
	activating, activated uint64
	after                 []string
}

// criticalChain is the chain of units that a target came after, each the last
// of those before it to become active, as systemd-analyze(1) critical-chain
// prints it: after @ when it began to start, after + how long that took. Ours, because systemd-analyze asks for all properties of all units
// (see units.go): up to 2 s in which PID 1 does nothing else.
func criticalChain(units map[string]unitTimes, target string, zero uint64) string {
	root, ok := units[target]
	if !ok || root.activated == 0 {
		return target + " was not reached\n"
	}
	var b strings.Builder
	seen := map[string]bool{}
	fmt.Fprintf(&b, "%s @%s\n", target, span(root.activated-zero))
	for depth, name := 0, target; !seen[name]; depth++ {
		seen[name] = true
		var last string
		for _, dep := range slices.Sorted(slices.Values(units[name].after)) {
			// A unit that came later than the one it is ordered before was started anew.
			if u := units[dep]; u.activated >= zero && u.activated > 0 && u.activated <= root.activated && !seen[dep] &&
				(last == "" || u.activated > units[last].activated) {
				last = dep
			}
		}
		if last == "" {
			break
		}
		u := units[last]
		fmt.Fprintf(&b, "%s└─%s ", strings.Repeat("  ", depth), last)
		if u.activating > 0 && u.activated > u.activating {
			fmt.Fprintf(&b, "@%s +%s", span(u.activating-zero), span(u.activated-u.activating))
		} else {
			fmt.Fprintf(&b, "@%s", span(u.activated-zero))
		}
		b.WriteByte('\n')
		name = last
	}
	return b.String()
}

func span(us uint64) string {
	return (time.Duration(us) * time.Microsecond).Round(time.Millisecond).String()
}
