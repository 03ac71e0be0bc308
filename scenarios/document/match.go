package document

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Read reads the file into a value, which has its defaults, and returns the root of
// the document; nil where there is a problem. A file of another version has that
// one alone: what else is to be said of it nobody here can know.
func (p *Problems) Read(kind string, version int, s Shape, into any) ast.Node {
	root := p.parse(kind, version)
	if root == nil || !p.readable(root, version) {
		return nil
	}
	p.match(root, s, "")
	if len(p.List) == 0 {
		if err := yaml.Unmarshal(p.Source, into); err != nil {
			p.At(nil, "%v", err) // the shape let through what the types do not take
		}
	}
	if len(p.List) > 0 {
		return nil
	}
	return root
}

// readable says whether the file is of our version.
func (p *Problems) readable(root ast.Node, version int) bool {
	m, ok := root.(ast.MapNode)
	if !ok {
		return true
	}
	for it := m.MapRange(); it.Next(); {
		if n, isInt := it.Value().(*ast.IntegerNode); isInt && it.Key().GetToken().Value == "version" && n.GetToken().Value != strconv.Itoa(version) {
			p.At(it.Key().GetToken(), "version: this program reads version %d, found %s", version, n.GetToken().Value)
			return false
		}
	}
	return true
}

// match holds a node against a shape.
func (p *Problems) match(n ast.Node, s Shape, path string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		p.At(n.GetToken(), "anchors, aliases and tags are not taken: write the value out")
		return
	}
	switch s.Kind {
	case Object, Table:
		p.matchMapping(n, s, path)
	case List:
		p.matchList(n, s, path)
	default:
		if want, ok := scalar(n, s); !ok {
			p.At(n.GetToken(), "%s: expected %s, found %s", path, want, describe(n))
		}
	}
}

func (p *Problems) matchList(n ast.Node, s Shape, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok || s.Set && len(list.Values) == 0 {
		p.At(n.GetToken(), "%s: expected %s, found %s", path, cmp.Or(s.Want, "a list"), describe(n))
		return
	}
	seen := map[string]bool{}
	for i, v := range list.Values {
		at, value := fmt.Sprintf("%s[%d]", path, i), v.GetToken().Value
		p.match(v, *s.Items, at)
		if s.Set && seen[value] {
			p.At(v.GetToken(), "%s: %s is there twice", at, value)
		}
		seen[value] = true
	}
}

func (p *Problems) matchMapping(n ast.Node, s Shape, path string) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		p.At(n.GetToken(), "%s: expected keys with values, found %s", cmp.Or(path, "the file"), describe(n))
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			p.At(v.Key.GetToken(), "%s is there twice", at)
			continue
		}
		seen[key] = true
		if s.Kind == Table {
			if !s.matches(key) {
				p.At(v.Key.GetToken(), "%s: expected %s as its key", at, s.Want)
			}
			p.match(v.Value, Shape{Kind: Integer, Least: 1}, at)
			continue
		}
		field, known := s.Fields[key]
		if !known {
			keys := slices.Sorted(maps.Keys(s.Fields))
			p.At(v.Key.GetToken(), "unknown key %s: expected %s%s", at, strings.Join(keys, ", "), DidYouMean(key, keys))
			continue
		}
		p.match(v.Value, field, at)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		if s.Fields[name].Required && !seen[name] {
			p.At(n.GetToken(), "%s is missing: %s", strings.TrimPrefix(path+"."+name, "."), cmp.Or(s.Fields[name].Doc, s.Fields[name].Want))
		}
	}
}

// scalar says what the shape wants, and whether the node is that.
func scalar(n ast.Node, s Shape) (want string, ok bool) {
	value := n.GetToken().Value
	switch s.Kind {
	case Integer:
		_, isInt := n.(*ast.IntegerNode)
		i, err := strconv.Atoi(value)
		if s.Only != 0 {
			return strconv.Itoa(s.Only), isInt && value == strconv.Itoa(s.Only)
		}
		return fmt.Sprintf("a whole number, at least %d", s.Least), isInt && err == nil && i >= s.Least
	case Boolean:
		_, ok = n.(*ast.BoolNode)
		return "true or false", ok
	case Duration:
		_, isText := n.(*ast.StringNode)
		return "a duration such as 45s or 4m", isText && s.matches(value)
	case Date:
		_, err := time.Parse(time.DateOnly, value)
		return cmp.Or(s.Want, "a day such as 2026-01-31"), err == nil
	}
	_, isText := n.(*ast.StringNode)
	if literal, ok := n.(*ast.LiteralNode); ok {
		isText, value = true, literal.Value.Value
	}
	if len(s.Enum) > 0 {
		return "one of " + strings.Join(s.Enum, ", "), isText && slices.Contains(s.Enum, value)
	}
	return cmp.Or(s.Want, "text"), isText && s.matches(value)
}

func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		if len(n.Values) == 0 {
			return "an empty list"
		}
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

// DidYouMean names the candidate closest to a misspelt name, if one is close.
func DidYouMean(name string, candidates []string) string {
	best, distance := "", len(name)/2+1
	for _, c := range candidates {
		if d := editDistance(name, c); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// editDistance is Levenshtein's, in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost = 1 + min(left, row[j], row[j+1])
			}
			left, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
