package scenarios

import (
	"slices"
	"time"

	"bootrace/images/azure/fault"
)

// Version is the version of the file format.
const Version = 1

// Scenario is one scenario file, read and found to make sense.
type Scenario struct {
	Version     int       `yaml:"version" json:"version" jsonschema:"required,enum=1" jsonschema_description:"Version of this format: 1"`
	Name        string    `yaml:"name" json:"name" jsonschema:"required,format=name" jsonschema_description:"Name of the scenario, as in bootrace run NAME"`
	Description string    `yaml:"description" json:"description" jsonschema:"required,format=text" jsonschema_description:"What it is for, in a sentence"`
	Size        Size      `yaml:"size" json:"size,omitempty" jsonschema_description:"The smallest set it is in: smoke, gate or nightly (default: nightly)"`
	WorkerEnv   WorkerEnv `yaml:"worker_env" json:"worker_env" jsonschema:"required" jsonschema_description:"When /etc/opensandbox/worker.env is written"`
	Network     Network   `yaml:"network" json:"network,omitzero" jsonschema_description:"When the machine has a network (default: before it boots)"`
	Cloud       Cloud     `yaml:"cloud" json:"cloud" jsonschema_description:"What is particular about the cloud"`
	During      []Action  `yaml:"during" json:"during,omitempty" jsonschema_description:"What is done to units while the machine runs"`
	Look        Look      `yaml:"look" json:"look" jsonschema:"required" jsonschema_description:"How long to look"`
	Expect      Expect    `yaml:"expect" json:"expect" jsonschema:"required" jsonschema_description:"What the case must come to"`

	Boots []Again `yaml:"boots" json:"boots,omitempty" jsonschema_description:"Further boots of the same machine, one after the other"`

	// Before is what happens before this boot; nil: it is the first (EachBoot).
	Before *Again `yaml:"-" json:"-"`
	File   string `yaml:"-" json:"-"` // where it was read from
	Source []byte `yaml:"-" json:"-"` // the file as it is
}

// Size is the smallest set of scenarios that one is in.
type Size string

// Sizes, each of which has all of the one before.
const (
	Smoke   Size = "smoke"   // under 2 minutes
	Gate    Size = "gate"    // under 8 minutes
	Nightly Size = "nightly" // whatever takes its time
)

// Sizes are in the order of their size.
func Sizes() []Size { return []Size{Smoke, Gate, Nightly} }

// Values are what a file may say.
func (Size) Values() []string { return names(Sizes()) }

// In says whether the scenario is in the set of a size.
func (s Scenario) In(set Size) bool {
	sizes := Sizes()
	return slices.Index(sizes, s.Size) <= slices.Index(sizes, set)
}

// Action is something that is done to a unit while the machine runs.
type Action struct {
	At   Duration `yaml:"at" json:"at" jsonschema:"required" jsonschema_description:"Since the start of cloud-final.service"` // since cloud-final's start
	Do   string   `yaml:"do" json:"do" jsonschema:"required,enum=restart,enum=stop-start,enum=kill" jsonschema_description:"restart, stop-start (a second apart) or kill (SIGKILL)"`
	Unit string   `yaml:"unit" json:"unit" jsonschema:"required,format=unit" jsonschema_description:"The unit"`
}

// What can be done to a unit: systemctl's restart and stop followed by start, and
// kill with SIGKILL.
const (
	Restart   = "restart"
	StopStart = "stop-start"
	Kill      = "kill"
)

// When worker.env comes.
const (
	BeforeBoot = "before-boot"
	After      = "after" // after a delay that counts from cloud-final's start
	Never      = "never"
)

// WorkerEnv says when /etc/opensandbox/worker.env is written.
type WorkerEnv struct {
	When  string   `yaml:"when" json:"when" jsonschema:"required,enum=before-boot,enum=after,enum=never" jsonschema_description:"before-boot, after (a delay) or never"`
	Delay Duration `yaml:"delay" json:"delay,omitzero" jsonschema_description:"With when: after. Counts from the start of cloud-final.service"`
	Way   Way      `yaml:"way" json:"way,omitempty" jsonschema_description:"With when: after. How it is written (default: edited)"`
}

// Network says when the machine has one: until then it has no address but the loopback's
// and no default route, no name resolves, and network-online.target is not reached.
type Network struct {
	After Duration `yaml:"after" json:"after,omitzero" jsonschema:"required" jsonschema_description:"Since the machine's start. Until then: no address, no default route, no name that resolves, no network-online.target"`
}

// Cloud is what is particular about the cloud.
type Cloud struct {
	// PendingWorkerTTL is how long the control plane waits for a worker to
	// register before it destroys it.
	PendingWorkerTTL Duration `yaml:"pending_worker_ttl" json:"pending_worker_ttl,omitzero" jsonschema_description:"How long the control plane waits for the worker to register"`
	// Faults are what goes wrong in it.
	Faults []fault.Fault `yaml:"faults" json:"faults,omitempty" jsonschema_description:"What goes wrong, the first one that fits first"`
}

