// Package tracing writes log lines in the form Vector's own have, so that whoever greps the journal of a worker
// finds the same words whether Vector or the stand-in ran:
//
//	2026-07-14T08:00:00.123456Z  WARN sink{component_id=platform component_kind="sink" component_type=axiom}: vector::sinks::util::retries: Retrying after response. reason=too many requests
//
// It is a slog.Handler and nothing more: no filter by module, no rate limit, no colour.
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
)

// Display is a value that is printed as it is; plain strings are quoted, as Rust's Debug form is.
type Display string

// New returns a logger that writes to w what is at level or above.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&handler{out: &output{w: w}, level: level, target: "vector"})
}

// Target names the Rust module the line would come from.
func Target(name string) slog.Attr { return slog.String(targetKey, name) }

// Component is the span Vector logs everything of a component in; kind is source, transform or sink.
func Component(kind, id, typ string) slog.Attr {
	return slog.String(spanKey, fmt.Sprintf("%s{component_id=%s component_kind=%q component_type=%s}", kind, id, kind, typ))
}

// Request is the inner span of one request of a sink.
func Request(id int) slog.Attr {
	return slog.String(spanKey, fmt.Sprintf("request{request_id=%d}", id))
}

type output struct {
	mu sync.Mutex
	w  io.Writer
}

type handler struct {
	out    *output
	level  slog.Leveler
	target string
	spans  []string
	attrs  []slog.Attr
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

	var b strings.Builder
	fmt.Fprintf(&b, "%s %5s ", r.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), r.Level.String())
	if len(line.spans) > 0 {
		b.WriteString(strings.Join(line.spans, ":"))
		b.WriteString(": ")
	}
	b.WriteString(line.target)
	b.WriteString(": ")
	b.WriteString(oneLine(r.Message))
	for _, a := range line.attrs {
		b.WriteByte(' ')
		b.WriteString(a.Key)
		b.WriteByte('=')
		b.WriteString(render(a.Value))
	}
	b.WriteByte('\n')

	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := io.WriteString(h.out.w, b.String())
	return err
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
