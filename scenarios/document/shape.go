package document

import (
	"maps"
	"regexp"
	"slices"
)

// Kind is what a value may be.
type Kind string

// Kinds.
const (
	Object   Kind = "object"
	List     Kind = "list"
	Table    Kind = "table" // free keys, integer values above 0
	Text     Kind = "text"
	Integer  Kind = "integer"
	Boolean  Kind = "boolean"
	Duration Kind = "duration"
	Date     Kind = "date" // as 2026-01-31
)

// Shape is what a place in a file may hold. [Problems.Read] and the JSON Schema
// both go by it.
type Shape struct {
	Kind     Kind
	Doc      string
	Required bool
	Enum     []string // of text
	Only     int      // of integer: the one value; 0: any that is large enough
	Least    int      // of integer
	Pattern  string   // of text, durations, and a table's keys; a regular expression of RE2 and ECMA 262
	Want     string   // the pattern in words, or what a set or a date is for
	Fields   map[string]Shape
	Items    *Shape
	Set      bool // of a list: at least one item, and none twice
}

// NotBlank is a pattern: some text.
const NotBlank = `[^ \t\r\n]`

// matches says whether a text fits the pattern.
func (s Shape) matches(value string) bool {
	return value != "" && regexp.MustCompile(s.Pattern).MatchString(value)
}

// Schema is the shape as JSON Schema (2020-12), for editors.
func (s Shape) Schema() map[string]any {
	out := map[string]any{}
	if s.Doc != "" {
		out["description"] = s.Doc
	}
	switch s.Kind {
	case Object:
		props, required := map[string]any{}, []string{}
		for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
			props[name] = s.Fields[name].Schema()
			if s.Fields[name].Required {
				required = append(required, name)
			}
		}
		out["type"], out["properties"], out["additionalProperties"] = "object", props, false
		if len(required) > 0 {
			out["required"] = required
		}
	case List:
		out["type"], out["items"] = "array", s.Items.Schema()
		if s.Set {
			out["minItems"], out["uniqueItems"] = 1, true
		}
	case Table:
		out["type"] = "object"
		out["additionalProperties"] = map[string]any{"type": "integer", "minimum": 1}
		out["propertyNames"] = map[string]any{"pattern": s.Pattern}
	case Integer:
		out["type"] = "integer"
		if s.Only != 0 {
			out["const"] = s.Only
		} else {
			out["minimum"] = s.Least
		}
	case Text, Duration, Date:
		out["type"], out["minLength"] = "string", 1
		if s.Kind == Date {
			out["format"] = "date"
		}
		if s.Pattern != "" {
			out["pattern"] = s.Pattern
		}
		if len(s.Enum) > 0 {
			out["enum"] = s.Enum
		}
	default:
		out["type"] = string(s.Kind)
	}
	return out
}
