package config

import (
	"slices"
	"strings"
)

// Kinds are kinds of events.
type Kinds uint8

// What there is; a component that is in no list takes and gives every kind.
const (
	logs Kinds = 1 << iota
	metrics
	traces
	anyKind = logs | metrics | traces
)

func (k Kinds) String() string {
	var names []string
	for i, name := range []string{"Log", "Metric", "Trace"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// ComponentType is what the catalog knows of a type of component.
type ComponentType struct {
	Name         string
	Takes, Gives Kinds
	// Played says that the stand-in does what Vector does with it. Of the others a source is silent, a transform passes
	// everything on, and a sink swallows.
	Played bool
	// Local says that a source which is not played would read what this machine writes, a worker's log files for one.
	Local bool
	// Coded says that a codec, `decoding.codec` or `encoding.codec`, narrows what it gives or takes.
	Coded bool
	// Until is the first version that has it no more.
	Until Version
}

// The names are those of Vector 0.58.0 (the schema that it generates has 48 sources, 18 transforms and 62 sinks) and, with
// an end, those that 0.56 had besides. What each takes and gives is in its source, `fn input` and `fn outputs`.
var (
	sourceTypes = catalog(
		types("internal_logs splunk_hec windows_event_log dnstap", 0, logs),
		local(types("file syslog docker_logs kubernetes_logs fluent logstash", 0, logs)),
		local(coded(types("exec file_descriptor socket stdin", 0, anyKind))),
		coded(types("amqp aws_kinesis_firehose aws_s3 aws_sqs demo_logs gcp_pubsub heroku_logs http http_client http_server kafka mqtt "+
			"nats okta pulsar redis websocket", 0, anyKind)),
		types("datadog_agent opentelemetry vector unit_test unit_test_stream", 0, anyKind),
		types("apache_metrics aws_ecs_metrics eventstoredb_metrics host_metrics mongodb_metrics nginx_metrics postgresql_metrics "+
			"prometheus_pushgateway prometheus_remote_write static_metrics statsd", 0, metrics),
		played(types("journald", 0, logs)), played(types("internal_metrics prometheus_scrape", 0, metrics)),
	)
	transformTypes = catalog(
		types("delay", anyKind, anyKind),
		types("aws_ec2_metadata lua", logs|metrics, logs|metrics),
		types("sample", logs|traces, logs|traces),
		types("dedupe reduce throttle window", logs, logs),
		types("log_to_metric", logs, metrics),
		types("trace_to_log", traces, logs),
		types("aggregate incremental_to_absolute tag_cardinality_limit", metrics, metrics),
		played(types("remap filter route exclusive_route", anyKind, anyKind)), played(types("metric_to_log", metrics, logs)),
	)
	sinkTypes = catalog(
		coded(types("aws_s3 file gcp_cloud_storage gcp_pubsub http redis socket websocket websocket_server", anyKind, 0)),
		coded(types("kafka pulsar", logs|metrics, 0)),
		coded(types("amqp aws_cloudwatch_logs aws_kinesis_firehose aws_kinesis_streams aws_sns aws_sqs azure_blob gcp_chronicle_unstructured "+
			"humio_logs loki mqtt nats papertrail splunk_hec_logs webhdfs", logs, 0)),
		types("databend databricks_zerobus opentelemetry postgres unit_test unit_test_stream vector", anyKind, 0),
		types("appsignal elasticsearch new_relic", logs|metrics, 0),
		types("azure_logs_ingestion clickhouse datadog_events datadog_logs doris gcp_stackdriver_logs greptimedb_logs honeycomb influxdb_logs "+
			"keep mezmo sematext_logs", logs, 0),
		until(Version{0, 58, 0}, types("azure_monitor_logs logdna", logs, 0)),
		types("aws_cloudwatch_metrics datadog_metrics gcp_stackdriver_metrics greptimedb greptimedb_metrics humio_metrics influxdb_metrics "+
			"prometheus_exporter prometheus_remote_write sematext_metrics splunk_hec_metrics statsd", metrics, 0),
		types("datadog_traces", traces, 0),
		coded(played(types("console", anyKind, 0))), played(types("axiom blackhole", anyKind, 0)),
	)
)

// gone are names that Vector had before 0.56 (the upgrade guides of 0.24 to 0.26, and renamed ones before those).
var gone = map[string][]string{
	"source": strings.Fields("datadog_logs docker generator kubernetes logplex prometheus tcp udp unix"),
	"transform": strings.Fields("add_fields add_tags ansi_stripper aws_cloudwatch_logs_subscription_parser coercer compound concat field_filter " +
		"geoip grok_parser javascript json_parser key_value_parser logfmt_parser merge pipelines regex_parser remove_fields remove_tags " +
		"rename_fields sampler split swimlanes tokenizer wasm"),
	"sink": strings.Fields("cloudwatch_logs datadog gcp_stackdriver_logging kinesis new_relic_logs prometheus s3 splunk_hec tcp timber"),
}

func catalog(rows ...[]ComponentType) map[string]ComponentType {
	all := map[string]ComponentType{}
	for _, c := range slices.Concat(rows...) {
		all[c.Name] = c
	}
	return all
}

func types(names string, takes, gives Kinds) []ComponentType {
	var rows []ComponentType
	for _, name := range strings.Fields(names) {
		rows = append(rows, ComponentType{Name: name, Takes: takes, Gives: gives})
	}
	return rows
}

func marked(rows []ComponentType, mark func(c *ComponentType)) []ComponentType {
	for i := range rows {
		mark(&rows[i])
	}
	return rows
}

func local(rows []ComponentType) []ComponentType {
	return marked(rows, func(c *ComponentType) { c.Local = true })
}

func coded(rows []ComponentType) []ComponentType {
	return marked(rows, func(c *ComponentType) { c.Coded = true })
}

func played(rows []ComponentType) []ComponentType {
	return marked(rows, func(c *ComponentType) { c.Played = true })
}

func until(v Version, rows []ComponentType) []ComponentType {
	return marked(rows, func(c *ComponentType) { c.Until = v })
}

// gives are the kinds that a source gives, by what its codec makes.
func (c ComponentType) gives(codec string) Kinds {
	switch {
	case c.Name == "":
		return anyKind
	case !c.Coded:
		return c.Gives
	}
	switch codec {
	case "", "avro", "bytes", "gelf", "json", "protobuf", "syslog", "vrl":
		return c.Gives & logs
	case "influxdb":
		return c.Gives & metrics
	}
	return c.Gives
}

// takes are the kinds that a sink takes, by what its codec can write.
func (c ComponentType) takes(codec string) Kinds {
	switch {
	case c.Name == "":
		return anyKind
	case !c.Coded:
		return c.Takes
	}
	switch codec {
	case "avro", "cef", "csv", "gelf", "logfmt", "raw_message":
		return c.Takes & logs
	case "text":
		return c.Takes & (logs | metrics)
	}
	return c.Takes
}

// standing is what a name of a type is to a catalog.
type standing int

const (
	listed standing = iota
	refused
	unlisted
)

// standing says of a name whether the version has it, refuses it, or is one that the catalog does not know. Without a
// version a name that nobody knows may be one of a newer Vector, unless it is one that was mistyped.
func (v Version) standing(types map[string]ComponentType, kind, name string) standing {
	known, ok := types[name]
	switch {
	case ok && v.Before(known.Until) || ok && known.Until == Version{} || ok && v == Version{}:
		return listed
	case ok, slices.Contains(gone[kind], name), v != Version{} && v.Before(Version{0, 59, 0}):
		return refused
	}
	for other := range types {
		if distance(name, other) <= 2 {
			return refused
		}
	}
	return unlisted
}

// distance is the number of letters to put in, take out or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
