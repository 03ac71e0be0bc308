package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A numbered line is written every half second while most goes on, the first
// twenty seconds, and then every two: a hundred waiting machines that logged
// twice a second kept two cores busy, and disturbed those that booted.
const (
	tick     = 500 * time.Millisecond
	slowTick = 2 * time.Second
	quickFor = 40 // lines
)

// after is the time from the line with this number to the next.
func after(seq int) time.Duration {
	if seq < quickFor {
		return tick
	}
	return slowTick
}

// line is one numbered log line. Late says by how much its writer was kept off
// the processor, which is how a recording knows that its boot was disturbed.
type line struct {
	Source string `json:"source"`
	Seq    int    `json:"seq"`
	LateUS int64  `json:"late_us"`
	Msg    string `json:"msg"`
}

// logLines writes numbered lines until ctx ends.
func logLines(ctx context.Context, w io.Writer, source, msg string) error {
	out := json.NewEncoder(w)
	due := monotonic()
	for seq := 1; ; seq++ {
		late := monotonic() - due
		if err := out.Encode(line{Source: source, Seq: seq, LateUS: late.Microseconds(), Msg: msg}); err != nil {
			return fmt.Errorf("write line %d: %w", seq, err)
		}
		// From the schedule, not from now: else lateness would hide itself.
		due += after(seq)
		if now := monotonic(); due < now-slowTick {
			due = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(due - monotonic()):
		}
	}
}
