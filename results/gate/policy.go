package gate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"bootrace/scenarios/document"
)

// Parse reads a policy. file is the name that problems are reported under; the
// error is a *Problems and has all of them.
func Parse(file string, source []byte) (Policy, error) {
	r := &reader{Problems{File: file, Source: source}}
	p := Policy{Repeat: 1, Vector: Real, MinCases: 1, File: file, Source: source}
	root := r.Parse("policy", Version)
	if root == nil {
		return Policy{}, r.Err()
	}
	version := 0
	r.object(root, "", map[string]field{
		"version":     {required: true, read: r.number(&version, 1)},
		"scenarios":   {required: true, read: r.texts(&p.Scenarios)},
		"bases":       {required: true, read: r.texts(&p.Bases)},
		"repeat":      {read: r.number(&p.Repeat, 1)},
		"vector":      {read: r.text(&p.Vector, "real or any", func(s string) bool { return s == Real || s == Any })},
		"min_cases":   {read: r.number(&p.MinCases, 1)},
		"max_invalid": {read: r.number(&p.MaxInvalid, 0)},
		"waivers":     {read: r.waivers(&p.Waivers)},
	})
	if version != 0 && version != Version {
		r.at(root, "version: this program reads version %d, found %d", Version, version)
	}
	if err := r.Err(); err != nil {
		return Policy{}, err // nothing that a caller could go on with
	}
	return p, nil
}

// field is a key of an object. read takes the value; path names it in problems.
type field struct {
	required bool
	read     func(n ast.Node, path string)
}

// reader reads values and gathers what is wrong with them.
type reader struct{ Problems }

// Problems is everything that is wrong with a policy.
type Problems = document.Problems

func (r *reader) at(n ast.Node, format string, args ...any) {
	var tk *token.Token
	if n != nil {
		tk = n.GetToken()
	}
	r.At(tk, format, args...)
}

// object reads a mapping that has these keys and no others.
func (r *reader) object(n ast.Node, path string, fields map[string]field) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.at(n, "%s: expected keys with values", orFile(path))
		return
	}
	seen := map[string]bool{}
	known := slices.Sorted(maps.Keys(fields))
	for _, v := range values {
		key := v.Key.GetToken().Value
		at := join(path, key)
		seen[key] = true // once: the parser takes no key twice
		if f, ok := fields[key]; ok {
			f.read(v.Value, at)
		} else {
			r.at(v.Key, "unknown key %s: expected %s", at, strings.Join(known, ", "))
		}
	}
	for _, key := range known {
		if fields[key].required && !seen[key] {
			r.at(n, "%s is missing", join(path, key))
		}
	}
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// text reads a text that is not blank and that fits.
func (r *reader) text(into *string, want string, fits func(string) bool) func(ast.Node, string) {
	return func(n ast.Node, path string) {
		var value string
		switch n := n.(type) {
		case *ast.StringNode:
			value = n.Value
		case *ast.LiteralNode:
			value = n.Value.Value
		default:
			r.at(n, "%s: expected %s", path, want)
			return
		}
		if strings.TrimSpace(value) == "" || !fits(value) {
			r.at(n, "%s: expected %s, found %q", path, want, value)
			return
		}
		*into = value
	}
}

func anything(string) bool { return true }

func isDate(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }

// texts reads a list of different texts, at least one.
func (r *reader) texts(into *[]string) func(ast.Node, string) {
	return func(n ast.Node, path string) {
		list, ok := n.(*ast.SequenceNode)
		if !ok || len(list.Values) == 0 {
			r.at(n, "%s: expected a list with at least one name", path)
			return
		}
		for i, item := range list.Values {
			at, value := fmt.Sprintf("%s[%d]", path, i), ""
			r.text(&value, "a name", anything)(item, at)
			if value != "" && slices.Contains(*into, value) {
				r.at(item, "%s: %s is there twice; repeat boots it more often", at, value)
			}
			*into = append(*into, value)
		}
	}
}

// number reads a whole number of at least least.
func (r *reader) number(into *int, least int) func(ast.Node, string) {
	return func(n ast.Node, path string) {
		_, isInt := n.(*ast.IntegerNode)
		i, err := strconv.Atoi(n.GetToken().Value)
		if !isInt || err != nil || i < least {
			r.at(n, "%s: expected a whole number, at least %d", path, least)
			return
		}
		*into = i
	}
}

func (r *reader) waivers(into *[]Waiver) func(ast.Node, string) {
	return func(n ast.Node, path string) {
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			r.at(n, "%s: expected a list", path)
			return
		}
		for i, item := range list.Values {
			var w Waiver
			at := fmt.Sprintf("%s[%d]", path, i)
			r.object(item, at, map[string]field{
				"scenario": {required: true, read: r.text(&w.Scenario, "a scenario's name", anything)},
				"base":     {read: r.text(&w.Base, "a base", anything)},
				"check":    {required: true, read: r.text(&w.Check, "a check's name", anything)},
				"reason":   {required: true, read: r.text(&w.Reason, "why it may fail", anything)},
				"owner":    {required: true, read: r.text(&w.Owner, "who answers for it", anything)},
				"expires":  {required: true, read: r.text(&w.Expires, "the last day it holds, such as 2026-01-31", isDate)},
			})
			if slices.ContainsFunc(*into, func(o Waiver) bool {
				return o.covers(w.Scenario, w.Base, w.Check) || w.covers(o.Scenario, o.Base, o.Check)
			}) {
				r.at(item, "%s: %s in %s is waived already", at, w.Check, w.Scenario)
			}
			*into = append(*into, w)
		}
	}
}
