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
	outputs  []output
	takes    Kinds

	anyOutput bool
}

// output is what others name as an input: the id, or id.output.
type output struct {
	name  string
	gives Kinds
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
		if strings.Contains(n.id, ".") {
			problems = append(problems, fmt.Sprintf("Component name %q should not contain a \".\"", n.id))
		}
		byID[n.id] = n
	}
	problems = append(problems, c.conflicts()...)
	used := map[string]bool{}
	for i := range nodes {
		n := &nodes[i]
		if n.kind == "source" {
			continue
		}
		if len(n.inputs) == 0 {
			problems = append(problems, fmt.Sprintf("%s %q has no inputs", title(n.kind), n.id))
		}
		inputs, unmatched := expandInputs(*n, nodes, relaxed)
		for _, input := range unmatched {
			problems = append(problems, fmt.Sprintf("Input %q for %s %q doesn't match any components.", input, n.kind, n.id))
		}
		n.inputs = nil
		times := map[string]int{}
		for _, input := range inputs {
			times[input.name]++
		}
		for _, input := range inputs {
			if slices.Contains(n.inputs, input.name) {
				continue
			}
			if times[input.name] > 1 {
				problems = append(problems, fmt.Sprintf("%s %q has input %q duplicated %d times", title(n.kind), n.id, input.name, times[input.name]))
			}
			n.inputs = append(n.inputs, input.name)
			used[input.name] = true
			if n.takes&input.gives == 0 {
				problems = append(problems, fmt.Sprintf("Data type mismatch between %s (%s) and %s (%s)", input.name, input.gives, n.id, n.takes))
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	// Vector looks for circles from its sinks, so that it takes one which no sink reads.
	if cycle := findCycle(nodes, byID, func(n node) bool { return n.kind == "sink" }); cycle != nil {
		return []string{fmt.Sprintf("Cyclic dependency detected in the chain [ %s ]", strings.Join(cycle, " -> "))}
	}
	if cycle := findCycle(nodes, byID, func(node) bool { return true }); cycle != nil {
		c.undecided = append(c.undecided, Undecided{"transforms." + cycle[0], "a circle of transforms that no sink reads is not played"})
	}

	for _, n := range nodes {
		for _, output := range n.outputs {
			if !used[output.name] {
				c.Warnings = append(c.Warnings, fmt.Sprintf("%s %q has no consumers", title(n.kind), output.name))
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
		_, known := sourceTypes[s.Type]
		nodes = append(nodes, node{id: s.ID, kind: "source", outputs: s.outputs(), anyOutput: !known})
	}
	for _, t := range c.Transforms {
		known, ok := transformTypes[t.Type]
		if !ok {
			known.Takes, known.Gives = anyKind, anyKind
		}
		n := node{id: t.ID, kind: "transform", inputs: t.Inputs, takes: known.Takes}
		for _, name := range t.outputs() {
			if name == "" {
				n.outputs = append(n.outputs, output{t.ID, known.Gives})
			} else {
				n.outputs = append(n.outputs, output{t.ID + "." + name, known.Gives})
			}
		}
		// What is not in the catalog may have outputs of any name.
		n.anyOutput = !ok || t.Type == "lua"
		nodes = append(nodes, n)
	}
	for _, s := range c.Sinks {
		nodes = append(nodes, node{id: s.ID, kind: "sink", inputs: s.Inputs, takes: sinkTypes[s.Type].takes(s.Encoding.Codec)})
	}
	return nodes
}

// expandInputs replaces wildcards by what they match; relaxed (`wildcard_matching`) lets one that matches nothing pass.
func expandInputs(n node, nodes []node, relaxed bool) (inputs []output, unmatched []string) {
	for _, pattern := range n.inputs {
		matched := false
		for _, from := range nodes {
			for _, output := range from.outputs {
				ok, err := path.Match(pattern, output.name)
				if err != nil {
					ok = pattern == output.name
				}
				if ok && (output.name != n.id || pattern == output.name) {
					matched = true
					inputs = append(inputs, output)
				}
			}
			if from.anyOutput && !matched && strings.HasPrefix(pattern, from.id+".") {
				matched = true
				inputs = append(inputs, output{pattern, anyKind})
			}
		}
		if !matched && !(relaxed && strings.ContainsAny(pattern, "*?[")) {
			unmatched = append(unmatched, pattern)
		}
	}
	return inputs, unmatched
}

// owner is the component that an input comes from.
func owner(byID map[string]*node, input string) *node {
	if n := byID[input]; n != nil {
		return n
	}
	id, _, _ := strings.Cut(input, ".")
	return byID[id]
}

// findCycle follows inputs backwards from the components that are asked for.
func findCycle(nodes []node, byID map[string]*node, from func(n node) bool) []string {
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
		if !from(n) {
			continue
		}
		if cycle := walk(n.id, nil); cycle != nil {
			return cycle
		}
	}
	return nil
}

func title(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }
