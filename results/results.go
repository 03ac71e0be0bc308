// Package results is the record of what runs came to: the types that are stored,
// printed as JSON and read by others. It knows nothing of how a verdict is made.
package results

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Version is the version of the JSON form.
const Version = 1

// Run is one invocation of bootrace run.
type Run struct {
	Version  int               `json:"version"`
	ID       string            `json:"id"`
	Started  time.Time         `json:"started"`
	Ended    time.Time         `json:"ended,omitzero"` // zero: it goes on, or was cut off
	Subject  string            `json:"subject"`
	Hash     string            `json:"subject_hash"`
	Vector   string            `json:"vector"` // stand-in, or where the real one came from
	Planned  int               `json:"planned"`
	Dir      string            `json:"dir"` // of the recordings
	Versions map[string]string `json:"versions,omitempty"`
	Plan     string            `json:"plan_sha256,omitempty"` // of the cases to be and of their scenarios' text, hex; a shard's is that of the whole plan
	Shard    *Shard            `json:"shard,omitempty"`       // nil: the whole plan
	Shards   []string          `json:"shards,omitempty"`      // the runs that it was merged of
	Request  *Request          `json:"request,omitempty"`     // nil: the run cannot be resumed
	Images   map[string]string `json:"images,omitempty"`      // by base, the id of the worker image that boots; none with several subjects
	Bases    map[string]string `json:"bases,omitempty"`       // by base, the id of the image that the worker is made of
	Given    []string          `json:"given,omitempty"`       // digests of the image that --image named: its id, and what registries know it by
	Found    []ImageFinding    `json:"found,omitempty"`       // what lies in the images that it should not have, or that is worth to know
	// Labels are where the run was made, and what its maker says of it: host, and in CI commit,
	// branch and ci, a link; others as --label has them.
	Labels map[string]string `json:"labels,omitempty"`
	Cases  []Case            `json:"cases,omitempty"`
}

// Labelled reports whether the run has all of the labels.
func (r Run) Labelled(want map[string]string) bool {
	for name, value := range want {
		if have, ok := r.Labels[name]; !ok || have != value {
			return false
		}
	}
	return true
}

// Tested says what was tested, in a line: the subject, a few of them, or how many.
func (r Run) Tested() string {
	const most = 3
	switch names := strings.Split(r.Subject, ","); {
	case len(names) == 1:
		return "subject " + r.Subject
	case len(names) <= most:
		return "subjects " + strings.Join(names, ", ")
	default:
		return fmt.Sprintf("%d subjects, %s to %s", len(names), names[0], names[len(names)-1])
	}
}

// ImageFinding is something that lies in a worker image before it boots.
type ImageFinding struct {
	Subject string `json:"subject"`
	Base    string `json:"base"`
	Name    string `json:"name"`    // its kind
	Problem bool   `json:"problem"` // else a note
	Text    string `json:"text"`
}

// Request is what a run was asked for: enough to make its plan again. Paths are
// absolute.
type Request struct {
	Scenarios []string `json:"scenarios,omitempty"` // names, sizes, files; none: the default
	Bases     []string `json:"bases"`
	Subjects  []string `json:"subjects,omitempty"` // directories; none: the populator, or Image
	Image     string   `json:"image,omitempty"`
	AsIs      bool     `json:"as_is,omitempty"`  // images boot as they were left
	Vector    string   `json:"vector,omitempty"` // a real Vector's source; empty: the stand-in
	Repeat    int      `json:"repeat"`
}

// Case is one case with all its attempts.
type Case struct {
	ID         string        `json:"id"`
	Scenario   string        `json:"scenario"`
	Base       string        `json:"base"`
	Subject    string        `json:"subject"`
	Hash       string        `json:"subject_hash"`
	Image      string        `json:"image,omitempty"` // id of the worker image that booted
	Backend    string        `json:"backend"`
	Repetition int           `json:"repetition"`
	Expected   string        `json:"expected"` // the verdict that the scenario expects
	Verdict    string        `json:"verdict"`
	Reason     string        `json:"reason"`
	Vector     string        `json:"vector"` // as the program in the machine named itself
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration_ns"`
	Waited     time.Duration `json:"waited_ns"`          // what of it the scenario itself waits for
	Recording  string        `json:"recording"`          // directory of the attempt that decided
	Attempts   []Attempt     `json:"attempts,omitempty"` // none: it was not booted
	Kept       string        `json:"kept,omitempty"`     // command that opens a shell in the kept machine
}

// AsExpected reports whether the verdict is the one that the scenario expects: a
// pass, or the fail of a known failure. What was not judged is never expected.
func (c Case) AsExpected() bool {
	return c.Verdict == c.Expected && (c.Verdict == "pass" || c.Verdict == "fail")
}

// Unjudged reports whether nothing is said of the subject, good or bad: the host spoilt the
// boot, a container cannot show it, a log proves nothing, or the scenario could not do what it says.
func (c Case) Unjudged() bool {
	return slices.Contains([]string{"invalid", "error", "untestable", "not-judged", notApplicable}, c.Verdict)
}

// notApplicable is the verdict of a scenario that could not do what it says.
const notApplicable = "not-applicable"

// Applies reports whether the scenario could do what it says. What does not apply is
// neither as expected nor wrong.
func (c Case) Applies() bool { return c.Verdict != notApplicable }

// Told is the reason as it is told. That of a pass does not say what is wrong with
// it: where a known failure passes, it is what was expected.
func (c Case) Told() string {
	if c.Verdict == "pass" && !c.AsExpected() {
		return fmt.Sprintf("expected to %s, and passes: %s", c.Expected, c.Reason)
	}
	return c.Reason
}

// Inputs names what a case shares with its repetitions: the scenario and the base,
// with the subject before them where there are several.
func (c Case) Inputs() string {
	if i := strings.LastIndexByte(c.ID, '#'); i >= 0 { // a base may have one in its name
		return c.ID[:i]
	}
	return c.ID
}

// Decided is the boot whose verdict became the case's.
func (c Case) Decided() Attempt {
	for _, a := range c.Attempts {
		if a.Recording == c.Recording {
			return a
		}
	}
	return Attempt{}
}

// Change is what would have to change for a case that failed; empty where that is not known.
func (c Case) Change() string { return c.Decided().Change }

// Boots are those of the machine that decided, in order: as a rule one.
func (c Case) Boots() []Attempt {
	i := slices.IndexFunc(c.Attempts, func(a Attempt) bool { return a.Recording == c.Recording })
	if i < 0 {
		return nil
	}
	from, to := i, i+1
	for from > 0 && c.Attempts[from].Number > 1 {
		from--
	}
	for to < len(c.Attempts) && c.Attempts[to].Number > 1 && c.Attempts[to].Number == c.Attempts[to-1].Number+1 {
		to++
	}
	return c.Attempts[from:to]
}

// Machines is how many machines were booted for the case: more than one where the host
// spoilt a boot.
func (c Case) Machines() (n int) {
	for _, a := range c.Attempts {
		if a.Number <= 1 {
			n++
		}
	}
	return n
}

// Name is what a boot is called beside the others of its machine; empty for an only one.
func (a Attempt) Name() string {
	if a.Number == 0 {
		return ""
	}
	return fmt.Sprintf("boot %d", a.Number)
}

// VersionVectorDigest is, among a boot's versions, the SHA-256 of the Vector that
// ran, in hex.
const VersionVectorDigest = "vector-sha256"

// RanVector names each Vector that ran, as the machines found it, with the beginning
// of its digest where it is known; else the one that was planned.
func (r Run) RanVector() string {
	var all []string
	for _, c := range r.Cases {
		if c.Vector == "" || c.Vector == "unknown" {
			continue
		}
		name := WithDigest(c.Vector, c.Decided().Versions[VersionVectorDigest])
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return r.Vector
	}
	return strings.Join(all, ", ")
}

// WithDigest is a program as it is shown: its name and the beginning of its digest.
func WithDigest(name, digest string) string {
	if digest == "" {
		return name
	}
	return fmt.Sprintf("%s sha256:%.12s", name, digest)
}

// Flaky are inputs whose repetitions came to different verdicts.
type Flaky struct {
	Inputs string // see Case.Inputs
	Pass   int
	Fail   int
}

// Flaky returns them in the order of the cases. What could not be judged is no verdict.
func (r Run) Flaky() []Flaky {
	var all []Flaky
	for _, c := range r.Cases {
		i := slices.IndexFunc(all, func(f Flaky) bool { return f.Inputs == c.Inputs() })
		if i < 0 {
			i = len(all)
			all = append(all, Flaky{Inputs: c.Inputs()})
		}
		switch c.Verdict {
		case "pass":
			all[i].Pass++
		case "fail":
			all[i].Fail++
		}
	}
	return slices.DeleteFunc(all, func(f Flaky) bool { return f.Pass == 0 || f.Fail == 0 })
}

// Attempt is one boot of a case.
type Attempt struct {
	Verdict   string            `json:"verdict"`
	Reason    string            `json:"reason"`
	Change    string            `json:"change,omitempty"` // what would have to change, where it failed and that is known
	Recording string            `json:"recording"`
	Number    int               `json:"number,omitempty"` // which boot of its machine it is; 0: the only one
	Versions  map[string]string `json:"versions,omitempty"`
	Checks    []Check           `json:"checks,omitempty"`
	Boot      *Boot             `json:"boot,omitempty"` // nil: there is no recording to see it in
	Artifacts []Artifact        `json:"artifacts,omitempty"`
}

// Artifact is a file of a recording, by its content.
type Artifact struct {
	Name   string `json:"name"`   // within the recording
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// Check is one check's outcome.
type Check struct {
	Name     string    `json:"name"`
	Outcome  string    `json:"outcome"`
	Note     string    `json:"note,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is what a check saw, with its evidence.
type Finding struct {
	Summary  string        `json:"summary"`
	At       time.Duration `json:"at_ns"` // since the boot clock's zero
	Unit     string        `json:"unit,omitempty"`
	Evidence []Evidence    `json:"evidence,omitempty"`
	// Host is by what the host, or what a machine of its kind lacks, explains it, so that it did
	// not decide; empty: by nothing.
	Host string `json:"host,omitempty"`
}

// Evidence is a line of a file of the recording.
type Evidence struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}
