package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxSize bounds a scenario file, in bytes.
const maxSize = 1 << 20

// scenarioName is what can be part of a case's id and of a container's name.
var scenarioName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Parse reads a scenario file. file is the name that problems are reported under;
// the error is a *Problems.
func Parse(file string, source []byte) (Scenario, error) {
	p := &problems{file: file}
	root := p.parse(source)
	if len(p.list) == 0 {
		p.match(root, scenarioShape(), "")
	}
	var s Scenario
	if len(p.list) == 0 {
		if err := yaml.Unmarshal(source, &s); err != nil {
			p.at(nil, "%v", err) // the shape let through what the types do not take
		}
	}
	if len(p.list) == 0 {
		s.setDefaults()
		p.sense(root, s)
	}
	s.File, s.Source = file, source
	return s, p.err(source)
}

func (p *problems) parse(source []byte) ast.Node {
	switch {
	case len(source) > maxSize:
		p.at(nil, "%d bytes; a scenario file has at most %d", len(source), maxSize)
		return nil
	case !utf8.Valid(source) || strings.ContainsRune(string(source), 0):
		p.at(nil, "not a text file: expected YAML in UTF-8")
		return nil
	}
	f, err := parser.ParseBytes(source, 0)
	if err != nil {
		var at interface{ GetToken() *token.Token }
		var msg interface{ GetMessage() string }
		var tk *token.Token
		if errors.As(err, &at) {
			tk = at.GetToken()
		}
		text, _, _ := strings.Cut(err.Error(), "\n")
		if errors.As(err, &msg) {
			text = msg.GetMessage()
		}
		p.at(tk, "not YAML: %s", text)
		return nil
	}
	var docs []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	switch {
	case len(docs) == 0:
		p.at(nil, "empty: expected a scenario, beginning with version: %d", Version)
		return nil
	case len(docs) > 1:
		p.at(docs[1].GetToken(), "a second document: a file holds one scenario")
		return nil
	}
	return docs[0]
}

// match holds a node against a shape.
func (p *problems) match(n ast.Node, s shape, path string) {
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		p.at(n.GetToken(), "anchors, aliases and tags are not for scenario files: write the value out")
		return
	}
	switch s.kind {
	case object, table:
		p.matchMapping(n, s, path)
	case list:
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			p.at(n.GetToken(), "%s: expected a list, found %s", path, describe(n))
			return
		}
		for i, v := range seq.Values {
			p.match(v, *s.items, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		if want, ok := scalar(n, s); !ok {
			p.at(n.GetToken(), "%s: expected %s, found %s", path, want, describe(n))
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
		p.at(n.GetToken(), "%s: expected keys with values, found %s", what, describe(n))
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := keyOf(v)
		at := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			p.at(v.Key.GetToken(), "%s is there twice", at)
			continue
		}
		seen[key] = true
		if s.kind == table {
			if !positiveInteger(v.Value) {
				p.at(v.Value.GetToken(), "%s: expected a whole number above 0, found %s", at, describe(v.Value))
			}
			continue
		}
		field, known := s.fields[key]
		if !known {
			keys := slices.Sorted(maps.Keys(s.fields))
			p.at(v.Key.GetToken(), "unknown key %s: expected %s%s", at, strings.Join(keys, ", "), didYouMean(key, keys))
			continue
		}
		p.match(v.Value, field, at)
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if s.fields[name].required && !seen[name] {
			p.at(n.GetToken(), "%s is missing: %s", strings.TrimPrefix(path+"."+name, "."), s.fields[name].doc)
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
		_, ok = n.(*ast.IntegerNode)
		return "a whole number", ok
	case boolean:
		_, ok = n.(*ast.BoolNode)
		return "true or false", ok
	case duration:
		_, isText := n.(*ast.StringNode)
		d, err := time.ParseDuration(value)
		return "a duration such as 45s or 4m", isText && err == nil && d >= 0
	}
	_, isText := n.(*ast.StringNode)
	if _, isLiteral := n.(*ast.LiteralNode); isLiteral && len(s.enum) == 0 {
		return "text", true
	}
	if len(s.enum) > 0 {
		return "one of " + strings.Join(s.enum, ", "), isText && slices.Contains(s.enum, value)
	}
	return "text", isText && strings.TrimSpace(value) != ""
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
	return strconv.Quote(n.GetToken().Value)
}

// sense finds what is well formed and cannot be meant.
func (p *problems) sense(root ast.Node, s Scenario) {
	at := func(path ...string) *token.Token { return find(root, path) }
	if s.Version != Version {
		p.at(at("version"), "version: this program reads version %d", Version)
	}
	if !scenarioName.MatchString(s.Name) {
		p.at(at("name"), "name: expected small letters, digits and hyphens, found %q", s.Name)
	}
	delayed := at("worker_env", "delay") != at("worker_env")
	switch {
	case s.WorkerEnv.When == After && !delayed:
		p.at(at("worker_env"), "worker_env.delay is missing: with when: after, say how long (0s is possible)")
	case s.WorkerEnv.When != After && delayed:
		p.at(at("worker_env", "delay"), "worker_env.delay goes with when: after only, not with %s", s.WorkerEnv.When)
	}
	if !s.Written() && s.Expect.Registered {
		p.at(at("expect", "registered"), "expect.registered: a worker without worker.env cannot register")
	}
	if !s.Written() && at("look", "settle") != at("look") {
		p.at(at("look", "settle"), "look.settle has no meaning when worker.env never comes: say look.window")
	}
	if s.Written() && s.Look.Window.Duration <= s.Waits() {
		p.at(at("look", "window"), "look.window: %s is not more than delay and settle, %s", s.Look.Window.Duration, s.Waits())
	}
	if s.Look.Window.Duration <= 0 {
		p.at(at("look", "window"), "look.window: expected more than 0s")
	}
	if s.Look.Settle.Duration < minSettle && s.Written() {
		p.at(at("look", "settle"), "look.settle: at least %s, for Vector must be seen to stay active", minSettle)
	}
}

// minSettle is a little over the 5 s for which vector-active wants Vector to hold,
// and the time that it takes to get there.
const minSettle = 8 * time.Second

// find returns the token of the value at path, or of the deepest part there is.
func find(n ast.Node, path []string) *token.Token {
	tk := n.GetToken()
	for _, name := range path {
		m, ok := n.(ast.MapNode)
		if !ok {
			return tk
		}
		found := false
		for it := m.MapRange(); it.Next(); {
			if it.Key().GetToken().Value == name {
				n, tk, found = it.Value(), it.Key().GetToken(), true
				break
			}
		}
		if !found {
			return tk
		}
	}
	return tk
}
