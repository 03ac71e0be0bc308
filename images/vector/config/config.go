package config

import "time"

// Config is a checked configuration. Components are in the order of their ids.
type Config struct {
	DataDir          string
	Acknowledgements bool
	Healthchecks     Healthchecks
	Sources          []Source
	Transforms       []Transform
	Sinks            []Sink

	// Warnings are what Vector warns of and starts all the same.
	Warnings []string
}

// Healthchecks is the global section of that name.
type Healthchecks struct {
	Enabled        bool
	RequireHealthy bool
}

// Source is a journald or an internal_metrics source.
type Source struct {
	ID, Type string

	IncludeUnits, ExcludeUnits []string
	CurrentBootOnly, SinceNow  bool
	JournalDirectory           string

	ScrapeInterval time.Duration
}

// Transform is a remap or a metric_to_log transform.
type Transform struct {
	ID, Type string
	Inputs   []string

	Assignments []Assignment
	HostTag     string
}

// Assignment is one `.path = "literal"` of a remap.
type Assignment struct {
	Path  []string
	Value string
}

// Sink is an axiom, a console or a blackhole sink.
type Sink struct {
	ID, Type         string
	Inputs           []string
	Buffer           Buffer
	Healthcheck      bool
	HealthcheckURI   string
	Acknowledgements bool

	Axiom  Axiom
	Stderr bool // console: target
}

// Buffer is a sink's buffer section.
type Buffer struct {
	Disk      bool
	MaxEvents int
	MaxSize   int64
	Block     bool // when_full: block, else drop_newest
}

// Axiom is what only the axiom sink has.
type Axiom struct {
	URL, OrgID, Token, Dataset string
	Compression                string

	BatchTimeout   time.Duration
	BatchMaxEvents int
	BatchMaxBytes  int

	RequestTimeout time.Duration
	RetryInitial   time.Duration
	RetryMax       time.Duration
}

// Errors are the problems of a configuration, in Vector's words, each a line of its own.
type Errors []string

func (e Errors) Error() string {
	if len(e) == 1 {
		return e[0]
	}
	text := ""
	for i, problem := range e {
		if i > 0 {
			text += "; "
		}
		text += problem
	}
	return text
}
