// Package requestlog writes what the emulated cloud was asked and what it
// answered: one JSON line a request, timed on the monotonic clock that the
// journal of the same machine is timed on.
//
// It holds nothing back and keeps nothing: a line is written when its request
// ends. No secret's value reaches a line, wherever a client put it: it stands
// there as [secret:NAME].
package requestlog

import (
	"golang.org/x/sys/unix"

	"bootrace/harness/recording"
)

// Record is one line.
type Record = recording.Request

// Monotonic returns CLOCK_MONOTONIC in nanoseconds: the clock of the journal's
// __MONOTONIC_TIMESTAMP, which Go's own monotonic readings do not reveal.
func Monotonic() int64 {
	var t unix.Timespec
	// clock_gettime(2): CLOCK_MONOTONIC exists on every Linux, and t is ours.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
