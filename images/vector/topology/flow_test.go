package topology

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/buffer"
	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/metrics"
)

// wire connects the sources of a configuration to memory buffers.
func wire(t *testing.T, text string, size int) (map[string]*output, map[string]*sink) {
	t.Helper()
	cfg, err := config.Parse(text)
	require.NoError(t, err)
	registry := metrics.New("w1", time.Now())
	sinks, outputs := map[string]*sink{}, map[string]*output{}
	for _, c := range cfg.Sinks {
		sinks[c.ID] = &sink{Sink: c, buffer: buffer.NewMemory(size, true, c.Acknowledgements),
			received: registry.Counter("component_received_events_total", nil)}
	}
	flow := newFlow(cfg, sinks, environment{vars: map[string]string{"CELL": "c1"}, host: "w1"}, slog.New(slog.DiscardHandler))
	for _, c := range cfg.Sources {
		outputs[c.ID] = flow.from(c, registry)
	}
	return outputs, sinks
}

func held(t *testing.T, s *sink) []string {
	t.Helper()
	s.buffer.CloseWrite()
	var lines []string
	for {
		line, err := s.buffer.Read(t.Context())
		if err != nil {
			return lines
		}
		lines = append(lines, string(line))
	}
}

func TestEventsPassTheTransformsOnTheirWay(t *testing.T) {
	t.Parallel()
	outputs, sinks := wire(t, `
sources: {j: {type: journald}, m: {type: internal_metrics}}
transforms:
  one: {type: remap, inputs: [j], source: '.a = "1"'}
  two: {type: remap, inputs: [one, log], source: '.a = "2"'}
  log: {type: metric_to_log, inputs: [m]}
sinks:
  plain: {type: blackhole, inputs: [j]}
  first: {type: blackhole, inputs: [one]}
  second: {type: blackhole, inputs: [two]}
  both: {type: blackhole, inputs: [one, two]}
`, 10)
	original := event.Event{Log: map[string]any{"m": "x"}}
	require.NoError(t, outputs["j"].emit(t.Context(), []event.Event{original}, nil))
	require.NoError(t, outputs["m"].emit(t.Context(), []event.Event{{Metric: &event.Metric{Name: "n", Namespace: "vector", Tags: map[string]string{"host": "w1"}}}}, nil))

	metric := `{"a":"2","counter":{"value":0.0},"host":"w1","kind":"absolute","name":"n","namespace":"vector","timestamp":"0001-01-01T00:00:00Z"}`
	assert.Equal(t, []string{`{"m":"x"}`}, held(t, sinks["plain"]))
	assert.Equal(t, []string{`{"a":"1","m":"x"}`}, held(t, sinks["first"]))
	assert.Equal(t, []string{`{"a":"2","m":"x"}`, metric}, held(t, sinks["second"]))
	assert.Equal(t, []string{`{"a":"1","m":"x"}`, `{"a":"2","m":"x"}`, metric}, held(t, sinks["both"]))
	assert.Equal(t, map[string]any{"m": "x"}, original.Log)
}

func TestTheSourceIsToldOnceEverySinkIsDone(t *testing.T) {
	t.Parallel()
	const text = `
sources: {j: {type: journald}}
sinks:
  a: {type: blackhole, inputs: [j], acknowledgements: true}
  b: {type: blackhole, inputs: [j], acknowledgements: true}
  c: {type: blackhole, inputs: [j]}
`
	tests := []struct {
		name string
		a, b bool
		want bool
	}{
		{"delivered by both", true, true, true},
		{"refused by one", true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outputs, sinks := wire(t, text, 10)
			var told []bool
			require.NoError(t, outputs["j"].emit(t.Context(), []event.Event{{Log: map[string]any{}}}, func(ok bool) { told = append(told, ok) }))
			for id, delivered := range map[string]bool{"a": tt.a, "b": tt.b} {
				assert.Empty(t, told)
				_, err := sinks[id].buffer.Read(t.Context())
				require.NoError(t, err)
				require.NoError(t, sinks[id].buffer.Ack(1, delivered))
			}
			assert.Equal(t, []bool{tt.want}, told)
		})
	}
}

