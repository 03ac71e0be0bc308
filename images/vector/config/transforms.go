package config

import (
	"errors"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"bootrace/images/vector/vrl"
)

func (r *reader) transform(id string, n *yaml.Node, at string) Transform {
	t := Transform{ID: id, HostTag: "host"}
	typ, ok := r.componentType(n, at, "transform", transformTypes)
	if !ok {
		return t
	}
	t.Type = typ
	known := fields{"type": r.ignore, "graph": r.ignore, "inputs": r.texts(&t.Inputs)}
	switch typ {
	case "remap":
		r.remap(&t, known, n, at)
	case "metric_to_log":
		known["host_tag"] = r.text(&t.HostTag)
		known["timezone"] = r.ignore
		known["metric_tag_values"] = r.ignore
		known["log_namespace"] = r.legacyNamespace
		r.object(n, at, known, "inputs")
	case "filter":
		known["condition"] = func(n *yaml.Node, at string) {
			t.Conditions = append(t.Conditions, r.condition(&t, "", n, at))
		}
		r.object(n, at, known, "inputs", "condition")
	case "route":
		t.Unmatched = true
		known["reroute_unmatched"] = r.boolean(&t.Unmatched)
		known["route"] = func(n *yaml.Node, at string) {
			r.members(n, at, func(name string, n *yaml.Node, at string) {
				t.Conditions = append(t.Conditions, r.condition(&t, name, n, at))
			})
		}
		r.object(n, at, known, "inputs", "route")
	case "exclusive_route":
		t.Unmatched = true
		known["routes"] = r.exclusiveRoutes(&t)
		r.object(n, at, known, "inputs", "routes")
	default:
		for _, name := range strings.Fields(conditionOptions[typ]) {
			known[name] = func(n *yaml.Node, at string) {
				if c := r.condition(&t, "", n, at); c.Program != nil {
					t.unplayed = append(t.unplayed, c.Program)
				}
			}
		}
		r.words("transform", typ, known)
		r.walk(n, at, known, []string{"inputs"}, r.incomplete("transform "+typ, at))
		r.fieldsOfTemplates("transform", typ, "", n, at)
		if typ == "reduce" && has(n, "starts_when") && has(n, "ends_when") {
			t.ProgramError = errors.New("only one of `ends_when` and `starts_when` can be provided")
		}
	}
	return t
}

// conditionOptions are those of transforms that are not played.
var conditionOptions = map[string]string{
	"reduce": "starts_when ends_when", "sample": "exclude", "throttle": "exclude", "window": "forward_when flush_when",
}

func (r *reader) remap(t *Transform, known fields, n *yaml.Node, at string) {
	var source, file string
	var several []string
	t.DropOnAbort = true
	known["source"] = r.text(&source)
	known["file"] = r.text(&file)
	known["files"] = r.texts(&several)
	known["drop_on_abort"] = r.boolean(&t.DropOnAbort)
	known["drop_on_error"] = r.boolean(&t.DropOnError)
	known["reroute_dropped"] = r.boolean(&t.RerouteDropped)
	known["timezone"] = r.ignore
	known["metric_tag_values"] = r.ignore
	known["runtime"] = r.ignore
	before := len(r.problems)
	r.object(n, at, known, "inputs")
	if len(r.problems) > before {
		return
	}
	if file != "" {
		several = append(several, file)
	}
	switch {
	case has(n, "source") && len(several) > 0:
		t.ProgramError = errors.New("must provide exactly one of `source` or `file` configuration")
		return
	case !has(n, "source") && len(several) == 0:
		t.ProgramError = errors.New("must provide exactly one of `source` or `file` configuration")
		return
	}
	for _, path := range several {
		text, err := os.ReadFile(path)
		if err != nil && r.detached {
			t.opaque = "the file " + path + ", which is not at hand"
			return
		}
		if err != nil {
			t.ProgramError = errors.New("Could not read vrl program " + path + ": " + plain(err))
			return
		}
		r.programs = append(r.programs, string(text))
		source += string(text) + "\n"
	}
	t.Program = r.compile(t, source, at)
}

