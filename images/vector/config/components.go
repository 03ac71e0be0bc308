package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) source(id string, n *yaml.Node, at string) Source {
	s := Source{ID: id, CurrentBootOnly: true, ScrapeInterval: time.Second}
	typ, ok := r.componentType(n, at)
	if !ok {
		return s
	}
	s.Type = typ
	switch typ {
	case "journald":
		r.object(n, at, fields{
			"type":              r.ignore,
			"include_units":     r.texts(&s.IncludeUnits),
			"exclude_units":     r.texts(&s.ExcludeUnits),
			"current_boot_only": r.boolean(&s.CurrentBootOnly),
			"since_now":         r.boolean(&s.SinceNow),
			"journal_directory": r.text(&s.JournalDirectory),
			"include_matches":   r.absent,
			"exclude_matches":   r.absent,
			"journal_namespace": r.absent,
			"journalctl_path":   r.absent,
			"data_dir":          r.absent,
			"batch_size":        r.absent,
			"remap_priority":    r.absent,
			"extra_args":        r.absent,
			"acknowledgements":  r.absent,
		})
		for _, units := range [][]string{s.IncludeUnits, s.ExcludeUnits} {
			for i, unit := range units {
				units[i] = unitName(unit)
			}
		}
		for _, unit := range s.IncludeUnits {
			if slices.Contains(s.ExcludeUnits, unit) {
				r.fail(n, at, "The unit %q is duplicated in both include and exclude lists", unit)
			}
		}
	case "internal_metrics":
		r.object(n, at, fields{
			"type":                 r.ignore,
			"scrape_interval_secs": r.seconds(&s.ScrapeInterval),
			"namespace":            r.absent,
			"tags":                 r.absent,
		})
	default:
		r.fail(n, at, "unknown variant `%s`, the bootrace stand-in has the sources `internal_metrics`, `journald`", typ)
	}
	return s
}

// unitName is what the journald source makes of a name without a suffix.
func unitName(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".service"
}

func (r *reader) transform(id string, n *yaml.Node, at string) Transform {
	t := Transform{ID: id, HostTag: "host"}
	typ, ok := r.componentType(n, at)
	if !ok {
		return t
	}
	t.Type = typ
	switch typ {
	case "remap":
		r.object(n, at, fields{
			"type":   r.ignore,
			"inputs": r.texts(&t.Inputs),
			"source": func(n *yaml.Node, at string) {
				var text string
				r.text(&text)(n, at)
				assignments, problems := parseRemap(text)
				for _, p := range problems {
					r.fail(n, at, "%s", p)
				}
				t.Assignments = assignments
			},
			"file":              r.absent,
			"drop_on_abort":     r.absent,
			"drop_on_error":     r.absent,
			"reroute_dropped":   r.absent,
			"timezone":          r.absent,
			"metric_tag_values": r.absent,
		}, "inputs", "source")
	case "metric_to_log":
		r.object(n, at, fields{
			"type":              r.ignore,
			"inputs":            r.texts(&t.Inputs),
			"host_tag":          r.text(&t.HostTag),
			"timezone":          r.absent,
			"metric_tag_values": r.absent,
		}, "inputs")
	default:
		r.fail(n, at, "unknown variant `%s`, the bootrace stand-in has the transforms `metric_to_log`, `remap`", typ)
	}
	return t
}

func (r *reader) sink(id string, n *yaml.Node, at string) Sink {
	s := Sink{ID: id, Healthcheck: true, Buffer: Buffer{MaxEvents: 500, Block: true}}
	typ, ok := r.componentType(n, at)
	if !ok {
		return s
	}
	s.Type = typ
	known := fields{
		"type":             r.ignore,
		"inputs":           r.texts(&s.Inputs),
		"buffer":           r.buffer(&s.Buffer),
		"healthcheck":      r.healthcheck(&s),
		"acknowledgements": r.acknowledgements(&s.Acknowledgements),
		"proxy":            r.absent,
	}
	required := []string{"inputs"}
	switch typ {
	case "axiom":
		r.axiom(&s.Axiom, known)
		required = append(required, "token", "dataset")
	case "console":
		target := "stdout"
		known["target"] = r.oneOf(&target, "stdout", "stderr")
		known["encoding"] = r.jsonEncoding
		r.object(n, at, known, "inputs", "encoding")
		s.Stderr = target == "stderr"
		return s
	case "blackhole":
		known["rate"] = r.absent
		known["print_interval_secs"] = r.absent
	default:
		r.fail(n, at, "unknown variant `%s`, the bootrace stand-in has the sinks `axiom`, `blackhole`, `console`", typ)
		return s
	}
	r.object(n, at, known, required...)
	return s
}

