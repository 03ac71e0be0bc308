package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// judged is what becomes of a configuration: exit code of `validate --no-environment`, of `validate`, and of the start; and
// whether those that refuse it (validate, if none does) say the phrase.
func judged(config, phrase string) func(*lab) string {
	return func(l *lab) string {
		path := l.config(config)
		bare, bareText := l.exits("validate", "--no-environment", path)
		full, fullText := l.exits("validate", path)
		p := l.start()
		start := p.runs()
		said := "says so"
		for _, text := range []struct {
			of   string
			what string
			need bool
		}{
			{"validate --no-environment", bareText, bare != 0},
			{"validate", fullText, true},
			{"the start", p.log.String(), start != "runs"},
		} {
			if text.need && !strings.Contains(text.what, phrase) {
				said = text.of + " does not"
				break
			}
		}
		return fmt.Sprintf("%d %d %s, %s", bare, full, start, said)
	}
}

const (
	// What most configurations come to: refused as soon as they are read, or when components are made; or taken.
	refusedRead = "78 78 78, says so"
	refusedMade = "0 78 78, says so"
	accepted    = "0 0 runs, says so"
)

// What the stand-in says in other words is refused all the same.
const otherWords = "78 78 78, validate --no-environment does not"

// yaml is why it has no words of serde_yaml, which Vector reads with.
const yaml = "the words of the library it reads with; Go's tells no column"

const withMetrics = "data_dir: @data@\nsources: {a: {type: internal_metrics}}\n"

// remapping is a configuration with a VRL program of one line.
func remapping(program string) string {
	return "data_dir: @data@\nsources:\n  a: {type: journald}\ntransforms:\n  t:\n    type: remap\n    inputs: [a]\n    source: |\n      " + program +
		"\nsinks:\n  b: {type: blackhole, inputs: [t]}\n"
}

// filtering is a configuration with a condition.
func filtering(condition string) string {
	return "data_dir: @data@\nsources:\n  a: {type: journald}\ntransforms:\n  t: {type: filter, inputs: [a], condition: '" + condition + "'}\nsinks:\n  b: {type: blackhole, inputs: [t]}\n"
}

// received has a source that listens, and a sink with that input.
func received(input string) string {
	return "data_dir: @data@\nsources: {a: {type: opentelemetry, grpc: {address: '127.0.0.1:0'}, http: {address: '127.0.0.1:0'}}}\nsinks: {b: {type: blackhole, inputs: [" + input + "]}}\n"
}

// written has a file sink.
func written(path string) string {
	return "data_dir: @data@\nsources: {a: {type: journald}}\nsinks: {b: {type: file, inputs: [a], path: '" + path + "', encoding: {codec: text}}}\n"
}

// following has a journald source with these lines.
func following(lines string) string {
	return "data_dir: @data@\nsources:\n  a:\n    type: journald\n" + lines + "sinks:\n  b: {type: blackhole, inputs: [a]}\n"
}

