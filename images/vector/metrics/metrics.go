// Package metrics counts what Vector's internal_metrics source tells of: a few counters and gauges, enough for a
// dashboard to have something to draw. It is not a metrics library.
package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bootrace/images/vector/event"
)

// Registry holds counters by name and tags.
type Registry struct {
	host string

	mu       sync.Mutex
	counters map[string]*Counter
	gauges   []gauge
}

// Counter only rises.
type Counter struct {
	name  string
	tags  map[string]string
	value atomic.Int64
}

type gauge struct {
	name string
	tags map[string]string
	read func() float64
}

// New returns a registry whose metrics carry the host.
func New(host string, started time.Time) *Registry {
	r := &Registry{host: host, counters: map[string]*Counter{}}
	r.Counter("started_total", nil).Add(1)
	r.Gauge("uptime_seconds", nil, func() float64 { return time.Since(started).Seconds() })
	return r
}

// Component gives the tags that tell one component from another.
func Component(kind, id, typ string) map[string]string {
	return map[string]string{"component_id": id, "component_kind": kind, "component_type": typ}
}

// Add counts n more.
func (c *Counter) Add(n int) { c.value.Add(int64(n)) }

// Value is the count so far.
func (c *Counter) Value() int64 { return c.value.Load() }

// Counter returns the counter of that name and those tags.
func (r *Registry) Counter(name string, tags map[string]string) *Counter {
	var key strings.Builder
	key.WriteString(name)
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		key.WriteString("\x00" + k + "\x00" + tags[k])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counters[key.String()]
	if c == nil {
		c = &Counter{name: name, tags: r.withHost(tags)}
		r.counters[key.String()] = c
	}
	return c
}

// Gauge adds a value that is read at each scrape.
func (r *Registry) Gauge(name string, tags map[string]string, read func() float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauges = append(r.gauges, gauge{name, r.withHost(tags), read})
}

// Scrape returns a reading of everything, in a stable order.
func (r *Registry) Scrape(now time.Time) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var events []event.Event
	for _, key := range slices.Sorted(maps.Keys(r.counters)) {
		c := r.counters[key]
		events = append(events, event.Event{Metric: &event.Metric{Name: c.name, Namespace: "vector", Tags: c.tags, Time: now, Value: float64(c.Value())}})
	}
	for _, g := range r.gauges {
		events = append(events, event.Event{Metric: &event.Metric{Name: g.name, Namespace: "vector", Tags: g.tags, Time: now, Type: "gauge", Value: g.read()}})
	}
	return events
}

func (r *Registry) withHost(tags map[string]string) map[string]string {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	if r.host != "" {
		out["host"] = r.host
	}
	return out
}
