package vrl

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// row is a program, the event it gets, and what must come of it: JSON, or E103 (refused), unknown: …, undecided: …,
// error: … (at run time, the text contains it) or abort. An empty event is {}.
type row struct{ name, program, event, want string }

var testEnv = Env{
	Vars:     map[string]string{"HOST": "w1", "EMPTY": ""},
	Hostname: "vm",
	Now:      func() time.Time { return time.Date(2026, 11, 27, 3, 14, 17, 989125000, time.UTC) },
}

// outcome says in one line what became of the program.
func outcome(t *testing.T, program, event string) string {
	t.Helper()
	p, err := Compile(program)
	var refused *CompileError
	if errors.As(err, &refused) {
		return "E" + strings.TrimPrefix(strings.SplitN(err.Error(), "]", 2)[0], "error[E")
	}
	require.NoError(t, err)
	if len(p.Undecided()) > 0 {
		return "undecided: " + strings.Join(p.Undecided(), ", ")
	}
	if len(p.Unknown()) > 0 {
		return "unknown: " + strings.Join(p.Unknown(), ", ")
	}
	if event == "" {
		event = "{}"
	}
	var in map[string]any
	dec := json.NewDecoder(strings.NewReader(event))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&in))
	out, err := p.Run(in, testEnv)
	switch {
	case errors.Is(err, ErrAbort):
		return "abort"
	case err != nil:
		return "error: " + err.Error()
	}
	after, err := json.Marshal(in)
	require.NoError(t, err)
	assert.JSONEq(t, event, string(after), "the input is not changed")
	b, err := json.Marshal(out)
	require.NoError(t, err)
	return string(b)
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got := outcome(t, r.program, r.event)
			switch {
			case strings.HasPrefix(r.want, "{"), strings.HasPrefix(r.want, "["):
				if assert.True(t, json.Valid([]byte(got)), got) {
					assert.JSONEq(t, r.want, got)
				}
			case strings.HasPrefix(r.want, "error: "):
				assert.Contains(t, got, r.want)
			default:
				assert.Equal(t, r.want, got)
			}
		})
	}
}

