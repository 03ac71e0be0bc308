package scenarios

import (
	"encoding/json"
	"maps"
	"slices"

	"bootrace/images/azure/fault"
	"bootrace/scenarios/document"
)

type shape = document.Shape

const object, list, table, text, integer, boolean, duration = document.Object, document.List, document.Table, document.Text,
	document.Integer, document.Boolean, document.Duration

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
)

func scenarioShape() shape {
	span := func(doc string) shape { return shape{Kind: duration, Doc: doc, Pattern: durationPattern} }
	return shape{Kind: object, Doc: "A bootrace scenario", Fields: map[string]shape{
		"version":     {Kind: integer, Required: true, Only: Version, Doc: "Version of this format: 1"},
		"name":        {Kind: text, Required: true, Pattern: namePattern, Want: "small letters, digits and hyphens", Doc: "Name of the scenario, as in bootrace run NAME"},
		"size":        {Kind: text, Enum: names(Sizes()), Doc: "The smallest set it is in: smoke, gate or nightly (default: nightly)"},
		"description": {Kind: text, Required: true, Pattern: document.NotBlank, Doc: "What it is for, in a sentence"},
		"worker_env": {Kind: object, Required: true, Doc: "When /etc/opensandbox/worker.env is written", Fields: map[string]shape{
			"when":  {Kind: text, Required: true, Enum: []string{BeforeBoot, After, Never}, Doc: "before-boot, after (a delay) or never"},
			"delay": span("With when: after. Counts from the start of cloud-final.service"),
			"way":   {Kind: text, Enum: names(slices.Sorted(maps.Keys(Ways()))), Doc: "With when: after. How it is written (default: edited)"},
		}},
		"cloud": {Kind: object, Doc: "What is particular about the cloud", Fields: map[string]shape{
			"pending_worker_ttl": span("How long the control plane waits for the worker to register"),
			"faults":             {Kind: list, Doc: "What goes wrong, the first one that fits first", Items: faultShape()},
		}},
		"during": {Kind: list, Doc: "What is done to units while the machine runs", Items: &shape{Kind: object, Fields: map[string]shape{
			"at":   {Kind: duration, Required: true, Pattern: durationPattern, Doc: "Since the start of cloud-final.service"},
			"do":   {Kind: text, Required: true, Enum: []string{Restart, StopStart, Kill}, Doc: "restart, stop-start (a second apart) or kill (SIGKILL)"},
			"unit": {Kind: text, Required: true, Pattern: unitPattern, Want: "a unit's full name, such as vector.service", Doc: "The unit"},
		}}},
		"look": {Kind: object, Required: true, Doc: "How long to look", Fields: map[string]shape{
			"settle": span("After the worker has registered"),
			"window": {Kind: duration, Required: true, Pattern: durationPattern, Doc: "At the latest, since the machine's start"},
		}},
		"expect": {Kind: object, Required: true, Doc: "What the case must come to", Fields: map[string]shape{
			"verdict":     {Kind: text, Enum: []string{"pass", "fail"}, Doc: "What is expected; fail is for a known failure"},
			"registered":  {Kind: boolean, Required: true, Doc: "Whether the worker must register"},
			"credentials": {Kind: boolean, Doc: "Whether Vector must run with the vault's values in the end (default: true)"},
			"missing": {Kind: list, Doc: "Optional secrets that the vault will not give", Items: &shape{
				Kind: text, Pattern: secretPattern, Want: "a secret's name", Doc: "Name of a secret",
			}},
			"credentials_within": span("From worker.env complete to Vector running with the vault's values"),
			"boot_budget":        span("By how much multi-user.target may be later than in the control boot"),
			"starts":             {Kind: table, Pattern: unitPattern, Want: "a unit's full name, such as vector.service,", Doc: "Starts of a unit allowed within 10 s"},
			"allowed_failed": {Kind: list, Doc: "Units that may fail", Items: &shape{Kind: object, Fields: map[string]shape{
				"unit":   {Kind: text, Required: true, Pattern: document.NotBlank, Doc: "Unit name or pattern"},
				"reason": {Kind: text, Required: true, Pattern: document.NotBlank, Doc: "Why it may"},
			}}},
		}},
	}}
}

// faultShape is a fault of the cloud; what goes together, package fault judges.
func faultShape() *shape {
	span := func(doc string) shape { return shape{Kind: duration, Doc: doc, Pattern: durationPattern} }
	var kinds, ops []string
	for _, row := range fault.Table() {
		kinds = append(kinds, string(row.Kind))
	}
	for _, list := range fault.Services() {
		ops = append(ops, list...)
	}
	slices.Sort(ops)
	return &shape{Kind: object, Fields: map[string]shape{
		"service":        {Kind: text, Required: true, Enum: slices.Sorted(maps.Keys(fault.Services())), Doc: "The service it happens to"},
		"kind":           {Kind: text, Required: true, Enum: kinds, Doc: "What goes wrong"},
		"op":             {Kind: text, Enum: ops, Doc: "The operation it happens to (default: any)"},
		"secret":         {Kind: text, Pattern: secretPattern, Want: "a secret's name", Doc: "The secret it happens to (default: any)"},
		"from":           span("When it begins, since the machine's start (default: 0s)"),
		"until":          span("When it ends (default: never)"),
		"on":             span("With off: how long it is there before it goes"),
		"off":            span("With on: how long it is gone before it comes back"),
		"requests":       {Kind: text, Pattern: `^[0-9,-]+$`, Want: "numbers of requests, such as 1-3 or 1,4-, in quotes if it is a number", Doc: "The requests it happens to, counted from 1 (default: all)"},
		"status":         {Kind: integer, Least: 1, Doc: "HTTP status, with kind: status"},
		"code":           {Kind: text, Pattern: document.NotBlank, Doc: "The error's code"},
		"inner_code":     {Kind: text, Pattern: document.NotBlank, Doc: "The inner error's code, of Key Vault"},
		"body":           {Kind: text, Pattern: document.NotBlank, Doc: "The whole body, instead of the service's own error"},
		"latency":        span("How long the answer takes"),
		"retry_after":    span("What Retry-After asks for"),
		"retry_after_as": {Kind: text, Enum: []string{fault.AsSeconds, fault.AsDate}, Doc: "Its form (default: seconds)"},
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
	s := scenarioShape().Schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "bootrace scenario"
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}
