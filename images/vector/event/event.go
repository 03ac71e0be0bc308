// Package event is what flows through the stand-in: a log event or a metric, and its JSON form as Vector's json codec
// writes it (keys sorted, one line, nothing escaped for HTML). It has no schema and no path language.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Event is a log event, or a metric if Metric is set.
type Event struct {
	Log    map[string]any
	Metric *Metric
}

// Metric is one reading of a counter or a gauge.
type Metric struct {
	Name  string
	Tags  map[string]string
	Time  time.Time
	Gauge bool
	Value float64
}

// Timestamp is how Vector's json codec writes one.
func Timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ToLog turns a metric into the log event that Vector's metric_to_log makes of it. The tag hostTag, if any, becomes
// the event's host.
func (m Metric) ToLog(hostTag string) Event {
	log := map[string]any{
		"name":      m.Name,
		"namespace": "vector",
		"timestamp": Timestamp(m.Time),
		"kind":      "absolute",
	}
	value := map[string]any{"value": m.Value}
	if m.Gauge {
		log["gauge"] = value
	} else {
		log["counter"] = value
	}
	tags := map[string]any{}
	for k, v := range m.Tags {
		if k == hostTag && hostTag != "" {
			log["host"] = v
			continue
		}
		tags[k] = v
	}
	if len(tags) > 0 {
		log["tags"] = tags
	}
	return Event{Log: log}
}

// Set puts a value at a dotted path; what is in the way and not an object is replaced, as VRL does.
func (e Event) Set(path []string, value string) {
	at := e.Log
	for _, name := range path[:len(path)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	at[path[len(path)-1]] = value
}

// Clone copies the event as deep as Set can write.
func (e Event) Clone() Event {
	if e.Log == nil {
		return e
	}
	return Event{Log: cloneMap(e.Log)}
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m)+3)
	for k, v := range m {
		if inner, ok := v.(map[string]any); ok {
			v = cloneMap(inner)
		}
		out[k] = v
	}
	return out
}

// JSON is the event's one line, without the newline.
func (e Event) JSON() ([]byte, error) {
	log := e.Log
	if e.Metric != nil {
		log = e.Metric.ToLog("").Log
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(log); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ParsePath reads `.a.b`.
func ParsePath(s string) ([]string, error) {
	if !strings.HasPrefix(s, ".") || s == "." {
		return nil, fmt.Errorf("path %q does not start with a dot and a name", s)
	}
	names := strings.Split(s[1:], ".")
	for _, name := range names {
		if !isName(name) {
			return nil, fmt.Errorf("path %q: %q is not a plain name", s, name)
		}
	}
	return names, nil
}

func isName(s string) bool {
	for i, r := range s {
		switch {
		case r == '_' || r == '@', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case r >= '0' && r <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}