// Look says how long to look.
type Look struct {
	// Settle is after the worker has registered. If the credentials come later
	// than that, the case goes on until Vector has held for a while.
	Settle Duration `yaml:"settle" json:"settle,omitzero" jsonschema_description:"After the worker has registered"`
	Window Duration `yaml:"window" json:"window" jsonschema:"required" jsonschema_description:"At the latest, since the machine's start"` // at the latest, since the machine's start
}

// Expect is what the case must come to.
type Expect struct {
	Verdict    string `yaml:"verdict" json:"verdict,omitempty" jsonschema:"enum=pass,enum=fail" jsonschema_description:"What is expected; fail is for a known failure"` // pass or fail
	Registered bool   `yaml:"registered" json:"registered" jsonschema:"required" jsonschema_description:"Whether the worker must register"`
	// Credentials: Vector must run with the vault's values in the end. Without
	// them nothing may be lost, but nothing need arrive.
	Credentials       bool           `yaml:"credentials" json:"credentials" jsonschema_description:"Whether Vector must run with the vault's values in the end (default: true)"`
	CredentialsWithin Duration       `yaml:"credentials_within" json:"credentials_within,omitzero" jsonschema_description:"From worker.env complete to Vector running with the vault's values"`
	BootBudget        Duration       `yaml:"boot_budget" json:"boot_budget,omitzero" jsonschema_description:"By how much multi-user.target may be later than in the control boot"`
	Starts            map[string]int `yaml:"starts" json:"starts,omitempty" jsonschema_description:"Starts of a unit allowed within 10 s"` // of a unit, within 10 s
	AllowedFailed     []Allowed      `yaml:"allowed_failed" json:"allowed_failed,omitempty" jsonschema_description:"Units that may fail"`
	// Missing are optional secrets that the vault will not give: their variables
	// are empty.
	Missing []string `yaml:"missing" json:"missing,omitempty" jsonschema:"format=secret" jsonschema_description:"Optional secrets that the vault will not give"`
}

// Allowed is a unit that may fail in this scenario, and why.
type Allowed struct {
	Unit   string `yaml:"unit" json:"unit" jsonschema:"required,format=text" jsonschema_description:"Unit name or pattern"`
	Reason string `yaml:"reason" json:"reason" jsonschema:"required,format=text" jsonschema_description:"Why it may"`
}

// Defaults for what a file may leave out.
const (
	defaultTTL    = 10 * time.Minute // production's pendingWorkerTTL
	defaultSettle = 10 * time.Second // the window that starts are counted in
	// Production's own design of record polls every 5 s and restarts Vector; a worker is
	// given 10 minutes to register, and its first half minute is what an engineer looks for.
	CredentialsWithin = 30 * time.Second
	// BootBudget is what a subject may add to the boot. Control boots of one image took
	// from 1.4 to 2.7 s on two cores: a delay is more than they differ by themselves.
	BootBudget = 2 * time.Second
)

// defaults is a scenario in which nothing is said; a file is read over it, so
// that 0s in a file is 0s.
func defaults() Scenario {
	var s Scenario
	s.Cloud.PendingWorkerTTL.Duration = defaultTTL
	s.Look.Settle.Duration = defaultSettle
	s.Expect.CredentialsWithin.Duration = CredentialsWithin
	s.Expect.BootBudget.Duration = BootBudget
	s.Expect.Verdict = "pass"
	s.Expect.Credentials = true
	s.WorkerEnv.Way = Edited
	s.Size = Nightly
	return s
}

// SaysCredentialsWithin reports whether the file itself limits when the credentials must come.
func (s Scenario) SaysCredentialsWithin() bool {
	return s.Expect.CredentialsWithin.Duration != CredentialsWithin
}

// Written reports whether worker.env ever comes.
func (s Scenario) Written() bool { return s.WorkerEnv.When != Never }

// BeforeBoot reports whether worker.env is there when the machine boots.
func (w WorkerEnv) BeforeBoot() bool { return w.When == BeforeBoot }

// Waits is what the scenario itself waits for, the boots not counted: the network, the
// delay or the end of what goes wrong in the cloud, and the settling; or the window where
// nothing is to come.
func (s Scenario) Waits() (all time.Duration) {
	for _, b := range s.EachBoot() {
		all += b.waits()
	}
	return all
}

// waits is that of one boot.
func (s Scenario) waits() time.Duration {
	if !s.Written() {
		return s.Look.Window.Duration
	}
	return s.Network.After.Duration + s.FromCloudFinal()
}

// FromCloudFinal is what one boot waits for from the start of cloud-final on, which is
// After=network-online.target itself.
func (s Scenario) FromCloudFinal() time.Duration {
	comes := s.WorkerEnv.Delay.Duration
	for _, f := range s.Cloud.Faults {
		comes = max(comes, f.Until.Duration)
	}
	return comes + s.Look.Settle.Duration
}

// Delivers reports whether Vector must run with the vault's values in the end.
func (s Scenario) Delivers() bool { return s.Written() && s.Expect.Credentials }

// Duration is a time.Duration that files write as 45s or 4m.
type Duration = fault.Duration
