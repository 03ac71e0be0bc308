package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// tick is how often a numbered line is written: often enough that a loss of
// half a second shows, rare enough that a waiting machine costs nothing.
const tick = 500 * time.Millisecond

// line is one numbered log line. Late says by how much its writer was kept off
// the processor, which is how a recording knows that its boot was disturbed.
type line struct {
	Source string `json:"source"`
	Seq    int    `json:"seq"`
	LateUS int64  `json:"late_us"`
	Msg    string `json:"msg"`
}

// logLines writes a numbered line every tick until ctx ends.
func logLines(ctx context.Context, w io.Writer, source, msg string) error {
	out := json.NewEncoder(w)
	due := monotonic()
	for seq := 1; ; seq++ {
		late := monotonic() - due
		if err := out.Encode(line{Source: source, Seq: seq, LateUS: late.Microseconds(), Msg: msg}); err != nil {
			return fmt.Errorf("write line %d: %w", seq, err)
		}
		// From the schedule, not from now: else lateness would hide itself.
		due += tick
		if now := monotonic(); due < now-tick {
			due = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(due - monotonic()):
		}
	}
}
