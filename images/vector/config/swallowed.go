package config

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sinks that are not played are read as far as it decides whether Vector takes the configuration: their codec, templates
// that must be confined, URLs, where they listen, and options that are gone.

// allCodecs are those of Vector's `encoding.codec`; the last two write batches.
var allCodecs = append(slices.Clone(codecs), "arrow_stream", "parquet")

// mustEncode are the sinks without a default encoding.
var mustEncode = strings.Fields("amqp aws_cloudwatch_logs aws_kinesis_firehose aws_kinesis_streams aws_s3 aws_sns aws_sqs azure_blob file " +
	"gcp_chronicle_unstructured gcp_cloud_storage gcp_pubsub http humio_logs kafka loki mqtt nats papertrail pulsar redis socket splunk_hec_logs " +
	"webhdfs websocket websocket_server")

// confined are the options by which an event says where it goes, each a path into the sink; `*` is every field, `@` the name
// of every field, what ends in `!` was confined by 0.57 alone, and of what ends in `?` it is not known (the 0.57 upgrade guide,
// each sink's `.confine(` in Vector's source, vectordotdev/vector#26176 for loki's values, and what 0.58.0 was seen to refuse).
var confined = map[string]string{
	"amqp":                    "routing_key exchange",
	"aws_cloudwatch_logs":     "group_name stream_name",
	"aws_s3":                  "key_prefix ssekms_key_id",
	"azure_blob":              "blob_prefix",
	"clickhouse":              "table database",
	"doris":                   "table database",
	"elasticsearch":           "bulk.index normal.index data_stream.type data_stream.dataset data_stream.namespace",
	"gcp_cloud_storage":       "key_prefix",
	"gcp_stackdriver_logs":    "log_id resource.*? labels.*?",
	"greptimedb_logs":         "table dbname pipeline_name pipeline_version",
	"http":                    "request.headers.*",
	"humio_logs":              "index source event_type",
	"humio_metrics":           "index source event_type",
	"kafka":                   "topic",
	"loki":                    "tenant_id labels.@ labels.*! structured_metadata.@ structured_metadata.*!",
	"mqtt":                    "topic",
	"nats":                    "subject",
	"opentelemetry":           "protocol.request.headers.*",
	"prometheus_remote_write": "tenant_id",
	"pulsar":                  "topic",
	"redis":                   "key",
	"splunk_hec_logs":         "index source sourcetype",
	"splunk_hec_metrics":      "index source sourcetype",
	"webhdfs":                 "prefix",
}

// urls are the options that hold a URL, or several.
var urls = map[string]string{
	"appsignal": "endpoint", "clickhouse": "endpoint", "databend": "endpoint", "datadog_events": "endpoint", "datadog_logs": "endpoint",
	"datadog_metrics": "endpoint", "datadog_traces": "endpoint", "doris": "endpoints", "elasticsearch": "endpoint endpoints",
	"greptimedb_logs": "endpoint", "honeycomb": "endpoint", "http": "uri", "humio_logs": "endpoint", "humio_metrics": "endpoint",
	"influxdb_logs": "endpoint", "influxdb_metrics": "endpoint", "loki": "endpoint", "mezmo": "endpoint", "postgres": "endpoint", "prometheus_remote_write": "endpoint",
	"splunk_hec_logs": "endpoint", "splunk_hec_metrics": "endpoint", "webhdfs": "endpoint",
}

func (r *reader) swallowed(s *Sink, known fields, n *yaml.Node, at string) {
	required := []string{"inputs"}
	if sinkTypes[s.Type].Coded {
		known["encoding"] = func(n *yaml.Node, at string) {
			r.take(n, at, fields{"codec": r.oneOf(&s.Encoding.Codec, allCodecs...)}, "codec")
		}
		if slices.Contains(mustEncode, s.Type) {
			required = append(required, "encoding")
		}
	} else {
		known["encoding"] = func(n *yaml.Node, at string) { r.is(yaml.MappingNode, n, at, "a map") }
	}
	if s.Type == "nats" {
		known["auth"] = r.natsAuth
	}
	if s.Type == "opentelemetry" {
		known["protocol"] = func(n *yaml.Node, at string) {
			r.take(n, at, fields{"headers": func(n *yaml.Node, _ string) { r.fail(n, at, "unknown field `headers`") }})
		}
	}
	r.words("sink", s.Type, known)
	r.goneOptions("sink", s.Type, n, known)
	if s.Type == "prometheus_exporter" && !has(n, "address") {
		r.listening(s.ID, "tcp", "0.0.0.0:9598")
	}
	r.address(sinkListeners, s.ID, s.Type, n, known)
	r.walk(n, at, known, required, r.incomplete("sink "+s.Type, at))
	if resolve(n).Kind == yaml.MappingNode {
		r.templates(s, n, at)
		r.fieldsOfTemplates("sink", s.Type, confined[s.Type], n, at)
	}
}

