package run

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"bootrace/scenarios"
)

// Matrix is what each scenario is tried on.
type Matrix struct {
	Bases   []string
	Subject string // its name
	Vector  string // "stand-in" or where the real one came from
	Repeat  int    // boots of each combination; at least 1
}

// Case is one boot to judge.
type Case struct {
	ID         string // delay-45s@trixie#1, unique within a plan
	Scenario   scenarios.Scenario
	Base       string
	Subject    string
	Vector     string
	Repetition int // from 1
}

// Plan makes cases of scenarios and of what to try them on: pure, and no word on how they
// are run. It returns them, those that take longest first: a run then takes little
// longer than its longest scenario. Within equals the order is that of the
// arguments, repetition by repetition. A base that is named twice counts once:
// two cases of one id would be stored as one. Scenarios must differ in name.
func Plan(list []scenarios.Scenario, m Matrix) []Case {
	var bases []string
	for _, base := range m.Bases {
		if !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	var out []Case
	for n := 1; n <= max(1, m.Repeat); n++ {
		for _, s := range list {
			for _, base := range bases {
				out = append(out, Case{
					ID:       fmt.Sprintf("%s@%s#%d", s.Name, base, n),
					Scenario: s, Base: base, Subject: m.Subject, Vector: m.Vector, Repetition: n,
				})
			}
		}
	}
	longestFirst(out)
	return out
}

// Merge makes one plan of several, one a subject; the cases' ids begin with the
// subject's name. Subjects take turns, repetition by repetition: what a host does
// to one in the course of a run, it does to the others.
func Merge(plans ...[]Case) []Case {
	out := slices.Concat(plans...)
	for i := range out {
		out[i].ID = out[i].Subject + "/" + out[i].ID
	}
	slices.SortStableFunc(out, func(a, b Case) int { return cmp.Compare(a.Repetition, b.Repetition) })
	longestFirst(out)
	return out
}

func longestFirst(cases []Case) {
	slices.SortStableFunc(cases, func(a, b Case) int { return cmp.Compare(about(b.Scenario), about(a.Scenario)) })
}

// aBoot is about what a boot takes beside others, from its start to worker.env and from what
// was delivered to its verdict.
const aBoot = 5 * time.Second

// about is how long a case takes, roughly: for the order alone.
func about(s scenarios.Scenario) time.Duration {
	all := s.Waits()
	for _, b := range s.EachBoot() {
		all += aBoot
		for _, f := range b.Cloud.Faults {
			all += f.Delays()
		}
	}
	return all
}

// PlanHash identifies a plan: its cases and the text of their scenarios, in order.
func PlanHash(cases []Case) string {
	h := sha256.New()
	for _, c := range cases {
		fmt.Fprintf(h, "%q %q %x\n", c.ID, c.Vector, sha256.Sum256(c.Scenario.Source))
	}
	return hex.EncodeToString(h.Sum(nil))
}