func (r *reader) axiom(a *Axiom, known fields) {
	// Vector's defaults for an HTTP sink that sends to a service: batches of 1 s and 10 MB, a request's time-out of
	// 60 s, Fibonacci back-off from 1 s to 30 s (vector.dev, axiom sink, `batch` and `request`).
	*a = Axiom{
		Compression:    "zstd",
		BatchTimeout:   time.Second,
		BatchMaxBytes:  10_000_000,
		RequestTimeout: 60 * time.Second,
		RetryInitial:   time.Second,
		RetryMax:       30 * time.Second,
	}
	known["token"] = r.text(&a.Token)
	known["dataset"] = r.text(&a.Dataset)
	known["url"] = r.text(&a.URL)
	known["org_id"] = r.text(&a.OrgID)
	known["compression"] = r.oneOf(&a.Compression, "none", "gzip", "zstd")
	known["region"] = r.absent
	known["encoding"] = r.absent
	known["tls"] = r.absent
	known["batch"] = func(n *yaml.Node, at string) {
		r.object(n, at, fields{
			"timeout_secs": r.seconds(&a.BatchTimeout),
			"max_events":   r.count(&a.BatchMaxEvents),
			"max_bytes":    r.count(&a.BatchMaxBytes),
		})
	}
	known["request"] = func(n *yaml.Node, at string) {
		r.object(n, at, fields{
			"timeout_secs":               r.seconds(&a.RequestTimeout),
			"retry_initial_backoff_secs": r.seconds(&a.RetryInitial),
			"retry_max_duration_secs":    r.seconds(&a.RetryMax),
			"retry_jitter_mode":          r.absent,
			"retry_attempts":             r.absent,
			"concurrency":                r.absent,
			"adaptive_concurrency":       r.absent,
			"rate_limit_num":             r.absent,
			"rate_limit_duration_secs":   r.absent,
			"headers":                    r.absent,
		})
	}
}

func (r *reader) buffer(b *Buffer) field {
	return func(n *yaml.Node, at string) {
		if resolve(n).Kind == yaml.SequenceNode {
			r.fail(n, at, "the bootrace stand-in has no chained buffers")
			return
		}
		typ, full := "memory", "block"
		r.object(n, at, fields{
			"type":       r.oneOf(&typ, "memory", "disk"),
			"when_full":  r.oneOf(&full, "block", "drop_newest"),
			"max_events": r.count(&b.MaxEvents),
			"max_size":   r.number(&b.MaxSize),
		})
		b.Disk, b.Block = typ == "disk", full == "block"
		if b.Disk && b.MaxSize == 0 {
			r.fail(n, at, "missing field `max_size`")
		}
		if b.Disk && has(n, "max_events") {
			r.fail(n, at, "unknown field `max_events`, a disk buffer has `max_size` and `when_full`")
		}
		if !b.Disk && b.MaxSize > 0 {
			r.fail(n, at, "the bootrace stand-in limits a memory buffer by `max_events` only")
		}
	}
}

func (r *reader) healthcheck(s *Sink) field {
	return func(n *yaml.Node, at string) {
		if resolve(n).Kind == yaml.ScalarNode {
			r.boolean(&s.Healthcheck)(n, at)
			return
		}
		r.object(n, at, fields{
			"enabled": r.boolean(&s.Healthcheck),
			"uri":     r.text(&s.HealthcheckURI),
			"timeout": r.absent,
		})
	}
}

func (r *reader) acknowledgements(to *bool) field {
	return func(n *yaml.Node, at string) {
		if resolve(n).Kind == yaml.ScalarNode {
			r.boolean(to)(n, at)
			return
		}
		r.object(n, at, fields{"enabled": r.boolean(to)})
	}
}

func (r *reader) jsonEncoding(n *yaml.Node, at string) {
	var codec string
	r.object(n, at, fields{"codec": r.oneOf(&codec, "json")}, "codec")
}

func has(n *yaml.Node, name string) bool {
	n = resolve(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}
