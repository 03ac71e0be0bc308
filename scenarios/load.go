package scenarios

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"bootrace/scenarios/document"
)

// byteOrderMark is what some editors of Windows begin a file with.
var byteOrderMark = []byte("\ufeff")

// Parse reads a scenario file. file is the name that problems are reported under;
// the error is a *Problems.
func Parse(file string, source []byte) (Scenario, error) {
	text := bytes.TrimPrefix(source, byteOrderMark)
	p := &problems{document.Problems{File: file, Source: text}}
	root := p.Parse("scenario", Version)
	if len(p.List) == 0 && p.readable(root) {
		p.match(root, scenarioShape(), "")
	}
	s := defaults()
	if len(p.List) == 0 {
		if err := yaml.Unmarshal(text, &s); err != nil {
			p.At(nil, "%v", err) // the shape let through what the types do not take
		}
	}
	if len(p.List) == 0 {
		p.sense(root, s)
	}
	s.File, s.Source = file, source
	return s, p.Err()
}

// readable says whether the file is of our version. What else is to be said of a
// file of another one nobody here can know.
func (p *problems) readable(root ast.Node) bool {
	m, ok := root.(ast.MapNode)
	if !ok {
		return true
	}
	for it := m.MapRange(); it.Next(); {
		if n, isInt := it.Value().(*ast.IntegerNode); isInt && it.Key().GetToken().Value == "version" && n.GetToken().Value != strconv.Itoa(Version) {
			p.At(it.Key().GetToken(), "version: this program reads version %d, found %s", Version, n.GetToken().Value)
			return false
		}
	}
	return true
}

// match holds a node against a shape.
func (p *problems) match(n ast.Node, s shape, path string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		p.At(n.GetToken(), "anchors, aliases and tags are not for scenario files: write the value out")
		return
	}
	switch s.kind {
	case object, table:
		p.matchMapping(n, s, path)
	case list:
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			p.At(n.GetToken(), "%s: expected a list, found %s", path, describe(n))
			return
		}
		for i, v := range seq.Values {
			p.match(v, *s.items, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		if want, ok := scalar(n, s); !ok {
			p.At(n.GetToken(), "%s: expected %s, found %s", path, want, describe(n))
		}
	}
}

func (p *problems) matchMapping(n ast.Node, s shape, path string) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		what := path
		if what == "" {
			what = "the file"
		}
		p.At(n.GetToken(), "%s: expected keys with values, found %s", what, describe(n))
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := keyOf(v)
		at := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			p.At(v.Key.GetToken(), "%s is there twice", at)
			continue
		}
		seen[key] = true
		if s.kind == table {
			if !s.matches(key) {
				p.At(v.Key.GetToken(), "%s: expected %s as its key", at, s.want)
			}
			if !positiveInteger(v.Value) {
				p.At(v.Value.GetToken(), "%s: expected a whole number above 0, found %s", at, describe(v.Value))
			}
			continue
		}
		field, known := s.fields[key]
		if !known {
			keys := slices.Sorted(maps.Keys(s.fields))
			p.At(v.Key.GetToken(), "unknown key %s: expected %s%s", at, strings.Join(keys, ", "), didYouMean(key, keys))
			continue
		}
		p.match(v.Value, field, at)
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if s.fields[name].required && !seen[name] {
			p.At(n.GetToken(), "%s is missing: %s", strings.TrimPrefix(path+"."+name, "."), s.fields[name].doc)
		}
	}
}

func keyOf(v *ast.MappingValueNode) string { return v.Key.GetToken().Value }

func positiveInteger(n ast.Node) bool {
	_, isInt := n.(*ast.IntegerNode)
	i, err := strconv.Atoi(n.GetToken().Value)
	return isInt && err == nil && i > 0
}

// scalar says what the shape wants, and whether the node is that.
func scalar(n ast.Node, s shape) (want string, ok bool) {
	value := n.GetToken().Value
	switch s.kind {
	case integer:
		if s.only == 0 {
			return "a whole number above 0", positiveInteger(n)
		}
		_, isInt := n.(*ast.IntegerNode)
		return strconv.Itoa(s.only), isInt && value == strconv.Itoa(s.only)
	case boolean:
		_, ok = n.(*ast.BoolNode)
		return "true or false", ok
	case duration:
		_, isText := n.(*ast.StringNode)
		return "a duration such as 45s or 4m", isText && s.matches(value)
	}
	_, isText := n.(*ast.StringNode)
	if literal, ok := n.(*ast.LiteralNode); ok {
		isText, value = true, literal.Value.Value
	}
	if len(s.enum) > 0 {
		return "one of " + strings.Join(s.enum, ", "), isText && slices.Contains(s.enum, value)
	}
	return cmp.Or(s.want, "text"), isText && s.matches(value)
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	const most = 60
	value := []rune(n.GetToken().Value)
	if len(value) > most {
		return strconv.Quote(string(value[:most])) + "…"
	}
	return strconv.Quote(string(value))
}
