// Package requestlog writes what the emulated cloud was asked and what it
// answered: one JSON line a request, timed on the monotonic clock that the
// journal of the same machine is timed on.
//
// It holds nothing back and keeps nothing: a line is written when its request
// ends. No secret's value reaches a line, wherever a client put it: it stands
// there as [secret:NAME].
package requestlog

import (
	"time"

	"golang.org/x/sys/unix"

	"bootrace/images/azure/bearer"
	"bootrace/images/azure/fault"
)

// Record is one line. A service fills in what it learns of a request; the fields
// of the connection and of the answer are its caller's.
type Record struct {
	Mono    int64  `json:"mono"` // CLOCK_MONOTONIC in nanoseconds, at arrival
	Service string `json:"service"`
	Op      string `json:"op"`

	Method       string        `json:"method,omitempty"`
	Host         string        `json:"host,omitempty"`
	Path         string        `json:"path,omitempty"`
	Query        string        `json:"query,omitempty"`
	Status       int           `json:"status,omitempty"`
	Duration     time.Duration `json:"duration_ns,omitempty"`
	Bytes        int64         `json:"bytes,omitempty"`         // of the answer's body
	RequestBytes int64         `json:"request_bytes,omitempty"` // of the request's body, as sent

	Secret      string      `json:"secret,omitempty"`
	Version     string      `json:"version,omitempty"`
	Error       string      `json:"error,omitempty"` // a code, or a handshake's error
	Auth        bearer.Auth `json:"auth,omitempty"`
	RetryAfterS int         `json:"retry_after_s,omitempty"`

	Dataset   string            `json:"dataset,omitempty"`
	TokenName string            `json:"token_name,omitempty"` // the secret whose value the bearer is
	Events    int               `json:"events,omitempty"`
	Lines     map[string]string `json:"lines,omitempty"` // source -> ranges of seq
	// Metrics is how many events are the worker's metrics, Identity how many of those
	// with numbered lines have each value that says who sent them, by its variable.
	Metrics   int            `json:"metrics,omitempty"`
	Numbered  int            `json:"numbered,omitempty"` // events with numbered lines
	Identity  map[string]int `json:"identity,omitempty"`
	Worker    string         `json:"worker,omitempty"`
	UserAgent string         `json:"user_agent,omitempty"`

	Fault fault.Kind `json:"fault,omitempty"` // what went wrong on purpose
	Value string     `json:"-"`               // a rotated secret's, for the service
}

// Monotonic returns CLOCK_MONOTONIC in nanoseconds: the clock of the journal's
// __MONOTONIC_TIMESTAMP, which Go's own monotonic readings do not reveal.
func Monotonic() int64 {
	var t unix.Timespec
	// clock_gettime(2): CLOCK_MONOTONIC exists on every Linux, and t is ours.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