// plain is the last part of a file's error, in the words of the system.
func plain(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func (r *reader) compile(t *Transform, source, at string) *vrl.Program {
	program, err := vrl.Compile(source)
	if err != nil {
		t.ProgramError = err
		return nil
	}
	for _, what := range program.Undecided() {
		r.cannotDecide(at, "its program has something that only Vector's own compiler decides: "+what)
	}
	return program
}

// ConditionField is where a condition's program leaves its value: a program gives an event, and a condition is asked for a
// value.
const ConditionField = ".__bootrace_condition"

// condition reads what `filter` and `route` have: a program as text, or a map with a type.
func (r *reader) condition(t *Transform, output string, n *yaml.Node, at string) Condition {
	c := Condition{Output: output}
	typ, source := "vrl", ""
	if resolve(n).Kind == yaml.ScalarNode {
		r.text(&source)(n, at)
		switch source {
		case "is_log", "is_metric", "is_trace":
			typ = source
		}
	} else {
		r.object(n, at, fields{"type": r.text(&typ), "source": r.text(&source), "runtime": r.ignore})
	}
	yes, no := true, false
	switch typ {
	case "vrl":
		if r.judge(t, source, at) {
			c.Program = r.compile(t, ConditionField+" = {\n"+source+"\n}", at)
		}
	case "is_metric":
		c.Metric = &yes
	case "is_log":
		c.Metric = &no
	case "datadog_search", "is_trace":
		t.opaque = "a condition that is not VRL"
	default: // check_fields went with 0.26
		r.fail(n, at, "unknown variant, expected one of `datadog_search`, `is_log`, `is_metric`, `is_trace`, `vrl`")
	}
	return c
}

// judge says whether Vector takes a program as a condition: it must come to a boolean and change nothing.
func (r *reader) judge(t *Transform, source, at string) bool {
	doubts, err := vrl.CheckCondition(source)
	if err != nil {
		t.ProgramError = err
		return false
	}
	for _, what := range doubts {
		r.cannotDecide(at, "its condition has something that only Vector's own compiler decides: "+what)
	}
	return len(doubts) == 0
}

// checkTables finds programs that look up a table which nothing declares; Vector sees that when it compiles them.
func (c *Config) checkTables(declared []string) {
	for i := range c.Transforms {
		t := &c.Transforms[i]
		for _, p := range t.programs() {
			for _, name := range p.Tables() {
				if t.ProgramError == nil && !slices.Contains(declared, name) {
					t.ProgramError = errors.New("error[E610]: function compilation error: error[E401] invalid enum variant")
				}
			}
		}
	}
}

func (r *reader) exclusiveRoutes(t *Transform) field {
	return func(n *yaml.Node, at string) {
		n, ok := r.is(yaml.SequenceNode, n, at, "a sequence")
		if !ok {
			return
		}
		for _, item := range n.Content {
			var name string
			var condition *yaml.Node
			r.object(item, at, fields{"name": r.text(&name), "condition": func(n *yaml.Node, _ string) { condition = n }}, "name", "condition")
			if condition != nil {
				t.Conditions = append(t.Conditions, r.condition(t, name, condition, join(at, name)))
			}
		}
	}
}

// outputs are the names of a transform's outputs; the empty one is the default output.
func (t Transform) outputs() []string {
	switch t.Type {
	case "route", "exclusive_route":
		var names []string
		for _, c := range t.Conditions {
			names = append(names, c.Output)
		}
		if t.Unmatched {
			names = append(names, "_unmatched")
		}
		return names
	case "remap":
		if t.RerouteDropped {
			return []string{"", "dropped"}
		}
	}
	return []string{""}
}

func (t Transform) programs() []*vrl.Program {
	all := slices.Clone(t.unplayed)
	if t.Program != nil {
		all = append(all, t.Program)
	}
	for _, c := range t.Conditions {
		if c.Program != nil {
			all = append(all, c.Program)
		}
	}
	return all
}

// Opaque reports whether events pass the transform as they are because something of it is not played.
func (t Transform) Opaque() bool {
	return t.opaque != "" || slices.ContainsFunc(t.programs(), func(p *vrl.Program) bool { return len(p.Unknown()) > 0 })
}

// ProgramErrors are the programs that do not compile. Vector finds them when it builds the transforms, which before 0.57
// `validate --no-environment` does not do.
func (c *Config) ProgramErrors() Errors {
	var problems Errors
	for _, t := range c.Transforms {
		if t.ProgramError != nil {
			text := strings.TrimSpace(t.ProgramError.Error())
			problems = append(problems, "Transform \""+t.ID+"\": "+text)
		}
	}
	return problems
}
