package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Component is a source, a transform or a sink.
type Component struct {
	ID, Type string
	Inputs   []string
	Options  map[string]any
}

func (c Component) String() string { return fmt.Sprintf("%s (%s)", c.ID, c.Type) }

// Components are some of a configuration.
type Components []Component

func (cs Components) String() string {
	var out []string
	for _, c := range cs {
		out = append(out, c.String())
	}
	return strings.Join(out, ", ")
}

// Use reports whether one of them uses an environment variable.
func (cs Components) Use(name string) bool {
	return slices.ContainsFunc(cs, func(c Component) bool { return c.Uses(name) })
}

// Pipeline is a configuration, read as a graph.
type Pipeline struct {
	Sources, Transforms, Sinks Components
	// Secrets are the backends that SECRET[…] asks.
	Secrets Components

	texts []string
}

// Uses reports whether the configuration names an environment variable.
func (p Pipeline) Uses(name string) bool {
	for _, text := range p.texts {
		if slices.Contains(variables(text), name) {
			return true
		}
		if strings.Contains(text, `"`+name+`"`) { // get_env_var("NAME") of VRL
			return true
		}
	}
	return false
}

// TokenVariables are the variables that the tokens of the axiom sinks come from, and whether one comes from elsewhere:
// a secret backend, or a literal.
func (p Pipeline) TokenVariables() (names []string, elsewhere bool) {
	for _, s := range p.Sinks {
		if s.Type != "axiom" {
			continue
		}
		token, _ := s.Options["token"].(string)
		used := placeholders(token)
		names = append(names, used...)
		elsewhere = elsewhere || len(used) == 0
	}
	return names, elsewhere
}

// Uses reports whether the component's options name an environment variable, by itself or in a program (get_env_var).
func (c Component) Uses(name string) bool {
	text, err := json.Marshal(c.Options)
	return err == nil && (strings.Contains(string(text), placeBegin+name+placeEnd) || strings.Contains(string(text), `\"`+name+`\"`))
}
