// Package event is what flows through the stand-in: a log event or a metric, and its JSON form as Vector's json codec
// writes it. It has no schema and no path language beyond a dotted path.
package event

import (
	"time"
)

// Event is a log event, or a metric if Metric is set. The values of a log event are text, bool, int64, float64,
// time.Time, nil, and lists and maps of those.
type Event struct {
	Log    map[string]any
	Metric *Metric
}

// Metric is one reading.
type Metric struct {
	Name, Namespace string
	Tags            map[string]string
	Time            time.Time
	Type            string         // counter, gauge, aggregated_histogram or aggregated_summary; empty: counter
	Value           float64        // of a counter or a gauge
	Detail          map[string]any // of the others
}

// Fields are the log's, or the metric's parts.
func (e Event) Fields() map[string]any {
	if e.Metric != nil {
		return e.Metric.Fields()
	}
	return e.Log
}

// Timestamp is how Vector's json codec writes one: with no, three, six or nine digits after the point (chrono's AutoSi).
func Timestamp(t time.Time) string {
	layout := "2006-01-02T15:04:05Z"
	switch n := t.Nanosecond(); {
	case n == 0:
	case n%1_000_000 == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case n%1000 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	default:
		layout = "2006-01-02T15:04:05.000000000Z"
	}
	return t.UTC().Format(layout)
}

// Fields are the metric's parts by the names that they have as JSON, in metric_to_log's events and in VRL.
func (m Metric) Fields() map[string]any {
	fields := map[string]any{"name": m.Name, "timestamp": m.Time, "kind": "absolute"}
	if m.Namespace != "" {
		fields["namespace"] = m.Namespace
	}
	typ := m.Type
	if typ == "" {
		typ = "counter"
	}
	fields[typ] = any(m.Detail)
	if m.Detail == nil {
		fields[typ] = map[string]any{"value": m.Value}
	}
	if len(m.Tags) > 0 {
		tags := make(map[string]any, len(m.Tags))
		for k, v := range m.Tags {
			tags[k] = v
		}
		fields["tags"] = tags
	}
	return fields
}

// ToLog turns a metric into the log event that Vector's metric_to_log makes of it. The tag hostTag, if any, becomes
// the event's host.
func (m Metric) ToLog(hostTag string) Event {
	log := m.Fields()
	tags, _ := log["tags"].(map[string]any)
	if host, ok := tags[hostTag]; ok && hostTag != "" {
		log["host"] = host
		delete(tags, hostTag)
		if len(tags) == 0 {
			delete(log, "tags")
		}
	}
	return Event{Log: log}
}

// With is the metric with the name, namespace, tags and time that a VRL program left in its fields; the rest of a metric
// is read-only there (VRL, "Metric events").
func (m Metric) With(fields map[string]any) *Metric {
	if name, ok := fields["name"].(string); ok {
		m.Name = name
	}
	m.Namespace, _ = fields["namespace"].(string)
	if at, ok := fields["timestamp"].(time.Time); ok {
		m.Time = at
	}
	tags, _ := fields["tags"].(map[string]any)
	m.Tags = make(map[string]string, len(tags))
	for k, v := range tags {
		if text, ok := v.(string); ok {
			m.Tags[k] = text
		}
	}
	return &m
}

// Clone copies the event as deep as it goes.
func (e Event) Clone() Event {
	if e.Log == nil {
		return e
	}
	return Event{Log: clone(e.Log).(map[string]any)}
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v)+3)
		for key, inner := range v {
			out[key] = clone(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = clone(inner)
		}
		return out
	}
	return v
}
