package gate

import (
	"slices"

	"bootrace/scenarios/document"
)

// Problems is everything that is wrong with a policy.
type Problems = document.Problems

// Parse reads a policy. file is the name that problems are reported under; the
// error is a *Problems and has all of them.
func Parse(file string, source []byte) (Policy, error) {
	r := &Problems{File: file, Source: source}
	p := Policy{Repeat: 1, Vector: Real, MinCases: 1, File: file, Source: source}
	if root := r.Read("policy", Version, policyShape(), &p); root != nil {
		for i, w := range p.Waivers {
			if slices.ContainsFunc(p.Waivers[:i], func(o Waiver) bool {
				return o.covers(w.Scenario, w.Base, w.Check) || w.covers(o.Scenario, o.Base, o.Check)
			}) {
				r.At(document.Find(root, "waivers", i), "waivers[%d]: %s in %s is waived already", i, w.Check, w.Scenario)
			}
		}
	}
	if err := r.Err(); err != nil {
		return Policy{}, err // nothing that a caller could go on with
	}
	return p, nil
}

func policyShape() document.Shape {
	const object, list, text, integer, date = document.Object, document.List, document.Text, document.Integer, document.Date
	type fields = map[string]document.Shape
	some := func(want string) document.Shape {
		return document.Shape{Kind: text, Pattern: document.NotBlank, Want: want}
	}
	must := func(want string) document.Shape {
		s := some(want)
		s.Required = true
		return s
	}
	name, names := some("a name"), "a list with at least one name"
	waiver := document.Shape{Kind: object, Fields: fields{
		"scenario": must("a scenario's name"),
		"base":     some("a base"),
		"check":    must("a check's name"),
		"reason":   must("why it may fail"),
		"owner":    must("who answers for it"),
		"expires":  {Kind: date, Required: true, Want: "the last day it holds, such as 2026-01-31"},
	}}
	return document.Shape{Kind: object, Fields: fields{
		"version":     {Kind: integer, Required: true, Only: Version, Doc: "version of this format: 1"},
		"scenarios":   {Kind: list, Required: true, Set: true, Items: &name, Want: names},
		"bases":       {Kind: list, Required: true, Set: true, Items: &name, Want: names},
		"repeat":      {Kind: integer, Least: 1},
		"vector":      {Kind: text, Enum: []string{Real, Any}},
		"min_cases":   {Kind: integer, Least: 1},
		"max_invalid": {Kind: integer, Least: 0},
		"waivers":     {Kind: list, Items: &waiver},
	}}
}
