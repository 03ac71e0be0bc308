package vrl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSON is how deep JSON may nest (serde_json's own limit).
const maxJSON = 127

var parseFunctions = map[string]*function{
	"parse_json": mayFn("value:string max_depth?:int lossy?:bool", "json", func(in *invocation) any {
		in.spend(len(in.str(0)))
		v := readJSON(in.str(0))
		if !in.has(1) {
			return v
		}
		depth := in.integer(1, 0)
		if depth < 1 || depth > 128 {
			panic(errorf("max_depth value should be greater than 0 and less than 128, got %d", depth))
		}
		return in.shallow(json.RawMessage(in.str(0)), int(depth))
	}),
	"parse_regex":     mayFn("value:string pattern:regex numeric_groups?:bool", "object", parseRegex),
	"parse_key_value": mayFn("value:string key_value_delimiter?:any field_delimiter?:any whitespace?:string accept_standalone_key?:bool", "object", keyValue),
	"parse_logfmt": mayFn("value:string", "object", func(in *invocation) any {
		return parsePairs(in.str(0), pairs{between: "=", after: " ", lenient: true, standalone: true})
	}),
}

func init() {
	// These objects hold strings, which a program may rely on.
	parseFunctions["parse_regex"].infer = inferGroups
	for name, rest := range map[string]bits{"parse_key_value": kString | kBool | kArray, "parse_logfmt": kString | kBool | kArray} {
		parseFunctions[name].infer = func(_ *checker, _ *callExpr, _ []typed, out typed) typed {
			out.kind = kind{bits: kObject, rest: rest, unsure: true}
			return out
		}
	}
}

// inferGroups types what parse_regex finds.
func inferGroups(c *checker, e *callExpr, _ []typed, out typed) typed {
	out.kind = c.groups(e.ordered[1])
	return out
}

// inferAllGroups does so for each match.
func inferAllGroups(c *checker, e *callExpr, _ []typed, out typed) typed {
	each := c.groups(e.ordered[1])
	out.kind = of(kArray)
	out.kind.items = &each
	return out
}

// groups are those of a pattern: a named one is a string, even one that may match nothing, a number is one or null
// (src/stdlib/util.rs, regex_kind), and there is no other field.
func (c *checker) groups(pattern expr) kind {
	v, _ := c.constant(pattern)
	re, ok := v.(*regexp.Regexp)
	if !ok || re.String() == neverMatches {
		return kind{bits: kObject, rest: kString | kNull, unsure: true}
	}
	k := kind{bits: kObject}
	for i, name := range re.SubexpNames() {
		k = k.with(strconv.Itoa(i), of(kString|kNull))
		if name != "" {
			k = k.with(name, of(kString))
		}
	}
	return k
}

func readJSON(s string) any {
	v, err := decodeJSON(s)
	if err != nil {
		panic(errorf("unable to parse json: %s", err))
	}
	return v
}

// decodeJSON reads one JSON value; an integer that does not fit becomes a float.
func decodeJSON(s string) (any, error) {
	s = strings.TrimPrefix(strings.ToValidUTF8(s, "\uFFFD"), "\uFEFF")
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, jsonError(s, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("trailing characters" + lineColumn(s, int(dec.InputOffset())+1))
	}
	return numbers(v, 0)
}

// jsonError says Go's finding in the words of serde_json.
func jsonError(s string, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("EOF while parsing a value" + lineColumn(s, len(s)))
	case errors.As(err, &syntax):
		expected := "expected value"
		if rest := strings.TrimSpace(s); rest != "" && strings.IndexByte("tfn", rest[0]) >= 0 {
			expected = "expected ident"
		}
		return errors.New(expected + lineColumn(s, int(syntax.Offset)))
	}
	return errors.New("invalid value" + lineColumn(s, 0))
}

func lineColumn(s string, offset int) string {
	offset = min(max(offset, 0), len(s))
	line := 1 + strings.Count(s[:offset], "\n")
	column := offset - strings.LastIndexByte(s[:offset], '\n') - 1
	return " at line " + strconv.Itoa(line) + " column " + strconv.Itoa(column)
}