// complete are the options of components that are not played, refuse others, and whose sources of 2026 were read.
var complete = map[string]string{
	"sink elasticsearch": "endpoint endpoints doc_type api_version suppress_type_name request_retry_partial id_key pipeline mode compression " +
		"batch request auth query aws opensearch_service_type tls distribution bulk normal data_stream metrics acknowledgements",
	"sink file":     "path base_dir idle_timeout_secs framing compression acknowledgements timezone internal_metrics truncate",
	"sink postgres": "endpoint table pool_size batch request acknowledgements",
	"sink prometheus_exporter": "namespace default_namespace address auth tls buckets quantiles distributions_as_summaries flush_period_secs " +
		"suppress_timestamp acknowledgements",
	"transform throttle": "threshold window_secs key_field exclude internal_metrics",
	"transform window":   "forward_when flush_when num_events_before num_events_after",
}

// incomplete refuses what is none of the options of a component.
func (r *reader) incomplete(component, at string) func(key *yaml.Node) {
	options, ok := complete[component]
	return func(key *yaml.Node) {
		if ok && !slices.Contains(strings.Fields(options+" dangerously_allow_unconfined_template_resolution"), key.Value) {
			r.fail(key, at, "unknown field `%s`", key.Value)
		}
	}
}

// templates finds the options whose template nothing confines.
func (r *reader) templates(s *Sink, n *yaml.Node, at string) {
	for _, option := range strings.Fields(urls[s.Type]) {
		for _, text := range texts(n, option) {
			if !strings.Contains(text, "{{") && badAuthority(text) {
				s.BadURL = option
			}
		}
	}
	if opted := value(n, "dangerously_allow_unconfined_template_resolution"); opted != nil && strings.EqualFold(resolve(opted).Value, "true") {
		return
	}
	for _, option := range strings.Fields(confined[s.Type]) {
		option, doubtful := strings.CutSuffix(option, "?")
		option, once := strings.CutSuffix(option, "!")
		if idle(n, option) || once && !(r.version.Confines() && r.version.Before(Version{0, 58, 0})) {
			continue
		}
		for _, text := range texts(n, option) {
			switch {
			case !looseText(text):
			case !doubtful:
				s.Loose = append(s.Loose, option)
			case r.version == Version{} || r.version.Confines():
				r.cannotDecide(join(at, option), "whether Vector from 0.57 on takes its template without a literal beginning")
			}
		}
	}
	for sink, option := range map[string]string{"http": "uri", "opentelemetry": "protocol.uri"} {
		for _, text := range texts(n, option) {
			if s.Type == sink && looseURI(text) {
				s.Loose = append(s.Loose, option)
			}
		}
	}
	for _, text := range texts(n, "path") {
		if s.Type == "file" && loosePath(text, value(n, "base_dir")) {
			s.Loose = append(s.Loose, "path")
		}
	}
}

// templated are templates besides those that are confined.
var templated = map[string]string{
	"sink elasticsearch": "bulk.action bulk.version", "sink file": "path", "sink http": "uri",
	"transform throttle": "key_field", "transform log_to_metric": "metrics.name metrics.namespace metrics.tags.@ metrics.tags.*",
}

// A field in a template, and what Vector takes for its path (src/template.rs, VRL's path/jit.rs): what has a hyphen, a slash or
// a space must be in quotes.
var (
	fieldRE = regexp.MustCompile(`\{\{([^}]+)\}\}`)
	pathRE  = func() *regexp.Regexp {
		name := `(?:[A-Za-z0-9_@]+|"(?:[^"\\]|\\["\\])*")`
		segment := `(?:` + name + `|\[-?[0-9]+\]|\( *` + name + ` *(?:\| *` + name + ` *)+\))`
		return regexp.MustCompile(`^(?:[.%]|[.%]?\.?` + segment + `(?:\.?` + segment + `)*)$`)
	}()
)

func (r *reader) fieldsOfTemplates(kind, typ, options string, n *yaml.Node, at string) {
	for _, option := range strings.Fields(options + " " + templated[kind+" "+typ]) {
		option = strings.TrimRight(option, "?!")
		for _, text := range texts(n, option) {
			for _, field := range fieldRE.FindAllStringSubmatch(text, -1) {
				if name := strings.TrimSpace(field[1]); !pathRE.MatchString(name) {
					r.fail(n, join(at, option), "Invalid field path in template %q", name)
				}
			}
		}
	}
}

// texts are the texts that a path of options leads to; `*` is every field, `@` the name of every field.
func texts(n *yaml.Node, option string) []string {
	n = resolve(n)
	var all []string
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			all = append(all, texts(item, option)...)
		}
		return all
	case n.Kind == yaml.ScalarNode && option == "":
		return []string{n.Value}
	case n.Kind != yaml.MappingNode || option == "":
		return nil
	}
	name, rest, _ := strings.Cut(option, ".")
	for key, v := range pairs(n) {
		switch {
		case name == "@":
			all = append(all, key.Value)
		case key.Value == name || name == "*":
			all = append(all, texts(v, rest)...)
		}
	}
	return all
}

// authority is the part of a URL between its scheme and its path.
func authority(text string) string {
	if _, after, ok := strings.Cut(text, "://"); ok {
		text = after
	}
	if i := strings.IndexAny(text, "/?#"); i >= 0 {
		text = text[:i]
	}
	return text
}

// badAuthority: what no host has, as a variable that was not put in. In a path Vector's URLs may have braces.
func badAuthority(text string) bool { return strings.ContainsAny(authority(text), " {}<>\\^`|\"") }

// looseURI: a template decides the host or port, or stands in a query (seen of 0.58.0).
func looseURI(text string) bool {
	return strings.Contains(text, "{{") && (strings.Contains(authority(text), "{{") || strings.ContainsAny(text, "?#"))
}

// literal is what a template begins with, whatever the event and the time, if there is something of the event in it.
func literal(text string) (string, bool) {
	if !strings.Contains(text, "{{") {
		return text, false
	}
	begins, _, _ := strings.Cut(text, "{{")
	begins, _, _ = strings.Cut(begins, "%")
	return begins, true
}

// looseText: it begins with nothing, or with the root alone (src/template.rs).
func looseText(text string) bool {
	begins, dynamic := literal(text)
	return dynamic && (begins == "" || begins == "/")
}

// loosePath: it leaves its base directory, or there is none but the root (src/sinks/util/path_confinement.rs).
func loosePath(text string, base *yaml.Node) bool {
	begins, dynamic := literal(text)
	if base == nil {
		dir := path.Clean(begins[:strings.LastIndexByte(begins, '/')+1])
		return dynamic && (!path.IsAbs(dir) || dir == "/")
	}
	below := path.Clean(resolve(base).Value)
	if !path.IsAbs(text) {
		text = path.Join(below, text)
	}
	text = path.Clean(text)
	return !path.IsAbs(below) || !dynamic && text != below && !strings.HasPrefix(text, strings.TrimSuffix(below, "/")+"/")
}

// idle: the option belongs to a mode of `elasticsearch` that is not on (only `bulk.index`, or the data stream's, is confined).
func idle(n *yaml.Node, option string) bool {
	mode := value(n, "mode")
	streams := mode != nil && resolve(mode).Value == "data_stream"
	switch {
	case strings.HasPrefix(option, "bulk.") || strings.HasPrefix(option, "normal."):
		return streams
	case strings.HasPrefix(option, "data_stream."):
		return !streams
	}
	return false
}
