package scenarios

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the file format.
const Version = 1

// Scenario is one scenario file, read and found to make sense.
type Scenario struct {
	Version     int       `yaml:"version" json:"version"`
	Name        string    `yaml:"name" json:"name"`
	Description string    `yaml:"description" json:"description"`
	WorkerEnv   WorkerEnv `yaml:"worker_env" json:"worker_env"`
	Cloud       Cloud     `yaml:"cloud" json:"cloud"`
	Look        Look      `yaml:"look" json:"look"`
	Expect      Expect    `yaml:"expect" json:"expect"`

	File   string `yaml:"-" json:"-"` // where it was read from
	Source []byte `yaml:"-" json:"-"` // the file as it is
}

// When worker.env comes.
const (
	BeforeBoot = "before-boot"
	After      = "after" // after a delay that counts from cloud-final's start
	Never      = "never"
)

// WorkerEnv says when /etc/opensandbox/worker.env is written.
type WorkerEnv struct {
	When  string   `yaml:"when" json:"when"`
	Delay Duration `yaml:"delay" json:"delay,omitzero"`
}

// Cloud is what is particular about the cloud.
type Cloud struct {
	// PendingWorkerTTL is how long the control plane waits for a worker to
	// register before it destroys it.
	PendingWorkerTTL Duration `yaml:"pending_worker_ttl" json:"pending_worker_ttl,omitzero"`
}

// Look says how long to look.
type Look struct {
	Settle Duration `yaml:"settle" json:"settle,omitzero"` // after the worker has registered
	Window Duration `yaml:"window" json:"window"`          // at the latest, since the machine's start
}

// Expect is what the case must come to.
type Expect struct {
	Verdict           string         `yaml:"verdict" json:"verdict,omitempty"` // pass or fail
	Registered        bool           `yaml:"registered" json:"registered"`
	CredentialsWithin Duration       `yaml:"credentials_within" json:"credentials_within,omitzero"`
	BootBudget        Duration       `yaml:"boot_budget" json:"boot_budget,omitzero"`
	Starts            map[string]int `yaml:"starts" json:"starts,omitempty"` // of a unit, within 10 s
	AllowedFailed     []Allowed      `yaml:"allowed_failed" json:"allowed_failed,omitempty"`
}

// Allowed is a unit that may fail in this scenario, and why.
type Allowed struct {
	Unit   string `yaml:"unit" json:"unit"`
	Reason string `yaml:"reason" json:"reason"`
}

// Defaults for what a file may leave out.
const (
	defaultTTL               = 10 * time.Minute // production's pendingWorkerTTL
	defaultSettle            = 10 * time.Second
	defaultCredentialsWithin = 5 * time.Second
	defaultBootBudget        = 2 * time.Second
)

// defaults is a scenario in which nothing is said; a file is read over it, so
// that 0s in a file is 0s.
func defaults() Scenario {
	var s Scenario
	s.Cloud.PendingWorkerTTL.Duration = defaultTTL
	s.Look.Settle.Duration = defaultSettle
	s.Expect.CredentialsWithin.Duration = defaultCredentialsWithin
	s.Expect.BootBudget.Duration = defaultBootBudget
	s.Expect.Verdict = "pass"
	return s
}

// Written reports whether worker.env ever comes.
func (s Scenario) Written() bool { return s.WorkerEnv.When != Never }

// BeforeBoot reports whether worker.env is there when the machine boots.
func (w WorkerEnv) BeforeBoot() bool { return w.When == BeforeBoot }

// Waits is what the scenario itself waits for, the boot not counted: the delay
// and the settling, or the window where nothing is to come.
func (s Scenario) Waits() time.Duration {
	if !s.Written() {
		return s.Look.Window.Duration
	}
	return s.WorkerEnv.Delay.Duration + s.Look.Settle.Duration
}

// Duration is a time.Duration that files write as 45s or 4m.
type Duration struct{ time.Duration }

// UnmarshalYAML reads 45s, 4m, 1m30s.
func (d *Duration) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	got, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("a duration such as 45s or 4m: %w", err)
	}
	d.Duration = got
	return nil
}

// MarshalJSON writes what UnmarshalYAML reads.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }
