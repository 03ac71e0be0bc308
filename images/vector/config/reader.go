package config

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader walks YAML nodes and gathers every problem. It decodes by hand because a generic decoder's messages hold the
// values they stumble over, and after interpolation those may be tokens.
type reader struct {
	problems  []string
	undecided []Undecided
	programs  []string // that were read from files
	version   Version  // of Vector that is played; zero: any of those that can be
	tables    []string // names of enrichment tables
	listens   []listen
	detached  bool // the machine that the configuration is for is another
}

// field reads one value; at is where it stands, as `sinks.platform.token`.
type field func(n *yaml.Node, at string)

type fields map[string]field

func (r *reader) fail(n *yaml.Node, at, format string, args ...any) {
	where := fmt.Sprintf(" in `%s` (line %d)", at, n.Line)
	if at == "" {
		where = fmt.Sprintf(" (line %d)", n.Line)
	}
	r.problems = append(r.problems, fmt.Sprintf(format, args...)+where)
}

func (r *reader) cannotDecide(at, what string) {
	r.undecided = append(r.undecided, Undecided{Component: at, What: what})
}

// object reads a map that has no other fields than those known.
func (r *reader) object(n *yaml.Node, at string, known fields, required ...string) {
	r.walk(n, at, known, required, func(key *yaml.Node) {
		r.fail(key, at, "unknown field `%s`, expected one of %s", key.Value, quoted(known))
	})
}

// lenient reads a map whose unknown fields Vector does not mind, and gives their names.
func (r *reader) lenient(n *yaml.Node, at string, known fields, required ...string) (ignored []string) {
	r.walk(n, at, known, required, func(key *yaml.Node) { ignored = append(ignored, key.Value) })
	return ignored
}

// take reads the few fields that matter of a component that is not played.
func (r *reader) take(n *yaml.Node, at string, known fields, required ...string) {
	r.walk(n, at, known, required, func(*yaml.Node) {})
}

func (r *reader) walk(n *yaml.Node, at string, known fields, required []string, unknown func(key *yaml.Node)) {
	n, ok := r.is(yaml.MappingNode, n, at, "a map")
	if !ok {
		return
	}
	seen := map[string]bool{}
	for key, value := range pairs(n) {
		name := key.Value
		read, ok := known[name]
		switch {
		case seen[name]:
			r.fail(key, at, "duplicate entry with key %q", name)
		case !ok:
			unknown(key)
		default:
			read(value, join(at, name))
		}
		seen[name] = true
	}
	for _, name := range required {
		if !seen[name] {
			r.fail(n, at, "missing field `%s`", name)
		}
	}
}

// members reads a map of components by id, in the order of the ids.
func (r *reader) members(n *yaml.Node, at string, read func(id string, n *yaml.Node, at string)) {
	n, ok := r.is(yaml.MappingNode, n, at, "a map")
	if !ok {
		return
	}
	ids := map[string]*yaml.Node{}
	for key, value := range pairs(n) {
		if ids[key.Value] != nil {
			r.fail(key, at, "duplicate entry with key %q", key.Value)
			continue
		}
		ids[key.Value] = value
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		read(id, ids[id], join(at, id))
	}
}

// componentType peeks at the type of a component, which decides what else it may have.
func (r *reader) componentType(n *yaml.Node, at, kind string, types map[string]ComponentType) (string, bool) {
	typ, ok := r.typeName(n, at)
	if !ok {
		return "", false
	}
	switch r.version.standing(types, kind, typ) {
	case refused:
		r.fail(n, at, "unknown variant `%s`, expected one of %s", typ, quoted(types))
		return "", false
	case unlisted:
		r.cannotDecide(at, fmt.Sprintf("it has no %s of the type `%s` in its list of those of Vector 0.56 to 0.58", kind, typ))
	}
	return typ, true
}

func (r *reader) typeName(n *yaml.Node, at string) (string, bool) {
	n, ok := r.is(yaml.MappingNode, n, at, "a map")
	if !ok {
		return "", false
	}
	given := value(n, "type")
	if given == nil {
		r.fail(n, at, "missing field `type`")
		return "", false
	}
	typ, before := "", len(r.problems)
	r.text(&typ)(given, join(at, "type"))
	return typ, len(r.problems) == before
}

// is sees to it that a node is of a kind.
func (r *reader) is(want yaml.Kind, n *yaml.Node, at, called string) (*yaml.Node, bool) {
	n = resolve(n)
	if n.Kind != want {
		r.fail(n, at, "invalid type: %s, expected %s", kind(n), called)
	}
	return n, n.Kind == want
}