func TestAFullBufferHoldsUpTheSource(t *testing.T) {
	t.Parallel()
	outputs, sinks := wire(t, `
sources: {j: {type: journald}}
sinks: {slow: {type: blackhole, inputs: [j]}}
`, 1)
	e := []event.Event{{Log: map[string]any{}}}
	require.NoError(t, outputs["j"].emit(t.Context(), e, nil))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, outputs["j"].emit(ctx, e, nil), context.DeadlineExceeded)
	assert.Equal(t, 1, sinks["slow"].buffer.Len())
}

// send passes log events with these fields through a configuration and gives what the sink `out` holds.
func send(t *testing.T, text string, events ...map[string]any) []string {
	t.Helper()
	outputs, sinks := wire(t, text, 100)
	var all []event.Event
	for _, fields := range events {
		all = append(all, event.Event{Log: fields})
	}
	require.NoError(t, outputs["j"].emit(t.Context(), all, nil))
	return held(t, sinks["out"])
}

func TestWhatBecomesOfEvents(t *testing.T) {
	t.Parallel()
	const journal = "sources: {j: {type: journald}}\n"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"a transform that is not played passes them on", `
transforms: {d: {type: dedupe, inputs: [j]}}
sinks: {out: {type: blackhole, inputs: [d]}}`, []string{`{"message":"1"}`, `{"message":"{\"n\":2}"}`}},
		{"a program may merge them", `
transforms: {r: {type: remap, inputs: [j], source: 'p, err = parse_json(.message); if is_object(p) { . = merge(., object!(p)); del(.message) }'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"message":"1"}`, `{"n":2}`}},
		{"an error leaves the event as it was", `
transforms: {r: {type: remap, inputs: [j], source: '.a = 1; .b = object!(parse_json!(.message))'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"message":"1"}`, `{"a":1,"b":{"n":2},"message":"{\"n\":2}"}`}},
		{"or drops it", `
transforms: {r: {type: remap, inputs: [j], drop_on_error: true, source: '.b = object!(parse_json!(.message))'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"b":{"n":2},"message":"{\"n\":2}"}`}},
		{"an abort drops it", `
transforms: {r: {type: remap, inputs: [j], source: 'if .message == "1" { abort }'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"message":"{\"n\":2}"}`}},
		{"or leaves it", `
transforms: {r: {type: remap, inputs: [j], drop_on_abort: false, source: 'if .message == "1" { abort }'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"message":"1"}`, `{"message":"{\"n\":2}"}`}},
		{"a list is several events", `
transforms: {r: {type: remap, inputs: [j], source: 'if .message == "1" { . = [{"a": 1}, {"a": 2}] } else { abort }'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"a":1}`, `{"a":2}`}},
		{"the environment", `
transforms: {r: {type: remap, inputs: [j], source: '. = {"host": get_hostname!(), "cell": get_env_var!("CELL")}'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"cell":"c1","host":"w1"}`, `{"cell":"c1","host":"w1"}`}},
		{"a filter", `
transforms: {f: {type: filter, inputs: [j], condition: '.message == "1"'}}
sinks: {out: {type: blackhole, inputs: [f]}}`, []string{`{"message":"1"}`}},
		{"a filter by kind", `
transforms: {f: {type: filter, inputs: [j], condition: {type: is_metric}}}
sinks: {out: {type: blackhole, inputs: [f]}}`, nil},
		{"a route", `
transforms: {s: {type: route, inputs: [j], route: {one: '.message == "1"', all: 'true'}}}
sinks: {out: {type: blackhole, inputs: [s.one, s.all]}}`, []string{`{"message":"1"}`, `{"message":"{\"n\":2}"}`, `{"message":"1"}`}},
		{"what no route wants", `
transforms: {s: {type: route, inputs: [j], route: {one: '.message == "1"'}}}
sinks: {out: {type: blackhole, inputs: [s._unmatched]}}`, []string{`{"message":"{\"n\":2}"}`}},
		{"an exclusive route takes the first", `
transforms: {s: {type: exclusive_route, inputs: [j], routes: [{name: one, condition: '.message == "1"'}, {name: all, condition: 'true'}]}}
sinks: {out: {type: blackhole, inputs: [s.all]}}`, []string{`{"message":"{\"n\":2}"}`}},
		{"a program that is not played passes them on", `
transforms: {r: {type: remap, inputs: [j], source: '. = parse_xml!(.message)'}}
sinks: {out: {type: blackhole, inputs: [r]}}`, []string{`{"message":"1"}`, `{"message":"{\"n\":2}"}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, send(t, journal+tt.text, map[string]any{"message": "1"}, map[string]any{"message": `{"n":2}`}))
		})
	}
}

func TestWhatIsDroppedMayBeReadWithItsReason(t *testing.T) {
	t.Parallel()
	got := send(t, `
sources: {j: {type: journald}}
transforms: {r: {type: remap, inputs: [j], drop_on_error: true, reroute_dropped: true, source: '.b = object!(parse_json!(.message))'}}
sinks: {out: {type: blackhole, inputs: [r.dropped]}, rest: {type: blackhole, inputs: [r]}}`, map[string]any{"message": "1"})
	require.Len(t, got, 1)
	assert.Contains(t, got[0], `"reason":"error"`)
	assert.Contains(t, got[0], `"component_id":"r"`)
	assert.Contains(t, got[0], `"message":"1"`)
}

func TestAnEventThatReachesNoSinkIsDoneWith(t *testing.T) {
	t.Parallel()
	outputs, _ := wire(t, `
sources: {j: {type: journald}}
transforms: {f: {type: filter, inputs: [j], condition: {type: is_metric}}}
sinks: {out: {type: blackhole, inputs: [f]}}`, 1)
	told := false
	require.NoError(t, outputs["j"].emit(t.Context(), []event.Event{{Log: map[string]any{}}}, func(ok bool) { told = ok }))
	assert.True(t, told, "or its checkpoint would never move")
}

func TestCodecsOfTheConsole(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 14, 8, 0, 0, 0, time.UTC)
	fields := map[string]any{"message": "a b", "n": int64(1), "t": at, "o": map[string]any{"x": "1", "y": "2"}}
	tests := []struct {
		name string
		c    config.Encoding
		want string
	}{
		{"json", config.Encoding{Codec: "json"}, `{"message":"a b","n":1,"o":{"x":"1","y":"2"},"t":"2026-07-14T08:00:00Z"}`},
		{"text is the message", config.Encoding{Codec: "text"}, "a b"},
		{"logfmt", config.Encoding{Codec: "logfmt", ExceptFields: []string{"o"}}, `message="a b" n=1 t=2026-07-14T08:00:00Z`},
		{"csv", config.Encoding{Codec: "csv", CSVFields: []string{"n", "message", "gone"}}, "1,a b,"},
		{"only some fields", config.Encoding{Codec: "json", OnlyFields: []string{"n", ".o.x", "gone.x"}}, `{"n":1,"o":{"x":"1"}}`},
		{"but some fields", config.Encoding{Codec: "json", ExceptFields: []string{"o.x", "t", "gone.x"}}, `{"message":"a b","n":1,"o":{"y":"2"}}`},
		{"times as numbers", config.Encoding{Codec: "json", OnlyFields: []string{"t"}, TimestampFormat: "unix"}, `{"t":1784016000}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := encodeAs(tt.c, event.Event{Log: fields})
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
			assert.Len(t, fields["o"], 2, "the event is left alone")
		})
	}
}
