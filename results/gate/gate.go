// Package gate decides whether what is under test may go into a worker image, and
// writes the decision down so that others can rely on it: a policy says what must
// be shown, [Decide] holds a run against it, and a [Certificate] says what came of
// it, signed. It knows records, whatever made them, and boots nothing.
//
//	policy, err := gate.Parse("gate.yaml", source)
//	decision := gate.Decide(policy, plan, run, time.Now())
//	file, err := gate.Sign(ctx, gate.Certify(policy, plan, run, decision, now), key)
//	certificate, err := gate.Verify(ctx, file, []gate.Key{key}, gate.Wanted{MaxAge: 24 * time.Hour}, time.Now())
//
// It fails closed. What is missing, unknown or contradicts itself is a reason
// against, never nothing; [Kinds] are all there are.
package gate

import (
	_ "embed"
	"time"
)

// Version is the version of the policy's format.
const Version = 1

// Which Vector a policy wants.
const (
	Real = "real" // a stand-in decides nothing
	Any  = "any"
)

// Policy is what must be shown of a subject before it is let through.
type Policy struct {
	Scenarios []string `yaml:"scenarios" jsonschema:"required,minItems=1,uniqueItems=true,format=text" jsonschema_description:"what is booted: sizes, names or files" jsonschema_extras:"errorMessage=expected a list with at least one name"` // sizes, names or files, as bootrace run takes them
	Bases     []string `yaml:"bases" jsonschema:"required,minItems=1,uniqueItems=true,format=text" jsonschema_description:"on which bases" jsonschema_extras:"errorMessage=expected a list with at least one name"`
	Repeat    int      `yaml:"repeat" jsonschema:"minimum=1" jsonschema_description:"boots of each scenario and base"`                // boots of each scenario and base
	Vector    string   `yaml:"vector" jsonschema:"enum=real,enum=any" jsonschema_description:"the real one, or the stand-in will do"` // Real or Any
	MinCases  int      `yaml:"min_cases" jsonschema:"minimum=1" jsonschema_description:"cases that must have been judged"`            // so many cases must have been judged, at least
	// MaxInvalid is how many cases the host may have spoilt for good, as long as
	// each scenario is judged on each base. No such case is a pass.
	MaxInvalid int `yaml:"max_invalid" jsonschema:"minimum=0" jsonschema_description:"cases that the host may have spoilt for good"`
	// Devel lets a bootrace decide that was built of no commit, or of more than one: nobody can
	// say later what its checks were.
	Devel   bool     `yaml:"devel" jsonschema_description:"a bootrace that is built of no commit will do"`
	Waivers []Waiver `yaml:"waivers" jsonschema_description:"known failures that are let through"`

	File   string `yaml:"-"` // where it was read from
	Source []byte `yaml:"-"` // the file as it is
}

// Waiver lets a check fail in a scenario: a known failure, which somebody answers
// for, and not for ever. One that is not needed must go.
type Waiver struct {
	Scenario string `yaml:"scenario" json:"scenario" jsonschema:"required,format=text" jsonschema_extras:"errorMessage=expected a scenario's name"`
	Base     string `yaml:"base" json:"base,omitempty" jsonschema:"format=text" jsonschema_extras:"errorMessage=expected a base"` // empty: all
	Check    string `yaml:"check" json:"check" jsonschema:"required,format=text" jsonschema_extras:"errorMessage=expected a check's name"`
	Reason   string `yaml:"reason" json:"reason" jsonschema:"required,format=text" jsonschema_extras:"errorMessage=expected why it may fail"`
	Owner    string `yaml:"owner" json:"owner" jsonschema:"required,format=text" jsonschema_extras:"errorMessage=expected who answers for it"`
	Expires  string `yaml:"expires" json:"expires" jsonschema:"required,format=date" jsonschema_extras:"errorMessage=expected the last day it holds\\, such as 2026-01-31"` // the last day it holds, in UTC, as 2026-01-31
}

// expired reports whether the waiver holds no longer. A date that is none has
// passed.
func (w Waiver) expired(now time.Time) bool {
	last, err := time.Parse(time.DateOnly, w.Expires)
	return err != nil || !now.Before(last.AddDate(0, 0, 1))
}

// covers reports whether the waiver is about the check in that scenario and base.
func (w Waiver) covers(scenario, base, check string) bool {
	return w.Scenario == scenario && w.Check == check && (w.Base == "" || w.Base == base)
}

// Plan is what was to be booted, and of which images: what the run is held against.
type Plan struct {
	Subject   string            // its name
	Hash      string            // of what is under test, a SHA-256 in hex, as results.Run has it
	Images    map[string]string // by base, the id of the worker image: sha256:…
	Bases     map[string]string // by base, the id of the image that the worker is made of
	Given     []string          // digests of the image that was given, if one was
	Scenarios map[string]string // by name, the SHA-256 of its file, in hex
	Checks    []string          // all that a boot is judged by
	Cases     []Planned
	Harness   string // the version of what boots and judges
}

// Planned is a case to be.
type Planned struct {
	ID         string
	Scenario   string
	Base       string
	Repetition int
	Expected   string // the verdict that the scenario expects: pass or fail
}

//go:embed gate.yaml
var defaultPolicy []byte

// DefaultPolicy is the one that a gate without a policy goes by.
func DefaultPolicy() (Policy, error) { return Parse("the default policy", defaultPolicy) }
