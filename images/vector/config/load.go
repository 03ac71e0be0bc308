package config

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Options say how a configuration is read.
type Options struct {
	// Vars are put in where Interpolate says so; the generations differ (Version.Interpolates).
	Vars        map[string]string
	Interpolate bool
	// Detached is for who only looks at a configuration: secrets stay as they are written, for the backends are on the
	// machine that it is for, and so may a program's file be.
	Detached bool
	// Version is the Vector that is played. Without one, what any from 0.56 to 0.58 takes is taken.
	Version Version
	// AllowEmpty is `--allow-empty-config`.
	AllowEmpty bool
}

// Text is one file's content.
type Text struct {
	Format Format
	Text   string
	// Section and Name are set for a file in a directory's folder of that name: `sinks` and `platform` for
	// sinks/platform.yaml.
	Section, Name string
	// Directory is that which the file is in, if it was not named itself: its files are merged into one.
	Directory string
}

// Parse reads one YAML text, interpolated or without variables.
func Parse(text string) (*Config, error) { return ParseText(YAML, text) }

// ParseText reads one text of any format, interpolated or without variables.
func ParseText(format Format, text string) (*Config, error) {
	return ParseTexts([]Text{{Format: format, Text: text}}, Options{})
}

// ParseTexts reads the texts that make a configuration together. Problems of the configuration come as Errors; what only
// a real Vector could decide is in Config.Undecided, and what does not compile in Config.ProgramErrors.
func ParseTexts(texts []Text, o Options) (*Config, error) {
	texts = slices.Clone(texts)
	if o.Interpolate {
		var problems Errors
		for i := range texts {
			text, missing := Interpolate(texts[i].Text, o.Vars)
			texts[i].Text = text
			problems = append(problems, missing...)
		}
		if len(problems) > 0 {
			return nil, problems
		}
	}
	r := &reader{detached: o.Detached, version: o.Version}
	if !o.Detached {
		if problems := r.secrets(texts); len(problems) > 0 {
			return nil, Errors(problems)
		}
	}
	roots, err := r.roots(texts)
	if err != nil {
		return nil, err
	}
	cfg := &Config{DataDir: "/var/lib/vector", Healthchecks: Healthchecks{Enabled: true}}
	whole := &whole{cfg: cfg, reader: r, ids: map[string]string{}}
	for _, root := range roots {
		whole.read(root)
	}
	if whole.provider && len(whole.ids) > 0 {
		r.problems = append(r.problems, "No sources/transforms/sinks are allowed if provider config is present.")
	}
	cfg.listens = r.listens
	if len(r.problems) > 0 {
		return nil, Errors(r.problems)
	}
	cfg.undecided = r.undecided
	cfg.Fingerprint = fingerprint(texts, r.programs)
	cfg.checkTables(r.tables)
	slices.SortFunc(cfg.Sources, func(a, b Source) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(cfg.Transforms, func(a, b Transform) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(cfg.Sinks, func(a, b Sink) int { return strings.Compare(a.ID, b.ID) })
	for i := range cfg.Sinks {
		s := &cfg.Sinks[i]
		s.Acknowledgements = s.Acknowledgements || cfg.Acknowledgements
		if !s.Proxy.Enabled {
			s.Proxy = cfg.Proxy
		}
	}
	if (o.AllowEmpty || whole.provider) && len(cfg.Sources) == 0 && len(cfg.Sinks) == 0 && len(cfg.Transforms) == 0 {
		return cfg, nil
	}
	if problems := cfg.connect(whole.wildcards == "relaxed"); len(problems) > 0 {
		return nil, Errors(problems)
	}
	return cfg, nil
}

func fingerprint(texts []Text, programs []string) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%s %s %s %s %d\n%s", t.Format, t.Directory, t.Section, t.Name, len(t.Text), t.Text)
	}
	for _, program := range programs {
		fmt.Fprintf(h, "%d\n%s", len(program), program)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// roots makes the trees to read in turn: one for each file, and one for all files of a directory.
func (r *reader) roots(texts []Text) ([]*yaml.Node, error) {
	var roots []*yaml.Node
	directories := map[string]int{}
	for _, t := range texts {
		root, err := document(t.Format, t.Text)
		if err != nil {
			return nil, Errors{err.Error()}
		}
		if root == nil {
			continue
		}
		if t.Section != "" {
			entry := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: t.Name}, root}}
			root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: t.Section}, entry}}
		}
		if t.Directory == "" {
			roots = append(roots, root)
			continue
		}
		// The folders of a directory are merged into what its own files say, each by itself.
		at, seen := directories[t.Directory+"\x00"+t.Section]
		if !seen {
			directories[t.Directory+"\x00"+t.Section] = len(roots)
			roots = append(roots, root)
			continue
		}
		roots[at] = mergeNodes(roots[at], root)
	}
	return roots, nil
}

// whole is the configuration that several files make.
type whole struct {
	cfg *Config
	*reader
	ids       map[string]string // of components, by section and id
	provider  bool
	dataDir   string
	wildcards string
}

func (w *whole) read(root *yaml.Node) {
	cfg, r := w.cfg, w.reader
	var dataDir string
	known := fields{
		"data_dir":         r.text(&dataDir),
		"acknowledgements": r.acknowledgements(&cfg.Acknowledgements),
		"healthchecks": func(n *yaml.Node, at string) {
			r.lenient(n, at, fields{
				"enabled":         r.boolean(&cfg.Healthchecks.Enabled),
				"require_healthy": r.boolean(&cfg.Healthchecks.RequireHealthy),
			})
		},
		"proxy":             r.proxy(&cfg.Proxy),
		"wildcard_matching": r.oneOf(&w.wildcards, "strict", "relaxed"),
		"provider": func(_ *yaml.Node, at string) {
			w.provider = true
			r.cannotDecide(at, "a configuration that a provider sends is not played")
		},
		"api": func(n *yaml.Node, at string) {
			// `playground` and `graphql` went with 0.55 (its upgrade guide).
			r.object(n, at, fields{"enabled": r.boolean(new(bool)), "address": r.socketAddress(new(string), false)})
		},
		"enrichment_tables": func(n *yaml.Node, at string) {
			r.members(n, at, func(name string, _ *yaml.Node, _ string) { r.tables = append(r.tables, name) })
		},
		"schema": func(n *yaml.Node, at string) {
			r.lenient(n, at, fields{"log_namespace": r.legacyNamespace, "enabled": r.ignore, "validation": r.ignore})
		},
		"sources": func(n *yaml.Node, at string) {
			w.components(n, at, func(id string, n *yaml.Node, at string) { cfg.Sources = append(cfg.Sources, r.source(id, n, at)) })
		},
		"transforms": func(n *yaml.Node, at string) {
			w.components(n, at, func(id string, n *yaml.Node, at string) {
				cfg.Transforms = append(cfg.Transforms, r.transform(id, n, at))
			})
		},
		"sinks": func(n *yaml.Node, at string) {
			w.components(n, at, func(id string, n *yaml.Node, at string) { cfg.Sinks = append(cfg.Sinks, r.sink(id, n, at)) })
		},
	}
	for _, name := range []string{"log_schema", "secret", "telemetry", "tests", "timezone",
		"expire_metrics", "expire_metrics_secs", "expire_metrics_per_metric_set", "buffer_utilization_ewma_alpha",
		"buffer_utilization_ewma_half_life_seconds", "latency_ewma_alpha", "metrics_storage_refresh_period"} {
		known[name] = r.ignore
	}
	r.object(root, "", known)
	if dataDir == "" {
		return
	}
	if w.dataDir != "" && w.dataDir != dataDir {
		r.problems = append(r.problems, "conflicting values for 'data_dir' found")
	}
	w.dataDir, cfg.DataDir = dataDir, dataDir
}

func (w *whole) components(n *yaml.Node, section string, read func(id string, n *yaml.Node, at string)) {
	w.members(n, section, func(id string, n *yaml.Node, at string) {
		if w.ids[at] != "" {
			w.problems = append(w.problems, fmt.Sprintf("duplicate %s id found: %s", strings.TrimSuffix(section, "s"), id))
			return
		}
		w.ids[at] = id
		read(id, n, at)
	})
}
