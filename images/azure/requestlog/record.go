// Package requestlog writes what the emulated cloud was asked and what it
// answered: one JSON line a request, timed on the monotonic clock that the
// journal of the same machine is timed on.
//
// It holds nothing back and keeps nothing: a line is written when its request
// ends. No secret's value reaches a line, wherever a client put it: it stands
// there as [secret:NAME].
package requestlog

import "bootrace/harness/recording"

// Record is one line.
type Record = recording.Request
