package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
)

// asLogs turns the metrics of a source m into log events.
const asLogs = "  t: {type: metric_to_log, inputs: [m]}\n"

var own = pipeline{sources: "  m: {type: internal_metrics, scrape_interval_secs: 1}\n", transforms: asLogs, inputs: "[t]"}.String()

// metric waits for one by its name, as an event.
func (l *lab) metric(name string) (event map[string]any) {
	l.until(func() bool {
		all := l.axiom.taken()
		if i := slices.IndexFunc(all, func(e map[string]any) bool { return e["name"] == name }); i >= 0 {
			event = all[i]
		}
		return event != nil
	})
	return event
}

// essential are the names that tell whether lines are read and sent.
var essential = []string{"component_received_events_total", "component_sent_events_total", "started_total", "uptime_seconds"}

// names are those of a run of 0.56 with this configuration.
var names = strings.Fields(`adaptive_concurrency_averaged_rtt adaptive_concurrency_back_pressure adaptive_concurrency_in_flight
adaptive_concurrency_limit adaptive_concurrency_observed_rtt adaptive_concurrency_past_rtt_mean adaptive_concurrency_reached_limit
buffer_byte_size buffer_events buffer_max_event_size buffer_max_size_events buffer_received_bytes_total buffer_received_events_total
buffer_send_duration_seconds buffer_sent_bytes_total buffer_sent_events_total buffer_size_bytes buffer_size_events build_info
component_latency_mean_seconds component_latency_seconds component_received_bytes_total component_received_event_bytes_total
component_received_events_count component_received_events_total component_sent_bytes_total component_sent_event_bytes_total
component_sent_events_total http_client_requests_sent_total http_client_response_rtt_seconds http_client_responses_total
http_client_rtt_seconds internal_metrics_cardinality internal_metrics_cardinality_total source_buffer_max_event_size
source_buffer_max_size_events source_buffer_utilization source_buffer_utilization_level source_buffer_utilization_mean
source_lag_time_seconds source_send_batch_latency_seconds source_send_latency_seconds started_total transform_buffer_max_event_size
transform_buffer_max_size_events transform_buffer_utilization transform_buffer_utilization_level transform_buffer_utilization_mean
uptime_seconds utilization`)

// lacking are those of the wanted names that no metric has.
func lacking(wanted []string) func(*lab) string {
	return func(l *lab) string {
		l.config(own)
		l.journal("a")
		l.start()
		missing := func() (none []string) {
			seen := map[any]bool{}
			for _, e := range l.axiom.taken() {
				seen[e["name"]] = true
			}
			for _, name := range wanted {
				if !seen[name] {
					none = append(none, name)
				}
			}
			return none
		}
		// Some are there only once something was sent.
		l.until(func() bool { return len(missing()) == 0 || len(l.axiom.requests()) > 6 })
		if none := missing(); len(none) > 0 {
			l.t.Logf("lacks %s", strings.Join(none, " "))
			return fmt.Sprintf("lacks %d of %d", len(none), len(wanted))
		}
		return "has all"
	}
}

// exporter serves metrics in the text format.
func (l *lab) exporter(status int, text string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}))
	l.t.Cleanup(s.Close)
	return s.URL + "/metrics"
}

func scraping(endpoint string) string {
	return pipeline{sources: "  m: {type: prometheus_scrape, endpoints: ['" + endpoint + "'], scrape_interval_secs: 1, scrape_timeout_secs: 0.5}\n", transforms: asLogs, inputs: "[j, t]"}.String()
}

