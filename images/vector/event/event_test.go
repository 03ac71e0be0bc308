package event_test

import (
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
	m := event.Metric{Name: "started_total", Tags: map[string]string{"host": "w1", "component_id": "x"}, Time: at, Value: 1}

	got, err := m.ToLog("host").JSON()
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"started_total","namespace":"vector","kind":"absolute","counter":{"value":1},
		"host":"w1","tags":{"component_id":"x"},"timestamp":"2026-07-14T08:00:00.5Z"}`, string(got))

	m.Gauge = true
	assert.Contains(t, m.ToLog("").Log, "gauge")
	assert.NotContains(t, m.ToLog("").Log, "host")
}

func TestSetMakesAndReplacesWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	e := event.Event{Log: map[string]any{"a": "text", "m": map[string]any{"k": "v"}}}
	copied := e.Clone()
	copied.Set([]string{"a", "b"}, "1")
	copied.Set([]string{"m", "k"}, "2")
	assert.Equal(t, map[string]any{"a": map[string]any{"b": "1"}, "m": map[string]any{"k": "2"}}, copied.Log)
	assert.Equal(t, map[string]any{"a": "text", "m": map[string]any{"k": "v"}}, e.Log, "the original is untouched")
}

func TestParsePath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		want       []string
	}{
		{"one name", ".cell_id", []string{"cell_id"}},
		{"nested names", ".tags.region", []string{"tags", "region"}},
		{"the root is refused", ".", nil},
		{"no dot is refused", "cell", nil},
		{"an index is refused", ".a[0]", nil},
		{"an empty name is refused", ".a..b", nil},
		{"a leading digit is refused", ".0a", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := event.ParsePath(tt.path)
			if tt.want == nil {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
