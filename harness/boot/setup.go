package boot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// RoleEnv says when the role env file comes.
type RoleEnv string

// When worker.env comes.
const (
	Pre   RoleEnv = "pre"   // there before the boot
	Late  RoleEnv = "late"  // written by cloud-final
	Never RoleEnv = "never" // not within the case
)

// Setup is what a case was: what is right in its boot depends on it.
type Setup struct {
	Base    string  `json:"base,omitempty"`
	Vector  string  `json:"vector,omitempty"`
	RoleEnv RoleEnv `json:"role_env"`
	// NoCredentials: the vault will not give them, though worker.env comes.
	NoCredentials bool `json:"no_credentials,omitempty"`
	// SubjectUnits are the units the subject brings.
	SubjectUnits []string `json:"subject_units,omitempty"`
	// Populator is the subject's unit that fetches the credentials; empty: it is not known.
	Populator string `json:"populator,omitempty"`
	// Image is what the image asks for that no machine of this kind has, seen as it lay there.
	Image []Asked `json:"image,omitempty"`
	// Presets are the units that the first boot's presets enable, which the build left disabled.
	Presets []string `json:"presets,omitempty"`
	// Faults are those of the scenario that the cloud's log shows when they happen.
	Faults []Fault `json:"faults,omitempty"`
	// EnvDigests are the vault's values, rotated ones after their rotation, as vector.env
	// must have them.
	EnvDigests Digests `json:"env_digests,omitempty"`
	// Boot is which boot of its machine it is, 0 for the first. EnvBefore are then the values
	// of the boot before.
	Boot      int     `json:"boot,omitempty"`
	EnvBefore Digests `json:"env_before,omitempty"`
	// RotatedBefore: the value of LogToken is another one than in the boot before.
	RotatedBefore bool `json:"rotated_before,omitempty"`
	// LogToken is the secret Vector must ship logs with.
	LogToken string `json:"log_token,omitempty"`
}

// Digests are those of variables' values, by name.
type Digests map[string]string

// empty is the digest of the empty value.
const empty = "-"

// DigestOf is the first 8 hex digits of the value's sha256; "-" for an empty one.
func DigestOf(value string) string {
	if value == "" {
		return empty
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:4])
}

// UnmarshalJSON knows the digest of the empty value, which older recordings have.
func (d *Digests) UnmarshalJSON(data []byte) error {
	var read map[string]string
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("digests of variables: %w", err)
	}
	for name, digest := range read {
		if digest == "e3b0c442" {
			read[name] = empty
		}
	}
	*d = read
	return nil
}

// Delivers: Vector must run with the vault's values in the end.
func (s Setup) Delivers() bool { return s.RoleEnv != Never && !s.NoCredentials }

// In adds to the subject's units those that only the boot shows: the instances of its
// templates (systemd.unit(5)), for it is they that start, and what a generator made, unless the
// control boots had it as well.
func (s Setup) In(b Facts, control Control) Setup {
	var instances []string
	for id, u := range b.Final.Units {
		if u.Generated && !ofDistribution.MatchString(id) && !slices.Contains(control.Active, id) && !slices.Contains(s.SubjectUnits, id) {
			instances = append(instances, id)
		}
	}
	for _, template := range s.SubjectUnits {
		prefix, suffix, ok := strings.Cut(template, "@.")
		for id := range b.Final.Units {
			if ok && strings.HasPrefix(id, prefix+"@") && strings.HasSuffix(id, "."+suffix) {
				instances = append(instances, id)
			}
		}
	}
	slices.Sort(instances)
	s.SubjectUnits = slices.Concat(s.SubjectUnits, instances)
	return s
}

// ofDistribution are units of the generators that images have anyway: of file systems, of
// systemd's own programs, and of netplan's network.
var ofDistribution = regexp.MustCompile(`^(?:systemd-|netplan-|cloud-|.*\.(?:mount|automount|swap|device|slice)$)`)

// Control is what the boots without the subject were, that a case's is compared with.
type Control struct {
	// MultiUser is when multi-user.target was reached; 0: there was no control boot.
	MultiUser time.Duration `json:"control_multi_user_ns,omitempty"`
	// Waited is for how long of that it had nothing to do but to wait for a late network:
	// from basic.target on. Its CPU is nobody's loss.
	Waited time.Duration `json:"control_waited_ns,omitempty"`
	// Lost is for how long others had the CPU in the rest of it.
	Lost time.Duration `json:"control_lost_ns,omitempty"`
	// Active are the units that all control boots had active by then (Facts.Lasting); none: not known.
	Active []string `json:"control_active,omitempty"`
}

// Spoilt: other processes had the CPU for most of the time, which says more of the host than of
// the image.
func (c Control) Spoilt() bool { return c.Lost > (c.MultiUser-c.Waited)/2 }

// Own is the time that the boot took without what others had of it and what it waited.
func (c Control) Own() time.Duration { return c.MultiUser - c.Waited - c.Lost }
