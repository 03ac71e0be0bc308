package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

func (r *reader) source(id string, n *yaml.Node, at string) Source {
	s := Source{ID: id}
	typ, ok := r.componentType(n, at, "source", sourceTypes)
	if !ok {
		return s
	}
	s.Type = typ
	switch typ {
	case "journald":
		r.journald(&s, n, at)
	case "internal_metrics":
		s.ScrapeInterval, s.Namespace, s.HostKey = time.Second, "vector", "host"
		r.object(n, at, fields{
			"type":                 r.ignore,
			"graph":                r.ignore,
			"scrape_interval_secs": r.seconds(&s.ScrapeInterval),
			"namespace":            r.text(&s.Namespace),
			"tags": func(n *yaml.Node, at string) {
				r.object(n, at, fields{"host_key": r.text(&s.HostKey), "pid_key": r.text(&s.PIDKey)})
			},
		})
	case "prometheus_scrape":
		s.ScrapeInterval, s.ScrapeTimeout = 15*time.Second, 5*time.Second
		s.TLS = verified()
		s.Ignored = r.lenient(n, at, fields{
			"type":                 r.ignore,
			"graph":                r.ignore,
			"proxy":                r.ignore,
			"endpoints":            r.texts(&s.Endpoints),
			"hosts":                r.texts(&s.Endpoints), // its name before 0.12
			"scrape_interval_secs": r.seconds(&s.ScrapeInterval),
			"scrape_timeout_secs":  r.seconds(&s.ScrapeTimeout),
			"instance_tag":         r.text(&s.InstanceTag),
			"endpoint_tag":         r.text(&s.EndpointTag),
			"honor_labels":         r.boolean(&s.HonorLabels),
			"query":                r.textLists(&s.Query),
			"tls":                  r.tls(&s.TLS),
			"auth":                 r.auth(&s.Auth),
		})
		if !has(n, "endpoints") && !has(n, "hosts") {
			r.fail(n, at, "missing field `endpoints`")
		}
	default:
		r.silent(&s, n, at)
	}
	return s
}

func (r *reader) journald(s *Source, n *yaml.Node, at string) {
	s.Journald = Journald{CurrentBootOnly: true, BatchSize: 16}
	r.object(n, at, fields{
		"type":              r.ignore,
		"graph":             r.ignore,
		"proxy":             r.ignore,
		"include_units":     r.texts(&s.IncludeUnits),
		"exclude_units":     r.texts(&s.ExcludeUnits),
		"include_matches":   r.textLists(&s.IncludeMatches),
		"exclude_matches":   r.textLists(&s.ExcludeMatches),
		"current_boot_only": r.boolean(&s.CurrentBootOnly),
		"since_now":         r.boolean(&s.SinceNow),
		"journal_directory": r.text(&s.JournalDirectory),
		"journal_namespace": r.text(&s.JournalNamespace),
		"journalctl_path":   r.text(&s.JournalctlPath),
		"extra_args":        r.texts(&s.ExtraArgs),
		"data_dir":          r.text(&s.DataDir),
		"batch_size":        r.count(&s.BatchSize),
		"remap_priority":    r.boolean(&s.RemapPriority),
		"emit_cursor":       r.boolean(&s.EmitCursor),
		"log_namespace":     r.legacyNamespace,
		"acknowledgements":  r.acknowledgements(new(bool)),
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
	for field, values := range s.IncludeMatches {
		for _, value := range values {
			if slices.Contains(s.ExcludeMatches[field], value) {
				r.fail(n, at, "The Journal field/value pair of %q is duplicated in both include_matches and exclude_matches", field)
			}
		}
	}
}

// legacyNamespace takes the option that puts events into another form, which would have to be played throughout.
func (r *reader) legacyNamespace(n *yaml.Node, at string) {
	on := false
	r.boolean(&on)(n, at)
	if on {
		r.cannotDecide(at, "the `vector` log namespace is not played")
	}
}

// unitName is what the journald source makes of a name without a suffix.
func unitName(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".service"
}

func (r *reader) auth(a *Auth) field {
	return func(n *yaml.Node, at string) {
		r.lenient(n, at, fields{
			"strategy": r.text(&a.Strategy),
			"user":     r.text(&a.User),
			"password": r.text(&a.Password),
			"token":    r.text(&a.Token),
		})
		if a.Strategy != "" && a.Strategy != "basic" && a.Strategy != "bearer" {
			r.cannotDecide(at, "an auth strategy other than basic and bearer is not played")
		}
	}
}

func verified() TLS { return TLS{VerifyCertificate: true, VerifyHostname: true} }

func (r *reader) tls(t *TLS) field {
	return func(n *yaml.Node, at string) {
		r.object(n, at, fields{
			"enabled":            r.ignore,
			"verify_certificate": r.boolean(&t.VerifyCertificate),
			"verify_hostname":    r.boolean(&t.VerifyHostname),
			"ca_file":            r.text(&t.CAFile),
			"crt_file":           r.text(&t.CertFile),
			"key_file":           r.text(&t.KeyFile),
			"server_name":        r.text(&t.ServerName),
			"alpn_protocols":     r.ignore,
			"key_pass": func(_ *yaml.Node, at string) {
				r.cannotDecide(at, "a key that is locked by a passphrase is not played")
			},
		})
	}
}
