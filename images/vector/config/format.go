package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// Format is the form a configuration is written in.
type Format string

// The formats Vector reads.
const (
	YAML Format = "yaml"
	TOML Format = "toml"
	JSON Format = "json"
)

var quotedText = regexp.MustCompile(`'[^']*'|` + "`[^`]*`" + `|"[^"]*"`)

// FormatOf tells the format by the file's name; what has no known extension is YAML when it was named (Vector's
// Format::from_path and its default), and none of a directory's.
func FormatOf(path string) (f Format, known bool) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return YAML, true
	case ".toml":
		return TOML, true
	case ".json":
		return JSON, true
	}
	return YAML, false
}

// document makes a tree of a text: nil for an empty one. Its errors quote nothing, for with a broken value even the name
// of an anchor may be a token's.
func document(format Format, text string) (*yaml.Node, error) {
	var value any
	switch format {
	case TOML:
		var table map[string]any
		if err := toml.Unmarshal([]byte(text), &table); err != nil {
			var at *toml.DecodeError
			if errors.As(err, &at) {
				row, column := at.Position()
				return nil, fmt.Errorf("TOML parse error at line %d, column %d", row, column)
			}
			return nil, errors.New("TOML parse error")
		}
		value = table
	case JSON:
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				return nil, fmt.Errorf("invalid JSON at line %d", 1+strings.Count(text[:min(int(syntax.Offset), len(text))], "\n"))
			}
			return nil, errors.New("invalid JSON")
		}
	default:
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			return nil, errors.New(quotedText.ReplaceAllString(err.Error(), "'…'"))
		}
		if n.Kind == 0 || resolve(n.Content[0]).Tag == "!!null" {
			return nil, nil
		}
		root := merged(n.Content[0], map[*yaml.Node]*yaml.Node{})
		return root, noNull(root)
	}
	root := nodeOf(value)
	return root, noNull(root)
}

// noNull finds a null, which Vector's own tree, one of TOML, has no room for (vector issue 22327).
func noNull(n *yaml.Node) error {
	seen := map[*yaml.Node]bool{}
	var walk func(n *yaml.Node) error
	walk = func(n *yaml.Node) error {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return fmt.Errorf("invalid type: unit value, expected any valid TOML value (line %d)", n.Line)
		}
		if seen[n] { // an anchor's
			return nil
		}
		seen[n] = true
		for _, inner := range n.Content {
			if err := walk(inner); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(n)
}

// merged is a tree without aliases and with what merge keys (`<<`) name put in: a key that is there already stays
// (Vector's format.rs, `apply_merge`).
func merged(n *yaml.Node, done map[*yaml.Node]*yaml.Node) *yaml.Node {
	n = resolve(n)
	if out := done[n]; out != nil {
		return out
	}
	out := *n
	out.Content = nil
	done[n] = &out
	var from []*yaml.Node
	for i, inner := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			out.Content = append(out.Content, merged(inner, done))
		case i%2 == 1:
		case inner.Tag == "!!merge":
			source := merged(n.Content[i+1], done)
			if source.Kind == yaml.SequenceNode {
				from = append(from, source.Content...)
			} else {
				from = append(from, source)
			}
		default:
			out.Content = append(out.Content, inner, merged(n.Content[i+1], done))
		}
	}
	for _, source := range from {
		for key, v := range pairs(source) {
			if !has(&out, key.Value) {
				out.Content = append(out.Content, key, v)
			}
		}
	}
	return &out
}

// nodeOf makes of a decoded value the tree that YAML would have given. It has no lines.
func nodeOf(value any) *yaml.Node {
	scalar := func(tag, text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text} }
	switch v := value.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, scalar("!!str", key), nodeOf(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range v {
			n.Content = append(n.Content, nodeOf(item))
		}
		return n
	case nil:
		return scalar("!!null", "null")
	case bool:
		return scalar("!!bool", strconv.FormatBool(v))
	case int64:
		return scalar("!!int", strconv.FormatInt(v, 10))
	case float64:
		return scalar("!!float", strconv.FormatFloat(v, 'g', -1, 64))
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return scalar("!!int", v.String())
		}
		return scalar("!!float", v.String())
	default:
		return scalar("!!str", fmt.Sprint(v))
	}
}

// mergeNodes is how the files of a directory become one: maps are joined, lists appended, and of two values the later
// one counts.
func mergeNodes(into, from *yaml.Node) *yaml.Node {
	if into == nil {
		return from
	}
	if from == nil {
		return into
	}
	into, from = resolve(into), resolve(from)
	switch {
	case into.Kind == yaml.SequenceNode && from.Kind == yaml.SequenceNode:
		into.Content = append(into.Content, from.Content...)
		return into
	case into.Kind != yaml.MappingNode || from.Kind != yaml.MappingNode:
		return from
	}
	for i := 0; i+1 < len(from.Content); i += 2 {
		found := false
		for j := 0; j+1 < len(into.Content); j += 2 {
			if into.Content[j].Value == from.Content[i].Value {
				into.Content[j+1] = mergeNodes(into.Content[j+1], from.Content[i+1])
				found = true
			}
		}
		if !found {
			into.Content = append(into.Content, from.Content[i], from.Content[i+1])
		}
	}
	return into
}
