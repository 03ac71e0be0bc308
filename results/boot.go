package results

import (
	"math"
	"slices"
	"time"
)

// Names of measures. A measure that could not be taken is absent, never zero.
const (
	MeasureMultiUser   = "multi_user_s"        // PID 1's start to multi-user.target, seconds
	MeasureControl     = "control_s"           // the same of the control boot
	MeasureCredentials = "credentials_s"       // worker.env complete to Vector running with the vault's values, seconds
	MeasureRestarts    = "restarts"            // starts of Vector after its first
	MeasureHeadroom    = "start_headroom"      // starts left of StartLimitBurst, of the unit that has the fewest left
	MeasureLines       = "lines_logged"        // numbered lines that were logged
	MeasureDelivered   = "lines_delivered"     // those that are at Axiom
	MeasureRequests    = "credential_requests" // requests to IMDS and the vault
)

// Median is that of a measure's values; of none it is NaN.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted, n := slices.Sorted(slices.Values(values)), len(values)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Boot is what a boot looked like: what reports draw and history compares. All
// times are since the boot clock's zero, PID 1's start.
type Boot struct {
	Zero     time.Time          `json:"zero,omitzero"` // the wall clock at the boot clock's zero; zero: not known
	End      time.Duration      `json:"end_ns"`
	Measures map[string]float64 `json:"measures,omitempty"`
	Chain    []Link             `json:"chain,omitempty"`  // what multi-user.target was up after, the last first
	Events   []Event            `json:"events,omitempty"` // by time
	Lines    []LineCount        `json:"lines,omitempty"`  // by time
}

// Link is a unit of the critical chain, as systemd-analyze critical-chain has it.
type Link struct {
	Unit  string        `json:"unit"`
	Began time.Duration `json:"began_ns"`
	Ended time.Duration `json:"ended_ns"`
}

// Lane says what an event is about, and where a picture draws it.
type Lane string

// Lanes.
const (
	LaneWaiting Lane = "waiting" // a start job that waits: from the transaction's start to the unit's
	LaneStart   Lane = "start"   // a unit that starts: activating
	LaneActive  Lane = "active"  // a unit that is active
	LaneStop    Lane = "stop"    // a unit that stops: deactivating
	LaneFailed  Lane = "failed"  // a unit that failed, or a start that was refused; a moment
	LaneFile    Lane = "file"    // worker.env or vector.env changed; a moment
	LaneRequest Lane = "request" // a request to the cloud, arrival to answer
	LaneMoment  Lane = "moment"  // a step of the scenario, a registration
)

// Event is a moment or a span of a boot.
type Event struct {
	At    time.Duration `json:"at_ns"`
	Until time.Duration `json:"until_ns,omitempty"` // 0: a moment
	Lane  Lane          `json:"lane"`
	Name  string        `json:"name"`           // the unit, the file, the cloud's service
	Text  string        `json:"text,omitempty"` // what happened
	Bad   bool          `json:"bad,omitempty"`  // a failure, a refusal, an answer other than 2xx (Key Vault's challenge is none)
}

// LineCount is how many numbered lines had been logged, and had been delivered
// to Axiom, by then.
type LineCount struct {
	At        time.Duration `json:"at_ns"`
	Logged    int           `json:"logged"`
	Delivered int           `json:"delivered"`
}

// Sample is a case as history sees it: its inputs, its verdict, and the measures
// of the boot that decided. It is read without the case's document.
type Sample struct {
	Run      string             `json:"run"`
	Case     string             `json:"case"`
	Started  time.Time          `json:"started"`
	Scenario string             `json:"scenario"`
	Base     string             `json:"base"`
	Subject  string             `json:"subject"`
	Hash     string             `json:"subject_hash"`
	Backend  string             `json:"backend"`
	Vector   string             `json:"vector"`
	Expected string             `json:"expected"`
	Verdict  string             `json:"verdict"`
	Attempts int                `json:"attempts"`
	Versions map[string]string  `json:"versions,omitempty"` // of the boot that decided
	Measures map[string]float64 `json:"measures,omitempty"`
}

// Filter chooses samples; a zero field chooses all.
type Filter struct {
	Run      string    // a run's whole id
	Scenario string    // a scenario's name
	Base     string    // a base's name
	Subject  string    // a subject's name
	Since    time.Time // of the case's start
	Runs     int       // the newest so many runs
}
