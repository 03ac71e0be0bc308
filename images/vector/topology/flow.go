package topology

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/metrics"
)

// flow is what lies between the sources and the sinks: who takes what from whom.
type flow struct {
	sinks   []*sink
	readers map[string][]reader // by the name of an output: an id, or id.output
}

// reader takes what an output gives.
type reader struct {
	transform *transform
	sink      *sink
}

func newFlow(cfg *config.Config, sinks map[string]*sink, env environment, log *slog.Logger) *flow {
	f := &flow{readers: map[string][]reader{}}
	for _, s := range cfg.Sinks {
		f.sinks = append(f.sinks, sinks[s.ID])
		for _, input := range s.Inputs {
			f.readers[input] = append(f.readers[input], reader{sink: sinks[s.ID]})
		}
	}
	for _, t := range cfg.Transforms {
		step := newTransform(t, env, log)
		for _, input := range t.Inputs {
			f.readers[input] = append(f.readers[input], reader{transform: step})
		}
	}
	return f
}

// output is what a source emits into.
type output struct {
	*flow
	id             string
	received, sent *metrics.Counter
}

func (f *flow) from(c config.Source, registry *metrics.Registry) *output {
	tags := metrics.Component("source", c.ID, c.Type)
	return &output{f, c.ID, registry.Counter("component_received_events_total", tags), registry.Counter("component_sent_events_total", tags)}
}

// emit passes events to every sink. A sink whose buffer is full holds up all the others, as in Vector. done is called
// once every sink has called, with true only if all had; what reaches no sink is done with at once.
func (o *output) emit(ctx context.Context, events []event.Event, done func(ok bool)) error {
	o.received.Add(len(events))
	o.sent.Add(len(events))
	arrived := map[*sink][]event.Event{}
	o.pass(o.id, events, arrived)
	if len(arrived) == 0 {
		if done != nil {
			done(true)
		}
		return nil
	}
	answer := buffer.Joined(len(arrived), done)
	for _, s := range o.sinks {
		lines, err := s.encode(arrived[s])
		if err != nil {
			return fmt.Errorf("sink %s: %w", s.ID, err)
		}
		if len(arrived[s]) == 0 {
			continue
		}
		s.received.Add(len(lines))
		if err := s.buffer.Write(ctx, lines, answer); err != nil {
			return fmt.Errorf("sink %s: %w", s.ID, err)
		}
	}
	return nil
}

// pass walks from an output to the sinks. The graph was checked and has no cycles.
func (f *flow) pass(output string, events []event.Event, arrived map[*sink][]event.Event) {
	if len(events) == 0 {
		return
	}
	for _, r := range f.readers[output] {
		if r.sink != nil {
			arrived[r.sink] = append(arrived[r.sink], events...)
			continue
		}
		given := map[string][]event.Event{}
		for _, e := range events {
			r.transform.apply(e, func(output string, e event.Event) { given[output] = append(given[output], e) })
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			f.pass(name, given[name], arrived)
		}
	}
}
