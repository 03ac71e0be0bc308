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
	return sureFn("value:any", "bool", func(in *invocation) (any, error) { return typeOf(in.args[0])&want != 0, nil })
}

// must is one of the assertions: string(), object() and so on.
func must(name string) *function {
	want := parseKinds(name)
	f := mayFn("value:any", name, func(in *invocation) (any, error) {
		if typeOf(in.args[0])&want == 0 {
			return nil, errorf("expected %s, got %s", want, typeOf(in.args[0]))
		}
		return in.args[0], nil
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
	"is_empty": sureFn("value:string|array|object", "bool", func(in *invocation) (any, error) {
		return length(in.args[0]) == 0, nil
	}),
	"is_nullish": sureFn("value:any", "bool", func(in *invocation) (any, error) { return nullish(in.args[0]), nil }),
	"is_json": sureFn("value:string variant?:string", "bool", func(in *invocation) (any, error) {
		v, err := decodeJSON(in.str(0))
		want := map[string]bits{"object": kObject, "array": kArray, "string": kString, "number": kNumber, "bool": kBool, "null": kNull}[in.str(1)]
		return err == nil && (!in.has(1) || typeOf(v)&want != 0), nil
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
func convert(result string, sure bits, run func(v any) (any, error)) *function {
	f := mayFn("value:any", result, func(in *invocation) (any, error) {
		v, err := run(in.args[0])
		if err == nil && v == nil {
			err = errorf("unable to coerce %s into %s", typeOf(in.args[0]), parseKinds(result))
		}
		return v, err
	})
	f.fails, f.sure = unlessWithin, sure
	return f
}

var convertFunctions = map[string]*function{
	"to_string": convert("string", kString|kInt|kFloat|kBool|kNull|kTime, func(v any) (any, error) {
		if s, ok := display(v); ok {
			return s, nil
		}
		return nil, nil
	}),
	"to_int": convert("int", kInt|kFloat|kBool|kNull|kTime, func(v any) (any, error) {
		switch v := v.(type) {
		case int64:
			return v, nil
		case float64:
			return int64(v), nil
		case bool:
			return map[bool]int64{true: 1}[v], nil
		case nil:
			return int64(0), nil
		case time.Time:
			return v.Unix(), nil
		case string:
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return nil, errorf("Invalid integer %q: invalid digit found in string", v)
			}
			return n, nil
		}
		return nil, nil
	}),
	"to_float": convert("float", kInt|kFloat|kBool|kNull|kTime, func(v any) (any, error) {
		switch v := v.(type) {
		case int64:
			return float64(v), nil
		case float64:
			return v, nil
		case bool:
			return map[bool]float64{true: 1}[v], nil
		case nil:
			return 0.0, nil
		case time.Time:
			return float64(v.UnixNano()) / 1e9, nil
		case string:
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				return nil, errorf("Invalid floating point number %q: invalid float literal", v)
			}
			return finite(f), nil
		}
		return nil, nil
	}),
	"to_bool": convert("bool", kInt|kFloat|kBool|kNull, func(v any) (any, error) {
		switch v := v.(type) {
		case int64:
			return v != 0, nil
		case float64:
			return v != 0, nil
		case bool:
			return v, nil
		case nil:
			return false, nil
		case string:
			switch strings.ToLower(v) {
			case "true", "t", "yes", "y", "1":
				return true, nil
			case "false", "f", "no", "n", "0":
				return false, nil
			}
			return nil, errorf("Invalid boolean value %q", v)
		}
		return nil, nil
	}),
	"parse_int": mayFn("value:string base?:int", "int", func(in *invocation) (any, error) {
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
			return nil, errorf("invalid base %d: must be be between 2 and 36 (inclusive)", base)
		}
		n, err := strconv.ParseInt(s, int(base), 64)
		if err != nil {
			return nil, errorf("could not parse integer: invalid digit found in string")
		}
		return n, nil
	}),
	"parse_float": mayFn("value:string", "float", func(in *invocation) (any, error) {
		f, err := strconv.ParseFloat(strings.TrimSpace(in.str(0)), 64)
		if err != nil {
			return nil, errorf("Invalid floating point number %q: invalid float literal", in.str(0))
		}
		return finite(f), nil
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
func (m *machine) encode(b *strings.Builder, v any, indent, at string) error {
	if err := m.spendNodes(1); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case float64:
		if math.IsInf(v, 0) {
			b.WriteString("null")
			return nil
		}
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		b.WriteString(s)
	case string:
		quote(b, v)
		return m.spend(len(v))
	case time.Time:
		quote(b, stamp(v))
	case *regexp.Regexp:
		quote(b, v.String())
	case []any:
		return m.encodeList(b, "[]", len(v), indent, at, func(i int, inner string) error { return m.encode(b, v[i], indent, inner) })
	case map[string]any:
		keys := sortedKeys(v)
		return m.encodeList(b, "{}", len(keys), indent, at, func(i int, inner string) error {
			quote(b, keys[i])
			b.WriteByte(':')
			if indent != "" {
				b.WriteByte(' ')
			}
			return m.encode(b, v[keys[i]], indent, inner)
		})
	default:
		s, _ := display(v)
		b.WriteString(s)
	}
	return nil
}

func (m *machine) encodeList(b *strings.Builder, around string, n int, indent, at string, item func(i int, inner string) error) error {
	b.WriteByte(around[0])
	inner := at + indent
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if indent != "" {
			b.WriteString("\n" + inner)
		}
		if err := item(i, inner); err != nil {
			return err
		}
	}
	if indent != "" && n > 0 {
		b.WriteString("\n" + at)
	}
	b.WriteByte(around[1])
	return nil
}

func quote(b *strings.Builder, s string) {
	var line strings.Builder
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can be
	b.WriteString(strings.TrimSuffix(line.String(), "\n"))
}
