// Package prometheus is Vector's prometheus_scrape source: it asks endpoints in turn for their metrics and makes events of
// what they answer. It knows the text format and no other.
package prometheus

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootrace/images/vector/event"
)

// group is what a histogram or a summary is gathered in until its last line.
type group struct {
	metric  *event.Metric
	buckets []any
	count   int64
	sum     float64
}

type parser struct {
	now    time.Time
	types  map[string]string
	events []event.Event
	groups map[string]*group
	order  []*group
}

// Parse reads the text format (prometheus.io, "Exposition formats"). A metric without a time gets now; one without a type
// is a gauge, as Vector has it.
func Parse(text string, now time.Time) ([]event.Event, error) {
	p := &parser{now: now, types: map[string]string{}, groups: map[string]*group{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, g := range p.order {
		g.finish()
	}
	return p.events, nil
}

func (p *parser) line(line string) error {
	if line == "" {
		return nil
	}
	if strings.HasPrefix(line, "#") {
		if words := strings.Fields(line); len(words) == 4 && words[1] == "TYPE" {
			p.types[words[2]] = words[3]
		}
		return nil
	}
	name, labels, rest, err := sample(line)
	if err != nil {
		return err
	}
	words := strings.Fields(rest)
	if len(words) < 1 || len(words) > 2 {
		return errors.New("want a value and perhaps a time")
	}
	value, err := strconv.ParseFloat(words[0], 64)
	if err != nil {
		return errors.New("the value is not a number")
	}
	at := p.now
	if len(words) == 2 {
		ms, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			return errors.New("the time is not a number")
		}
		at = time.UnixMilli(ms).UTC()
	}
	p.add(event.Metric{Name: name, Tags: labels, Time: at, Value: value})
	return nil
}

func (p *parser) add(m event.Metric) {
	for _, suffix := range []string{"_bucket", "_sum", "_count", ""} {
		base, ok := strings.CutSuffix(m.Name, suffix)
		switch typ := p.types[base]; {
		case !ok:
			continue
		case typ == "histogram", typ == "summary":
			p.gather(base, typ, suffix, m)
			return
		}
	}
	m.Type = "gauge"
	if p.types[m.Name] == "counter" {
		m.Type = "counter"
	}
	p.events = append(p.events, event.Event{Metric: &m})
}

func (p *parser) gather(base, typ, suffix string, m event.Metric) {
	limit, key := "le", "upper_limit"
	if typ == "summary" {
		limit, key = "quantile", "quantile"
	}
	bound, bounded := m.Tags[limit]
	delete(m.Tags, limit)
	id := base
	for _, name := range slices.Sorted(maps.Keys(m.Tags)) {
		id += "\x00" + name + "\x00" + m.Tags[name]
	}
	g := p.groups[id]
	if g == nil {
		g = &group{metric: &event.Metric{Name: base, Tags: m.Tags, Time: m.Time, Type: "aggregated_" + typ}}
		p.groups[id] = g
		p.order = append(p.order, g)
		p.events = append(p.events, event.Event{Metric: g.metric})
	}
	switch {
	case suffix == "_sum":
		g.sum = m.Value
	case suffix == "_count":
		g.count = int64(m.Value)
	case bounded:
		edge, err := strconv.ParseFloat(bound, 64)
		if err != nil || math.IsInf(edge, 0) {
			return // the last bucket is the count
		}
		entry := map[string]any{key: edge, "value": m.Value}
		if typ == "histogram" {
			entry = map[string]any{key: edge, "count": int64(m.Value)}
		}
		g.buckets = append(g.buckets, entry)
	}
}

// finish makes each bucket hold its own count: those of the text hold all below them, too.
func (g *group) finish() {
	name := "quantiles"
	if g.metric.Type == "aggregated_histogram" {
		name = "buckets"
		var below int64
		for _, b := range g.buckets {
			bucket := b.(map[string]any)
			all := bucket["count"].(int64)
			bucket["count"] = max(all-below, 0)
			below = all
		}
	}
	if g.buckets == nil {
		g.buckets = []any{}
	}
	g.metric.Detail = map[string]any{name: g.buckets, "count": g.count, "sum": g.sum}
}

// sample takes the name and the labels from the front of a line.
func sample(line string) (name string, labels map[string]string, rest string, err error) {
	end := strings.IndexAny(line, "{ \t")
	if end <= 0 {
		return "", nil, "", errors.New("want a name and a value")
	}
	name, rest = line[:end], line[end:]
	labels = map[string]string{}
	if rest[0] != '{' {
		return name, labels, rest, nil
	}
	rest = rest[1:]
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if after, ok := strings.CutPrefix(rest, "}"); ok {
			return name, labels, after, nil
		}
		label, after, ok := strings.Cut(rest, "=")
		after = strings.TrimLeft(after, " \t")
		if !ok || !strings.HasPrefix(after, `"`) {
			return "", nil, "", errors.New("want a label as name=\"value\"")
		}
		value, remains, err := quoted(after[1:])
		if err != nil {
			return "", nil, "", err
		}
		labels[strings.TrimSpace(label)], rest = value, remains
	}
}

func quoted(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", errors.New("a label's value does not end")
}
