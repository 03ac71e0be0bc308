package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) sink(id string, n *yaml.Node, at string) Sink {
	s := Sink{ID: id, Healthcheck: true, HealthTimeout: 10 * time.Second}
	typ, ok := r.componentType(n, at, "sink", sinkTypes)
	if !ok {
		return s
	}
	s.Type = typ
	known := fields{
		"type":             r.ignore,
		"graph":            r.ignore,
		"inputs":           r.texts(&s.Inputs),
		"buffer":           r.buffers(&s.Buffers),
		"healthcheck":      r.healthcheck(&s),
		"healthcheck_uri":  r.text(&s.HealthcheckURI), // its name before 0.12
		"acknowledgements": r.acknowledgements(&s.Acknowledgements),
		"proxy":            r.proxy(&s.Proxy),
	}
	switch typ {
	case "axiom":
		s.Ignored = r.axiom(&s.Axiom, known, n, at)
	case "console":
		target := "stdout"
		known["target"] = r.oneOf(&target, "stdout", "stderr")
		known["encoding"] = r.encoding(&s.Encoding)
		known["framing"] = r.ignore
		r.object(n, at, known, "inputs", "encoding")
		s.Stderr = target == "stderr"
	case "blackhole":
		known["rate"] = r.ignore
		known["print_interval_secs"] = r.ignore
		r.object(n, at, known, "inputs")
	default:
		r.swallowed(&s, known, n, at)
	}
	if len(s.Buffers) == 0 {
		s.Buffers = []Buffer{{MaxEvents: 500, Full: "block"}}
	}
	return s
}

// axiom has an option flattened into it, so serde cannot refuse what it does not know (src/sinks/axiom/config.rs); the
// same goes for its batch and request.
func (r *reader) axiom(a *Axiom, known fields, n *yaml.Node, at string) (ignored []string) {
	// Vector's defaults for an HTTP sink that sends to a service: batches of 1 s and 10 MB, a request's time-out of
	// 60 s, Fibonacci back-off from 1 s to 30 s (vector.dev, axiom sink, `batch` and `request`).
	*a = Axiom{
		Compression:    "zstd",
		TLS:            verified(),
		BatchTimeout:   time.Second,
		BatchMaxBytes:  10_000_000,
		RequestTimeout: 60 * time.Second,
		RetryInitial:   time.Second,
		RetryMax:       30 * time.Second,
	}
	known["token"] = r.text(&a.Token)
	known["dataset"] = r.text(&a.Dataset)
	known["url"] = r.text(&a.URL)
	known["region"] = r.text(&a.Region)
	known["org_id"] = r.text(&a.OrgID)
	known["tls"] = r.tls(&a.TLS)
	known["compression"] = r.compression(a)
	known["dangerously_allow_unconfined_template_resolution"] = r.boolean(&a.Unconfined)
	known["retry_strategy"] = func(n *yaml.Node, at string) {
		strategy := "default"
		if resolve(n).Kind == yaml.ScalarNode {
			r.text(&strategy)(n, at)
		} else {
			r.lenient(n, at, fields{"type": r.text(&strategy), "status_codes": r.ignore})
		}
		a.NeverRetry = strategy == "none"
		if strategy != "none" && strategy != "default" {
			r.cannotDecide(at, "a retry strategy other than default and none is not played")
		}
	}
	known["batch"] = func(n *yaml.Node, at string) {
		ignored = append(ignored, under("batch", r.lenient(n, at, fields{
			"timeout_secs": r.seconds(&a.BatchTimeout),
			"max_events":   r.count(&a.BatchMaxEvents),
			"max_bytes":    r.count(&a.BatchMaxBytes),
		}))...)
	}
	known["request"] = func(n *yaml.Node, at string) {
		ignored = append(ignored, under("request", r.lenient(n, at, fields{
			"timeout_secs":               r.seconds(&a.RequestTimeout),
			"retry_initial_backoff_secs": r.seconds(&a.RetryInitial),
			"retry_max_duration_secs":    r.seconds(&a.RetryMax),
			"retry_attempts":             r.count(&a.RetryAttempts),
			"retry_jitter_mode":          r.ignore, // the stand-in's waits have none
			"concurrency":                r.ignore, // one at a time
			"adaptive_concurrency":       r.ignore,
			"rate_limit_num":             r.ignore,
			"rate_limit_duration_secs":   r.ignore,
			"headers":                    r.textMap(&a.Headers),
		}))...)
	}
	ignored = append(ignored, r.lenient(n, at, known, "inputs", "token", "dataset")...)
	slices.Sort(ignored)
	for _, option := range []struct{ name, value string }{{"url", a.URL}, {"dataset", a.Dataset}} {
		// What begins so is refused from 0.57 on, without any help.
		if strings.Contains(option.value, "{{") {
			r.cannotDecide(join(at, option.name), "a template, which makes of each event's fields where it goes, is not played")
		}
	}
	return ignored
}

