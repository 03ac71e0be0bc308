package topology

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/tracing"
	"bootrace/images/vector/vrl"
)

// environment is what programs see of the machine.
type environment struct {
	vars map[string]string
	host string
}

type transform struct {
	config.Transform
	env    vrl.Env
	log    *slog.Logger
	opaque bool
}

func newTransform(t config.Transform, env environment, log *slog.Logger) *transform {
	return &transform{
		Transform: t,
		env:       vrl.Env{Vars: env.vars, Hostname: env.host, Now: time.Now},
		log:       log.With(tracing.Component("transform", t.ID, t.Type)),
		opaque:    t.Opaque(),
	}
}

// apply gives what becomes of an event, with the name of the output that it leaves by. The event itself stays as it is,
// for others have it, too.
func (t *transform) apply(e event.Event, give func(output string, e event.Event)) {
	switch t.Type {
	case "metric_to_log":
		if e.Metric == nil {
			return // its input is metrics alone
		}
		give(t.ID, e.Metric.ToLog(t.HostTag))
	case "remap":
		if t.opaque || t.Program == nil {
			give(t.ID, e)
			return
		}
		t.remap(e, give)
	case "filter":
		if t.opaque || t.holds(t.Conditions[0], e) {
			give(t.ID, e)
		}
	case "route", "exclusive_route":
		t.route(e, give)
	default:
		give(t.ID, e)
	}
}

func (t *transform) remap(e event.Event, give func(string, event.Event)) {
	result, err := t.Program.Run(e.Fields(), t.env)
	if err == nil {
		for _, out := range results(e, result) {
			give(t.ID, out)
		}
		return
	}
	aborted := errors.Is(err, vrl.ErrAbort)
	drop, reason := t.DropOnError, "error"
	if aborted {
		drop, reason = t.DropOnAbort, "abort"
	} else {
		// Not the error's text, which may quote the event.
		t.log.Error("Mapping failed with event.", tracing.Target("vector::internal_events::remap"),
			"error_type", "conversion_failed", "stage", "processing")
	}
	switch {
	case !drop:
		give(t.ID, e)
	case t.RerouteDropped:
		give(t.ID+".dropped", t.dropped(e, reason, err))
	}
}

// dropped says in the event why it was dropped (vector.dev, remap, `reroute_dropped`).
func (t *transform) dropped(e event.Event, reason string, err error) event.Event {
	if e.Metric != nil {
		return e
	}
	e = e.Clone()
	metadata, _ := e.Log["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["dropped"] = map[string]any{
		"reason": reason, "message": err.Error(), "component_id": t.ID, "component_type": "remap", "component_kind": "transform",
	}
	e.Log["metadata"] = metadata
	return e
}

// results makes events of what `.` is in the end: a list is several, and what is no object becomes the message.
func results(e event.Event, result any) []event.Event {
	items, several := result.([]any)
	if !several {
		items = []any{result}
	}
	var out []event.Event
	for _, item := range items {
		fields, object := item.(map[string]any)
		switch {
		case e.Metric != nil && object:
			out = append(out, event.Event{Metric: e.Metric.With(fields)})
		case e.Metric != nil:
			out = append(out, e)
		case object:
			out = append(out, event.Event{Log: fields})
		default:
			out = append(out, event.Event{Log: map[string]any{"message": item}})
		}
	}
	return out
}

func (t *transform) route(e event.Event, give func(string, event.Event)) {
	matched := false
	for _, c := range t.Conditions {
		// Where a condition is not played, it is not judged either; everything passes everywhere.
		if !t.opaque && !t.holds(c, e) {
			continue
		}
		matched = true
		give(t.ID+"."+c.Output, e)
		if t.Type == "exclusive_route" && !t.opaque {
			break
		}
	}
	if t.Unmatched && (!matched || t.opaque) {
		give(t.ID+"._unmatched", e)
	}
}

// holds runs a condition: its program leaves its value in one field.
func (t *transform) holds(c config.Condition, e event.Event) bool {
	if c.Metric != nil {
		return *c.Metric == (e.Metric != nil)
	}
	result, err := c.Program.Run(e.Fields(), t.env)
	if err != nil {
		return false
	}
	after, _ := result.(map[string]any)
	yes, _ := after[strings.TrimPrefix(config.ConditionField, ".")].(bool)
	return yes
}
