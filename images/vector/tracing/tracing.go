// Package tracing writes log lines in the form Vector's own have, so that whoever greps the journal of a worker
// finds the same words whether Vector or the stand-in ran:
//
//	2026-07-14T08:00:00.123456Z  WARN sink{component_id=platform component_kind="sink" component_type=axiom}: vector::sinks::util::retries: Retrying after response. reason=too many requests
//
// It is a slog.Handler and nothing more: no filter by module, no colour. As Vector does it says a message that comes again
// within the rate limit once more, as being suppressed, and then counts it only.
package tracing

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	targetKey = "\x00target"
	spanKey   = "\x00span"
	freeKey   = "\x00unlimited"
)

// Unlimited marks a line that is never suppressed (`internal_log_rate_limit=false`).
var Unlimited = slog.Bool(freeKey, true)

// Display is a value that is printed as it is; plain strings are quoted, as Rust's Debug form is.
type Display string

// New returns a logger that writes to w what is at level or above. limit is the time within which a message that comes
// again is suppressed; 0 lets all pass.
func New(w io.Writer, level slog.Leveler, limit time.Duration) *slog.Logger {
	return slog.New(&handler{out: &output{w: w, limit: limit, seen: map[string]*seen{}}, level: level, target: "vector"})
}

// Target names the Rust module the line would come from.
func Target(name string) slog.Attr { return slog.String(targetKey, name) }

// Component is the span Vector logs everything of a component in; kind is source, transform or sink.
func Component(kind, id, typ string) slog.Attr {
	return slog.String(spanKey, fmt.Sprintf("%s{component_kind=%q component_id=%s component_type=%s}", kind, kind, id, typ))
}

// Request is the inner span of one request of a sink.
func Request(id int) slog.Attr {
	return slog.String(spanKey, fmt.Sprintf("request{request_id=%d}", id))
}

type output struct {
	limit time.Duration

	mu   sync.Mutex
	w    io.Writer
	seen map[string]*seen
}

// seen is what is known of a message in the current window.
type seen struct {
	since time.Time
	count int // beyond the first
}

// maxSeen bounds the messages that are remembered; a message may have something changing in it.
const maxSeen = 512

// admit gives what is to be written instead of a message: nothing, or the words before it that say what was suppressed.
func (o *output) admit(key, message string, now time.Time) (lines []string) {
	if o.limit <= 0 {
		return []string{message}
	}
	s := o.seen[key]
	switch {
	case s == nil:
		if len(o.seen) >= maxSeen {
			clear(o.seen)
		}
		o.seen[key] = &seen{since: now}
		return []string{message}
	case now.Sub(s.since) >= o.limit:
		// Vector speaks of it only when more was suppressed than it had announced.
		if s.count > 1 {
			lines = append(lines, fmt.Sprintf("Internal log [%s] has been suppressed %d times.", message, s.count))
		}
		*s = seen{since: now}
		return append(lines, message)
	}
	s.count++
	if s.count == 1 {
		return []string{fmt.Sprintf("Internal log [%s] is being suppressed to avoid flooding.", message)}
	}
	return nil
}

type handler struct {
	out    *output
	level  slog.Leveler
	target string
	spans  []string
	attrs  []slog.Attr

	free      bool   // never suppressed
	component string // component_id, where it is no span's
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.spans = append([]string(nil), h.spans...)
	next.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		next.take(a)
	}
	return &next
}

// WithGroup is part of slog.Handler; Vector's lines have no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }

func (h *handler) take(a slog.Attr) {
	switch a.Key {
	case targetKey:
		h.target = a.Value.String()
	case spanKey:
		h.spans = append(h.spans, a.Value.String())
	case freeKey:
		h.free = true
	case "component_id":
		h.component = a.Value.String()
		h.attrs = append(h.attrs, a)
	default:
		h.attrs = append(h.attrs, a)
	}
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	line := handler{target: h.target, spans: append([]string(nil), h.spans...), attrs: append([]slog.Attr(nil), h.attrs...)}
	r.Attrs(func(a slog.Attr) bool {
		line.take(a)
		return true
	})

	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	lines := []string{r.Message}
	if !line.free {
		lines = h.out.admit(line.target+"\x00"+strings.SplitN(strings.Join(line.spans, ":"), ":request", 2)[0]+line.component+"\x00"+r.Message, r.Message, r.Time)
	}
	for _, message := range lines {
		attrs := line.attrs
		if message != r.Message {
			attrs = nil
		}
		if _, err := io.WriteString(h.out.w, line.format(r, message, attrs)); err != nil {
			return err
		}
	}
	return nil
}

func (h *handler) format(r slog.Record, message string, attrs []slog.Attr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %5s ", r.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), r.Level.String())
	if len(h.spans) > 0 {
		b.WriteString(strings.Join(h.spans, ":"))
		b.WriteString(": ")
	}
	b.WriteString(h.target)
	b.WriteString(": ")
	b.WriteString(oneLine(message))
	for _, a := range attrs {
		b.WriteByte(' ')
		b.WriteString(a.Key)
		b.WriteByte('=')
		b.WriteString(render(a.Value))
	}
	b.WriteByte('\n')
	return b.String()
}

func render(v slog.Value) string {
	switch value := v.Any().(type) {
	case Display:
		return oneLine(string(value))
	case error:
		return oneLine(value.Error())
	case string:
		return strconv.Quote(value)
	case time.Duration:
		return value.String()
	default:
		return fmt.Sprint(value)
	}
}

// oneLine keeps a line one line: the journal would make two entries of it.
func oneLine(s string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(s)
}
