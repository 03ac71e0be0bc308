package event_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/event"
)

func TestJSONIsOneSortedLineWithNothingEscapedForHTML(t *testing.T) {
	t.Parallel()
	e := event.Event{Log: map[string]any{"z": "<a&b>", "a": "two\nlines", "m": map[string]any{"k": "v"}}}
	got, err := e.JSON()
	require.NoError(t, err)
	assert.Equal(t, `{"a":"two\nlines","m":{"k":"v"},"z":"<a&b>"}`, string(got))
}

func TestMetricToLog(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 14, 8, 0, 0, 5e8, time.UTC)
	m := event.Metric{Name: "started_total", Namespace: "vector", Tags: map[string]string{"host": "w1", "component_id": "x"}, Time: at, Value: 1}

	got, err := m.ToLog("host").JSON()
	require.NoError(t, err)
	assert.Equal(t, `{"counter":{"value":1.0},"host":"w1","kind":"absolute","name":"started_total","namespace":"vector",`+
		`"tags":{"component_id":"x"},"timestamp":"2026-07-14T08:00:00.500Z"}`, string(got))

	got, err = event.Event{Metric: &m}.JSON()
	require.NoError(t, err)
	assert.Contains(t, string(got), `"tags":{"component_id":"x","host":"w1"}`, "as it is, its host is a tag among others")

	m.Type, m.Namespace = "gauge", ""
	log := m.ToLog("").Log
	assert.Contains(t, log, "gauge")
	assert.NotContains(t, log, "host")
	assert.NotContains(t, log, "namespace")
}

func TestWhatAProgramMayChangeOfAMetric(t *testing.T) {
	t.Parallel()
	m := event.Metric{Name: "n", Namespace: "vector", Tags: map[string]string{"host": "w1"}, Value: 3}
	fields := m.Fields()
	fields["name"] = "other"
	fields["tags"] = map[string]any{"cell": "c1"}
	fields["counter"] = map[string]any{"value": 5.0}
	changed := m.With(fields)
	assert.Equal(t, "other", changed.Name)
	assert.Equal(t, map[string]string{"cell": "c1"}, changed.Tags)
	assert.Equal(t, 3.0, changed.Value, "its value is not the program's to change")
	assert.Equal(t, "n", m.Name)
}

func TestJSONOfValues(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 14, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"whole floats keep their point", 2.0, "2.0"},
		{"others are as short as they can be", 0.1, "0.1"},
		{"what is no number is null", math.NaN(), "null"},
		{"integers", int64(-7), "-7"},
		{"control characters are escaped, others not", "\x01\u2028é\"\\/", "\"\\u0001\u2028é\\\"\\\\/\""},
		{"bytes that are no UTF-8 are replaced", "a\xffb", "\"a\uFFFDb\""},
		{"a time has as many digits as it needs: none", at, `"2026-07-14T08:00:00Z"`},
		{"three", at.Add(20 * time.Millisecond), `"2026-07-14T08:00:00.020Z"`},
		{"six", at.Add(20 * time.Microsecond), `"2026-07-14T08:00:00.000020Z"`},
		{"nine", at.Add(20), `"2026-07-14T08:00:00.000000020Z"`},
		{"lists and maps", map[string]any{"b": []any{nil, true}, "a": map[string]any{}}, `{"a":{},"b":[null,true]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := event.AppendJSON(nil, tt.value)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
		})
	}
	_, err := event.AppendJSON(nil, struct{}{})
	assert.Error(t, err)
}

func TestACloneSharesNothingThatCanChange(t *testing.T) {
	t.Parallel()
	e := event.Event{Log: map[string]any{"m": map[string]any{"k": "v"}, "l": []any{map[string]any{"k": "v"}}}}
	copied := e.Clone()
	copied.Log["m"].(map[string]any)["k"] = "2"
	copied.Log["l"].([]any)[0].(map[string]any)["k"] = "2"
	assert.Equal(t, map[string]any{"m": map[string]any{"k": "v"}, "l": []any{map[string]any{"k": "v"}}}, e.Log)
}
