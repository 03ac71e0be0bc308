package keyvault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Limits of a secret (about-secrets; about-keys-secrets-certificates).
const (
	namePattern = `^[0-9A-Za-z-]{1,127}$` // "a 1-127 character string … 0-9, a-z, A-Z, and -"
	maxValue    = 25 << 10                // "Secrets … maximum size 25k bytes"
	maxType     = 255
	maxTags     = 15
	maxTag      = 256 // of a tag's name, and of its value
)

// Seeds are the secrets that a vault has when it starts, by name.
type Seeds map[string]Seed

// Seed is one of them. A configuration has it as the value alone, as a version,
// or as several:
//
//	"the value"
//	{"value": "…", "enabled": false, "deleted": true}
//	{"versions": [{"value": "the first"}, {"value": "the current one"}]}
type Seed struct {
	Versions []Version `json:"versions"` // oldest first
	Deleted  bool      `json:"deleted,omitempty"`
}

// Version is one version of a secret.
type Version struct {
	ID          string            `json:"version,omitempty"` // 32 hexadecimal digits
	Value       string            `json:"value"`
	ContentType string            `json:"content_type,omitempty"`
	Enabled     *bool             `json:"enabled,omitempty"` // nil is true
	NotBefore   *int64            `json:"nbf,omitempty"`     // integer Unix times
	Expires     *int64            `json:"exp,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Text returns a secret that is a value and nothing else.
func Text(value string) Seed { return Seed{Versions: []Version{{Value: value}}} }

// Values are all that must not be shown.
func (s Seed) Values() []string {
	var values []string
	for _, v := range s.Versions {
		values = append(values, v.Value)
	}
	return values
}

// Current returns each secret's current value.
func (s Seeds) Current() map[string]string {
	current := make(map[string]string, len(s))
	for name, seed := range s {
		if n := len(seed.Versions); n > 0 {
			current[name] = seed.Versions[n-1].Value
		}
	}
	return current
}

// UnmarshalJSON says in which secret an error is.
func (s *Seeds) UnmarshalJSON(text []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	*s = make(Seeds, len(raw))
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		seed, err := decodeSeed(raw[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("secret %q: %w", name, err))
			continue
		}
		(*s)[name] = seed
	}
	return errors.Join(problems...)
}

func decodeSeed(text []byte) (Seed, error) {
	switch text[0] { // a RawMessage is never empty, and begins with no space
	case '"':
		var value string
		if err := json.Unmarshal(text, &value); err != nil {
			return Seed{}, err
		}
		return Text(value), nil
	case '{':
	default:
		return Seed{}, errors.New("neither a string nor an object")
	}
	var object struct {
		Version
		Value    *string `json:"value"`
		Deleted  bool    `json:"deleted"`
		Versions []struct {
			Version
			Value *string `json:"value"`
		} `json:"versions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&object); err != nil {
		return Seed{}, err
	}
	seed := Seed{Deleted: object.Deleted}
	if object.Versions == nil {
		if object.Value == nil {
			return Seed{}, errors.New("has neither value nor versions")
		}
		object.Version.Value = *object.Value
		seed.Versions = []Version{object.Version}
		return seed, nil
	}
	if object.Value != nil || object.Version.described() {
		return Seed{}, errors.New("has versions, so that what describes one belongs into them")
	}
	for i, v := range object.Versions {
		if v.Value == nil {
			return Seed{}, fmt.Errorf("versions[%d] has no value", i)
		}
		v.Version.Value = *v.Value
		seed.Versions = append(seed.Versions, v.Version)
	}
	return seed, nil
}

func (v Version) described() bool {
	return v.ID != "" || v.ContentType != "" || v.Enabled != nil || v.NotBefore != nil || v.Expires != nil || v.Tags != nil
}

// Validate tells of everything that is wrong, and of no value.
func (s Seeds) Validate() error {
	var problems []error
	isName := regexp.MustCompile(namePattern)
	isID := regexp.MustCompile(`^[0-9a-f]{32}$`)
	names := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		problem := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("secret %q: "+format, append([]any{name}, args...)...))
		}
		if !isName.MatchString(name) {
			problem("a name is 1 to 127 letters, digits and hyphens")
		}
		if other, taken := names[key(name)]; taken {
			problem("is the same name as %q, case does not count", other)
		}
		names[key(name)] = name
		if len(s[name].Versions) == 0 {
			problem("has no version")
		}
		ids := make(map[string]bool)
		for _, v := range s[name].Versions {
			if v.ID != "" && !isID.MatchString(v.ID) {
				problem("version %q is not 32 lower-case hexadecimal digits", v.ID)
			}
			if v.ID != "" && ids[v.ID] {
				problem("version %q is there twice", v.ID)
			}
			ids[v.ID] = true
			if err := v.withinLimits(); err != nil {
				problem("%w", err)
			}
		}
	}
	return errors.Join(problems...)
}

func (v Version) withinLimits() error {
	if len(v.Value) > maxValue {
		return fmt.Errorf("its value has %d bytes, a vault takes %d", len(v.Value), maxValue)
	}
	if len(v.ContentType) > maxType {
		return fmt.Errorf("its content type has %d bytes, a vault takes %d", len(v.ContentType), maxType)
	}
	if len(v.Tags) > maxTags {
		return fmt.Errorf("it has %d tags, a vault takes %d", len(v.Tags), maxTags)
	}
	for name, value := range v.Tags {
		if len(name) > maxTag || len(value) > maxTag {
			return fmt.Errorf("a tag's name or value is longer than %d", maxTag)
		}
	}
	return nil
}

// key is what a name is found by: "a case-insensitive identifier called the
// object identifier" (about-keys-secrets-certificates, Object identifiers).
func key(name string) string { return strings.ToLower(name) }
