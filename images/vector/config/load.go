package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

	"go.yaml.in/yaml/v3"
)

var quotedText = regexp.MustCompile(`'[^']*'|` + "`[^`]*`" + `|"[^"]*"`)

// Load reads one file. interpolate says whether variables are put in: the generations differ (Version.Interpolates).
// Problems of the configuration itself come as Errors.
func Load(path string, vars map[string]string, interpolate bool) (*Config, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Errors{fmt.Sprintf("Config file not found in path. path = %q", path)}
	}
	if err != nil {
		return nil, Errors{fmt.Sprintf("Config file could not be opened. %v", err)}
	}
	text := string(raw)
	if interpolate {
		var problems []string
		if text, problems = Interpolate(text, vars); len(problems) > 0 {
			return nil, Errors(problems)
		}
	}
	return Parse(text)
}

// Parse reads interpolated text.
func Parse(text string) (*Config, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		// The parser quotes the names of anchors and tags, and with a broken value such a name may be a token's.
		return nil, Errors{quotedText.ReplaceAllString(err.Error(), "'…'")}
	}
	cfg := &Config{DataDir: "/var/lib/vector", Healthchecks: Healthchecks{Enabled: true}}
	if document.Kind == 0 || resolve(document.Content[0]).Tag == "!!null" {
		return nil, Errors{"No sources defined in the config.", "No sinks defined in the config."}
	}

	r := &reader{}
	root := document.Content[0]
	known := fields{
		"data_dir":         r.text(&cfg.DataDir),
		"acknowledgements": r.acknowledgements(&cfg.Acknowledgements),
		"healthchecks": func(n *yaml.Node, at string) {
			r.object(n, at, fields{
				"enabled":         r.boolean(&cfg.Healthchecks.Enabled),
				"require_healthy": r.boolean(&cfg.Healthchecks.RequireHealthy),
			})
		},
		"sources": func(n *yaml.Node, at string) {
			r.members(n, at, func(id string, n *yaml.Node, at string) {
				cfg.Sources = append(cfg.Sources, r.source(id, n, at))
			})
		},
		"transforms": func(n *yaml.Node, at string) {
			r.members(n, at, func(id string, n *yaml.Node, at string) {
				cfg.Transforms = append(cfg.Transforms, r.transform(id, n, at))
			})
		},
		"sinks": func(n *yaml.Node, at string) {
			r.members(n, at, func(id string, n *yaml.Node, at string) {
				cfg.Sinks = append(cfg.Sinks, r.sink(id, n, at))
			})
		},
	}
	for _, name := range []string{"api", "enrichment_tables", "expire_metrics_secs", "log_schema", "proxy", "schema",
		"secret", "tests", "timezone", "wildcard_matching"} {
		known[name] = r.absent
	}
	r.object(root, "", known)
	if len(r.problems) > 0 {
		return nil, Errors(r.problems)
	}
	for i := range cfg.Sinks {
		cfg.Sinks[i].Acknowledgements = cfg.Sinks[i].Acknowledgements || cfg.Acknowledgements
	}
	if problems := cfg.connect(); len(problems) > 0 {
		return nil, Errors(problems)
	}
	return cfg, nil
}
