package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

func TestMetricsAreServedWhereTheConfigurationScrapesThem(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"YAML", "m: {type: prometheus_scrape, endpoints: ['http://127.0.0.1:9091/metrics']}", []string{"9091"}},
		{"TOML, several", "type = \"prometheus_scrape\"\nendpoints = [\"http://localhost:9100/metrics\", \"http://localhost:9101/a/metrics\"]", []string{"9100", "9101"}},
		{"named twice", "prometheus_scrape http://localhost:1/metrics http://localhost:1/metrics", []string{"1"}},
		{"another host's", "prometheus_scrape http://example.org:9091/metrics", nil},
		{"a stub's address is none of metrics", "prometheus_scrape ${AXIOM_PLATFORM_URL:-http://127.0.0.1:1}", nil},
		{"nothing is scraped", "url: http://127.0.0.1:9091/metrics", nil},
		{"where Vector itself listens", "prometheus_scrape http://127.0.0.1:9598/metrics\nsinks: {e: {type: prometheus_exporter, address: '0.0.0.0:9598'}}", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, scrapedPorts(recording.VectorConfig{Files: []recording.ConfigFile{{Text: tt.text}}}))
		})
	}
}

func TestTheWorkersMetricsAreServedUntilItEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	serveMetrics(ctx, []string{port})
	client := &http.Client{Timeout: 5 * time.Second}
	get := func() (string, error) {
		resp, err := client.Get("http://127.0.0.1:" + port + "/metrics")
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	text, err := get()
	require.NoError(t, err)
	assert.Contains(t, text, "\nopensandbox_worker_up 1\n")
	cancel()
	assert.Eventually(t, func() bool { _, err := get(); return err != nil }, 5*time.Second, 10*time.Millisecond)
}
