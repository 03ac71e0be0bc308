package document

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Read reads the file into a value, which has its defaults, and returns the root of
// the document; nil where there is a problem. A file of another version has that
// one alone: what else is to be said of it nobody here can know.
func (p *Problems) Read(kind string, version int, s *Schema, into any) ast.Node {
	root := p.parse(kind, version)
	if root == nil || !p.readable(root, version) {
		return nil
	}
	if ast.Walk(plain{p}, root); len(p.List) == 0 {
		p.match(root, s)
	}
	if len(p.List) == 0 {
		if err := yaml.NodeToValue(root, into); err != nil {
			p.notYAML(err) // the schema let through what the types do not take
		}
	}
	if len(p.List) > 0 {
		return nil
	}
	return root
}

// readable says whether the file is of our version.
func (p *Problems) readable(root ast.Node, version int) bool {
	key, n := child(root, "version")
	if version == 0 {
		return true // the schema says whether it may have one
	}
	if _, isInt := n.(*ast.IntegerNode); isInt && n.GetToken().Value != strconv.Itoa(version) {
		p.At(key, "version: this program reads version %d, found %s", version, n.GetToken().Value)
		return false
	}
	return true
}

// plain notes what a file of ours does not need, and what a reader would stumble on.
type plain struct{ *Problems }

func (p plain) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		p.At(n.GetToken(), "anchors, aliases and tags are not taken: write the value out")
		return nil
	}
	return p
}

// match holds the document against a schema.
func (p *Problems) match(root ast.Node, s *Schema) {
	var value any
	if err := yaml.NodeToValue(root, &value); err != nil {
		p.notYAML(err)
		return
	}
	schema, err := s.compiled()
	if err == nil {
		err = schema.Validate(value)
	}
	if invalid := (*validator.ValidationError)(nil); errors.As(err, &invalid) {
		p.tell(root, s, invalid)
	} else if err != nil {
		p.At(nil, "%v", err)
	}
}

// tell notes what the validator found, each at its place and in our words.
func (p *Problems) tell(root ast.Node, s *Schema, e *validator.ValidationError) {
	path, part := e.InstanceLocation, s.At(e.InstanceLocation...)
	n, name := find(root, path)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			at, _ := child(n, key)
			if part.PatternProperties != nil {
				p.At(at, "%s: expected %s, as its key", join(name, key), keys(part))
				continue
			}
			known := slices.Sorted(part.Properties.KeysFromOldest())
			p.At(at, "unknown key %s: expected %s%s", join(name, key), strings.Join(known, ", "), DidYouMean(key, known))
		}
	case *kind.Required:
		for _, key := range k.Missing {
			of := s.At(append(slices.Clone(path), key)...)
			p.At(n.GetToken(), "%s is missing: %s", join(name, key), cmp.Or(of.Description, strings.TrimPrefix(want(of), "expected ")))
		}
	case *kind.UniqueItems:
		item, at := find(root, append(slices.Clone(path), strconv.Itoa(k.Duplicates[1])))
		p.At(item.GetToken(), "%s: %s is there twice", at, item.GetToken().Value)
	default:
		for _, cause := range e.Causes {
			p.tell(root, s, cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		before := len(p.List)
		p.At(n.GetToken(), "%s: %s, found %s", cmp.Or(name, "the file"), want(part), describe(n))
		if slices.Contains(p.List[:before], p.List[before]) { // two keywords, one mistake
			p.List = p.List[:before]
		}
	}
}

// find returns the node at a path that the validator names, and the path in our form.
func find(n ast.Node, path []string) (ast.Node, string) {
	name := ""
	for _, step := range path {
		if list, ok := n.(*ast.SequenceNode); ok {
			i, _ := strconv.Atoi(step) // the validator's own
			n, name = list.Values[i], name+"["+step+"]"
			continue
		}
		if _, value := child(n, step); value != nil { // a key may be written otherwise than it reads: 1.0
			n = value
		}
		name = join(name, step)
	}
	return n, name
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// keys says what the keys of a mapping are.
func keys(s *Part) string {
	for _, t := range texts {
		if s.PatternProperties[t.pattern] != nil {
			return t.want
		}
	}
	return "another key"
}

// want says what a part of a file may hold.
func want(s *Part) string {
	if said, ok := s.Extras[wanted].(string); ok {
		return said
	}
	var choices []string
	for _, v := range s.Enum {
		choices = append(choices, fmt.Sprint(v))
	}
	switch len(choices) {
	case 0:
	case 1:
		return "expected " + choices[0]
	default:
		return "expected one of " + strings.Join(choices, ", ")
	}
	if s.Format == "date" {
		return "expected a day such as 2026-01-31"
	}
	words := map[string]string{"integer": "a whole number, at least " + string(s.Minimum), "boolean": "true or false", "object": "keys with values", "array": "a list", "string": "text"}
	return "expected " + words[s.Type]
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
