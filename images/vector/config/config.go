package config

import (
	"crypto/sha256"
	"strings"
	"time"

	"bootrace/images/vector/vrl"
)

// Config is a checked configuration. Components are in the order of their ids.
type Config struct {
	DataDir          string
	Acknowledgements bool
	Healthchecks     Healthchecks
	Proxy            Proxy
	Sources          []Source
	Transforms       []Transform
	Sinks            []Sink

	// Warnings are what Vector warns of and starts all the same.
	Warnings []string

	// Fingerprint differs where the configuration does, in any letter.
	Fingerprint [sha256.Size]byte

	undecided []Undecided
	listens   []listen
}

// Healthchecks is the global section of that name.
type Healthchecks struct {
	Enabled        bool
	RequireHealthy bool
}

// Proxy is a proxy section, of the whole or of a component.
type Proxy struct {
	Enabled     bool
	HTTP, HTTPS string
	NoProxy     []string
}

// Source is a source of any type; the fields are those of the types that are played.
type Source struct {
	ID, Type string
	Ignored  []string // options that the type does not have and Vector does not mind

	Journald
	Scrape

	ScrapeInterval time.Duration // internal_metrics, prometheus_scrape
	Namespace      string        // internal_metrics
	HostKey        string        // internal_metrics: tags.host_key
	PIDKey         string        // internal_metrics: tags.pid_key

	codec string   // decoding.codec, of a source that is not played
	ports []output // named outputs in the place of the one by its id
}

// Journald is what only the journald source has.
type Journald struct {
	IncludeUnits, ExcludeUnits     []string
	IncludeMatches, ExcludeMatches map[string][]string
	CurrentBootOnly, SinceNow      bool
	JournalDirectory               string
	JournalNamespace               string
	JournalctlPath                 string
	ExtraArgs                      []string
	DataDir                        string
	BatchSize                      int
	EmitCursor                     bool
	RemapPriority                  bool
}

// Scrape is what only the prometheus_scrape source has.
type Scrape struct {
	Endpoints                []string
	ScrapeTimeout            time.Duration
	InstanceTag, EndpointTag string
	HonorLabels              bool
	Query                    map[string][]string
	Auth                     Auth
	TLS                      TLS
}

// Auth is the auth section of a client.
type Auth struct {
	Strategy              string // basic, bearer or empty
	User, Password, Token string
}

// TLS is the tls section of a client.
type TLS struct {
	VerifyCertificate, VerifyHostname bool
	CAFile, CertFile, KeyFile         string
	ServerName                        string
}

// Transform is a transform of any type. Inputs are ids of sources and transforms, or of an output, as `id.output`.
type Transform struct {
	ID, Type string
	Inputs   []string
	Ignored  []string

	Program        *vrl.Program // remap
	ProgramError   error        // a program that Vector refuses when it builds the transform
	DropOnError    bool
	DropOnAbort    bool
	RerouteDropped bool

	Conditions []Condition // filter: one, without a name; route, exclusive_route: in their order
	Unmatched  bool        // route: reroute_unmatched

	HostTag string // metric_to_log

	opaque   string         // a condition's form that is not played
	unplayed []*vrl.Program // conditions of a transform that is not played
}

// Condition is a condition and the output it leads to.
type Condition struct {
	Output  string
	Program *vrl.Program // nil: always true
	Metric  *bool        // is_metric, is_log
}

// Sink is a sink of any type.
type Sink struct {
	ID, Type         string
	Inputs           []string
	Ignored          []string
	Buffers          []Buffer
	Healthcheck      bool
	HealthcheckURI   string
	HealthTimeout    time.Duration
	Acknowledgements bool
	Proxy            Proxy

	// Loose are options with a template that no literal text confines, and BadURL is one that holds no URL; of a sink that
	// is not played.
	Loose  []string
	BadURL string

	Axiom    Axiom
	Stderr   bool // console: target
	Encoding Encoding
}

// Buffer is one stage of a sink's buffer.
type Buffer struct {
	Disk      bool
	MaxEvents int
	MaxSize   int64  // bytes; of a memory buffer 0 means that events are counted
	Full      string // when_full: block, drop_newest or overflow
}

// Encoding is an encoding section, of the console sink.
type Encoding struct {
	Codec                    string
	Pretty                   bool
	ExceptFields, OnlyFields []string
	TimestampFormat          string
	CSVFields                []string
}

// Axiom is what only the axiom sink has.
type Axiom struct {
	URL, Region, OrgID, Token, Dataset string
	Compression                        string
	Headers                            map[string]string
	TLS                                TLS

	BatchTimeout   time.Duration
	BatchMaxEvents int
	BatchMaxBytes  int

	RequestTimeout time.Duration
	RetryInitial   time.Duration
	RetryMax       time.Duration
	RetryAttempts  int // 0: for ever
	NeverRetry     bool
	Unconfined     bool // dangerously_allow_unconfined_template_resolution
}

// Errors are the problems of a configuration, in Vector's words, each a line of its own.
type Errors []string

func (e Errors) Error() string { return strings.Join(e, "; ") }
