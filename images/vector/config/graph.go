package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// node is a component as the graph sees it.
type node struct {
	id, kind string
	inputs   []string
	outputs  []string // as others name them: the id, or id.output
	takes    string   // Log, Metric or any
	gives    string

	anyOutput bool
}

// connect checks the graph and replaces wildcards in inputs by what they match.
func (c *Config) connect(relaxed bool) []string {
	var problems []string
	if len(c.Sources) == 0 {
		problems = append(problems, "No sources defined in the config.")
	}
	if len(c.Sinks) == 0 {
		problems = append(problems, "No sinks defined in the config.")
	}

	nodes := c.nodes()
	byID := map[string]*node{}
	for i := range nodes {
		n := &nodes[i]
		if other := byID[n.id]; other != nil {
			problems = append(problems, fmt.Sprintf("More than one component with name %q (%s, %s).", n.id, other.kind, n.kind))
		}
		byID[n.id] = n
	}
	used := map[string]bool{}
	for i := range nodes {
		n := &nodes[i]
		if n.kind == "source" {
			continue
		}
		if len(n.inputs) == 0 {
			problems = append(problems, fmt.Sprintf("%s %q has no inputs", title(n.kind), n.id))
		}
		var unmatched []string
		n.inputs, unmatched = expandInputs(*n, nodes, relaxed)
		for _, input := range unmatched {
			problems = append(problems, fmt.Sprintf("Input %q for %s %q doesn't match any components.", input, n.kind, n.id))
		}
		for _, input := range n.inputs {
			used[input] = true
			from := owner(byID, input)
			if n.takes != anyKind && from.gives != anyKind && from.gives != n.takes {
				problems = append(problems, fmt.Sprintf("Data type mismatch between %s (%s) and %s (%s)", from.id, from.gives, n.id, n.takes))
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	if cycle := findCycle(nodes, byID); cycle != nil {
		return []string{fmt.Sprintf("Cyclic dependency detected in the chain [ %s ]", strings.Join(cycle, " -> "))}
	}

	for _, n := range nodes {
		for _, output := range n.outputs {
			if !used[output] {
				c.Warnings = append(c.Warnings, fmt.Sprintf("%s %q has no consumers", title(n.kind), output))
			}
		}
	}
	for i := range c.Transforms {
		c.Transforms[i].Inputs = byID[c.Transforms[i].ID].inputs
	}
	for i := range c.Sinks {
		c.Sinks[i].Inputs = byID[c.Sinks[i].ID].inputs
	}
	return nil
}

func (c *Config) nodes() []node {
	var nodes []node
	for _, s := range c.Sources {
		nodes = append(nodes, node{id: s.ID, kind: "source", gives: kindOf(sourceTypes[s.Type].Gives), outputs: []string{s.ID}})
	}
	for _, t := range c.Transforms {
		n := node{id: t.ID, kind: "transform", inputs: t.Inputs, takes: kindOf(transformTypes[t.Type].Takes), gives: kindOf(transformTypes[t.Type].Gives)}
		for _, output := range t.outputs() {
			if output == "" {
				n.outputs = append(n.outputs, t.ID)
			} else {
				n.outputs = append(n.outputs, t.ID+"."+output)
			}
		}
		// What is not in the catalog may have outputs of any name.
		_, known := transformTypes[t.Type]
		n.anyOutput = !known || t.Type == "lua"
		nodes = append(nodes, n)
	}
	for _, s := range c.Sinks {
		nodes = append(nodes, node{id: s.ID, kind: "sink", inputs: s.Inputs, takes: kindOf(sinkTypes[s.Type].Takes)})
	}
	return nodes
}

// kindOf makes any kind of what a catalog without the type says.
func kindOf(s string) string {
	if s == "" {
		return anyKind
	}
	return s
}

// expandInputs replaces wildcards by what they match; relaxed (`wildcard_matching`) lets one that matches nothing pass.
func expandInputs(n node, nodes []node, relaxed bool) (inputs, unmatched []string) {
	for _, pattern := range n.inputs {
		matched := false
		for _, from := range nodes {
			for _, output := range from.outputs {
				ok, err := path.Match(pattern, output)
				if err != nil {
					ok = pattern == output
				}
				if !ok || (from.id == n.id && pattern != output) {
					continue
				}
				matched = true
				if !slices.Contains(inputs, output) {
					inputs = append(inputs, output)
				}
			}
			if from.anyOutput && !matched && strings.HasPrefix(pattern, from.id+".") {
				matched = true
				inputs = append(inputs, pattern)
			}
		}
		if !matched && !(relaxed && strings.ContainsAny(pattern, "*?[")) {
			unmatched = append(unmatched, pattern)
		}
	}
	return inputs, unmatched
}

// owner is the component that an input comes from. An id may have a dot in it, so the whole goes first.
func owner(byID map[string]*node, input string) *node {
	if n := byID[input]; n != nil {
		return n
	}
	id, _, _ := strings.Cut(input, ".")
	return byID[id]
}

// findCycle follows inputs backwards from every component.
func findCycle(nodes []node, byID map[string]*node) []string {
	done := map[string]bool{}
	var walk func(id string, chain []string) []string
	walk = func(id string, chain []string) []string {
		if i := slices.Index(chain, id); i >= 0 {
			cycle := append(slices.Clone(chain[i:]), id)
			slices.Reverse(cycle)
			return cycle
		}
		if done[id] {
			return nil
		}
		chain = append(chain, id)
		for _, input := range byID[id].inputs {
			if cycle := walk(owner(byID, input).id, chain); cycle != nil {
				return cycle
			}
		}
		done[id] = true
		return nil
	}
	for _, n := range nodes {
		if cycle := walk(n.id, nil); cycle != nil {
			return cycle
		}
	}
	return nil
}

func title(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }
