package check

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"bootrace/harness/boot"
)

// Expect is what a case must come to: what the case was, what its control boots were, and
// how far from right is still right.
type Expect struct {
	boot.Setup
	boot.Control
	Limits
	Checks []string `json:"checks,omitempty"` // empty: all
}

// Limits are those that a scenario sets; package scenarios has their defaults. What is
// the same for every case is a constant beside the check that it is for.
type Limits struct {
	// CredentialsWithin is the time from worker.env complete to a Vector started with the
	// vault's values.
	CredentialsWithin time.Duration `json:"credentials_within_ns,omitempty"`
	// BootBudget is what the subject may cost the boot.
	BootBudget time.Duration `json:"boot_budget_ns,omitempty"`
	// Registered: the worker must register, and within PendingWorkerTTL of the cloud's
	// ready; 0: no limit.
	Registered       bool          `json:"registered,omitempty"`
	PendingWorkerTTL time.Duration `json:"pending_worker_ttl_ns,omitempty"`
	// StartsAllowed overrides the starts allowed within 10 s for a unit.
	StartsAllowed map[string]int `json:"starts_allowed,omitempty"`
	// AllowedFailed are failures of the base image itself.
	AllowedFailed []Allowed `json:"allowed_failed,omitempty"`
	Declared
}

// Declared is what the subject says of itself, each with a reason that is shown.
type Declared struct {
	// Writes are the files beside vector.env in which it keeps credentials: they may hold
	// secrets, and others may not have them.
	Writes []Written `json:"writes,omitempty"`
	// MayFail are its units that may fail.
	MayFail []Allowed `json:"may_fail,omitempty"`
	// NotJudged are the checks that say nothing of it.
	NotJudged []Unjudged `json:"not_judged,omitempty"`
}

// Judges: the check says something of the subject.
func (d Declared) Judges(check string) bool {
	return !slices.ContainsFunc(d.NotJudged, func(u Unjudged) bool { return u.Check == check })
}

// Written is a file, and why it holds credentials.
type Written struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Unjudged is a check, and why it is not asked.
type Unjudged struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
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
	case boot.Pre, boot.Late, boot.Never:
	default:
		errs = append(errs, fmt.Errorf("role_env %q: must be pre, late or never", e.RoleEnv))
	}
	for name, limit := range map[string]time.Duration{"credentials_within_ns": e.CredentialsWithin, "boot_budget_ns": e.BootBudget} {
		if limit <= 0 {
			errs = append(errs, fmt.Errorf("%s %d: must be a time", name, limit))
		}
	}
	for _, a := range slices.Concat(e.AllowedFailed, e.MayFail) {
		if _, err := path.Match(a.Unit, ""); err != nil || a.Reason == "" {
			errs = append(errs, fmt.Errorf("allowed_failed %q: needs a unit (or pattern) and a reason", a.Unit))
		}
	}
	for _, w := range e.Writes {
		if w.File == "" || w.Reason == "" {
			errs = append(errs, fmt.Errorf("writes %q: needs a file and a reason", w.File))
		}
	}
	for _, u := range e.NotJudged {
		if !slices.Contains(Names(), u.Check) || u.Reason == "" {
			errs = append(errs, fmt.Errorf("not_judged %q: needs a check and a reason", u.Check))
		}
	}
	return errors.Join(errs...)
}
