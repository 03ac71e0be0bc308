package gate

import (
	"slices"
	"sync"

	"bootrace/scenarios/document"
)

// Problems is everything that is wrong with a policy.
type Problems = document.Problems

// Parse reads a policy. file is the name that problems are reported under; the
// error is a *Problems and has all of them.
func Parse(file string, source []byte) (Policy, error) {
	r := &Problems{File: file, Source: source}
	f := policyFile{Policy: Policy{Repeat: 1, Vector: Real, MinCases: 1, File: file, Source: source}}
	p := &f.Policy
	if root := r.Read("policy", Version, schema(), &f); root != nil {
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
	return *p, nil
}

// policyFile is a policy as a file has it.
type policyFile struct {
	Version int `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"version of this format: 1"`
	Policy  `yaml:",inline"`
}

var schema = sync.OnceValue(func() *document.Schema { return document.Of(policyFile{}, "bootrace gate policy") })

// Schema is the JSON Schema (2020-12) of policies, for editors.
func Schema() ([]byte, error) { return schema().JSON() }
