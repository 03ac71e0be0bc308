package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is the version of Vector that the stand-in plays.
type Version struct {
	Major, Minor, Patch int
}

// ParseVersion reads `0.56.0` or `0.56`.
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(strings.TrimSpace(s), ".")
	if len(parts) != 2 && len(parts) != 3 {
		return Version{}, fmt.Errorf("version %q: want MAJOR.MINOR[.PATCH]", s)
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return Version{}, fmt.Errorf("version %q: %q is not a number", s, part)
		}
		numbers[i] = int(n)
	}
	return Version{numbers[0], numbers[1], numbers[2]}, nil
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Before compares two versions.
func (v Version) Before(other Version) bool {
	if v.Major != other.Major {
		return v.Major < other.Major
	}
	if v.Minor != other.Minor {
		return v.Minor < other.Minor
	}
	return v.Patch < other.Patch
}

// Interpolates reports whether this generation puts environment variables into its configuration: always before 0.57,
// from then on only when asked to by VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION (Vector 0.57 upgrade guide).
func (v Version) Interpolates(allowed bool) bool {
	return v.Major == 0 && v.Minor < 57 || allowed
}

// Confines reports whether templates must begin with a literal: from 0.57 on (its upgrade guide).
func (v Version) Confines() bool { return v.Major > 0 || v.Minor >= 57 }

// ConfinesBare reports whether `validate --no-environment` refuses such templates: 0.57 does not (its upgrade guide), 0.58.0
// was seen to.
func (v Version) ConfinesBare() bool { return v.Major > 0 || v.Minor >= 58 }

// ChecksPrograms reports whether `validate --no-environment` compiles the programs: from 0.57 on.
func (v Version) ChecksPrograms() bool { return v.Major > 0 || v.Minor >= 57 }