func TestLanguageIsPlayed(t *testing.T) {
	t.Parallel()
	check(t, []row{
		{"an empty program leaves the event", ``, `{"a":1}`, `{"a":1}`},
		{"comments and blank lines are nothing", "\n# one\n.a = 1 # two\n\n", ``, `{"a":1}`},
		{"a semicolon separates", `.a = 1; .b = 2`, ``, `{"a":1,"b":2}`},
		{"a semicolon may end the program", `.a = 1;`, ``, `{"a":1}`},
		{"escapes of a string", `.a = "x\n\t\"\\\u{e9}\{"`, ``, `{"a":"x\n\t\"\\é{"}`},
		{"a backslash joins lines", ".a = \"x \\\n    y\"", ``, `{"a":"x y"}`},
		{"a raw string keeps its backslashes", `.a = s'\d "x"'`, ``, `{"a":"\\d \"x\""}`},
		{"a template takes a variable", `n = "w1"; .a = "on {{ n }}!"`, ``, `{"a":"on w1!"}`},
		{"an escaped template is text", `.a = "\{{ n \}}"`, ``, `{"a":"{{ n }}"}`},
		{"numbers with underscores", `.a = 1_000; .b = -2.50`, ``, `{"a":1000,"b":-2.5}`},
		{"a timestamp literal", `.a = t'2021-02-10T23:32:00+01:00'`, ``, `{"a":"2021-02-10T22:32:00Z"}`},
		{"a regex ends as its text", `.a = r'\d+'`, ``, `{"a":"\\d+"}`},
		{"arrays and objects over lines", ".a = [\n 1,\n \"b\",\n]\n.o = {\n \"k\": null,\n \"l\": true\n}", ``, `{"a":[1,"b"],"o":{"k":null,"l":true}}`},
		{"a quoted field", `."a b".c = 1; .d = ."a b".c`, ``, `{"a b":{"c":1},"d":1}`},
		{"reserved words name fields", `.timestamp = 1; .object.if = 2`, ``, `{"timestamp":1,"object":{"if":2}}`},
		{"a field with an at sign", `.@version = "1"`, ``, `{"@version":"1"}`},
		{"an index, from either end", `.x = .a[0]; .y = .a[-1]; .z = .a[7]`, `{"a":[1,2]}`, `{"a":[1,2],"x":1,"y":2,"z":null}`},
		{"an assignment past the end fills with null", `.a[2] = 1`, ``, `{"a":[null,null,1]}`},
		{"a negative index sets from the end", `.a[-1] = 9`, `{"a":[1,2]}`, `{"a":[1,9]}`},
		{"alternatives of a path", `.x = .(a | b)`, `{"b":2}`, `{"b":2,"x":2}`},
		{"what is missing is null", `.x = .no.where`, ``, `{"x":null}`},
		{"an assignment replaces a field that holds no object", `.a.b = 1`, `{"a":"text"}`, `{"a":{"b":1}}`},
		{"a chain of assignments", `.a = .b = 1`, ``, `{"a":1,"b":1}`},
		{"a variable and its path", `v = {"k": [1, {"z": 5}]}; .a = v.k[1].z`, ``, `{"a":5}`},
		{"a variable's field is set", `v = {}; v.k = 1; .a = v`, ``, `{"a":{"k":1}}`},
		{"a path behind a call", `.a = object!(.o).k`, `{"o":{"k":3}}`, `{"a":3,"o":{"k":3}}`},
		{"a path behind parentheses", `.a = ({"k": 1}).k`, ``, `{"a":1}`},
		{"the root is replaced", `. = {"a": 1}`, `{"b":2}`, `{"a":1}`},
		{"the root may become an array", `. = [{"a": 1}, {"a": 2}]`, ``, `[{"a":1},{"a":2}]`},
		{"metadata is kept apart", `%k = 1; .a = %k`, ``, `{"a":1}`},
		{"an object merges into the root", `. |= {"b": 2}`, `{"a":1}`, `{"a":1,"b":2}`},
		{"precedence of arithmetic", `.a = 1 + 2 * 3 - 4; .b = (1 + 2) * 3`, ``, `{"a":3,"b":9}`},
		{"a division is a float", `.a = 7 / 2`, ``, `{"a":3.5}`},
		{"a string times a number", `.a = "ab" * 3`, ``, `{"a":"ababab"}`},
		{"null adds nothing to a string", `.a = "x" + null`, ``, `{"a":"x"}`},
		{"integers wrap", `.a = 9223372036854775807 + 1`, ``, `{"a":-9223372036854775808}`},
		{"an integer equals its float", `.a = 1 == 1.0; .b = 1 == "1"; .c = [1] == [1.0]`, ``, `{"a":true,"b":false,"c":false}`},
		{"objects compare by what is in them", `.a = .x == {"k": [1]}`, `{"x":{"k":[1]}}`, `{"a":true,"x":{"k":[1]}}`},
		{"strings have an order", `.a = "b" > "a"; .b = "b" <= "a"`, ``, `{"a":true,"b":false}`},
		{"timestamps have an order", `.a = t'2021-01-01T00:00:00Z' < now()`, ``, `{"a":true}`},
		{"and and or bind alike, from the left", `.a = true || false && false`, ``, `{"a":false}`},
		{"or gives the value itself", `.a = .x || "none"; .b = .y || "none"`, `{"x":"is"}`, `{"x":"is","a":"is","b":"none"}`},
		{"not", `.a = !exists(.x); .b = !!true`, ``, `{"a":true,"b":true}`},
		{"an operator may end the line", ".a = 1 +\n 2", ``, `{"a":3}`},
		{"if, else if, else", "if .n == 1 {\n .a = \"one\"\n} else if .n == 2 {\n .a = \"two\"\n} else {\n .a = \"many\"\n}", `{"n":2}`, `{"n":2,"a":"two"}`},
		{"if is a value", `.a = if .n == 1 { "one" } else { "more" }`, `{"n":1}`, `{"n":1,"a":"one"}`},
		{"if without else is null", `.a = if false { 1 }`, ``, `{"a":null}`},
		{"a predicate over lines", "if (\n  .a == 1 ||\n  .b == 2\n) {\n  .c = true\n}", `{"b":2}`, `{"b":2,"c":true}`},
		{"a predicate of several expressions", `if (x = 1; x == 1) { .a = x }`, ``, `{"a":1}`},
		{"parentheses around a part of a predicate", `if (.a == 1) && (.b == 2) { .c = 3 }`, `{"a":1,"b":2}`, `{"a":1,"b":2,"c":3}`},
		{"a block is its last value", `.a = { x = 1; x + 1 }`, ``, `{"a":2}`},
		{"a variable changed in a block stays changed", `x = 1; if true { x = 2 }; .a = x`, ``, `{"a":2}`},
		{"abort", `if .drop == true { abort }; .a = 1`, `{"drop":true}`, `abort`},
		{"abort not reached", `if .drop == true { abort }; .a = 1`, `{"drop":false}`, `{"drop":false,"a":1}`},
		{"abort with a message", `abort "no"`, ``, `abort`},
		{"return ends the program and keeps the event", `.a = 1; if true { return . }; .b = 2`, ``, `{"a":1}`},
		{"an error is assigned beside the empty value", `.a, .err = parse_int("x")`, ``, `{"a":0,"err":"function call error for \"parse_int\" at (11:25): could not parse integer: invalid digit found in string"}`},
		{"no error is null", `.a, .err = parse_int("7")`, ``, `{"a":7,"err":null}`},
		{"the error alone", `_, err = parse_json(.m); .bad = err != null`, `{"m":"{"}`, `{"m":"{","bad":true}`},
		{"the value alone", `.a, _ = parse_json(.m)`, `{"m":"[1]"}`, `{"m":"[1]","a":[1]}`},
		{"merge with error", `.o, err |= parse_json(.m)`, ``, `E652`},
		{"coalescing takes the first that works", `.a = parse_int("x") ?? parse_int("8") ?? 9`, ``, `{"a":8}`},
		{"coalescing over lines", ".a = parse_int(\"x\") ??\n  9", ``, `{"a":9}`},
		{"a failing ! ends the program", `.a = 1; .b = parse_json!(.m)`, `{"m":"no"}`, `error: function call error for "parse_json" at (13:28): unable to parse json: expected ident`},
		{"an argument of the wrong type fails at run time", `.a = upcase!(.m)`, `{"m":1}`, `error: function call error for "upcase" at (5:16): expected string, got integer`},
		{"named arguments in any order", `.a = replace("a-b", with: "+", pattern: "-")`, ``, `{"a":"a+b"}`},
		{"arguments over lines", ".a = replace(\n  \"a\",\n  \"a\",\n  \"b\",\n)", ``, `{"a":"b"}`},
	})
}