func numbers(v any, depth int) (any, error) {
	if depth > maxJSON {
		return nil, errors.New("recursion limit exceeded")
	}
	var err error
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, errors.New("number out of range")
		}
		return f, nil
	case []any:
		for i := range v {
			if v[i], err = numbers(v[i], depth+1); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			if v[name], err = numbers(v[name], depth+1); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// shallow leaves what lies deeper than depth as its text.
func (m *machine) shallow(raw json.RawMessage, depth int) any {
	raw = bytes.TrimSpace(raw)
	m.spend(len(raw))
	switch {
	case raw[0] != '{' && raw[0] != '[':
		return readJSON(string(raw))
	case depth == 0:
		return string(raw)
	case raw[0] == '[':
		var items []json.RawMessage
		unmarshal(raw, &items)
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = m.shallow(item, depth-1)
		}
		return out
	}
	var fields map[string]json.RawMessage
	unmarshal(raw, &fields)
	out := make(map[string]any, len(fields))
	for name, field := range fields {
		out[name] = m.shallow(field, depth-1)
	}
	return out
}

func unmarshal(raw json.RawMessage, to any) {
	if err := json.Unmarshal(raw, to); err != nil {
		panic(errorf("unable to read json: %s", err))
	}
}

func parseRegex(in *invocation) any {
	re := in.args[1].(*regexp.Regexp)
	found := re.FindStringSubmatchIndex(in.str(0))
	if found == nil {
		panic(errorf("could not find any pattern matches"))
	}
	group := func(i int) any {
		if found[2*i] < 0 {
			return nil
		}
		return in.str(0)[found[2*i]:found[2*i+1]]
	}
	out := map[string]any{}
	for i, name := range re.SubexpNames() {
		if name != "" {
			out[name] = group(i)
		}
		if in.flag(2, false) {
			out[strconv.Itoa(i)] = group(i)
		}
	}
	in.spend(len(in.str(0)) * (1 + len(out)))
	return out
}

// pairs says how key-value text is written.
type pairs struct {
	between, after      string
	lenient, standalone bool
}

func keyValue(in *invocation) any {
	p := pairs{between: "=", after: " ", lenient: true, standalone: in.flag(4, true)}
	for i, to := range map[int]*string{1: &p.between, 2: &p.after} {
		if !in.has(i) {
			continue
		}
		s, ok := in.args[i].(string)
		if !ok || s == "" {
			panic(errorf("expected string, got %s", typeOf(in.args[i])))
		}
		*to = s
	}
	if in.has(3) {
		p.lenient = in.str(3) != "strict"
	}
	in.spend(len(in.str(0)))
	return parsePairs(in.str(0), p)
}

var errLine = errorf("could not parse whole line successfully")

// parsePairs reads `key=value key="a value" alone`. A key that comes again gathers its values in an array.
func parsePairs(s string, p pairs) any {
	out := map[string]any{}
	s = strings.TrimSpace(s)
	if s == "" {
		panic(errLine)
	}
	for s != "" {
		key, rest, ok := word(s, p.between, p.after)
		if !ok || key == "" {
			panic(errLine)
		}
		after := rest
		if p.lenient {
			after = strings.TrimLeft(rest, " \t")
		}
		var value any = true
		if strings.HasPrefix(after, p.between) {
			rest = after[len(p.between):]
			if p.lenient && (p.after != " " || strings.HasPrefix(strings.TrimLeft(rest, " "), `"`)) {
				rest = strings.TrimLeft(rest, " \t")
			}
			text, tail, ok := word(rest, p.after, p.after)
			if !ok {
				panic(errLine)
			}
			value, rest = strings.TrimRight(text, " \t"), tail
		} else if !p.standalone {
			panic(errLine)
		}
		gather(out, strings.TrimSpace(key), value)
		if s = strings.TrimLeft(rest, " \t\n"); s == "" {
			break
		}
		if p.after != " " {
			if !strings.HasPrefix(s, p.after) {
				panic(errLine)
			}
			s = strings.TrimLeft(s[len(p.after):], " \t")
		}
	}
	return out
}

// word reads up to either delimiter, or a quoted text to its end.
func word(s, first, second string) (text, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := len(s)
		for _, d := range []string{first, second} {
			if i := strings.Index(s, d); i >= 0 && i < end {
				end = i
			}
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"':
			return b.String(), s[i+1:], true
		case r == '\\' && i+1 < len(s) && strings.IndexByte(`"\nrt`, s[i+1]) >= 0:
			b.WriteString(escapes[s[i+1]])
			i += 2
		default:
			b.WriteString(s[i : i+size])
			i += size
		}
	}
	return "", "", false
}

func gather(out map[string]any, key string, value any) {
	before, there := out[key]
	list, isList := before.([]any)
	switch {
	case !there || before == true:
		out[key] = value
	case value == true:
	case isList:
		out[key] = append(list, value)
	default:
		out[key] = []any{before, value}
	}
}
