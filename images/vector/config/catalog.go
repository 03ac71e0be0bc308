package config

import (
	"slices"
	"strings"
)

// The kinds of events. A component that is not in the table of those takes and gives every kind.
const (
	logs    = "Log"
	metrics = "Metric"
	anyKind = "any"
)

// ComponentType is what the catalog knows of a type of component.
type ComponentType struct {
	Name         string
	Takes, Gives string
	// Played says that the stand-in does what Vector does with it. Of the others a source is silent, a transform passes
	// everything on, and a sink swallows.
	Played bool
	// Local says that a source which is not played would read what this machine writes, a worker's log files for one.
	Local bool
}

// The names are those of Vector 0.56 to 0.58 (its reference, "Sources", "Transforms", "Sinks", of the three), with what
// older ones were called where Vector still takes that.
var (
	sourceTypes = catalog(
		both("demo_logs internal_logs", "", logs),
		local("exec file file_descriptor socket stdin syslog unix docker_logs kubernetes_logs fluent logstash", logs),
		both("amqp aws_kinesis_firehose aws_kinesis_streams aws_s3 aws_sqs azure_blob azure_event_hubs dnstap envoy_als gcp_pubsub "+
			"heroku_logs http http_client http_server kafka mqtt nats okta opcua pulsar redis splunk_hec websocket windows_event_log", "", anyKind),
		both("datadog_agent opentelemetry vector unit_test unit_test_stream iggy", "", anyKind),
		both("apache_metrics aws_ecs_metrics eventstoredb_metrics host_metrics mongodb_metrics nginx_metrics postgresql_metrics "+
			"prometheus_pushgateway prometheus_remote_write static_metrics statsd", "", metrics),
		played("journald", "", logs), played("internal_metrics prometheus_scrape", "", metrics),
	)
	transformTypes = catalog(
		both("aws_ec2_metadata delay lua sample throttle window", anyKind, anyKind),
		both("dedupe reduce geoip", logs, logs),
		both("log_to_metric", logs, metrics),
		both("trace_to_log", anyKind, logs),
		both("absolute_to_incremental aggregate incremental_to_absolute tag_cardinality_limit", metrics, metrics),
		played("remap filter route exclusive_route", anyKind, anyKind), played("metric_to_log", metrics, logs),
	)
	sinkTypes = catalog(
		both("amqp aws_kinesis_firehose aws_kinesis_streams aws_s3 aws_sns aws_sqs azure_blob azure_event_hubs clickhouse databend "+
			"databricks_zerobus doris elasticsearch file gcp_chronicle_unstructured gcp_cloud_storage gcp_pubsub gcp_bigquery http iggy "+
			"kafka mqtt nats opentelemetry postgres pulsar redis socket syslog unit_test unit_test_stream vector webhdfs websocket "+
			"websocket_server", anyKind, ""),
		both("appsignal new_relic", anyKind, ""),
		both("aws_cloudwatch_logs azure_logs_ingestion azure_monitor_logs datadog_events datadog_logs gcp_stackdriver_logs greptimedb_logs "+
			"honeycomb humio_logs influxdb_logs keep logdna loki mezmo openobserve papertrail sematext_logs splunk_hec splunk_hec_logs", logs, ""),
		both("aws_cloudwatch_metrics datadog_metrics gcp_stackdriver_metrics greptimedb greptimedb_metrics humio_metrics influxdb_metrics "+
			"prometheus_exporter prometheus_remote_write sematext_metrics splunk_hec_metrics statsd", metrics, ""),
		both("datadog_traces", anyKind, ""),
		played("axiom blackhole console", anyKind, ""),
	)
)

func catalog(rows ...[]ComponentType) map[string]ComponentType {
	all := map[string]ComponentType{}
	for _, c := range slices.Concat(rows...) {
		all[c.Name] = c
	}
	return all
}

func both(names, takes, gives string) []ComponentType {
	var rows []ComponentType
	for _, name := range strings.Fields(names) {
		rows = append(rows, ComponentType{Name: name, Takes: takes, Gives: gives})
	}
	return rows
}

func local(names, gives string) []ComponentType {
	rows := both(names, "", gives)
	for i := range rows {
		rows[i].Local = true
	}
	return rows
}

func played(names, takes, gives string) []ComponentType {
	rows := both(names, takes, gives)
	for i := range rows {
		rows[i].Played = true
	}
	return rows
}

// variant says of a type that is not in the catalog whether it is one that was mistyped, which Vector refuses, or one
// that a version or build of Vector may have that the catalog does not know.
func variant(types map[string]ComponentType, name string) (known, mistyped bool) {
	if _, known = types[name]; known {
		return true, false
	}
	for other := range types {
		if distance(name, other) <= 2 {
			return false, true
		}
	}
	return false, false
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
