package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"bootrace/harness/run"
)

// progress shows a run as it goes on. It writes to stderr; results go to stdout.
type progress interface {
	Update(run.Update)
	Note(text string)
	Close()
}

// newProgress draws a line a case on a terminal, and plain lines elsewhere.
func newProgress(w io.Writer, terminal bool, style style) progress {
	if !terminal {
		return &plainLines{w: w, began: time.Now()}
	}
	return &bars{
		pool: mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(200*time.Millisecond), mpb.WithWidth(24)),
		live: map[string]*caseBar{}, style: style,
	}
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
	at := time.Since(p.began).Round(100 * time.Millisecond)
	switch {
	case u.Result != nil:
		fmt.Fprintf(p.w, "%8s  %-24s %s after %s%s\n", at, u.Case, u.Result.Verdict, u.Result.Duration.Round(100*time.Millisecond), because(oneLine(u.Result.Reason, 200)))
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

// bars is for people: the cases that are under way, each with the time left.
type bars struct {
	mu    sync.Mutex
	pool  *mpb.Progress
	live  map[string]*caseBar
	style style
}

type caseBar struct {
	bar  *mpb.Bar
	mu   sync.Mutex
	step string
	ends time.Time
	took time.Duration
}

func (b *bars) Update(u run.Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.live[u.Case]
	if c == nil && u.Result == nil {
		c = &caseBar{}
		c.bar = b.pool.AddBar(1000, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(fmt.Sprintf("  %-22s ", u.Case)), decor.Any(c.describe, decor.WC{W: 28, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.Any(c.left)))
		b.live[u.Case] = c
	}
	if u.Result != nil {
		if c != nil {
			c.bar.Abort(true)
			delete(b.live, u.Case)
		}
		_, _ = fmt.Fprintf(b.pool, "%s\n", b.style.caseLine(*u.Result))
		return
	}
	c.mu.Lock()
	c.step = u.Step
	if u.Planned > 0 {
		c.took, c.ends = u.Planned, time.Now().Add(u.Planned)
	}
	c.mu.Unlock()
}

func (c *caseBar) describe(decor.Statistics) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.step
}

// left is the time to go; it moves the bar along as it is asked.
func (c *caseBar) left(decor.Statistics) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends.IsZero() {
		return ""
	}
	left := max(0, time.Until(c.ends))
	// Short of full: only the case's end completes it.
	go c.bar.SetCurrent(min(999, int64(1000*(c.took-left)/c.took)))
	return " " + left.Round(time.Second).String() + " left"
}

func (b *bars) Note(text string) { _, _ = fmt.Fprintln(b.pool, text) }

func (b *bars) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.live {
		c.bar.Abort(true)
	}
	b.pool.Wait()
}
