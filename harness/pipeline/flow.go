package pipeline

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is where events of a source go.
type Delivery struct {
	Sources Components // that read them
	Axiom   Components // sinks that bring them to Axiom
	Other   Components // sinks that bring them elsewhere
	Nowhere Components // blackholes, and what stays on the host's console
	Through Components // transforms on the way to a sink that is no blackhole
	// Certain: one way to Axiom has no transform that may drop an event or change where it goes.
	Certain bool
}

// mayDrop are the transforms whose purpose is that not every event goes on as one event (vector.dev, "Transforms").
var mayDrop = []string{"aggregate", "dedupe", "exclusive_route", "filter", "log_to_metric", "lua", "reduce", "route", "sample", "throttle", "window", "swimlanes"}

func drops(c Component) bool {
	if c.Type != "remap" {
		return slices.Contains(mayDrop, c.Type)
	}
	source, inline := c.Options["source"].(string)
	if !inline || strings.Contains(source, "abort") {
		return true // a program in a file is not in the recording
	}
	onError, _ := c.Options["drop_on_error"].(bool)
	return onError
}

// otherLogs are sources that could read a unit's lines in a way of their own.
var otherLogs = []string{"exec", "file", "stdin", "syslog", "socket", "http_server", "docker_logs", "kubernetes_logs", "opentelemetry", "vector", "fluent", "logstash"}

// OtherLogs are the sources of the configuration, journald aside, that may carry the lines of a unit.
func (p Pipeline) OtherLogs() Components {
	return slices.DeleteFunc(slices.Clone(p.Sources), func(c Component) bool { return !slices.Contains(otherLogs, c.Type) })
}

// Lines says where the lines go that a program writes to its standard output as that unit.
func (p Pipeline) Lines(unit string) Delivery {
	return p.from(func(c Component) bool { return c.Type == "journald" && reads(c, unit) })
}

// Metrics says where the metrics go that a source of its kind gives, for each such source.
func (p Pipeline) Metrics() map[string]Delivery {
	out := map[string]Delivery{}
	for _, c := range p.Sources {
		if IsMetrics(c.Type) {
			out[c.ID] = p.from(func(s Component) bool { return s.ID == c.ID })
		}
	}
	return out
}

// IsMetrics reports whether a source of that type gives metrics.
func IsMetrics(typ string) bool {
	return strings.HasPrefix(typ, "prometheus_") || strings.HasSuffix(typ, "_metrics") || typ == "statsd"
}

// Interval is how often a source is asked (scrape_interval_secs; Vector's default for scrapes is 15 s, for its own
// metrics 1 s).
func (c Component) Interval() time.Duration {
	secs := 15.0
	if c.Type == "internal_metrics" {
		secs = 1
	}
	switch v := c.Options["scrape_interval_secs"].(type) {
	case float64:
		secs = v
	case int64:
		secs = float64(v)
	case uint64:
		secs = float64(v)
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			secs = f
		}
	}
	return time.Duration(secs * float64(time.Second))
}

// ofHost is an address of the host itself with the path of metrics: images/twin, which plays the worker, serves there.
var ofHost = regexp.MustCompile(`^http://(127\.0\.0\.1|localhost):[0-9]{1,5}/\S*metrics`)

// ScrapesWorker reports whether a source reads metrics of a program on the same host.
func (c Component) ScrapesWorker() bool {
	return c.Type == "prometheus_scrape" && slices.ContainsFunc(texts(c.Options["endpoints"]), ofHost.MatchString)
}

// reads tells whether a journald source takes what the unit writes to its standard output. include_units and
// include_matches are one list, of which any may match; so are those that exclude (vector.dev, journald source).
func reads(c Component, unit string) bool {
	fields := map[string]string{
		"_SYSTEMD_UNIT": unit, "SYSLOG_IDENTIFIER": strings.TrimSuffix(unit, ".service"), "_TRANSPORT": "stdout", "PRIORITY": "6",
	}
	matches := func(units, match string) (matched, some bool) {
		for _, name := range texts(c.Options[units]) {
			if some = true; !strings.Contains(name, ".") {
				name += ".service"
			}
			matched = matched || name == unit
		}
		lists, _ := c.Options[match].(map[string]any)
		for field, values := range lists {
			some = true
			matched = matched || fields[field] != "" && slices.Contains(texts(values), fields[field])
		}
		return matched, some
	}
	included, some := matches("include_units", "include_matches")
	excluded, _ := matches("exclude_units", "exclude_matches")
	return (included || !some) && !excluded
}

// from follows the graph from those sources to every sink that they reach.
func (p Pipeline) from(starts func(Component) bool) Delivery {
	var d Delivery
	certain := map[string]bool{} // reached component -> without a transform that drops
	for _, c := range p.Sources {
		if starts(c) {
			d.Sources = append(d.Sources, c)
			certain[c.ID] = true
		}
	}
	// A graph without cycles (Vector refuses one) is followed in as many rounds as it has transforms.
	reached := func(c Component) (yes, sure bool) {
		for _, input := range c.Inputs {
			for id, s := range certain {
				if feeds(id, input) {
					yes, sure = true, sure || s
				}
			}
		}
		return yes, sure
	}
	for range p.Transforms {
		for _, t := range p.Transforms {
			if yes, sure := reached(t); yes {
				certain[t.ID] = certain[t.ID] || sure && !drops(t)
			}
		}
	}
	useful := map[string]bool{}
	for _, s := range p.Sinks {
		yes, sure := reached(s)
		switch {
		case !yes:
			continue
		case s.Type == "blackhole" || s.Type == "console": // its own output, which is the journal again
			d.Nowhere = append(d.Nowhere, s)
			continue
		case s.Type == "axiom":
			d.Axiom = append(d.Axiom, s)
			d.Certain = d.Certain || sure
		default:
			d.Other = append(d.Other, s)
		}
		p.upstream(s, useful)
	}
	for _, t := range p.Transforms {
		if _, yes := certain[t.ID]; yes && useful[t.ID] {
			d.Through = append(d.Through, t)
		}
	}
	return d
}

// upstream marks the transforms that feed a component.
func (p Pipeline) upstream(c Component, seen map[string]bool) {
	for _, t := range p.Transforms {
		if !seen[t.ID] && slices.ContainsFunc(c.Inputs, func(input string) bool { return feeds(t.ID, input) }) {
			seen[t.ID] = true
			p.upstream(t, seen)
		}
	}
}

// feeds: an input is an id, an id with the name of an output, or a pattern.
func feeds(id, input string) bool {
	if id == input || strings.HasPrefix(input, id+".") {
		return true
	}
	ok, err := path.Match(input, id)
	return err == nil && ok
}