func under(section string, names []string) []string {
	for i := range names {
		names[i] = section + "." + names[i]
	}
	return names
}

// compression is a name, or a map with the name and a level.
func (r *reader) compression(a *Axiom) field {
	name := r.oneOf(&a.Compression, "none", "gzip", "zlib", "zstd", "snappy")
	return func(n *yaml.Node, at string) {
		if resolve(n).Kind == yaml.ScalarNode {
			name(n, at)
		} else {
			r.lenient(n, at, fields{"algorithm": name, "level": r.ignore})
		}
		if a.Compression == "snappy" {
			r.cannotDecide(at, "compression by snappy is not played")
		}
	}
}

func (r *reader) buffers(to *[]Buffer) field {
	return func(n *yaml.Node, at string) {
		if n = resolve(n); n.Kind == yaml.SequenceNode {
			for _, stage := range n.Content {
				*to = append(*to, r.buffer(stage, at))
			}
		} else {
			*to = append(*to, r.buffer(n, at))
		}
		for i, b := range *to {
			last := i == len(*to)-1
			switch {
			case last && b.Full == "overflow":
				r.fail(n, at, "Configured buffer has overflow mode for the last stage, which has nowhere to overflow to")
			case !last && b.Full != "overflow":
				r.cannotDecide(at, "a chain of buffers with a stage before the last that does not overflow is not played")
			}
		}
		if len(*to) > 2 {
			r.cannotDecide(at, "a chain of more than two buffers is not played")
		}
	}
}

func (r *reader) buffer(n *yaml.Node, at string) Buffer {
	b := Buffer{Full: "block"}
	typ := "memory"
	r.object(n, at, fields{
		"type":       r.oneOf(&typ, "memory", "disk"),
		"when_full":  r.oneOf(&b.Full, "block", "drop_newest", "overflow"),
		"max_events": r.count(&b.MaxEvents),
		"max_size":   r.number(&b.MaxSize),
	})
	b.Disk = typ == "disk"
	switch {
	case b.Disk && b.MaxSize == 0:
		r.fail(n, at, "missing field `max_size`")
	case b.Disk && b.MaxEvents > 0:
		r.fail(n, at, "unknown field `max_events`, a disk buffer has `max_size` and `when_full`")
	case b.MaxSize > 0 && b.MaxEvents > 0:
		r.fail(n, at, "only one of `max_events` and `max_size` can be given")
	case !b.Disk && b.MaxSize == 0 && b.MaxEvents == 0:
		b.MaxEvents = 500
	}
	return b
}

func (r *reader) healthcheck(s *Sink) field {
	return func(n *yaml.Node, at string) {
		if resolve(n).Kind == yaml.ScalarNode {
			r.boolean(&s.Healthcheck)(n, at)
			return
		}
		r.lenient(n, at, fields{
			"enabled": r.boolean(&s.Healthcheck),
			"uri":     r.text(&s.HealthcheckURI),
			"timeout": r.seconds(&s.HealthTimeout),
		})
	}
}

func (r *reader) acknowledgements(to *bool) field {
	return func(n *yaml.Node, at string) {
		switch n = resolve(n); {
		case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		case n.Kind == yaml.ScalarNode:
			r.boolean(to)(n, at)
		default:
			r.lenient(n, at, fields{"enabled": r.boolean(to)})
		}
	}
}

func (r *reader) proxy(p *Proxy) field {
	return func(n *yaml.Node, at string) {
		p.Enabled = true
		r.lenient(n, at, fields{
			"enabled":  r.boolean(&p.Enabled),
			"http":     r.text(&p.HTTP),
			"https":    r.text(&p.HTTPS),
			"no_proxy": r.texts(&p.NoProxy),
		})
	}
}

// codecs are those that a console sink may have; what is not text comes out as JSON, which no check reads.
var codecs = []string{"avro", "cef", "csv", "gelf", "json", "logfmt", "native", "native_json", "otlp", "protobuf", "raw_message", "syslog", "text"}

func (r *reader) encoding(e *Encoding) field {
	return func(n *yaml.Node, at string) {
		known := fields{
			"codec":             r.oneOf(&e.Codec, codecs...),
			"except_fields":     r.texts(&e.ExceptFields),
			"only_fields":       r.texts(&e.OnlyFields),
			"timestamp_format":  r.text(&e.TimestampFormat),
			"metric_tag_values": r.ignore,
			"json":              func(n *yaml.Node, at string) { r.lenient(n, at, fields{"pretty": r.boolean(&e.Pretty)}) },
			"csv":               func(n *yaml.Node, at string) { r.lenient(n, at, fields{"fields": r.texts(&e.CSVFields)}) },
		}
		for _, codec := range codecs {
			if known[codec] == nil {
				known[codec] = r.ignore
			}
		}
		r.lenient(n, at, known, "codec")
	}
}
