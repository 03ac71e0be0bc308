package fault

import (
	"encoding/json"
	"fmt"
	"time"
)

// Fault is one thing that goes wrong. Service and Kind must be set; what else
// may be, the kind's row says.
type Fault struct {
	Service string `yaml:"service" json:"service" jsonschema:"required" jsonschema_description:"The service it happens to"`
	Op      string `yaml:"op" json:"op,omitempty" jsonschema_description:"The operation it happens to (default: any)"`                                 // empty: any
	Secret  string `yaml:"secret" json:"secret,omitempty" jsonschema:"format=secret" jsonschema_description:"The secret it happens to (default: any)"` // empty: any
	Kind    Kind   `yaml:"kind" json:"kind" jsonschema:"required" jsonschema_description:"What goes wrong"`

	// From and Until count from the cloud's ready, which is under half a second
	// before PID 1's start. An Until of 0 is for ever.
	From  Duration `yaml:"from" json:"from,omitzero" jsonschema_description:"When it begins, since the machine's start (default: 0s)"`
	Until Duration `yaml:"until" json:"until,omitzero" jsonschema_description:"When it ends (default: never)"`
	// On and Off make it come and go, beginning with On at From.
	On  Duration `yaml:"on" json:"on,omitzero" jsonschema_description:"With off: how long it is there before it goes"`
	Off Duration `yaml:"off" json:"off,omitzero" jsonschema_description:"With on: how long it is gone before it comes back"`
	// Requests are those it happens to, counted from 1 among all that match
	// service, op and secret: "1-3", "2", "1,3,5", "4-". Empty: all.
	Requests string `yaml:"requests" json:"requests,omitempty" jsonschema:"format=requests" jsonschema_description:"The requests it happens to, counted from 1 (default: all)"`

	Status    int      `yaml:"status" json:"status,omitempty" jsonschema:"minimum=1" jsonschema_description:"HTTP status, with kind: status"`
	Code      string   `yaml:"code" json:"code,omitempty" jsonschema:"format=text" jsonschema_description:"The error's code"`
	InnerCode string   `yaml:"inner_code" json:"inner_code,omitempty" jsonschema:"format=text" jsonschema_description:"The inner error's code, of Key Vault"`
	Body      string   `yaml:"body" json:"body,omitempty" jsonschema:"format=text" jsonschema_description:"The whole body, instead of the service's own error"`
	Latency   Duration `yaml:"latency" json:"latency,omitzero" jsonschema_description:"How long the answer takes"`
	// RetryAfter is sent in whole seconds, rounded up, or as the date when it is over.
	RetryAfter   Duration `yaml:"retry_after" json:"retry_after,omitzero" jsonschema_description:"What Retry-After asks for"`
	RetryAfterAs string   `yaml:"retry_after_as" json:"retry_after_as,omitempty" jsonschema:"enum=seconds,enum=date" jsonschema_description:"Its form (default: seconds)"`

	// Value is the rotated secret's new one. It is made for each boot, so no
	// file has it.
	Value string `yaml:"-" json:"value,omitempty"`
}

// Forms of Retry-After, RFC 9110, section 10.2.3.
const (
	AsSeconds = "seconds"
	AsDate    = "date"
)

// Target is what a fault can happen to.
type Target struct{ Service, Op, Secret string }

func (f Fault) matches(t Target) bool {
	return f.Service == t.Service && (f.Op == "" || f.Op == t.Op) && (f.Secret == "" || f.Secret == t.Secret)
}

// InForce says whether the fault is in force at a time since the cloud's ready,
// requests not counted, and until when that stays so; 0 is for ever.
func (f Fault) InForce(at time.Duration) (in bool, until time.Duration) {
	from, end := f.From.Duration, f.Until.Duration
	switch {
	case at < from:
		return false, from
	case end > 0 && at >= end:
		return false, 0
	case f.On.Duration == 0:
		return true, end
	}
	period := f.On.Duration + f.Off.Duration
	began := at - (at-from)%period
	in, until = true, began+f.On.Duration
	if at >= until {
		in, until = false, began+period
	}
	if end > 0 {
		until = min(until, end)
	}
	return in, until
}

// Duration is a time.Duration that files write as 45s or 4m.
type Duration struct{ time.Duration }

// UnmarshalYAML reads 45s, 4m, 1m30s.
func (d *Duration) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	return d.parse(text)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Duration) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("duration %s is not a string such as \"45s\"", text)
	}
	return d.parse(s)
}

func (d *Duration) parse(text string) error {
	got, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("a duration such as 45s or 4m: %w", err)
	}
	d.Duration = got
	return nil
}

// MarshalJSON writes what the other two read.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }
