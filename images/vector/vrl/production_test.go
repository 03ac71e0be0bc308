package vrl

import "testing"

// Programs as log shipping has them: what must compile does, and gives what its author meant.
func TestProductionsProgramsArePlayed(t *testing.T) {
	t.Parallel()
	check(t, []row{
		{"JSON lines merged, others kept", "structured, err = parse_json(.message)\nif err != null {\n  log(\"not JSON: \" + err, level: \"debug\")\n} else {\n  . |= object(structured) ?? {}\n  del(.message)\n}",
			`{"message":"{\"msg\":\"hi\"}","host":"w1"}`, `{"msg":"hi","host":"w1"}`},
		{"those that are no JSON", "structured, err = parse_json(.message)\nif err != null {\n  log(\"not JSON: \" + err, level: \"debug\")\n} else {\n  . |= object(structured) ?? {}\n  del(.message)\n}",
			`{"message":"plain","host":"w1"}`, `{"message":"plain","host":"w1"}`},
		{"a merge with a way out", `. = merge(., parse_json(.message) ?? {}) ?? .`, `{"message":"[1]"}`, `{"message":"[1]"}`},
		{"identity from the environment", ".worker_id = get_env_var(\"HOST\") ?? \"unknown\"\n.region = get_env_var(\"REGION\") ?? \"unknown\"", ``, `{"worker_id":"w1","region":"unknown"}`},
		{"a level by default", `.level = downcase(to_string(.level) ?? "info"); if .level == "" { .level = "info" }`, `{}`, `{"level":"info"}`},
		{"the first of several fields", `.message = .msg || .message || ""; del(.msg)`, `{"msg":"a"}`, `{"message":"a"}`},
		{"journald's fields renamed", ".unit = del(._SYSTEMD_UNIT)\n.pid = to_int(del(._PID)) ?? null\ndel(.__MONOTONIC_TIMESTAMP)", `{"_SYSTEMD_UNIT":"w.service","_PID":"42","__MONOTONIC_TIMESTAMP":"1"}`, `{"unit":"w.service","pid":42}`},
		{"debug lines dropped", `if .level == "DEBUG" || (.PRIORITY == "7") { abort }`, `{"PRIORITY":"7"}`, `abort`},
		{"a kind by regex", `.kind = if match(string!(.message), r'(?i)\berror\b') { "error" } else { "info" }`, `{"message":"An ERROR here"}`, `{"message":"An ERROR here","kind":"error"}`},
		{"a message known to be a string", ".message = string!(.message)\nif starts_with(.message, \"{\") {\n  .json = true\n} else if contains(.message, \"=\") {\n  .kv = parse_key_value(.message) ?? {}\n}", `{"message":"a=1"}`, `{"message":"a=1","kv":{"a":"1"}}`},
		{"a timestamp taken from the line", `.timestamp = parse_timestamp(.ts, format: "%+") ?? now(); del(.ts)`, `{"ts":"2021-02-03T04:05:06.25+01:00"}`, `{"timestamp":"2021-02-03T03:05:06.25Z"}`},
		{"only some fields sent", `. = {"message": .message, "host": .host, "labels": {"app": .SYSLOG_IDENTIFIER}}`, `{"message":"m","host":"h","x":1}`, `{"message":"m","host":"h","labels":{"app":null}}`},
		{"empty fields dropped", `. = compact(., recursive: true)`, `{"a":"","b":{"c":null},"d":0}`, `{"d":0}`},
		{"labels flattened under a prefix", `for_each(object(.labels) ?? {}) -> |k, v| { . = set!(., ["label_" + k], v) }; del(.labels)`, `{"labels":{"a":1}}`, `{"label_a":1}`},
		{"tags gathered", `.tags = push(.tags, "worker") ?? ["worker"]`, `{}`, `{"tags":["worker"]}`},
		{"a hostname by default", `if !exists(.hostname) { .hostname, _ = get_hostname() }`, `{"hostname":"own"}`, `{"hostname":"own"}`},
		{"nested JSON in a field of the JSON", ". = object!(parse_json!(.message))\nif is_string(.inner) {\n  .inner = parse_json(.inner) ?? .inner\n}", `{"message":"{\"inner\":\"{\\\"a\\\":1}\"}"}`, `{"inner":{"a":1}}`},
		{"a line of a fixed form", `. |= parse_regex(.message, r'^(?P<level>[A-Z]+) (?P<text>.*)$') ?? {}`, `{"message":"WARN it is late"}`, `{"message":"WARN it is late","level":"WARN","text":"it is late"}`},
	})
}
