package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/images/vector/metrics"
)

func TestScrape(t *testing.T) {
	t.Parallel()
	r := metrics.New("w1", time.Now())
	tags := metrics.Component("sink", "platform", "axiom")
	r.Counter("component_sent_events_total", tags).Add(2)
	r.Counter("component_sent_events_total", tags).Add(3)
	r.Gauge("buffer_events", tags, func() float64 { return 7 })

	got := map[string]float64{}
	var order []string
	for _, e := range r.Scrape(time.Now()) {
		got[e.Metric.Name] = e.Metric.Value
		order = append(order, e.Metric.Name)
		assert.Equal(t, "w1", e.Metric.Tags["host"])
	}
	assert.Equal(t, []string{"component_sent_events_total", "started_total", "uptime_seconds", "buffer_events"}, order)
	assert.Equal(t, 5.0, got["component_sent_events_total"])
	assert.Equal(t, 1.0, got["started_total"])
	assert.Equal(t, 7.0, got["buffer_events"])
	assert.NotContains(t, tags, "host", "the caller's tags are left alone")
}