// scalar reads a value that stands by itself, of what called says.
func scalar[T any](r *reader, to *T, called string, read func(tag, text string) (T, bool)) field {
	return func(n *yaml.Node, at string) {
		n = resolve(n)
		v, ok := read(n.Tag, n.Value)
		if n.Kind != yaml.ScalarNode || !ok {
			r.fail(n, at, "invalid type: %s, expected %s", kind(n), called)
			return
		}
		*to = v
	}
}

func (r *reader) text(to *string) field {
	return scalar(r, to, "a string", func(tag, text string) (string, bool) { return text, tag == "!!str" })
}

func (r *reader) oneOf(to *string, allowed ...string) field {
	return func(n *yaml.Node, at string) {
		var got string
		before := len(r.problems)
		r.text(&got)(n, at)
		if len(r.problems) > before {
			return
		}
		if !slices.Contains(allowed, got) {
			r.fail(n, at, "unknown variant, expected one of `%s`", strings.Join(allowed, "`, `"))
			return
		}
		*to = got
	}
}

func (r *reader) texts(to *[]string) field {
	return func(n *yaml.Node, at string) {
		n, ok := r.is(yaml.SequenceNode, n, at, "a sequence")
		if !ok {
			return
		}
		for i, item := range n.Content {
			var s string
			r.text(&s)(item, fmt.Sprintf("%s[%d]", at, i))
			*to = append(*to, s)
		}
	}
}

func (r *reader) boolean(to *bool) field {
	return scalar(r, to, "a boolean", func(tag, text string) (bool, bool) { return strings.EqualFold(text, "true"), tag == "!!bool" })
}

// number reads an integer above zero, as Vector's NonZero types are.
func (r *reader) number(to *int64) field {
	return scalar(r, to, "a nonzero unsigned integer", func(tag, text string) (int64, bool) {
		v, err := strconv.ParseInt(text, 0, 64)
		return v, tag == "!!int" && err == nil && v > 0
	})
}

func (r *reader) count(to *int) field {
	return func(n *yaml.Node, at string) {
		var v int64
		r.number(&v)(n, at)
		*to = int(min(v, math.MaxInt32))
	}
}

// seconds reads whole or broken seconds above zero.
func (r *reader) seconds(to *time.Duration) field {
	return scalar(r, to, "seconds above zero", func(tag, text string) (time.Duration, bool) {
		v, err := strconv.ParseFloat(text, 64)
		return time.Duration(v * float64(time.Second)), (tag == "!!int" || tag == "!!float") && err == nil && v > 0 && v <= 1e9
	})
}

// textMap reads a map of texts.
func (r *reader) textMap(to *map[string]string) field {
	return func(n *yaml.Node, at string) {
		*to = map[string]string{}
		r.members(n, at, func(name string, n *yaml.Node, at string) {
			var value string
			r.text(&value)(n, at)
			(*to)[name] = value
		})
	}
}

// textLists reads a map of texts or lists of texts.
func (r *reader) textLists(to *map[string][]string) field {
	return func(n *yaml.Node, at string) {
		*to = map[string][]string{}
		r.members(n, at, func(name string, n *yaml.Node, at string) {
			var values []string
			if resolve(n).Kind == yaml.ScalarNode {
				values = []string{""}
				r.text(&values[0])(n, at)
			} else {
				r.texts(&values)(n, at)
			}
			(*to)[name] = values
		})
	}
}

// ignore is for what cannot matter to the flow.
func (r *reader) ignore(*yaml.Node, string) {}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "map"
	case yaml.SequenceNode:
		return "sequence"
	}
	switch n.Tag {
	case "!!null":
		return "unit value"
	case "!!int":
		return "integer"
	case "!!float":
		return "floating point"
	case "!!bool":
		return "boolean"
	case "!!str":
		return "string"
	}
	return "value"
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func quoted[V any](known map[string]V) string {
	return "`" + strings.Join(slices.Sorted(maps.Keys(known)), "`, `") + "`"
}

// pairs are the keys and values of a map.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content) && yield(n.Content[i], n.Content[i+1]); i += 2 {
		}
	}
}

// value is that of a map's first field of the name, or nil.
func value(n *yaml.Node, name string) *yaml.Node {
	for key, v := range pairs(resolve(n)) {
		if key.Value == name {
			return v
		}
	}
	return nil
}

func has(n *yaml.Node, name string) bool { return value(n, name) != nil }
