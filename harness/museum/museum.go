// Package museum keeps the designs that broke production, each rebuilt as a
// subject, with what the harness must say of it in each scenario. A design that
// is caught by another check than its own does not count as caught.
//
//	incidents, err := museum.Read(os.DirFS(dir))
//	plan, err := museum.Plan(incidents, matrix)
//	cases := …                                  // what became of it
//	cells := museum.Compare(incidents, cases)
package museum

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"bootrace/harness/run"
	"bootrace/results"
	"bootrace/scenarios"
)

// Dir is where the incidents lie, below the module's root.
const Dir = "harness/museum"

// Incident is one design, and what became of it.
type Incident struct {
	ID         string `yaml:"-"` // its directory, which is a subject as well
	Design     string `yaml:"design"`
	Production string `yaml:"production"` // what was seen there
	// Vector is the one that it needs, as --vector says it; empty: the run's.
	Vector string `yaml:"vector"`
	// Before is the Vector with which the same image worked: it passes in every cell.
	Before string `yaml:"before"`
	// Cells are by scenario the checks that must fail; none where the design works.
	Cells map[string][]string `yaml:"cells"`
	// Says is by check what a finding of it must say, for it to be of this design: a
	// part of its summary, which names the unit.
	Says map[string]string `yaml:"says"`
}

// Read reads every incident of the museum's directory, in the order of ids.
func Read(dir fs.FS) ([]Incident, error) {
	files, err := fs.Glob(dir, "*/incident.yaml")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no incident", Dir)
	}
	var out []Incident
	for _, file := range files {
		text, err := fs.ReadFile(dir, file)
		if err != nil {
			return nil, err
		}
		i := Incident{ID: path.Dir(file)}
		if err := yaml.UnmarshalWithOptions(text, &i, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", Dir, file, err)
		}
		out = append(out, i)
	}
	return out, nil
}

// Subject is what one or several cells boot.
type Subject struct {
	Name   string
	Dir    string // below the museum's
	Vector string // empty: the run's
}

// Subjects are those of the incidents, in their order.
func Subjects(incidents []Incident) []Subject {
	var out []Subject
	for _, i := range incidents {
		out = append(out, i.subjects()...)
	}
	return out
}

// subjects are the design, and the same with the Vector of before.
func (i Incident) subjects() []Subject {
	out := []Subject{{i.ID, i.ID, i.Vector}}
	if i.Before != "" {
		out = append(out, Subject{i.ID + "-before", i.ID, i.Before})
	}
	return out
}

// Plan returns the cases of all incidents. A scenario in which a design must be
// caught expects to fail.
func Plan(incidents []Incident, m run.Matrix) ([]run.Case, error) {
	var plans [][]run.Case
	for _, i := range incidents {
		for _, subject := range i.subjects() {
			cases, err := i.plan(subject, m)
			if err != nil {
				return nil, err
			}
			plans = append(plans, cases)
		}
	}
	return run.Merge(plans...), nil
}

// want are the checks that must fail with the subject in the scenario.
func (i Incident) want(s Subject, scenario string) []string {
	if s.Name != i.ID {
		return nil
	}
	return i.Cells[scenario]
}

func (i Incident) plan(subject Subject, m run.Matrix) ([]run.Case, error) {
	var list []scenarios.Scenario
	for _, name := range slices.Sorted(maps.Keys(i.Cells)) {
		s, err := scenarios.Find(name)
		if err != nil {
			return nil, fmt.Errorf("incident %s: %w", i.ID, err)
		}
		if len(i.want(subject, name)) > 0 {
			s.Expect.Verdict = "fail"
		}
		list = append(list, s)
	}
	m.Subject, m.Vector = subject.Name, cmp.Or(subject.Vector, m.Vector)
	return run.Plan(list, m), nil
}

// Cell is what the harness said of one design in one scenario, all boots of it.
type Cell struct {
	Incident string
	Scenario string
	Vector   string            // the one that the incident names; empty: the run's
	Want     []string          // the checks that must fail; none: it must pass
	Says     map[string]string // by check what it must say
	Cases    []results.Case    // its boots
}

// Wrong says what is not as it must be, empty if all is.
func (c Cell) Wrong() string {
	if len(c.Cases) == 0 {
		return "never ran"
	}
	for _, b := range c.Cases {
		if !b.AsExpected() {
			return fmt.Sprintf("%s: %s, must %s: %s", b.ID, b.Verdict, b.Expected, b.Reason)
		}
		for _, check := range c.Want {
			if failed := Failed(b); !slices.Contains(failed, check) {
				return fmt.Sprintf("%s: caught for another reason: %s did not fail, %v did", b.ID, check, failed)
			}
			if _, ok := says(b, check, c.Says[check]); !ok {
				return fmt.Sprintf("%s: caught for another reason: no finding of %s says %q", b.ID, check, c.Says[check])
			}
		}
	}
	return ""
}

// Evidence is what the first check that must fail says of the design.
func (c Cell) Evidence() (results.Finding, bool) {
	if len(c.Cases) == 0 || len(c.Want) == 0 {
		return results.Finding{}, false
	}
	return says(c.Cases[0], c.Want[0], c.Says[c.Want[0]])
}

// says is the check's first finding that has the text.
func says(c results.Case, check, text string) (results.Finding, bool) {
	for _, r := range c.Decided().Checks {
		if r.Name != check {
			continue
		}
		for _, f := range r.Findings {
			if strings.Contains(f.Summary, text) {
				return f, true
			}
		}
	}
	return results.Finding{}, false
}

// Failed names the checks that failed in the boot that decided the case.
func Failed(c results.Case) []string {
	var out []string
	for _, check := range c.Decided().Checks {
		if check.Outcome == "fail" {
			out = append(out, check.Name)
		}
	}
	return out
}

// Compare sorts the cases into the incidents' cells, in their order.
func Compare(incidents []Incident, cases []results.Case) []Cell {
	var out []Cell
	for _, i := range incidents {
		for _, subject := range i.subjects() {
			for _, scenario := range slices.Sorted(maps.Keys(i.Cells)) {
				cell := Cell{Incident: i.ID, Scenario: scenario, Vector: subject.Vector, Want: i.want(subject, scenario), Says: i.Says}
				for _, c := range cases {
					if c.Subject == subject.Name && c.Scenario == scenario {
						cell.Cases = append(cell.Cases, c)
					}
				}
				out = append(out, cell)
			}
		}
	}
	return out
}
