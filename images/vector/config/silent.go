package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sources that are not played are read as far as it decides whether Vector takes the configuration: where they listen, what
// they give and by which outputs, and options that are gone.

// listeners are the sources that listen at `address`, by protocol; mode: as their `mode` says.
var listeners = map[string]string{
	"aws_kinesis_firehose": "tcp", "datadog_agent": "tcp", "heroku_logs": "tcp", "http": "tcp", "http_server": "tcp", "logstash": "tcp",
	"prometheus_pushgateway": "tcp", "prometheus_remote_write": "tcp", "splunk_hec": "tcp", "vector": "tcp",
	"dnstap": "mode", "fluent": "mode", "socket": "mode", "statsd": "mode", "syslog": "mode",
}

// sinkListeners are the sinks that do; the `address` of others is one that they call.
var sinkListeners = map[string]string{"prometheus_exporter": "tcp", "websocket_server": "tcp"}

// bySystemd are those that may be given a socket of systemd's instead (Vector's SocketListenAddr).
var bySystemd = strings.Fields("dnstap fluent logstash socket statsd syslog")

// listen is a socket that a component claims.
type listen struct {
	component, protocol string
	address             netip.AddrPort
}

func (l listen) meets(other listen) bool {
	return l.protocol == other.protocol && l.address.Port() == other.address.Port() && l.address.Port() != 0 &&
		(l.address.Addr() == other.address.Addr() || l.address.Addr().IsUnspecified() || other.address.Addr().IsUnspecified())
}

// conflicts are the sockets that two components claim.
func (c *Config) conflicts() (problems []string) {
	for i, l := range c.listens {
		for _, other := range c.listens[:i] {
			if l.meets(other) {
				problems = append(problems, fmt.Sprintf("Resource `%s %s` is claimed by multiple components: {%q, %q}",
					l.protocol, l.address, other.component, l.component))
			}
		}
	}
	return problems
}

// socketAddress reads an IP address with a port, which a name is not.
func (r *reader) socketAddress(to *string, systemd bool) field {
	return func(n *yaml.Node, at string) {
		before := len(r.problems)
		r.text(to)(n, at)
		if len(r.problems) > before || r.detached && strings.Contains(*to, "SECRET[") {
			return
		}
		if _, err := netip.ParseAddrPort(*to); err != nil && !(systemd && strings.HasPrefix(*to, "systemd")) {
			r.fail(n, at, "invalid socket address syntax")
		}
	}
}

// listening notes where a component listens.
func (r *reader) listening(id, protocol, address string) {
	if parsed, err := netip.ParseAddrPort(address); err == nil {
		r.listens = append(r.listens, listen{id, protocol, parsed})
	}
}

// address reads where a source or sink of a type listens, once its mode is known.
func (r *reader) address(of map[string]string, id, typ string, n *yaml.Node, known fields) {
	protocol, listens := of[typ]
	if !listens {
		return
	}
	var address string
	if protocol == "mode" {
		protocol = "tcp"
		if mode := value(n, "mode"); mode != nil {
			protocol = resolve(mode).Value
		}
	}
	if !strings.HasPrefix(protocol, "tcp") && protocol != "udp" {
		return // a Unix socket
	}
	known["address"] = func(n *yaml.Node, at string) {
		r.socketAddress(&address, slices.Contains(bySystemd, typ))(n, at)
		r.listening(id, protocol, address)
	}
}

func (r *reader) silent(s *Source, n *yaml.Node, at string) {
	known := fields{"decoding": r.codec(&s.codec)}
	switch s.Type {
	case "opentelemetry":
		for _, name := range []string{"grpc", "http"} {
			known[name] = func(n *yaml.Node, at string) {
				var address string
				r.take(n, at, fields{"address": r.socketAddress(&address, false)})
				r.listening(s.ID, "tcp", address)
			}
		}
		s.ports = []output{{"logs", logs}, {"metrics", metrics}, {"traces", traces}}
		if has(n, "use_otlp_decoding") { // metrics stay logs, then
			s.ports[1].gives, s.ports[2].gives = anyKind, anyKind
		}
	case "datadog_agent":
		several := false
		off := map[string]*bool{}
		known["multiple_outputs"] = r.boolean(&several)
		for _, name := range []string{"logs", "metrics", "traces"} {
			off[name] = new(bool)
			known["disable_"+name] = r.boolean(off[name])
		}
		defer func() {
			for _, port := range []output{{"logs", logs}, {"metrics", metrics}, {"traces", traces}} {
				if several && !*off[port.name] {
					s.ports = append(s.ports, port)
				}
			}
		}()
	}
	if s.Type == "nats" {
		known["auth"] = r.natsAuth
	}
	r.words("source", s.Type, known)
	r.address(listeners, s.ID, s.Type, n, known)
	r.goneOptions("source", s.Type, n, known)
	r.take(n, at, known)
}