// scraped is the event of a metric, without its time and host.
func scraped(text, name string) func(*lab) string {
	return func(l *lab) string {
		l.config(scraping(l.exporter(http.StatusOK, text)))
		l.start()
		e := l.metric(name)
		delete(e, "timestamp")
		delete(e, "host")
		b, err := json.Marshal(e)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
}

// unscraped is what becomes of lines, and of Vector, when metrics cannot be had.
func unscraped(endpoint func(*lab) string, phrase string) func(*lab) string {
	return func(l *lab) string {
		l.config(scraping(endpoint(l)))
		l.journal("a")
		p := l.start()
		l.until(func() bool { return (l.axiom.took("a") && p.log.has(phrase)) })
		return fmt.Sprintf("%s, %v, %s", p.alive(), l.axiom.messages(), says(p.log.String(), phrase))
	}
}

var metrics = []row{
	{name: "one of its own, as an event", source: only56, want: both("counter host kind=absolute name namespace=vector tags=component_id,component_kind,component_type timestamp"), play: func(l *lab) string {
		l.config(own)
		l.start()
		e := l.metric("component_received_events_total")
		if e == nil {
			return "none"
		}
		tags, _ := e["tags"].(map[string]any)
		var keys, fields []string
		for k := range tags {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for k, v := range e {
			switch k {
			case "kind", "namespace":
				k += "=" + fmt.Sprint(v)
			case "tags":
				k += "=" + strings.Join(keys, ",")
			}
			fields = append(fields, k)
		}
		sort.Strings(fields)
		return strings.Join(fields, " ")
	}},
	{name: "the tags name the component", source: only56, want: both("m source internal_metrics"), play: func(l *lab) string {
		l.config(own)
		l.start()
		seen := "none of m"
		l.until(func() bool {
			for _, e := range l.axiom.taken() {
				if tags, _ := e["tags"].(map[string]any); e["name"] == "component_received_events_total" && tags["component_id"] == "m" {
					seen = fmt.Sprint(tags["component_id"], " ", tags["component_kind"], " ", tags["component_type"])
					return true
				}
			}
			return false
		})
		return seen
	}},
	{name: "the essential ones of its own", source: only56, want: both("has all"), play: lacking(essential)},
	{name: "all of its own", source: only56, want: both("has all"), left: left{both("lacks 45 of 50"), "it counts what a dashboard of lines and deliveries needs; the rest is of Vector's own innards"}, play: lacking(names)},
	{name: "a counter that was scraped", source: reference("configuration/sources/prometheus_scrape"),
		want: both(`{"counter":{"value":3},"kind":"absolute","name":"boots_total","tags":{"cell":"c1"}}`),
		play: scraped("# HELP boots_total Boots.\n# TYPE boots_total counter\nboots_total{cell=\"c1\"} 3\n", "boots_total")},
	{name: "a gauge that was scraped", source: reference("configuration/sources/prometheus_scrape"),
		want: both(`{"gauge":{"value":1.5},"kind":"absolute","name":"load"}`),
		play: scraped("# TYPE load gauge\nload 1.5\n", "load")},
	{name: "an exporter that nobody is", source: only56, want: both("alive, [a], says so"), play: unscraped(func(*lab) string { return refusing + "/metrics" }, "HTTP request processing error.")},
	{name: "an exporter that fails", source: reference("configuration/sources/prometheus_scrape"), want: both("alive, [a], says so"), play: unscraped(func(l *lab) string { return l.exporter(http.StatusServiceUnavailable, "") }, "HTTP error")},
	{name: "an exporter that is there later", source: reference("configuration/sources/prometheus_scrape"), want: both("arrives"), play: func(l *lab) string {
		address, hear := l.deaf()
		l.config(scraping("http://" + address + "/metrics"))
		p := l.start()
		l.until(func() bool { return p.log.has("HTTP request processing error.") })
		late := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("# TYPE load gauge\nload 1\n"))
		}))
		_ = late.Listener.Close()
		late.Listener = hear()
		late.Start()
		l.t.Cleanup(late.Close)
		if l.metric("load") == nil {
			return "does not arrive: " + p.alive()
		}
		return "arrives"
	}},
	{name: "straight into axiom they are sent as they are", source: "documented: vector.dev/docs/reference/configuration/sinks/axiom, input types; accepted when measured", want: both("counter"), play: func(l *lab) string {
		l.config(pipeline{sources: "  m: {type: internal_metrics, scrape_interval_secs: 1}\n", inputs: "[m]"}.String())
		l.start()
		if e := l.metric("started_total"); e["counter"] != nil {
			return "counter"
		}
		return "none"
	}},
}
