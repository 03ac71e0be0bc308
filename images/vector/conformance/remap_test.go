package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// production is the program of production's configuration.
const production = `parsed, err = parse_json(.message)
if err == null && is_object(parsed) {
  . = merge(., object!(parsed))
  del(.message)
}
if !exists(.hostname) { .hostname, _ = get_hostname() }
`

// remapped is what a program makes of a journal entry with this message: the fields that journald did not bring along.
func remapped(program, message string) func(*lab) string {
	return func(l *lab) string {
		l.set("PLANET", "earth")
		l.remap(program)
		l.journal(message)
		p := l.start()
		l.until(func() bool { return len(l.axiom.taken()) > 0 })
		if len(l.axiom.taken()) == 0 {
			return "nothing arrives: " + p.alive()
		}
		return fields(l.axiom.event(0))
	}
}

func (l *lab) remap(program string) {
	l.config(pipeline{inputs: "[t]", transforms: "  t:\n    type: remap\n    inputs: [j]\n    source: |\n      " + strings.ReplaceAll(strings.TrimSpace(program), "\n", "\n      ") + "\n"}.String())
}

// fields are those of an event that journald did not bring along.
func fields(e map[string]any) string {
	for k := range e {
		switch {
		case strings.HasPrefix(k, "_"), k == "PRIORITY", k == "SYSLOG_IDENTIFIER", k == "host", k == "source_type", k == "timestamp":
			delete(e, k)
		}
	}
	if name, _ := os.Hostname(); e["hostname"] == name {
		e["hostname"] = "this host"
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// out is the program's field of that name.
func out(program, message string) func(*lab) string {
	whole := remapped(program, message)
	return func(l *lab) string {
		seen := whole(l)
		var e map[string]json.RawMessage
		if json.Unmarshal([]byte(seen), &e) != nil {
			return seen
		}
		return string(e["out"])
	}
}

var (
	vrl        = "documented: vector.dev/docs/reference/vrl"
	functions  = "documented: vector.dev/docs/reference/vrl/functions"
	expression = "documented: vector.dev/docs/reference/vrl/expressions"
)

var remap = []row{
	{name: "production: a plain line", source: measured, want: both(`{"hostname":"this host","message":"plain"}`), play: remapped(production, "plain")},
	{name: "production: an object", source: measured, want: both(`{"hostname":"this host","level":"INFO","msg":"hello","n":1}`), play: remapped(production, `{"msg":"hello","level":"INFO","n":1}`)},
	{name: "production: an array", source: measured, want: both(`{"hostname":"this host","message":"[1, 2]"}`), play: remapped(production, "[1, 2]")},
	{name: "production: an object that brings a hostname", source: measured, want: both(`{"hostname":"h"}`), play: remapped(production, `{"hostname":"h"}`)},
	{name: "a text", source: expression, want: both(`"b"`), play: out(`.out = "b"`, "a")},
	{name: "a path", source: expression, want: both(`{"b":"c"}`), play: out(`.out.b = "c"`, "a")},
	{name: "another field", source: expression, want: both(`"a"`), play: out(`.out = .message`, "a")},
	{name: "a field that is not there is null", source: expression, want: both("null"), play: out(`.out = .nope`, "a")},
	{name: "rename", source: functions, want: both(`{"out":"a"}`), play: remapped(`.out = del(.message)`, "a")},
	{name: "an object merged in by |=", source: expression, want: both(`{"k":"v","message":"{\"k\":\"v\"}"}`), play: remapped(`. |= object!(parse_json!(string!(.message)))`, `{"k":"v"}`)},
	{name: "an object nested", source: functions, want: both(`{"k":[1,true,null]}`), play: out(`.out = parse_json!(string!(.message))`, `{"k":[1,true,null]}`)},
	{name: "merge of a literal", source: functions, want: both("1"), play: out(`. = merge(., {"out": 1})`, "a")},
	{name: "exists", source: functions, want: both("[true,false]"), play: out(`.out = [exists(.message), exists(.nope)]`, "a")},
	{name: "if and else", source: expression, want: both(`"no"`), play: out("if exists(.nope) {\n  .out = \"yes\"\n} else {\n  .out = \"no\"\n}", "a")},
	{name: "else if", source: expression, want: both(`"b"`), play: out("if .message == \"a\" {\n  .out = \"a\"\n} else if .message == \"b\" {\n  .out = \"b\"\n} else {\n  .out = \"c\"\n}", "b")},
	{name: "an if has a value", source: expression, want: both(`"is"`), play: out(`.out = if .message == "a" { "is" } else { "is not" }`, "a")},
	{name: "and, or, not", source: expression, want: both("[true,true,false]"), play: out(`.out = [is_string(.message) && exists(.message), exists(.nope) || exists(.message), !exists(.message)]`, "a")},
	{name: "an error in the second variable", source: vrl, want: both("[0,true]"), play: out("n, err = to_int(.message)\n.out = [n, err != null]", "x")},
	{name: "no error in the second variable", source: vrl, want: both("[42,false]"), play: out("n, err = to_int(.message)\n.out = [n, err != null]", "42")},
	{name: "what stands in for an error", source: expression, want: both("7"), play: out(`.out = to_int(.message) ?? 7`, "x")},
	{name: "what does not", source: expression, want: both("42"), play: out(`.out = to_int(.message) ?? 7`, "42")},
	{name: "an empty object for a line that is no JSON", source: functions, want: both("{}"), play: out(`.out = parse_json(.message) ?? {}`, "x")},
	{name: "a program that fails lets the event pass as it was", source: vrl, want: both(`{"message":"x"}`), play: remapped(".early = true\n.out = to_int!(.message)", "x")},
	{name: "abort drops the event", source: reference("configuration/transforms/remap"), want: both("[keep]"), play: aborting("")},
	{name: "abort lets the event pass when told to", source: reference("configuration/transforms/remap"), want: both("[drop keep]"), play: aborting("    drop_on_abort: false\n")},
	{name: "an error drops when told to", source: reference("configuration/transforms/remap"), want: both("[1]"), play: func(l *lab) string {
		l.config(pipeline{inputs: "[t]", transforms: "  t:\n    type: remap\n    inputs: [j]\n    drop_on_error: true\n    source: '.out = to_int!(.message)'\n"}.String())
		l.journal("x", "1")
		l.start()
		l.until(func() bool { return l.axiom.took("1") })
		return fmt.Sprint(l.axiom.messages())
	}},
	{name: "get_env_var", source: functions, want: both(`"earth"`), play: out(`.out = get_env_var!("PLANET")`, "a")},
	{name: "get_env_var of what there is not", source: functions, want: both(`"none"`), play: out(`.out = get_env_var("NOPE") ?? "none"`, "a")},
	{name: "get_hostname", source: functions, want: both(`{"hostname":"this host","message":"a"}`), play: remapped(`.hostname = get_hostname!()`, "a")},
	{name: "upcase and downcase", source: functions, want: both(`["AB","ab"]`), play: out("m = string!(.message)\n.out = [upcase(m), downcase(m)]", "aB")},
	{name: "contains, starts_with, ends_with", source: functions, want: both("[true,true,false]"), play: out("m = string!(.message)\n.out = [contains(m, \"b\"), starts_with(m, \"a\"), ends_with(m, \"a\")]", "abc")},
	{name: "split", source: functions, want: both(`["a","b"]`), play: out(`.out = split(string!(.message), ",")`, "a,b")},
	{name: "replace", source: functions, want: both(`"xbx"`), play: out(`.out = replace(string!(.message), "a", "x")`, "aba")},
	{name: "strip_whitespace", source: functions, want: both(`"a"`), play: out(`.out = strip_whitespace(string!(.message))`, " a ")},
	{name: "length", source: functions, want: both("3"), play: out(`.out = length(string!(.message))`, "abc")},
	{name: "match", source: functions, want: both("true"), play: out(`.out = match(string!(.message), r'^a+$')`, "aaa")},
	{name: "texts added", source: expression, want: both(`"cell-a"`), play: out(`.out = "cell-" + string!(.message)`, "a")},
	{name: "a text with a variable in it", source: expression, want: both(`"hi a"`), play: out("m = string!(.message)\n.out = \"hi {{ m }}\"", "a")},
	{name: "string of what is none", source: functions, want: both(`"none"`), play: out(`.out = string(.nope) ?? "none"`, "a")},
	{name: "encode_json", source: functions, want: both(`"{\"a\":1}"`), play: out(`.out = encode_json({"a": 1})`, "a")},
	{name: "parse_timestamp and to_unix_timestamp", source: functions, want: both("1767225600"), play: out(`.out = to_unix_timestamp(parse_timestamp!(.message, format: "%+"))`, "2026-01-01T00:00:00Z")},
	{name: "format_timestamp", source: functions, want: both(`"2026-11-27"`), play: out(`.out = format_timestamp!(.timestamp, format: "%Y-%m-%d")`, "a")},
	{name: "a comment", source: expression, want: both(`"b"`), play: out("# what follows\n.out = \"b\" # and why", "a")},
	{name: "transforms one after another", source: reference("configuration/transforms/remap"), want: both("[1,2]"), play: func(l *lab) string {
		l.config(pipeline{inputs: "[u]", transforms: "  t: {type: remap, inputs: [j], source: '.one = 1'}\n  u: {type: remap, inputs: [t], source: '.out = [.one, 2]'}\n"}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		b, err := json.Marshal(l.axiom.event(0)["out"])
		if err != nil {
			return err.Error()
		}
		return string(b)
	}},
	{name: "a program from a file", source: reference("configuration/transforms/remap"), want: both("[x]"), play: func(l *lab) string {
		l.config(pipeline{inputs: "[t]", transforms: "  t: {type: remap, inputs: [j], file: '" + l.write("p.vrl", `.message = "x"`) + "'}\n"}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("x") })
		return fmt.Sprint(l.axiom.messages())
	}},
}

func aborting(options string) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{inputs: "[t]", transforms: "  t:\n    type: remap\n    inputs: [j]\n" + options + "    source: 'if .message == \"drop\" { abort }'\n"}.String())
		l.journal("drop", "keep")
		l.start()
		l.until(func() bool { return l.axiom.took("keep") })
		return fmt.Sprint(l.axiom.messages())
	}
}
