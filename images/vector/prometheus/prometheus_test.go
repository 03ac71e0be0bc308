package prometheus

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/tracing"
)

var now = time.Date(2026, 7, 14, 8, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"a counter with labels", "# HELP n what it is\n# TYPE n counter\nn{a=\"1\", b=\"x\\\"y\\\\z\\n\"} 3\n", []string{
			`{"counter":{"value":3.0},"kind":"absolute","name":"n","tags":{"a":"1","b":"x\"y\\z\n"},"timestamp":"2026-07-14T08:00:00Z"}`}},
		{"a gauge with a time", "# TYPE g gauge\ng 0.5 1784016001500\n", []string{
			`{"gauge":{"value":0.5},"kind":"absolute","name":"g","timestamp":"2026-07-14T08:00:01.500Z"}`}},
		{"without a type it is a gauge", "up 1\n", []string{`{"gauge":{"value":1.0},"kind":"absolute","name":"up","timestamp":"2026-07-14T08:00:00Z"}`}},
		{"a histogram's buckets have their own counts", "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"5\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 9\nh_count 4\n", []string{
			`{"aggregated_histogram":{"buckets":[{"count":2,"upper_limit":1.0},{"count":1,"upper_limit":5.0}],"count":4,"sum":9.0},"kind":"absolute","name":"h","timestamp":"2026-07-14T08:00:00Z"}`}},
		{"a summary for each set of labels", "# TYPE s summary\ns{quantile=\"0.5\",m=\"a\"} 1\ns{quantile=\"0.5\",m=\"b\"} 2\ns_sum{m=\"a\"} 3\ns_count{m=\"a\"} 4\n", []string{
			`{"aggregated_summary":{"count":4,"quantiles":[{"quantile":0.5,"value":1.0}],"sum":3.0},"kind":"absolute","name":"s","tags":{"m":"a"},"timestamp":"2026-07-14T08:00:00Z"}`,
			`{"aggregated_summary":{"count":0,"quantiles":[{"quantile":0.5,"value":2.0}],"sum":0.0},"kind":"absolute","name":"s","tags":{"m":"b"},"timestamp":"2026-07-14T08:00:00Z"}`}},
		{"nothing", "\n# only words\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			events, err := Parse(tt.text, now)
			require.NoError(t, err)
			var got []string
			for _, e := range events {
				line, err := e.JSON()
				require.NoError(t, err)
				got = append(got, string(line))
			}
			assert.Equal(t, tt.want, got)
		})
	}
	for _, bad := range []string{"<html>", "n", "n x", "n{a} 1", "n{a=\"1} 1", "n 1 2 3", "n 1 soon"} {
		_, err := Parse(bad, now)
		assert.ErrorContains(t, err, "line 1: ", "%s", bad)
	}
}

// scrape runs a source until it has given events twice or the log says what is awaited.
func scrape(t *testing.T, cfg config.Source, until string) ([]event.Event, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log := &watched{text: until, cancel: cancel}
	s, err := New(cfg, http.DefaultClient, tracing.New(log, slog.LevelInfo, 0))
	require.NoError(t, err)
	var got []event.Event
	rounds := 0
	require.NoError(t, s.Run(ctx, func(_ context.Context, events []event.Event, _ func(bool)) error {
		got = append(got, events...)
		if rounds++; rounds == 2 {
			cancel()
		}
		return nil
	}))
	return got, log.log.String()
}

type watched struct {
	log    strings.Builder
	text   string
	cancel func()
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.log.Write(b)
	if w.text != "" && strings.Contains(w.log.String(), w.text) {
		w.cancel()
	}
	return n, err
}

func source(endpoint string) config.Source {
	return config.Source{ID: "m", Type: "prometheus_scrape", ScrapeInterval: 10 * time.Millisecond,
		Scrape: config.Scrape{Endpoints: []string{endpoint}, ScrapeTimeout: 5 * time.Second}}
}

func TestItScrapesAtEachInterval(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/metrics" || r.URL.Query().Get("match") != "x" || user+password != "up" || r.Header.Get("Accept") != "text/plain" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = w.Write([]byte("n{instance=\"theirs\"} 1\n"))
	}))
	t.Cleanup(service.Close)
	cfg := source(service.URL + "/metrics")
	cfg.Query = map[string][]string{"match": {"x"}}
	cfg.Auth = config.Auth{Strategy: "basic", User: "u", Password: "p"}
	cfg.InstanceTag = "instance"
	cfg.EndpointTag = "endpoint"
	got, log := scrape(t, cfg, "")
	require.Len(t, got, 2, log)
	assert.Equal(t, map[string]string{"exported_instance": "theirs", "instance": strings.TrimPrefix(service.URL, "http://"), "endpoint": service.URL + "/metrics?match=x"}, got[0].Metric.Tags)

	cfg.HonorLabels = true
	got, _ = scrape(t, cfg, "")
	assert.Equal(t, "theirs", got[0].Metric.Tags["instance"])
}

func TestWhatDoesNotAnswerIsLogged(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			_, _ = w.Write([]byte("<html>secret</html>"))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(service.Close)
	tests := []struct{ name, endpoint, says string }{
		{"nobody there", "http://127.0.0.1:1/metrics", "connection refused"},
		{"no such page", service.URL + "/metrics", "404 Not Found"},
		{"a page of another kind", service.URL + "/page", "parsing error: line 1: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, log := scrape(t, source(tt.endpoint), tt.says)
			assert.Empty(t, got)
			assert.Contains(t, log, "HTTP request processing error. url="+tt.endpoint)
			assert.NotContains(t, log, "secret")
		})
	}
}

func TestAnEndpointThatIsNoURLIsRefused(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"${HOST}/metrics", "http://a b/", "/metrics"} {
		_, err := New(source(endpoint), http.DefaultClient, slog.New(slog.DiscardHandler))
		assert.ErrorContains(t, err, "invalid uri character", "%s", endpoint)
	}
}
