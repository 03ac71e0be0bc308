package topology

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/metrics"
)

// output is what a source emits into: every way from it to a sink, through the transforms between.
type output struct {
	routes []route
	sent   *metrics.Counter
}

type route struct {
	transforms []config.Transform // in the order events pass them
	sink       *sink
}

func newOutput(cfg *config.Config, c config.Source, sinks map[string]*sink, registry *metrics.Registry) *output {
	out := &output{sent: registry.Counter("component_sent_events_total", metrics.Component("source", c.ID, c.Type))}
	transforms := map[string]config.Transform{}
	for _, t := range cfg.Transforms {
		transforms[t.ID] = t
	}
	// From each sink back to the source; the graph was checked and has no cycles.
	var walk func(inputs []string, passed []config.Transform, to *sink)
	walk = func(inputs []string, passed []config.Transform, to *sink) {
		for _, input := range inputs {
			if input == c.ID {
				path := slices.Clone(passed)
				slices.Reverse(path)
				out.routes = append(out.routes, route{path, to})
			} else if t, ok := transforms[input]; ok {
				walk(t.Inputs, append(slices.Clone(passed), t), to)
			}
		}
	}
	for _, s := range cfg.Sinks {
		walk(s.Inputs, nil, sinks[s.ID])
	}
	return out
}

// emit passes events to every sink. A sink whose buffer is full holds up all the others, as in Vector. done is called
// once every sink has called, with true only if all had.
func (o *output) emit(ctx context.Context, events []event.Event, done func(ok bool)) error {
	o.sent.Add(len(events))
	join := joiner{waiting: len(o.routes), ok: true, done: done}
	for _, r := range o.routes {
		lines := make([][]byte, 0, len(events))
		for _, e := range events {
			line, err := r.pass(e).JSON()
			if err != nil {
				return fmt.Errorf("sink %s: %w", r.sink.ID, err)
			}
			lines = append(lines, line)
		}
		r.sink.received.Add(len(lines))
		if err := r.sink.buffer.Write(ctx, lines, join.one); err != nil {
			return fmt.Errorf("sink %s: %w", r.sink.ID, err)
		}
	}
	return nil
}

func (r route) pass(e event.Event) event.Event {
	copied := false
	for _, t := range r.transforms {
		switch t.Type {
		case "metric_to_log":
			e = e.Metric.ToLog(t.HostTag)
			copied = true
		case "remap":
			if !copied {
				e = e.Clone() // other routes have the same event
				copied = true
			}
			for _, a := range t.Assignments {
				e.Set(a.Path, a.Value)
			}
		}
	}
	return e
}

// joiner makes one answer of several.
type joiner struct {
	mu      sync.Mutex
	waiting int
	ok      bool
	done    func(bool)
}

func (j *joiner) one(ok bool) {
	j.mu.Lock()
	j.waiting--
	j.ok = j.ok && ok
	last, all := j.waiting == 0, j.ok
	j.mu.Unlock()
	if last && j.done != nil {
		j.done(all)
	}
}
