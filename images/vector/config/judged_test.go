package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

var (
	v56     = config.Version{Minor: 56}
	v57     = config.Version{Minor: 57}
	v58     = config.Version{Minor: 58}
	unnamed = config.Version{}
)

// What Vector takes, and what it refuses, of components that are not played and of the whole. Each rule has a row that is
// taken and one that is not.
func TestWhatVectorTakesAndRefuses(t *testing.T) {
	t.Parallel()
	const (
		in  = "sources: {in: {type: stdin}, m: {type: internal_metrics}}\n"
		out = "sinks: {out: {type: blackhole, inputs: ['*']}}\n"
	)
	through := func(transform string) string {
		return in + "transforms: {t: " + transform + "}\nsinks: {out: {type: blackhole, inputs: [t]}}\n"
	}
	into := func(sink string) string { return in + "sinks: {out: " + sink + "}\n" }
	tests := []struct {
		name    string
		version config.Version
		text    string
		want    string // what it is refused by; empty: it is taken
	}{
		{"the api", v58, in + out + "api: {enabled: true, address: '127.0.0.1:8686'}", ""},
		{"the api's playground, which went with 0.55", v56, in + out + "api: {enabled: true, playground: false}", "unknown field `playground`"},
		{"the api at a name", v58, in + out + "api: {address: 'localhost:8686'}", "invalid socket address syntax"},
		{"a null", v58, in + "transforms:\n" + out, "invalid type: unit value, expected any valid TOML value (line 2)"},
		{"a null in depth", v56, into("{type: blackhole, inputs: [in], healthcheck: {uri: ~}}"), "invalid type: unit value"},
		{"an empty map", v58, in + "transforms: {}\n" + out, ""},
		{"merge keys", v58, in + "sinks:\n  a: &a {type: console, inputs: [in], encoding: {codec: json}}\n  b: {<<: *a, target: stderr}\n", ""},
		{"merge keys of several", v58, in + "sinks:\n  a: &a {type: console, inputs: [in]}\n  b: &b {encoding: {codec: json}}\n", "missing field `encoding`"},
		{"merge keys do not replace", v58, in + "sinks:\n  a: &a {type: console, inputs: [in], encoding: {codec: json}}\n  b: {<<: [*a], inputs: [nope]}\n", `Input "nope"`},

		{"a transform of 0.23", unnamed, through("{type: json_parser, inputs: [in]}"), "unknown variant `json_parser`"},
		{"a source by its name of 0.24", unnamed, "sources: {in: {type: generator}}\n" + out, "unknown variant `generator`"},
		{"a sink by its name of 0.24", unnamed, into("{type: splunk_hec, inputs: [in]}"), "unknown variant `splunk_hec`"},
		{"a type of no version", v58, into("{type: carrier_pigeon, inputs: [in]}"), "unknown variant `carrier_pigeon`"},
		{"a sink that went with 0.58", v58, into("{type: azure_monitor_logs, inputs: [in]}"), "unknown variant `azure_monitor_logs`"},
		{"a sink that went with 0.58, before", v57, into("{type: azure_monitor_logs, inputs: [in]}"), ""},
		{"a sink that went with 0.58, of no version", unnamed, into("{type: azure_monitor_logs, inputs: [in]}"), ""},

		{"a dot in a name", v58, "sources: {a.b: {type: stdin}}\n" + out, `Component name "a.b" should not contain a "."`},
		{"an input twice", v58, into("{type: blackhole, inputs: [in, in]}"), `Sink "out" has input "in" duplicated 2 times`},
		{"an input by name and by a pattern", v58, into("{type: blackhole, inputs: [in, 'i*']}"), "duplicated 2 times"},
		{"two patterns that share nothing", v58, into("{type: blackhole, inputs: ['i*', 'm*']}"), ""},
		{"a provider beside components", v58, in + out + "provider: {type: http, url: x}", "No sources/transforms/sinks are allowed if provider config is present."},

		{"two listeners", v58, "sources: {a: {type: http_server, address: '0.0.0.0:80'}, b: {type: vector, address: '127.0.0.1:80'}}\n" + out, "is claimed by multiple components"},
		{"two listeners at two addresses", v58, "sources: {a: {type: http_server, address: '127.0.0.2:80'}, b: {type: vector, address: '127.0.0.1:80'}}\n" + out, ""},
		{"two listeners of two protocols", v58, "sources: {a: {type: syslog, mode: tcp, address: '0.0.0.0:514'}, b: {type: syslog, mode: udp, address: '0.0.0.0:514'}}\n" + out, ""},
		{"two exporters at the default", v58, in + "sinks: {a: {type: prometheus_exporter, inputs: [m]}, b: {type: prometheus_exporter, inputs: [m]}}", "0.0.0.0:9598` is claimed"},
		{"a listener at a variable that was not put in", v58, "sources: {a: {type: syslog, mode: tcp, address: '0.0.0.0:${PORT}'}}\n" + out, "invalid socket address syntax"},
		{"a listener that systemd gives", v58, "sources: {a: {type: syslog, mode: tcp, address: 'systemd#1'}}\n" + out, ""},
		{"a Unix socket", v58, "sources: {a: {type: syslog, mode: unix, path: /x}}\n" + out, ""},

		{"an output of opentelemetry", v58, "sources: {o: {type: opentelemetry, grpc: {address: '0.0.0.0:1'}, http: {address: '0.0.0.0:2'}}}\nsinks: {out: {type: blackhole, inputs: [o.logs, o.metrics, o.traces]}}", ""},
		{"opentelemetry by its id alone", v58, "sources: {o: {type: opentelemetry, grpc: {address: '0.0.0.0:1'}, http: {address: '0.0.0.0:2'}}}\nsinks: {out: {type: blackhole, inputs: [o]}}", `Input "o" for sink "out" doesn't match`},
		{"its logs into a sink of metrics", v58, "sources: {o: {type: opentelemetry, grpc: {address: '0.0.0.0:1'}, http: {address: '0.0.0.0:2'}}}\nsinks: {out: {type: prometheus_exporter, inputs: [o.logs]}}", "Data type mismatch between o.logs (Log) and out (Metric)"},
		{"outputs of datadog_agent", v58, "sources: {d: {type: datadog_agent, address: '0.0.0.0:1', multiple_outputs: true, disable_traces: true}}\nsinks: {out: {type: blackhole, inputs: [d.logs, d.metrics]}}", ""},
		{"an output that is off", v58, "sources: {d: {type: datadog_agent, address: '0.0.0.0:1', multiple_outputs: true, disable_traces: true}}\nsinks: {out: {type: blackhole, inputs: [d.traces]}}", "doesn't match"},
		{"outputs that were not asked for", v58, "sources: {d: {type: datadog_agent, address: '0.0.0.0:1'}}\nsinks: {out: {type: blackhole, inputs: [d.logs]}}", "doesn't match"},

		{"metrics into sample", v58, through("{type: sample, inputs: [m], rate: 2}"), "Data type mismatch between m (Metric) and t (Log, Trace)"},
		{"logs into sample", v58, through("{type: sample, inputs: [in], rate: 2}"), ""},
		{"metrics into lua", v58, through("{type: lua, version: '2', inputs: [m], hooks: {process: x}}"), ""},
		{"metrics into a codec of logs", v58, into("{type: console, inputs: [m], encoding: {codec: logfmt}}"), "Data type mismatch between m (Metric) and out (Log)"},
		{"metrics into JSON", v58, into("{type: console, inputs: [m], encoding: {codec: json}}"), ""},
		{"metrics by native_json", v58, "sources: {e: {type: exec, command: [x], decoding: {codec: native_json}}}\nsinks: {out: {type: statsd, mode: udp, address: 'h:1', inputs: [e]}}", ""},
		{"metrics by JSON", v58, "sources: {e: {type: exec, command: [x], decoding: {codec: json}}}\nsinks: {out: {type: statsd, mode: udp, address: 'h:1', inputs: [e]}}", "Data type mismatch between e (Log) and out (Metric)"},
		{"metrics into loki", v58, into("{type: loki, inputs: [m], endpoint: 'http://h', encoding: {codec: json}}"), "Data type mismatch"},

		{"a codec as the encoding itself, of 0.23", v58, into("{type: http, inputs: [in], uri: 'http://h', encoding: json}"), "invalid type: string, expected a map"},
		{"a codec that is none", v58, into("{type: file, inputs: [in], path: /x, encoding: {codec: ndjson}}"), "unknown variant, expected one of"},
		{"no codec", v58, into("{type: file, inputs: [in], path: /x, encoding: {only_fields: [a]}}"), "missing field `codec`"},
		{"no encoding", v58, into("{type: http, inputs: [in], uri: 'http://h'}"), "missing field `encoding`"},
		{"an encoding with a name that nobody minds", v58, into("{type: file, inputs: [in], path: /x, encoding: {codec: json, only_filds: [a]}}"), ""},
		{"a sink without a codec", v58, into("{type: elasticsearch, inputs: [in], endpoints: ['http://h'], encoding: {except_fields: [a]}}"), ""},

		{"headers of the http sink, which went with 0.55", v56, into("{type: http, inputs: [in], uri: 'http://h', encoding: {codec: json}, headers: {a: b}}"), "unknown field `headers` in `sinks.out`"},
		{"headers where they are now", v56, into("{type: http, inputs: [in], uri: 'http://h', encoding: {codec: json}, request: {headers: {a: b}}}"), ""},
		{"headers of an opentelemetry sink", v58, into("{type: opentelemetry, inputs: [in], protocol: {type: http, uri: 'http://h', headers: {a: b}}}"), "unknown field `headers`"},
		{"a host of elasticsearch", v58, into("{type: elasticsearch, inputs: [in], host: 'http://h'}"), "unknown field `host`"},
		{"an option of 0.57, before", v56, into("{type: loki, inputs: [in], endpoint: 'http://h', encoding: {codec: json}, dangerously_allow_unconfined_template_resolution: true}"), "unknown field"},
		{"an option of 0.57", v57, into("{type: loki, inputs: [in], endpoint: 'http://h', encoding: {codec: json}, dangerously_allow_unconfined_template_resolution: true}"), ""},
		{"an option of elasticsearch that moved", v58, into("{type: elasticsearch, inputs: [in], endpoints: ['http://h'], index: a}"), "unknown field `index`"},
		{"it, where it is now", v58, into("{type: elasticsearch, inputs: [in], endpoints: ['http://h'], bulk: {index: a}, healthcheck: {enabled: false}, buffer: {type: memory}}"), ""},
		{"an option of throttle that is mistyped", v58, through("{type: throttle, inputs: [in], treshold: 2, window_secs: 1}"), "unknown field `treshold`"},
		{"options of throttle", v58, through("{type: throttle, inputs: [in], threshold: 2, window_secs: 1, key_field: '{{ a }}'}"), ""},
		{"a nats auth", v58, into("{type: nats, inputs: [in], url: 'nats://h', subject: s, encoding: {codec: json}, auth: {strategy: nkey, nkey: {nkey: a, seed: b}}}"), ""},
		{"a nats auth without its section", v58, into("{type: nats, inputs: [in], url: 'nats://h', subject: s, encoding: {codec: json}, auth: {strategy: credentials_file, path: /x}}"), "missing field `credentials_file`"},
		{"a nats auth whose section lacks a part", v58, into("{type: nats, inputs: [in], url: 'nats://h', subject: s, encoding: {codec: json}, auth: {strategy: nkey, nkey: {nkey: a}}}"), "missing field `seed`"},
		{"a place to read from", v58, "sources: {f: {type: file, include: [/x], read_from: end}}\n" + out, ""},
		{"a place to read from that there is not", v58, "sources: {f: {type: file, include: [/x], read_from: '${A:-end}'}}\n" + out, "unknown variant"},
		{"a way to merge", v58, through("{type: reduce, inputs: [in], merge_strategies: {a: concat_newline, b: flat_unique}}"), ""},
		{"a way to merge that there is not", v58, through("{type: reduce, inputs: [in], merge_strategies: {a: concat_lines}}"), "unknown variant"},
		{"a socket by the older name of its mode", v58, "sources: {s: {type: socket, mode: unix, path: /x}}\n" + out, ""},
		{"a socket in a mode that there is not", v58, "sources: {s: {type: socket, mode: unixgram, path: /x}}\n" + out, "unknown variant"},
		{"a fingerprint", v58, "sources: {f: {type: file, include: [/x], fingerprint: {strategy: device_and_inode}}}\n" + out, ""},
		{"a fingerprint that there is not", v58, "sources: {f: {type: file, include: [/x], fingerprint: {strategy: inode}}}\n" + out, "unknown variant"},
		{"a mode by its older name", v58, into("{type: elasticsearch, inputs: [in], endpoints: ['http://h'], mode: normal}"), ""},
		{"a mode that there is not", v58, into("{type: elasticsearch, inputs: [in], endpoints: ['http://h'], mode: stream}"), "unknown variant"},
		{"lines by the number of their standard", v58, "sources: {d: {type: demo_logs, format: rfc5424}}\n" + out, ""},
		{"fields of templates", v58, into("{type: kafka, inputs: [in], bootstrap_servers: h, encoding: {codec: json}, topic: 'a-{{ .b[0].\"c-d\" }}-{{ %e }}-{{f}}'}"), ""},
		{"a hyphen in a field of a template", v58, into("{type: kafka, inputs: [in], bootstrap_servers: h, encoding: {codec: json}, topic: 'a-{{ b-c }}'}"), "Invalid field path in template"},
		{"a slash in a label's field", v56, into("{type: loki, inputs: [in], endpoint: 'http://h', encoding: {codec: json}, labels: {a: '{{ b.c/d }}'}}"), "Invalid field path in template"},
		{"a space in a key", v58, through("{type: throttle, inputs: [in], threshold: 2, window_secs: 1, key_field: '{{ a b }}'}"), "Invalid field path in template"},
		{"a tag of nothing", v58, in + "transforms: {t: {type: log_to_metric, inputs: [in], metrics: [{type: counter, field: a, tags: {x: '{{ }}'}}]}}\nsinks: {out: {type: blackhole, inputs: [t]}}", "Invalid field path in template"},
		{"an encoding of a postgres sink", v58, into("{type: postgres, inputs: [in], endpoint: 'postgres://h/d', table: t, encoding: {codec: json}}"), "unknown field `encoding`"},
		{"a postgres sink", v58, into("{type: postgres, inputs: [in], endpoint: 'postgres://h/d', table: t}"), ""},
		{"an encoding of a vector sink", v58, into("{type: vector, inputs: [in], address: 'h:1', encoding: {only_fields: [a]}}"), "unknown field `encoding`"},

		{"a condition of a type", v58, through("{type: filter, inputs: [in], condition: {type: is_log}}"), ""},
		{"check_fields, which went with 0.26", v58, through("{type: filter, inputs: [in], condition: {type: check_fields, message.contains: x}}"), "unknown"},
		{"routes by their name of 0.25", v58, in + "transforms: {t: {type: route, inputs: [in], lanes: {a: 'true'}}}\nsinks: {out: {type: blackhole, inputs: [t.a]}}", "unknown field `lanes`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.ParseTexts([]config.Text{{Format: config.YAML, Text: tt.text}}, config.Options{Version: tt.version})
			if tt.want == "" {
				require.NoError(t, err)
				assert.Empty(t, cfg.Undecided())
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// What Vector finds only when it builds a component.
func TestWhatVectorRefusesToBuild(t *testing.T) {
	t.Parallel()
	reduce := func(condition string) string {
		return "sources: {in: {type: stdin}}\nenrichment_tables: {known: {type: memory}}\ntransforms: {t: {type: reduce, inputs: [in], ends_when: \"" + condition + "\"}}\n"
	}
	tests := []struct{ name, text, want string }{
		{"a condition that is a boolean", reduce(`.a == 1`), ""},
		{"a condition of anything", reduce(`.a`), "VRL conditions must return a boolean."},
		{"a condition that may be null", reduce(`.a > 1 ?? null`), "VRL conditions must return a boolean."},
		{"a condition that changes the event", reduce(`.a = true`), "error[E315]"},
		{"a condition that deletes", reduce(`del(.a) == 1`), "error[E315]"},
		{"a beginning beside an end", reduce(".a == 1\", starts_when: \".a == 2"), "only one of `ends_when` and `starts_when`"},
		{"a condition with a variable", reduce(`x = to_int(.a) ?? 0; x > 1`), ""},
		{"a condition that does not compile", reduce(`nosuch(.a)`), "error[E105]"},
		{"a table that is declared", reduce(`get_enrichment_table_record(\"known\", {\"a\": 1}) != {} ?? false`), ""},
		{"a table that is not", reduce(`get_enrichment_table_record(\"other\", {\"a\": 1}) != {} ?? false`), "error[E610]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Parse(tt.text + "sinks: {out: {type: blackhole, inputs: [t]}}")
			require.NoError(t, err)
			assert.Empty(t, cfg.Undecided())
			if tt.want == "" {
				assert.Empty(t, cfg.ProgramErrors())
				return
			}
			require.Len(t, cfg.ProgramErrors(), 1)
			assert.Contains(t, cfg.ProgramErrors()[0], tt.want)
		})
	}
}

func TestTemplatesMustBeConfined(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sink string
		loose      []string
		badURL     string
	}{
		{"a topic with a beginning", "{type: kafka, topic: 'logs-{{ a }}', encoding: {codec: json}}", nil, ""},
		{"a topic by the event alone", "{type: kafka, topic: '{{ a }}', encoding: {codec: json}}", []string{"topic"}, ""},
		{"one that was opted out", "{type: kafka, topic: '{{ a }}', encoding: {codec: json}, dangerously_allow_unconfined_template_resolution: true}", nil, ""},
		{"a time alone", "{type: kafka, topic: '%Y', encoding: {codec: json}}", nil, ""},
		{"an index in depth", "{type: elasticsearch, endpoints: ['http://h'], bulk: {index: '{{ a }}'}}", []string{"bulk.index"}, ""},
		{"an index in a mode that is not on", "{type: elasticsearch, mode: data_stream, endpoints: ['http://h'], bulk: {index: '{{ a }}'}}", nil, ""},
		{"a data stream", "{type: elasticsearch, mode: data_stream, endpoints: ['http://h'], data_stream: {dataset: '{{ a }}'}}", []string{"data_stream.dataset"}, ""},
		{"a data stream in a mode that is not on", "{type: elasticsearch, endpoints: ['http://h'], data_stream: {dataset: '{{ a }}'}}", nil, ""},
		{"any header", "{type: http, uri: 'http://h', encoding: {codec: json}, request: {headers: {x: 'a', y: '{{ a }}'}}}", []string{"request.headers.*"}, ""},
		{"a topic in a root", "{type: kafka, topic: '/{{ a }}', encoding: {codec: json}}", []string{"topic"}, ""},
		{"a topic by the time and the event", "{type: kafka, topic: '%Y-{{ a }}', encoding: {codec: json}}", []string{"topic"}, ""},
		{"a topic with a beginning and the time", "{type: kafka, topic: 'a-%Y-{{ a }}', encoding: {codec: json}}", nil, ""},
		{"values of loki", "{type: loki, endpoint: 'http://h', encoding: {codec: json}, labels: {a: '{{ a }}'}, structured_metadata: {b: '{{ b }}'}}", nil, ""},
		{"names of loki", "{type: loki, endpoint: 'http://h', encoding: {codec: json}, labels: {'{{ a }}': b}}", []string{"labels.@"}, ""},
		{"a file in a directory", "{type: file, path: '/var/log/{{ a }}.log', encoding: {codec: text}}", nil, ""},
		{"a file in no directory", "{type: file, path: '{{ a }}.log', encoding: {codec: text}}", []string{"path"}, ""},
		{"a file in the root", "{type: file, path: '/{{ a }}.log', encoding: {codec: text}}", []string{"path"}, ""},
		{"a file under base_dir", "{type: file, path: '{{ a }}.log', base_dir: /x, encoding: {codec: text}}", nil, ""},
		{"a file under no base_dir", "{type: file, path: '{{ a }}.log', base_dir: x, encoding: {codec: text}}", []string{"path"}, ""},
		{"one file that is not under base_dir", "{type: file, path: /y/a.log, base_dir: /x, encoding: {codec: text}}", []string{"path"}, ""},
		{"one file that is", "{type: file, path: a.log, base_dir: /x, encoding: {codec: text}}", nil, ""},
		{"a file by the time and the event", "{type: file, path: '/%Y/{{ a }}.log', encoding: {codec: text}}", []string{"path"}, ""},
		{"a file by the time", "{type: file, path: '/%Y.log', encoding: {codec: text}}", nil, ""},
		{"a file in a directory that leads to the root", "{type: file, path: '/x/../{{ a }}.log', encoding: {codec: text}}", []string{"path"}, ""},
		{"a path of a URL", "{type: http, uri: 'https://h/{{ a }}', encoding: {codec: json}}", nil, ""},
		{"a host of a URL", "{type: http, uri: 'https://{{ a }}/x', encoding: {codec: json}}", []string{"uri"}, ""},
		{"a query of a URL", "{type: http, uri: 'https://h/x?a={{ a }}', encoding: {codec: json}}", []string{"uri"}, ""},
		{"a URL with a variable in its path", "{type: http, uri: 'https://h/${A}', encoding: {codec: json}}", nil, ""},
		{"a URL that is a variable", "{type: loki, endpoint: '${A}', encoding: {codec: json}}", nil, "endpoint"},
		{"a URL with a variable for its port", "{type: postgres, endpoint: 'postgres://u:p@h:${A}/d', table: t}", nil, "endpoint"},
		{"one of several URLs", "{type: elasticsearch, endpoints: ['http://a', 'http://${A}']}", nil, "endpoints"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Parse("sources: {in: {type: stdin}}\nsinks: {out: {inputs: [in], " + tt.sink[1:] + "}")
			require.NoError(t, err)
			assert.Empty(t, cfg.Undecided())
			assert.Equal(t, tt.loose, cfg.Sinks[0].Loose)
			assert.Equal(t, tt.badURL, cfg.Sinks[0].BadURL)
		})
	}
}

// vectordotdev/vector#26176: 0.57 confined the values, too.
func TestLokisValuesWereConfinedOnce(t *testing.T) {
	t.Parallel()
	for version, want := range map[config.Version][]string{v56: nil, v57: {"labels.*", "structured_metadata.*"}, v58: nil, unnamed: nil} {
		cfg, err := config.ParseTexts([]config.Text{{Format: config.YAML, Text: "sources: {in: {type: stdin}}\nsinks: {out: {type: loki, inputs: [in], " +
			"endpoint: 'http://h', encoding: {codec: json}, labels: {a: '{{ a }}'}, structured_metadata: {b: '{{ b }}'}}}"}}, config.Options{Version: version})
		require.NoError(t, err)
		assert.Equal(t, want, cfg.Sinks[0].Loose, version)
	}
}
