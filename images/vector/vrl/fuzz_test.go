package vrl

import (
	"testing"
	"time"
)

// FuzzCompileAndRun: whatever the program, it compiles or not, runs or not, and comes to an end.
func FuzzCompileAndRun(f *testing.F) {
	for _, seed := range []string{
		"parsed, err = parse_json(.message)\nif err == null && is_object(parsed) {\n  . = merge(., object!(parsed))\n  del(.message)\n}\n",
		`.a = upcase!(.message) + "x {{ n }}" ; n = 1`,
		`for_each(object!(.o)) -> |k, v| { .x = k; if v == 1 { abort } }`,
		`.r = filter(array!(.a)) -> |i, v| { i > 0 && v != null } ?? []`,
		`.r = map_values({"a": [1, {"b": t'2021-01-01T00:00:00Z'}]}, recursive: true) -> |v| { v }`,
		`.a[-3] = .b.(c | d)[2]."e f" ; %m.x |= {} ; return .`,
		`.r = format_timestamp!(now(), "%Y %.3f %s %+") ?? replace("a", r'(.)', "$1$1")`,
		`.k = parse_key_value!(.message, field_delimiter: ",", key_value_delimiter: ":") ; .l = parse_logfmt(.message) ?? {}`,
		`.x = slice!(.message, -2, 1) ; .y = truncate(string!(.message), 3) ; .z = split("a,b", ",", 1) ; .w = find("ab", "b", -1)`,
		`.s = set!(., ["a", -2, "b"], 1) ; .g = get!(., ["a", 0]) ; .f = flatten(.) ; .c = compact(.) ; .j = encode_json(., true)`,
		`.n = mod(-9223372036854775808, -1) ; .d = 1 / 3.0 * 2 - 4 ; .i = parse_int("0x") ?? abs(-9223372036854775808)`,
		`if (a = 1; a == 1) { . = [] } else if !true { . = null } else { del(.) }`,
		`.j = parse_json!(s'{"a":{"b":[1,{}]}}', max_depth: 2)`, "((((", `"\u{`, `r'[`, `. = .`, `a.b[`, "x = \\", `_`, `a, b`, "",
	} {
		f.Add(seed, "a=1 b=\"c d\" e")
	}
	env := Env{Hostname: "vm", Vars: map[string]string{"A": "b"}, Now: func() time.Time { return time.Unix(0, 0) }}
	f.Fuzz(func(t *testing.T, source, message string) {
		began := time.Now()
		p, err := Compile(source)
		if (p == nil) == (err == nil) {
			t.Fatalf("neither a program nor an error, or both: %v %v", p, err)
		}
		if err == nil {
			_, _ = p.Run(map[string]any{"message": message, "o": map[string]any{"a": int64(1)}, "a": []any{1, "b", nil}}, env)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("it took %v", took)
		}
	})
}
