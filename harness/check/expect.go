package check

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
)

// ControlSpoilt: others had the CPU for most of a control boot's time, which says
// more of the host than of the image.
func ControlSpoilt(multiUser, lost time.Duration) bool { return lost > multiUser/2 }

// RoleEnv says when the role env file comes.
type RoleEnv string

// When worker.env comes.
const (
	Pre   RoleEnv = "pre"   // there before the boot
	Late  RoleEnv = "late"  // written by cloud-final
	Never RoleEnv = "never" // not within the case
)

// Expect is what a case must come to. Its zero values work: each has the
// default its comment names.
type Expect struct {
	Base    string  `json:"base,omitempty"`
	Vector  string  `json:"vector,omitempty"`
	RoleEnv RoleEnv `json:"role_env"`

	// NoCredentials: the vault will not give them, though worker.env comes.
	NoCredentials bool `json:"no_credentials,omitempty"`
	// CredentialsWithin is the time from worker.env complete to a Vector started
	// with the vault's values (30 s).
	CredentialsWithin time.Duration `json:"credentials_within_ns,omitempty"`
	// BootBudget is what the subject may cost the boot (1 s).
	BootBudget time.Duration `json:"boot_budget_ns,omitempty"`
	// ControlMultiUser is when the control boot reached multi-user.target; 0: there was none.
	ControlMultiUser time.Duration `json:"control_multi_user_ns,omitempty"`
	// ControlLost is for how long others had the CPU until then.
	ControlLost time.Duration `json:"control_lost_ns,omitempty"`
	// PendingWorkerTTL counts from the cloud's ready; 0: no limit.
	PendingWorkerTTL time.Duration `json:"pending_worker_ttl_ns,omitempty"`
	Registered       bool          `json:"registered,omitempty"`

	// VectorRestarts is how many starts of Vector within 10 s are right (3).
	VectorRestarts int `json:"vector_restarts,omitempty"`
	// StartsAllowed overrides the starts allowed within 10 s for a unit.
	StartsAllowed map[string]int `json:"starts_allowed,omitempty"`
	// SubjectUnits are the units the subject brings.
	SubjectUnits []string `json:"subject_units,omitempty"`
	// EnvDigests are the vault's values as vector.env must have them: the first
	// 8 hex digits of each one's sha256, "-" for an empty one.
	EnvDigests map[string]string `json:"env_digests,omitempty"`
	// LogToken is the secret Vector must ship logs with (shared-axiom-platform-ingest-token).
	LogToken string `json:"log_token,omitempty"`

	// AllowedFailed are failures of the base image itself.
	AllowedFailed []Allowed `json:"allowed_failed,omitempty"`
	// MayWait are units whose job may be queued at the end: scenarios say what
	// waits rightly.
	MayWait []string `json:"may_wait,omitempty"`

	Hold          time.Duration `json:"hold_ns,omitempty"`           // Vector stays active for it at the end (5 s)
	DeliveryGrace time.Duration `json:"delivery_grace_ns,omitempty"` // lines younger than it at the end are not judged (5 s)
	Quiet         time.Duration `json:"quiet_ns,omitempty"`          // the subject does nothing for it at the end (5 s)
	Checks        []string      `json:"checks,omitempty"`            // empty: all
}

// delivers: Vector must run with the vault's values in the end.
func (e Expect) delivers() bool { return e.RoleEnv != Never && !e.NoCredentials }

// WithInstances adds to the subject's units the instances of its templates
// (systemd.unit(5)) that the boot had: it is they that start.
func (e Expect) WithInstances(b boot.Facts) Expect {
	var found []string
	for _, template := range e.SubjectUnits {
		prefix, suffix, ok := strings.Cut(template, "@.")
		for id := range b.Final.Units {
			if ok && strings.HasPrefix(id, prefix+"@") && strings.HasSuffix(id, "."+suffix) {
				found = append(found, id)
			}
		}
	}
	slices.Sort(found)
	e.SubjectUnits = slices.Concat(e.SubjectUnits, found)
	return e
}

// Allowed is a unit that may fail, by name or path.Match pattern, and why.
type Allowed struct {
	Unit   string `json:"unit"`
	Reason string `json:"reason"`
}

// Validate says what is wrong with an expectation, all of it.
func (e Expect) Validate() error {
	var errs []error
	switch e.RoleEnv {
	case Pre, Late, Never:
	default:
		errs = append(errs, fmt.Errorf("role_env %q: must be pre, late or never", e.RoleEnv))
	}
	for _, a := range e.AllowedFailed {
		if _, err := path.Match(a.Unit, ""); err != nil || a.Reason == "" {
			errs = append(errs, fmt.Errorf("allowed_failed %q: needs a unit (or pattern) and a reason", a.Unit))
		}
	}
	for _, p := range e.MayWait {
		if _, err := path.Match(p, ""); err != nil {
			errs = append(errs, fmt.Errorf("may_wait %q: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// emptyDigest is that of the empty value, which recordings write as "-".
const emptyDigest = "e3b0c442"

func (e Expect) withDefaults() Expect {
	e.CredentialsWithin = cmp.Or(e.CredentialsWithin, 30*time.Second)
	e.BootBudget = cmp.Or(e.BootBudget, time.Second)
	e.VectorRestarts = cmp.Or(e.VectorRestarts, 3)
	e.Hold = cmp.Or(e.Hold, 5*time.Second)
	e.DeliveryGrace = cmp.Or(e.DeliveryGrace, 5*time.Second)
	e.Quiet = cmp.Or(e.Quiet, 5*time.Second)
	e.LogToken = cmp.Or(e.LogToken, "shared-axiom-platform-ingest-token")
	e.EnvDigests = maps.Clone(e.EnvDigests)
	for name, digest := range e.EnvDigests {
		if digest == emptyDigest {
			e.EnvDigests[name] = "-"
		}
	}
	return e
}