// natsAuth: each strategy has a section of its name (src/nats.rs).
func (r *reader) natsAuth(n *yaml.Node, at string) {
	sections := map[string]string{"user_password": "user password", "token": "value", "credentials_file": "path", "nkey": "nkey seed"}
	var strategy string
	known := fields{"strategy": r.oneOf(&strategy, "user_password", "token", "credentials_file", "nkey")}
	required := []string{"strategy"}
	if named := value(n, "strategy"); named != nil {
		if options, ok := sections[resolve(named).Value]; ok {
			required = append(required, resolve(named).Value)
			known[resolve(named).Value] = func(n *yaml.Node, at string) {
				r.take(n, at, fields{}, strings.Fields(options)...)
			}
		}
	}
	r.take(n, at, known, required...)
}

// codec reads the codec of a `decoding` or `encoding` section and nothing else of it: Vector minds no unknown names there.
func (r *reader) codec(to *string) field {
	return func(n *yaml.Node, at string) { r.take(n, at, fields{"codec": r.text(to)}) }
}

// outputs are what others name as their inputs.
func (s Source) outputs() []output {
	if len(s.ports) == 0 {
		return []output{{s.ID, sourceTypes[s.Type].gives(s.codec)}}
	}
	var named []output
	for _, port := range s.ports {
		named = append(named, output{s.ID + "." + port.name, port.gives})
	}
	return named
}

// options that Vector had before 0.56 (its upgrade guides), of components that refuse what they do not know.
var optionsGone = map[string]string{
	"source vector": "shutdown_timeout_secs", // 0.25
	"sink vector":   "encoding",              // and some that never had it
	"sink postgres": "encoding", "sink prometheus_exporter": "encoding", "sink splunk_hec_metrics": "encoding",
	"sink http":            "headers",                                                                               // 0.55
	"sink elasticsearch":   "host batch_size batch_timeout request_timeout_secs request_in_flight_limit basic_auth", // 0.19 and before
	"sink aws_s3":          "batch_size batch_timeout request_timeout_secs request_in_flight_limit",
	"sink clickhouse":      "batch_size batch_timeout request_timeout_secs request_in_flight_limit basic_auth",
	"sink datadog_logs":    "api_key region", // 0.29, 0.34
	"sink datadog_metrics": "api_key region host",
	"sink datadog_events":  "region",
	"sink splunk_hec_logs": "host", // 0.19
}

// words are the options of components that are not played which take one of a few words, with the other names that Vector's
// sources give those; `*` is every field of a section.
var words = map[string]map[string]string{
	"source demo_logs":       {"format": "shuffle apache_common apache_error syslog rfc5424 bsd_syslog rfc3164 json"},
	"source exec":            {"mode": "scheduled streaming"},
	"source file":            {"read_from": "beginning end", "fingerprint.strategy": "checksum device_and_inode"},
	"source kubernetes_logs": {"read_from": "beginning end"},
	"source socket":          {"mode": "tcp udp unix unix_stream unix_datagram"},
	"source syslog":          {"mode": "tcp udp unix"},
	"transform reduce": {"merge_strategies.*": "discard retain sum max min array concat concat_newline concat_raw shortest_array " +
		"longest_array flat_unique"},
	"sink elasticsearch": {"mode": "bulk normal data_stream", "api_version": "auto v6 v7 v8"},
	"sink loki":          {"out_of_order_action": "drop rewrite_timestamp accept"},
	"sink socket":        {"mode": "tcp udp unix unix_stream unix_datagram"},
}

func (r *reader) words(kind, typ string, known fields) {
	for option, allowed := range words[kind+" "+typ] {
		one := r.oneOf(new(string), strings.Fields(allowed)...)
		section, name, below := strings.Cut(option, ".")
		switch {
		case !below:
			known[section] = one
		case name == "*":
			known[section] = func(n *yaml.Node, at string) {
				r.members(n, at, func(_ string, n *yaml.Node, at string) { one(n, at) })
			}
		default:
			known[section] = func(n *yaml.Node, at string) { r.take(n, at, fields{name: one}) }
		}
	}
}

// optionsNew came with 0.57 (template confinement), of sinks that refuse what they do not know.
var optionsNew = map[string]string{
	"sink file": "base_dir dangerously_allow_unconfined_template_resolution",
}

func init() {
	for _, sink := range strings.Fields("aws_cloudwatch_logs aws_s3 azure_blob clickhouse elasticsearch gcp_cloud_storage http loki " +
		"prometheus_remote_write splunk_hec_logs splunk_hec_metrics") {
		optionsNew["sink "+sink] = "dangerously_allow_unconfined_template_resolution"
	}
}

// goneOptions refuses options that the version has no more, or not yet.
func (r *reader) goneOptions(kind, typ string, _ *yaml.Node, known fields) {
	names := strings.Fields(optionsGone[kind+" "+typ])
	if (r.version != Version{}) && !r.version.Confines() {
		names = append(names, strings.Fields(optionsNew[kind+" "+typ])...)
	}
	for _, name := range names {
		known[name] = func(n *yaml.Node, at string) {
			r.fail(n, strings.TrimSuffix(at, "."+name), "unknown field `%s`", name)
		}
	}
}
