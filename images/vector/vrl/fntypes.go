package vrl

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// isA is one of the is_* functions.
func isA(want bits) *function {
	return sureFn("value:any", "bool", func(in *invocation) any { return typeOf(in.args[0])&want != 0 })
}

// must is one of the assertions: string(), object() and so on.
func must(name string) *function {
	want := parseKinds(name)
	f := mayFn("value:any", name, func(in *invocation) any {
		if typeOf(in.args[0])&want == 0 {
			panic(errorf("expected %s, got %s", want, typeOf(in.args[0])))
		}
		return in.args[0]
	})
	f.fails, f.sure = unlessWithin, want
	f.infer = func(_ *checker, _ *callExpr, args []typed, out typed) typed {
		if k := args[0].kind; k.bits&want != 0 {
			out.kind = kind{bits: want, fields: k.fields, rest: k.rest, unsure: k.unsure && want&(kObject|kArray) != 0}
		}
		return out
	}
	return f
}

var typeFunctions = map[string]*function{
	"is_string": isA(kString), "is_integer": isA(kInt), "is_float": isA(kFloat), "is_boolean": isA(kBool), "is_null": isA(kNull),
	"is_timestamp": isA(kTime), "is_regex": isA(kRegex), "is_array": isA(kArray), "is_object": isA(kObject),
	"string": must("string"), "int": must("int"), "float": must("float"), "bool": must("bool"), "timestamp": must("time"),
	"array": must("array"), "object": must("object"),
	"is_empty": sureFn("value:string|array|object", "bool", func(in *invocation) any {
		return length(in.args[0]) == 0
	}),
	"is_nullish": sureFn("value:any", "bool", func(in *invocation) any { return nullish(in.args[0]) }),
	"is_json": sureFn("value:string variant?:string", "bool", func(in *invocation) any {
		v, err := decodeJSON(in.str(0))
		want := map[string]bits{"object": kObject, "array": kArray, "string": kString, "number": kNumber, "bool": kBool, "null": kNull}[in.str(1)]
		return err == nil && (!in.has(1) || typeOf(v)&want != 0)
	}),
}

// length counts bytes, items or fields.
func length(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

// nullish: null, blank, or "-".
func nullish(v any) bool {
	s, ok := v.(string)
	return v == nil || ok && (strings.TrimSpace(s) == "" || s == "-")
}

// convert is one of the to_* functions: it cannot fail on values of the types of sure.
func convert(result string, sure bits, run func(v any) any) *function {
	f := mayFn("value:any", result, func(in *invocation) any {
		v := run(in.args[0])
		if v == nil {
			panic(errorf("unable to coerce %s into %s", typeOf(in.args[0]), parseKinds(result)))
		}
		return v
	})
	f.fails, f.sure = unlessWithin, sure
	return f
}

var convertFunctions = map[string]*function{
	"to_string": convert("string", kString|kInt|kFloat|kBool|kNull|kTime, func(v any) any {
		if s, ok := display(v); ok {
			return s
		}
		return nil
	}),
	"to_int": convert("int", kInt|kFloat|kBool|kNull|kTime, func(v any) any {
		switch v := v.(type) {
		case int64:
			return v
		case float64:
			return int64(v)
		case bool:
			return map[bool]int64{true: 1}[v]
		case nil:
			return int64(0)
		case time.Time:
			return v.Unix()
		case string:
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				panic(errorf("Invalid integer %q: invalid digit found in string", v))
			}
			return n
		}
		return nil
	}),
	"to_float": convert("float", kInt|kFloat|kBool|kNull|kTime, func(v any) any {
		switch v := v.(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		case bool:
			return map[bool]float64{true: 1}[v]
		case nil:
			return 0.0
		case time.Time:
			return float64(v.UnixNano()) / 1e9
		case string:
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				panic(errorf("Invalid floating point number %q: invalid float literal", v))
			}
			return finite(f)
		}
		return nil
	}),
	"to_bool": convert("bool", kInt|kFloat|kBool|kNull, func(v any) any {
		switch v := v.(type) {
		case int64:
			return v != 0
		case float64:
			return v != 0
		case bool:
			return v
		case nil:
			return false
		case string:
			switch strings.ToLower(v) {
			case "true", "t", "yes", "y", "1":
				return true
			case "false", "f", "no", "n", "0":
				return false
			}
			panic(errorf("Invalid boolean value %q", v))
		}
		return nil
	}),
	"parse_int": mayFn("value:string base?:int", "int", func(in *invocation) any {
		base := in.integer(1, 0)
		s := in.str(0)
		if !in.has(1) {
			base = 10
			for prefix, b := range map[string]int64{"0x": 16, "0o": 8, "0b": 2} {
				if strings.HasPrefix(s, prefix) {
					s, base = s[2:], b
				}
			}
			if base == 10 && len(s) > 1 && s[0] == '0' {
				s, base = s[1:], 8
			}
		} else if base < 2 || base > 36 {
			panic(errorf("invalid base %d: must be be between 2 and 36 (inclusive)", base))
		}
		n, err := strconv.ParseInt(s, int(base), 64)
		if err != nil {
			panic(errorf("could not parse integer: invalid digit found in string"))
		}
		return n
	}),
	"parse_float": mayFn("value:string", "float", func(in *invocation) any {
		f, err := strconv.ParseFloat(strings.TrimSpace(in.str(0)), 64)
		if err != nil {
			panic(errorf("Invalid floating point number %q: invalid float literal", in.str(0)))
		}
		return finite(f)
	}),
}

// display is a value as to_string writes it; containers have no such form.
func display(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case time.Time:
		return stamp(v), true
	}
	return "", false
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// encode writes a value as Vector's JSON: keys in order, floats with a point, nothing escaped for HTML.
func (m *machine) encode(b *strings.Builder, v any, indent, at string) {
	m.spendNodes(1)
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case float64:
		if math.IsInf(v, 0) {
			b.WriteString("null")
			return
		}
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		b.WriteString(s)
	case string:
		quote(b, v)
		m.spend(len(v))
	case time.Time:
		quote(b, stamp(v))
	case *regexp.Regexp:
		quote(b, v.String())
	case []any:
		encodeList(b, "[]", len(v), indent, at, func(i int, inner string) { m.encode(b, v[i], indent, inner) })
	case map[string]any:
		keys := sortedKeys(v)
		encodeList(b, "{}", len(keys), indent, at, func(i int, inner string) {
			quote(b, keys[i])
			b.WriteByte(':')
			if indent != "" {
				b.WriteByte(' ')
			}
			m.encode(b, v[keys[i]], indent, inner)
		})
	default:
		s, _ := display(v)
		b.WriteString(s)
	}
}

func encodeList(b *strings.Builder, around string, n int, indent, at string, item func(i int, inner string)) {
	b.WriteByte(around[0])
	inner := at + indent
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if indent != "" {
			b.WriteString("\n" + inner)
		}
		item(i, inner)
	}
	if indent != "" && n > 0 {
		b.WriteString("\n" + at)
	}
	b.WriteByte(around[1])
}

func quote(b *strings.Builder, s string) {
	var line strings.Builder
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can be
	b.WriteString(strings.TrimSuffix(line.String(), "\n"))
}
