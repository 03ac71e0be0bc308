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
	takes    string // Log, Metric or any
	gives    string
}

// connect checks the graph and replaces wildcards in inputs by what they match.
func (c *Config) connect() []string {
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
		n.inputs, unmatched = expandInputs(*n, nodes)
		for _, input := range unmatched {
			problems = append(problems, fmt.Sprintf("Input %q for %s %q doesn't match any components.", input, n.kind, n.id))
		}
		for _, input := range n.inputs {
			used[input] = true
			if from := byID[input]; n.takes != "any" && from.gives != "any" && from.gives != n.takes {
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
		if n.kind != "sink" && !used[n.id] {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s %q has no consumers", title(n.kind), n.id))
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
		gives := "Log"
		if s.Type == "internal_metrics" {
			gives = "Metric"
		}
		nodes = append(nodes, node{id: s.ID, kind: "source", gives: gives})
	}
	for _, t := range c.Transforms {
		takes := "Log"
		if t.Type == "metric_to_log" {
			takes = "Metric"
		}
		nodes = append(nodes, node{id: t.ID, kind: "transform", inputs: t.Inputs, takes: takes, gives: "Log"})
	}
	for _, s := range c.Sinks {
		takes := "any"
		if s.Type == "axiom" {
			takes = "Log"
		}
		nodes = append(nodes, node{id: s.ID, kind: "sink", inputs: s.Inputs, takes: takes})
	}
	return nodes
}

func expandInputs(n node, nodes []node) (inputs, unmatched []string) {
	for _, pattern := range n.inputs {
		matched := false
		for _, from := range nodes {
			if from.kind == "sink" {
				continue
			}
			ok, err := path.Match(pattern, from.id)
			if err != nil {
				ok = pattern == from.id
			}
			if !ok || (from.id == n.id && pattern != n.id) {
				continue
			}
			matched = true
			if !slices.Contains(inputs, from.id) {
				inputs = append(inputs, from.id)
			}
		}
		if !matched {
			unmatched = append(unmatched, pattern)
		}
	}
	return inputs, unmatched
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
			if cycle := walk(input, chain); cycle != nil {
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
