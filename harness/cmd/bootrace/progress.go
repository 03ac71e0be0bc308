package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"bootrace/harness/run"
)

// progress shows a run as it goes on. It writes to stderr; results go to stdout.
type progress interface {
	Update(run.Update)
	Note(text string)
	Close()
}

// newProgress draws a line a case on a terminal, and plain lines elsewhere.
func newProgress(w io.Writer, terminal bool, style style, cases []run.Case) progress {
	if terminal {
		return newBars(w, style, cases)
	}
	return &plainLines{w: w, began: time.Now()}
}

// plainLines is for logs: one line a step, with the time since the start.
type plainLines struct {
	mu    sync.Mutex
	w     io.Writer
	began time.Time
}

func (p *plainLines) Update(u run.Update) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := fmt.Sprintf("%.1fs", time.Since(p.began).Seconds())
	switch {
	case u.Over:
	case u.Result != nil:
		fmt.Fprintf(p.w, "%8s  %-24s %s after %s%s\n", at, u.Case, u.Result.Verdict, u.Result.Duration.Round(100*time.Millisecond), because(oneLine(u.Result.Told(), maxReason)))
	case u.Planned > 0:
		fmt.Fprintf(p.w, "%8s  %-24s %s, about %s to go\n", at, u.Case, u.Step, u.Planned.Round(time.Second))
	default:
		fmt.Fprintf(p.w, "%8s  %-24s %s\n", at, u.Case, u.Step)
	}
}

func (p *plainLines) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, text)
}

func (p *plainLines) Close() {}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
