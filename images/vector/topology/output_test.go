package topology

import (
	"context"
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
	for _, c := range cfg.Sources {
		outputs[c.ID] = newOutput(cfg, c, sinks, registry)
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
	require.NoError(t, outputs["m"].emit(t.Context(), []event.Event{{Metric: &event.Metric{Name: "n", Tags: map[string]string{"host": "w1"}}}}, nil))

	metric := `{"a":"2","counter":{"value":0},"host":"w1","kind":"absolute","name":"n","namespace":"vector","timestamp":"0001-01-01T00:00:00Z"}`
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
