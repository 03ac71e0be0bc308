package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/recording"
	"bootrace/images/inside/process"
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

// firstLine is the number of a boot's first line. file has the boot's, from the second on.
func firstLine(file string) int {
	text, err := os.ReadFile(file)
	boot, notNumber := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || notNumber != nil || boot < 1 {
		boot = 1
	}
	return (boot-1)*recording.LinesPerBoot + 1
}

// logLines writes numbered lines until ctx ends.
func logLines(ctx context.Context, w io.Writer, source, msg string) error {
	out := json.NewEncoder(w)
	due := process.Monotonic()
	first := firstLine(recording.BootFile)
	for seq := first; ; seq++ {
		late := process.Monotonic() - due
		if err := out.Encode(recording.Line{Source: source, Seq: seq, LateUS: late.Microseconds(), LostUS: process.CPULost(), Msg: msg,
			Ref: recording.Ref(source, seq)}); err != nil {
			return fmt.Errorf("write line %d: %w", seq, err)
		}
		// From the schedule, not from now: else lateness would hide itself.
		due += after(seq - first + 1)
		if now := process.Monotonic(); due < now-slowTick {
			due = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(due - process.Monotonic()):
		}
	}
}
