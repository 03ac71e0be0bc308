package scenarios

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
)

// kind is what a value may be.
type kind string

const (
	object   kind = "object"
	list     kind = "list"
	table    kind = "table" // free keys, integer values
	text     kind = "text"
	integer  kind = "integer"
	boolean  kind = "boolean"
	duration kind = "duration"
)

// shape is what a place in a scenario file may hold. The loader and the JSON
// schema both go by it.
type shape struct {
	kind     kind
	doc      string
	required bool
	enum     []string // of text
	only     int      // of integer: the one value
	pattern  string   // of text, durations, and a table's keys; a regular expression of RE2 and ECMA 262
	want     string   // the pattern in words
	fields   map[string]shape
	items    *shape
}

const (
	// durationPattern takes each unit once, the large ones first: no sign, no
	// overflow, and time.ParseDuration takes all of it but the empty text.
	durationPattern = `^([0-9]{1,4}h)?([0-9]{1,6}m)?([0-9]{1,7}([.][0-9]{1,9})?s)?([0-9]{1,9}ms)?$`
	// namePattern is what can be part of a case's id and of a container's name.
	namePattern = `^[a-z0-9][a-z0-9-]{0,62}$`
	// unitPattern: systemd.unit(5), the characters of unit names.
	unitPattern = `^[A-Za-z0-9:_.@\\-]+[.](service|socket|target|path|timer|mount|device|swap|slice|scope|automount)$`
	somePattern = `[^ \t\r\n]`
)

// matches says whether a text fits the pattern.
func (s shape) matches(value string) bool {
	return value != "" && regexp.MustCompile(s.pattern).MatchString(value)
}

func scenarioShape() shape {
	span := func(doc string) shape { return shape{kind: duration, doc: doc, pattern: durationPattern} }
	return shape{kind: object, doc: "A bootrace scenario", fields: map[string]shape{
		"version":     {kind: integer, required: true, only: Version, doc: "Version of this format: 1"},
		"name":        {kind: text, required: true, pattern: namePattern, want: "small letters, digits and hyphens", doc: "Name of the scenario, as in bootrace run NAME"},
		"description": {kind: text, required: true, pattern: somePattern, doc: "What it is for, in a sentence"},
		"worker_env": {kind: object, required: true, doc: "When /etc/opensandbox/worker.env is written", fields: map[string]shape{
			"when":  {kind: text, required: true, enum: []string{BeforeBoot, After, Never}, doc: "before-boot, after (a delay) or never"},
			"delay": span("With when: after. Counts from the start of cloud-final.service"),
		}},
		"cloud": {kind: object, doc: "What is particular about the cloud", fields: map[string]shape{
			"pending_worker_ttl": span("How long the control plane waits for the worker to register"),
		}},
		"look": {kind: object, required: true, doc: "How long to look", fields: map[string]shape{
			"settle": span("After the worker has registered"),
			"window": {kind: duration, required: true, pattern: durationPattern, doc: "At the latest, since the machine's start"},
		}},
		"expect": {kind: object, required: true, doc: "What the case must come to", fields: map[string]shape{
			"verdict":            {kind: text, enum: []string{"pass", "fail"}, doc: "What is expected; fail is for a known failure"},
			"registered":         {kind: boolean, required: true, doc: "Whether the worker must register"},
			"credentials_within": span("From worker.env complete to Vector running with the vault's values"),
			"boot_budget":        span("By how much multi-user.target may be later than in the control boot"),
			"starts":             {kind: table, pattern: unitPattern, want: "a unit's full name, such as vector.service,", doc: "Starts of a unit allowed within 10 s"},
			"allowed_failed": {kind: list, doc: "Units that may fail", items: &shape{kind: object, fields: map[string]shape{
				"unit":   {kind: text, required: true, pattern: somePattern, doc: "Unit name or pattern"},
				"reason": {kind: text, required: true, pattern: somePattern, doc: "Why it may"},
			}}},
		}},
	}}
}

// Schema is the JSON Schema (2020-12) of scenario files, for editors.
func Schema() ([]byte, error) {
	s := scenarioShape().schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "bootrace scenario"
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

func (s shape) schema() map[string]any {
	out := map[string]any{}
	if s.doc != "" {
		out["description"] = s.doc
	}
	switch s.kind {
	case object:
		props, required := map[string]any{}, []string{}
		for _, name := range slices.Sorted(maps.Keys(s.fields)) {
			props[name] = s.fields[name].schema()
			if s.fields[name].required {
				required = append(required, name)
			}
		}
		out["type"], out["properties"], out["additionalProperties"] = "object", props, false
		if len(required) > 0 {
			out["required"] = required
		}
	case list:
		out["type"], out["items"] = "array", s.items.schema()
	case table:
		out["type"] = "object"
		out["additionalProperties"] = map[string]any{"type": "integer", "minimum": 1}
		out["propertyNames"] = map[string]any{"pattern": s.pattern}
	case integer:
		out["type"], out["const"] = "integer", s.only
	case text, duration:
		out["type"], out["minLength"] = "string", 1
		if s.pattern != "" {
			out["pattern"] = s.pattern
		}
		if len(s.enum) > 0 {
			out["enum"] = s.enum
		}
	default:
		out["type"] = string(s.kind)
	}
	return out
}
