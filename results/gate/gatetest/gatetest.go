// Package gatetest has a run that passes the gate, and every way of spoiling it:
// one table for the tests of the decision and for those of the exit code.
//
//	for _, w := range gatetest.Ways() {
//		s := gatetest.Passing()
//		w.Spoil(&s)
//		decision := gate.Decide(s.Policy, s.Plan, s.Run, s.Now)
//	}
package gatetest

import (
	"fmt"
	"strings"
	"time"

	"bootrace/results"
	"bootrace/results/gate"
)

// Setup is what a gate decides on.
type Setup struct {
	Policy gate.Policy
	Plan   gate.Plan
	Run    results.Run
	Now    time.Time
}

// Digest is a SHA-256 in hex that is easy to tell apart.
func Digest(letter string) string { return strings.Repeat(letter, 64) }

// RealVector is how the real one names itself.
const RealVector = "vector 0.56.0 (x86_64-unknown-linux-gnu 1234567 2026-01-01 00:00:00.000000000)"

// Passing is two scenarios on two bases, booted twice each, all of which pass.
func Passing() Setup {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := Setup{Now: began.Add(time.Hour), Policy: gate.Policy{
		Scenarios: []string{"late", "never"}, Bases: []string{"trixie", "bookworm"}, Repeat: 2, Vector: gate.Real, MinCases: 1,
		File: "gate.yaml", Source: []byte("version: 1\n"),
	}}
	s.Plan = gate.Plan{
		Subject: "mine", Hash: Digest("a"), Checks: []string{"no-unit-failed", "registered", "start-rate"}, Harness: "v1",
		Scenarios: map[string]string{"late": Digest("1"), "never": Digest("2")},
		Images:    map[string]string{"trixie": "sha256:" + Digest("b"), "bookworm": "sha256:" + Digest("c")},
		Bases:     map[string]string{"trixie": "sha256:" + Digest("d"), "bookworm": "sha256:" + Digest("e")},
		Given:     []string{"sha256:" + Digest("f")},
	}
	s.Run = results.Run{
		Version: results.Version, ID: "20260301-120000-abcd", Started: began, Ended: began.Add(10 * time.Minute), Subject: "mine", Hash: Digest("a"),
		Vector: "real Vector from ./vector.deb", Dir: "/runs/20260301-120000-abcd", Versions: map[string]string{"engine": "20.10", "kernel": "6.12"},
		Images: map[string]string{"trixie": "sha256:" + Digest("b"), "bookworm": "sha256:" + Digest("c")},
		Bases:  map[string]string{"trixie": "sha256:" + Digest("d"), "bookworm": "sha256:" + Digest("e")},
		Given:  []string{"sha256:" + Digest("f")},
	}
	for n := 1; n <= 2; n++ {
		for _, scenario := range []string{"late", "never"} {
			for _, base := range []string{"trixie", "bookworm"} {
				c := passed(scenario, base, n, began)
				c.Image = s.Plan.Images[base]
				s.Run.Cases = append(s.Run.Cases, c)
				s.Plan.Cases = append(s.Plan.Cases, gate.Planned{ID: c.ID, Scenario: scenario, Base: base, Repetition: n, Expected: "pass"})
			}
		}
	}
	s.Run.Planned = len(s.Plan.Cases)
	return s
}

func passed(scenario, base string, n int, began time.Time) results.Case {
	id := fmt.Sprintf("%s@%s#%d", scenario, base, n)
	registered := "pass"
	if scenario == "never" {
		registered = "not-applicable"
	}
	return results.Case{
		ID: id, Scenario: scenario, Base: base, Repetition: n, Subject: "mine", Hash: Digest("a"), Backend: "container",
		Expected: "pass", Verdict: "pass", Reason: "3 checks", Vector: RealVector, Started: began, Duration: time.Minute, Waited: 50 * time.Second,
		Recording: "/runs/" + id + ".1",
		Attempts: []results.Attempt{{
			Verdict: "pass", Reason: "3 checks", Recording: "/runs/" + id + ".1",
			Versions:  map[string]string{"engine": "20.10", "kernel": "6.12", "systemd": "257.9", "cloud-init": "25.1", "vector": RealVector, results.VersionVectorDigest: strings.Repeat("5", 64)},
			Checks:    []results.Check{{Name: "no-unit-failed", Outcome: "pass"}, {Name: "registered", Outcome: registered}, {Name: "start-rate", Outcome: "pass"}},
			Boot:      &results.Boot{End: time.Minute, Measures: map[string]float64{results.MeasureMultiUser: 1.5 + float64(n), results.MeasureRestarts: 1}},
			Artifacts: []results.Artifact{{Name: "console.log", SHA256: Digest("0"), Size: 900}, {Name: "journal.json.gz", SHA256: Digest("9"), Size: 40000}},
		}},
	}
}

// Fail makes a check of the cases of a scenario fail; no base is all of them.
func (s *Setup) Fail(scenario, base, check string) {
	for i := range s.Run.Cases {
		c := &s.Run.Cases[i]
		if c.Scenario != scenario || base != "" && c.Base != base {
			continue
		}
		a := &c.Attempts[len(c.Attempts)-1]
		c.Verdict, c.Reason, a.Verdict = "fail", check+": too often", "fail"
		for n := range a.Checks {
			if a.Checks[n].Name == check {
				a.Checks[n].Outcome = "fail"
				a.Checks[n].Findings = []results.Finding{{Summary: "too often", At: time.Second}}
			}
		}
	}
}

// Expect makes a scenario one that expects to fail.
func (s *Setup) Expect(scenario string) {
	for i := range s.Plan.Cases {
		if s.Plan.Cases[i].Scenario == scenario {
			s.Plan.Cases[i].Expected, s.Run.Cases[i].Expected = "fail", "fail"
		}
	}
}

// Spoil makes the host have spoilt a case, three times.
func (s *Setup) Spoil(i int) {
	c := &s.Run.Cases[i]
	spoilt := c.Attempts[0]
	spoilt.Verdict, spoilt.Reason = "invalid", "the host's inotify instances are used up"
	c.Verdict, c.Reason, c.Attempts = "invalid", spoilt.Reason, []results.Attempt{spoilt, spoilt, spoilt}
}

// Set makes a case have come to a verdict without a word of its checks.
func (s *Setup) Set(i int, verdict, reason string) {
	c := &s.Run.Cases[i]
	c.Verdict, c.Reason, c.Attempts = verdict, reason, []results.Attempt{{Verdict: verdict, Reason: reason, Recording: c.Recording}}
}

// Waive waives start-rate in late, until the end of March.
func (s *Setup) Waive() *gate.Waiver {
	s.Policy.Waivers = append(s.Policy.Waivers, gate.Waiver{
		Scenario: "late", Check: "start-rate", Reason: "Vector 0.57 mends it", Owner: "ops@example.org", Expires: "2026-03-31",
	})
	return &s.Policy.Waivers[len(s.Policy.Waivers)-1]
}

// Way is one way in which a gate does not pass.
type Way struct {
	Name  string
	Kind  gate.Kind
	Spoil func(*Setup)
	// Mend undoes no more than makes it pass again; nil where [Passing] itself is
	// the other side.
	Mend func(*Setup)
}
