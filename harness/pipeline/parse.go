package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/pelletier/go-toml/v2"

	"bootrace/harness/recording"
)

// variable is how Vector's configuration names one (vector.dev, "Environment variables"); two dollars are none.
var variable = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_.]*)(?:(?::?[-?])[^}]*)?\}|\$([A-Za-z_][A-Za-z0-9_.]*)`)

// A variable's place in parsed text: YAML, TOML and JSON take it within a word and within quotes.
const placeBegin, placeEnd = "«", "»"

var place = regexp.MustCompile(placeBegin + "([^" + placeEnd + "]*)" + placeEnd)

func variables(text string) []string {
	var out []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if name := cmp.Or(m[1], m[2]); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func placeholders(value string) []string {
	var out []string
	for _, m := range place.FindAllStringSubmatch(value, -1) {
		out = append(out, m[1])
	}
	return out
}

// Parse reads the files as Vector puts them together: the components of all of them, by id. The error names what could
// not be read; the pipeline has the rest.
func Parse(r recording.VectorConfig) (Pipeline, error) {
	var p Pipeline
	problems := slices.Clone(r.Problems)
	if len(r.Files) == 0 && len(problems) == 0 {
		problems = append(problems, "no file of it was found")
	}
	for _, f := range r.Files {
		p.texts = append(p.texts, f.Text)
		root, err := decode(f)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", f.Path, err))
			continue
		}
		if f.Section != "" {
			id := strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path))
			root = map[string]any{f.Section: map[string]any{id: root}}
		}
		p.Sources = append(p.Sources, components(root["sources"])...)
		p.Transforms = append(p.Transforms, components(root["transforms"])...)
		p.Sinks = append(p.Sinks, components(root["sinks"])...)
		p.Secrets = append(p.Secrets, components(root["secret"])...)
	}
	if len(problems) > 0 {
		return p, fmt.Errorf("vector's configuration: %s", strings.Join(problems, "; "))
	}
	return p, nil
}

func decode(f recording.ConfigFile) (map[string]any, error) {
	text := variable.ReplaceAllStringFunc(f.Text, func(m string) string {
		if names := variables(m); len(names) == 1 {
			return placeBegin + names[0] + placeEnd
		}
		return "$"
	})
	var root map[string]any
	var err error
	switch f.Format {
	case "toml":
		err = toml.Unmarshal([]byte(text), &root)
	case "json":
		err = json.Unmarshal([]byte(text), &root)
	default:
		err = yaml.Unmarshal([]byte(text), &root)
	}
	if err != nil {
		// Only the first line: the parsers show the text around, in which a literal token may be.
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("cannot be read as %s: %s", cmp.Or(f.Format, "yaml"), first)
	}
	return root, nil
}

func components(section any) Components {
	members, _ := section.(map[string]any)
	var out Components
	for id, value := range members {
		options, _ := value.(map[string]any)
		c := Component{ID: id, Options: options, Inputs: texts(options["inputs"])}
		c.Type, _ = options["type"].(string)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Component) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func texts(value any) []string {
	items, _ := value.([]any)
	var out []string
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}