var configurations = []row{
	{name: "a sound one", source: measured, want: both(accepted), play: judged(sound, "Validated")},
	{name: "no YAML", source: only56, want: both(refusedRead), left: left{both(otherWords), yaml}, play: judged("a: [", "did not find expected node content at line 2 column 1, while parsing a flow node")},
	{name: "an empty file", source: only56, want: both(refusedRead), play: judged("", "No sources defined in the config.")},
	{name: "an empty file lacks sinks as well", source: only56, want: both(refusedRead), play: judged("", "No sinks defined in the config.")},
	{name: "no sink", source: only56, want: both(refusedRead), play: judged(withMetrics, "No sinks defined in the config.")},
	{name: "an unknown source", source: only56, want: both(refusedRead), play: judged("sources: {a: {type: nosuch}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "unknown variant `nosuch`, expected one of `")},
	{name: "a source that is mistyped", source: only56, want: both(refusedRead), play: judged("sources: {a: {type: journal}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "unknown variant `journal`, expected one of `")},
	{name: "an unknown field", source: only56, want: both(refusedRead), play: judged("sources: {a: {type: internal_metrics, nosuch: 1}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "unknown field `nosuch`, expected one of `")},
	{name: "an unknown field names the known ones", source: only56, want: both(refusedRead), left: left{both(otherWords), "it names the known ones by the alphabet, and what every component has among them"}, play: judged("sources: {a: {type: internal_metrics, nosuch: 1}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "`scrape_interval_secs`, `tags`, `namespace` in `sources.a`")},
	{name: "an input that nothing has", source: only56, want: both(refusedRead), play: judged(withMetrics+"sinks: {b: {type: blackhole, inputs: [zzz]}}\n", "Input \"zzz\" for sink \"b\" doesn't match any components.")},
	{name: "a transform that nobody reads is a warning", source: only56, want: both(accepted), play: judged(withMetrics+"transforms: {t: {type: metric_to_log, inputs: [a]}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "Transform \"t\" has no consumers")},
	{name: "warnings can be denied", source: reference("cli"), want: both("exit 78"), play: func(l *lab) string {
		code, _ := l.exits("validate", "--deny-warnings", l.config(withMetrics+"transforms: {t: {type: metric_to_log, inputs: [a]}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n"))
		return fmt.Sprintf("exit %d", code)
	}},
	{name: "metrics straight into axiom", source: only56, want: both(accepted), play: judged(withMetrics+"sinks: {b: {type: axiom, token: x, dataset: y, inputs: [a]}}\n", "Validated")},
	{name: "a disk buffer that is too small", source: only56, want: both(refusedMade), play: judged(withMetrics+"sinks: {b: {type: blackhole, inputs: [a], buffer: {type: disk, max_size: 1000}}}\n", "must be greater than or equal to 268435488 bytes")},
	{name: "the smallest disk buffer", source: measured, want: both(accepted), play: judged(withMetrics+"sinks: {b: {type: blackhole, inputs: [a], buffer: {type: disk, max_size: 268435488}}}\n", "Validated")},
	{name: "VRL that calls what there is not", source: measured, want: want{refusedMade, refusedRead}, play: judged(remapping(".x = nosuch(.y)"), "call to undefined function")},
	{name: "VRL that calls what there is not, by its number", source: only56, want: want{refusedMade, refusedRead}, play: judged(remapping(".x = nosuch(.y)"), "error[E105]")},
	{name: "VRL that leaves an error unhandled", source: measured, want: want{refusedMade, refusedRead}, play: judged(remapping(".x = parse_json(.message)"), "error[E103]")},
	{name: "VRL that does not parse", source: "documented: vector.dev/docs/reference/vrl, E203; refused when measured E1xx are", want: want{refusedMade, refusedRead}, play: judged(remapping(".x = = 1"), "error[E203]")},
	{name: "axiom without a token", source: only56, want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: axiom, dataset: y, inputs: [a]}}\n", "missing field `token`")},
	{name: "an empty token", source: measured, want: both(accepted), play: judged("data_dir: @data@\nsources: {a: {type: journald}}\nsinks: {b: {type: axiom, token: '', dataset: '', inputs: [a]}}\n", "Validated")},
	{name: "a section twice", source: only56, want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsources: {c: {type: journald}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "duplicate entry with key \"sources\"")},
	{name: "a playground of the api", source: upgrade("0.55"), want: both(refusedRead), play: judged(sound+"api: {enabled: true, playground: false}\n", "unknown field `playground`")},
	{name: "a null", source: "documented: vector issue 22327", want: both(refusedRead), play: judged(withMetrics+"transforms:\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "invalid type: unit value, expected any valid TOML value")},
	{name: "merge keys", source: source("config/format.rs"), want: both(accepted), play: judged(withMetrics+"sinks:\n  b: &b {type: console, inputs: [a], encoding: {codec: json}}\n  c:\n    <<: *b\n    target: stderr\n", "Validated")},
	{name: "a transform of 0.23", source: upgrade("0.24"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\ntransforms: {t: {type: json_parser, inputs: [a]}}\nsinks: {b: {type: blackhole, inputs: [t]}}\n", "unknown variant `json_parser`, expected one of `")},
	{name: "a dot in a name", source: source("config/validation.rs"), want: both(refusedRead), play: judged("data_dir: @data@\nsources: {a.b: {type: internal_metrics}}\nsinks: {b: {type: blackhole, inputs: ['*']}}\n", "Component name \"a.b\" should not contain a \".\"")},
	{name: "an input twice", source: source("config/validation.rs"), want: both(refusedRead), play: judged(withMetrics+"sinks: {b: {type: blackhole, inputs: [a, a]}}\n", "Sink \"b\" has input \"a\" duplicated 2 times")},
	{name: "two that listen at one address", source: source("config/validation.rs"), want: both(refusedRead), play: judged(withMetrics+"sinks:\n  b: {type: prometheus_exporter, inputs: [a], address: '127.0.0.1:1'}\n  c: {type: prometheus_exporter, inputs: [a], address: '127.0.0.1:1'}\n", "is claimed by multiple components")},
	{name: "an output of opentelemetry", source: reference("configuration/sources/opentelemetry"), want: both("0 0 runs, says so"), play: judged(received("a.logs"), "Validated")},
	{name: "opentelemetry by its id alone", source: reference("configuration/sources/opentelemetry"), want: both(refusedRead), play: judged(received("a"), "Input \"a\" for sink \"b\" doesn't match any components.")},
	{name: "metrics into a codec of logs", source: source("config/graph.rs"), want: both(refusedRead), play: judged(withMetrics+"sinks: {b: {type: console, inputs: [a], encoding: {codec: logfmt}}}\n", "Data type mismatch between a (Metric) and b (Log)")},
	{name: "an encoding of 0.23", source: upgrade("0.24"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: file, inputs: [a], path: /dev/null, encoding: json}}\n", "invalid type: string")},
	{name: "headers of the http sink", source: upgrade("0.55"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: http, inputs: [a], uri: 'http://localhost', encoding: {codec: json}, headers: {a: b}}}\n", "unknown field `headers`")},
	{name: "a condition that is no boolean", source: source("conditions/vrl.rs"), want: want{refusedMade, refusedRead}, play: judged(filtering(".a"), "VRL conditions must return a boolean.")},
	{name: "a condition that changes the event", source: source("conditions/vrl.rs"), want: want{refusedMade, refusedRead}, play: judged(filtering(".a = true"), "error[E315]")},
	{name: "a condition that does neither", source: source("conditions/vrl.rs"), want: both(accepted), play: judged(filtering(".a == 1"), "Validated")},
	{name: "a table that nothing declares", source: released, want: want{refusedMade, refusedRead}, play: judged(remapping(".x = get_enrichment_table_record!(\"nosuch\", {\"a\": 1})"), "error[E610]")},
	{name: "VRL that takes a group beside an error for a string", source: vrlSource("compiler/expression/assignment.rs"), want: want{refusedMade, refusedRead}, play: judged(remapping("m, err = parse_regex(.message, r'(?P<l>a)')\n      .x = upcase(m.l)"), "error[E103]")},
	{name: "VRL with a unit that there is not", source: vrlSource("stdlib/to_unix_timestamp.rs"), want: want{refusedMade, refusedRead}, play: judged(remapping(".x = to_unix_timestamp(now(), unit: \"fortnights\")"), "error[E610]")},
	{name: "VRL that divides by a variable that is written down", source: vrlSource("compiler/expression/op.rs"), want: both(accepted), play: judged(remapping("x = 2\n      .x = 4 / x"), "Validated")},
	{name: "VRL that adds to a place", source: vrlSource("stdlib/find.rs"), want: both(accepted), play: judged(remapping(".x = find(\"a(b\", \"(\") + 1"), "Validated")},
	{name: "VRL that compresses by a level of the event", source: vrlSource("stdlib/encode_gzip.rs"), want: want{refusedMade, refusedRead}, play: judged(remapping(".x = encode_gzip(\"a\", int!(.n))"), "error[E103]")},
	{name: "an option of elasticsearch that moved", source: source("sinks/elasticsearch/config.rs"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: elasticsearch, inputs: [a], endpoints: ['http://localhost'], index: x}}\n", "unknown field `index`")},
	{name: "a way of reduce to merge that there is not", source: source("transforms/reduce/merge_strategy.rs"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\ntransforms: {t: {type: reduce, inputs: [a], merge_strategies: {message: concat_lines}}}\nsinks: {b: {type: blackhole, inputs: [t]}}\n", "unknown variant")},
	{name: "a socket by the older name of its mode", source: source("sources/socket/mod.rs"), want: both(accepted), play: judged("data_dir: @data@\nsources: {a: {type: socket, mode: unix, path: @data@/x.sock}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "Validated")},
	{name: "a hyphen in a field of a template", source: source("template.rs"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: kafka, inputs: [a], bootstrap_servers: localhost, encoding: {codec: json}, topic: 'a-{{ b-c }}'}}\n", "Invalid field path in template")},
	{name: "a hyphen in quotes in a field of a template", source: source("template.rs"), want: both(accepted), play: judged("data_dir: @data@\nsources: {a: {type: journald}}\nsinks: {b: {type: file, inputs: [a], encoding: {codec: json}, path: '@data@/{{ \"b-c\" }}.log'}}\n", "Validated")},
	{name: "a strategy of nats without its section", source: source("nats.rs"), want: both(refusedRead), play: judged("sources: {a: {type: journald}}\nsinks: {b: {type: nats, inputs: [a], url: 'nats://localhost', subject: x, encoding: {codec: json}, auth: {strategy: token}}}\n", "missing field `token`")},
	{name: "a file by the event alone", source: released, want: want{v58: refusedRead}, play: judged(written("{{ host }}.log"), "no literal")},
	{name: "a file in a directory", source: released, want: both(accepted), play: judged(written("@data@/{{ host }}.log"), "Validated")},
	{name: "a circle that no sink reads", source: source("config/graph.rs"), want: both("0 0 runs, says so"), left: left{both("78 78 78, validate --no-environment does not"), "it says that it cannot decide, for it would not end"}, play: judged(withMetrics+"transforms:\n  t: {type: remap, inputs: [u], source: '.a = 1'}\n  u: {type: remap, inputs: [t], source: '.a = 1'}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "Validated")},
	{name: "a url that is none", source: measured, want: both("78 78, says so"), play: func(l *lab) string {
		code, said := l.exits("validate", l.config(pipeline{url: "not a url"}.String()))
		return fmt.Sprintf("%d %s, %s", code, l.start().runs(), says(said, "invalid uri character"))
	}},
	{name: "a data directory that is not there", source: only56, want: both(refusedMade), play: judged("data_dir: /nonexistent/dir\nsources: {a: {type: journald}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "data_dir \"/nonexistent/dir\" does not exist")},
	{name: "a data directory that is not there and that no component wants", source: only56, want: both("0 78 runs, says so"), play: judged("data_dir: /nonexistent/dir\nsources: {a: {type: internal_metrics}}\nsinks: {b: {type: blackhole, inputs: [a]}}\n", "data_dir \"/nonexistent/dir\" does not exist")},
	{name: "a data directory that may not be written", source: only56, want: both("exit 78, says so"), play: notWritable},
	{name: "current_boot_only: false under systemd 257", source: findings, want: both("78 78"), play: otherBoots("257 (257.9-1)")},
	{name: "current_boot_only: false under systemd 250", source: findings, want: both("78 78"), play: otherBoots("250 (250.1)")},
	{name: "current_boot_only: false under systemd 249", source: findings, want: both("0 runs"), play: otherBoots("249 (249.11)")},
	{name: "current_boot_only: false under systemd 258", source: findings, want: both("0 runs"), play: otherBoots("258 (258.1)")},
	{name: "journalctl that is not there", source: only56, want: both("validate 78, start 78, says so"), play: func(l *lab) string {
		_ = os.Remove(l.path("bin/journalctl"))
		l.set("PATH", l.path("bin"))
		code, _ := l.exits("validate", l.config(sound))
		p := l.start()
		return fmt.Sprintf("validate %d, start %s, %s", code, p.runs(), says(p.log.String(), "journalctl failed to execute: No such file or directory"))
	}},
	{name: "a unit both wanted and not", source: reference("configuration/sources/journald"), want: both("exit 78"), play: func(l *lab) string {
		l.config(following("    include_units: [a]\n    exclude_units: [a]\n"))
		return "exit " + l.start().runs()
	}},
	{name: "a template without a literal beginning", source: "measured: 0.58-dev, no output kept", want: want{v58: "78"}, play: func(l *lab) string {
		l.config("data_dir: @data@\nsources: {a: {type: journald}}\nsinks: {b: {type: axiom, token: t, dataset: '{{ x }}', inputs: [a]}}\n")
		return l.start().runs()
	}},
	{name: "a second Vector on the same data directory", source: only56, want: both("78, says so, the first is alive"), play: func(l *lab) string {
		l.config(pipeline{sink: disk}.String())
		first := l.start()
		if first.runs() != "runs" {
			return "the first does not run"
		}
		second := l.start()
		return fmt.Sprintf("%s, %s, the first is %s", second.runs(), says(second.log.String(), "failed to lock buffer.lock; is another Vector process running and using this buffer?"), first.alive())
	}},
	{name: "validate beside a Vector that runs", source: findings, want: both("0, it is alive"), play: func(l *lab) string {
		path := l.config(pipeline{}.String())
		p := l.start()
		if p.runs() != "runs" {
			return "it does not run"
		}
		code, _ := l.exits("validate", path)
		return fmt.Sprintf("%d, it is %s", code, p.alive())
	}},
}

func otherBoots(systemd string) func(*lab) string {
	return func(l *lab) string {
		l.journalctl("systemd " + systemd)
		code, _ := l.exits("validate", l.config(following("    current_boot_only: false\n")))
		return fmt.Sprintf("%d %s", code, l.start().runs())
	}
}

func notWritable(l *lab) string {
	path := l.config(sound)
	if err := os.Chmod(l.path("data"), 0o555); err != nil {
		return err.Error()
	}
	if os.Getuid() == 0 { // root may write anywhere
		l.user = &syscall.Credential{Uid: 65534, Gid: 65534}
		if l.command("--version").Run() != nil {
			l.t.Skip("other users may not run " + l.program.path)
		}
	}
	code, text := l.exits("validate", path)
	return fmt.Sprintf("exit %d, %s", code, says(text, "is not writable"))
}

// Formats and several files.
var files = []row{
	{name: "TOML", source: reference("configuration"), want: both("delivered [a]"), play: delivering("-c", "vector.toml", `data_dir = "@data@"
[sources.j]
type = "journald"
[sinks.p]
type = "axiom"
inputs = ["j"]
token = "t"
dataset = "d"
url = "@axiom@"
batch.timeout_secs = 0.1
`)},
	{name: "JSON", source: reference("configuration"), want: both("delivered [a]"), play: delivering("-c", "vector.json", asJSON)},
	{name: "a flag says the format, not the name", source: reference("cli"), want: both("delivered [a]"), play: delivering("--config-json", "vector.conf", asJSON)},
	{name: "TOML that does not parse", source: reference("configuration"), want: both("78"), play: func(l *lab) string {
		return l.startWith("-c", l.write("vector.toml", "[sources\n")).runs()
	}},
	{name: "two files are one configuration", source: reference("cli"), want: both("delivered [a]"), play: func(l *lab) string {
		halves := l.halves()
		return l.delivers("a", "-c", halves[0], "-c", halves[1])
	}},
	{name: "VECTOR_CONFIG names several", source: reference("cli"), want: both("delivered [a]"), play: func(l *lab) string {
		halves := l.halves()
		l.set("VECTOR_CONFIG", halves[0]+","+halves[1])
		return l.delivers("a")
	}},
	{name: "a pattern names several", source: reference("configuration"), want: both("delivered [a]"), play: func(l *lab) string {
		l.halves()
		return l.delivers("a", "-c", l.path("*.yaml"))
	}},
	{name: "a component in two files", source: reference("configuration"), want: both("78"), play: func(l *lab) string {
		halves := l.halves()
		return l.startWith("-c", halves[0], "-c", halves[1], "-c", l.write("three.yaml", "sources: {j: {type: journald}}\n")).runs()
	}},
	{name: "a directory", source: reference("configuration"), want: both("delivered [a]"), play: func(l *lab) string {
		for _, half := range l.halves() {
			_ = os.Rename(half, filepath.Join(filepath.Dir(l.write("conf/x", "")), filepath.Base(half)))
		}
		_ = os.Remove(l.path("conf/x"))
		return l.delivers("a", "--config-dir", l.path("conf"))
	}},
	{name: "a directory with a folder for each kind of component", source: reference("configuration"), want: both("delivered [a]"), play: func(l *lab) string {
		l.write("conf/global.yaml", "data_dir: @data@\n")
		l.write("conf/sources/j.yaml", "type: journald\n")
		l.write("conf/sinks/p.yaml", "{type: axiom, inputs: [j], token: t, dataset: d, url: '@axiom@', batch: {timeout_secs: 0.1}}\n")
		return l.delivers("a", "--config-dir", l.path("conf"))
	}},
}

const asJSON = `{"data_dir": "@data@", "sources": {"j": {"type": "journald"}},
 "sinks": {"p": {"type": "axiom", "inputs": ["j"], "token": "t", "dataset": "d", "url": "@axiom@", "batch": {"timeout_secs": 0.1}}}}`

func delivering(flag, name, text string) func(*lab) string {
	return func(l *lab) string { return l.delivers("a", flag, l.write(name, text)) }
}

// delivers starts the program and tells whether a line arrives.
func (l *lab) delivers(message string, args ...string) string {
	l.journal(message)
	p := l.startWith(args...)
	if l.until(func() bool { return l.axiom.took(message) }); p.ended() {
		return p.alive()
	}
	return fmt.Sprintf("delivered %v", l.axiom.messages())
}
