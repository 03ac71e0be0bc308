package scenarios

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"bootrace/images/azure/fault"
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
	only     int      // of integer: the one value; 0: any above 0
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
	// secretPattern: the names that Key Vault has for secrets.
	secretPattern = `^[0-9A-Za-z-]{1,127}$`
	somePattern   = `[^ \t\r\n]`
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
		"size":        {kind: text, enum: names(Sizes()), doc: "The smallest set it is in: smoke, gate or nightly (default: nightly)"},
		"description": {kind: text, required: true, pattern: somePattern, doc: "What it is for, in a sentence"},
		"worker_env": {kind: object, required: true, doc: "When /etc/opensandbox/worker.env is written", fields: map[string]shape{
			"when":  {kind: text, required: true, enum: []string{BeforeBoot, After, Never}, doc: "before-boot, after (a delay) or never"},
			"delay": span("With when: after. Counts from the start of cloud-final.service"),
			"way":   {kind: text, enum: names(slices.Sorted(maps.Keys(Ways()))), doc: "With when: after. How it is written (default: edited)"},
		}},
		"cloud": {kind: object, doc: "What is particular about the cloud", fields: map[string]shape{
			"pending_worker_ttl": span("How long the control plane waits for the worker to register"),
			"faults":             {kind: list, doc: "What goes wrong, the first one that fits first", items: faultShape()},
		}},
		"during": {kind: list, doc: "What is done to units while the machine runs", items: &shape{kind: object, fields: map[string]shape{
			"at":   {kind: duration, required: true, pattern: durationPattern, doc: "Since the start of cloud-final.service"},
			"do":   {kind: text, required: true, enum: []string{Restart, StopStart, Kill}, doc: "restart, stop-start (a second apart) or kill (SIGKILL)"},
			"unit": {kind: text, required: true, pattern: unitPattern, want: "a unit's full name, such as vector.service", doc: "The unit"},
		}}},
		"look": {kind: object, required: true, doc: "How long to look", fields: map[string]shape{
			"settle": span("After the worker has registered"),
			"window": {kind: duration, required: true, pattern: durationPattern, doc: "At the latest, since the machine's start"},
		}},
		"expect": {kind: object, required: true, doc: "What the case must come to", fields: map[string]shape{
			"verdict":     {kind: text, enum: []string{"pass", "fail"}, doc: "What is expected; fail is for a known failure"},
			"registered":  {kind: boolean, required: true, doc: "Whether the worker must register"},
			"credentials": {kind: boolean, doc: "Whether Vector must run with the vault's values in the end (default: true)"},
			"missing": {kind: list, doc: "Optional secrets that the vault will not give", items: &shape{
				kind: text, pattern: secretPattern, want: "a secret's name", doc: "Name of a secret",
			}},
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

// faultShape is a fault of the cloud; what goes together, package fault judges.
func faultShape() *shape {
	span := func(doc string) shape { return shape{kind: duration, doc: doc, pattern: durationPattern} }
	var kinds, ops []string
	for _, row := range fault.Table() {
		kinds = append(kinds, string(row.Kind))
	}
	for _, list := range fault.Services() {
		ops = append(ops, list...)
	}
	slices.Sort(ops)
	return &shape{kind: object, fields: map[string]shape{
		"service":        {kind: text, required: true, enum: slices.Sorted(maps.Keys(fault.Services())), doc: "The service it happens to"},
		"kind":           {kind: text, required: true, enum: kinds, doc: "What goes wrong"},
		"op":             {kind: text, enum: ops, doc: "The operation it happens to (default: any)"},
		"secret":         {kind: text, pattern: secretPattern, want: "a secret's name", doc: "The secret it happens to (default: any)"},
		"from":           span("When it begins, since the machine's start (default: 0s)"),
		"until":          span("When it ends (default: never)"),
		"on":             span("With off: how long it is there before it goes"),
		"off":            span("With on: how long it is gone before it comes back"),
		"requests":       {kind: text, pattern: `^[0-9,-]+$`, want: "numbers of requests, such as 1-3 or 1,4-, in quotes if it is a number", doc: "The requests it happens to, counted from 1 (default: all)"},
		"status":         {kind: integer, doc: "HTTP status, with kind: status"},
		"code":           {kind: text, pattern: somePattern, doc: "The error's code"},
		"inner_code":     {kind: text, pattern: somePattern, doc: "The inner error's code, of Key Vault"},
		"body":           {kind: text, pattern: somePattern, doc: "The whole body, instead of the service's own error"},
		"latency":        span("How long the answer takes"),
		"retry_after":    span("What Retry-After asks for"),
		"retry_after_as": {kind: text, enum: []string{fault.AsSeconds, fault.AsDate}, doc: "Its form (default: seconds)"},
	}}
}

func names[T ~string](list []T) []string {
	var out []string
	for _, n := range list {
		out = append(out, string(n))
	}
	return out
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
		out["type"] = "integer"
		if s.only != 0 {
			out["const"] = s.only
		} else {
			out["minimum"] = 1
		}
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
