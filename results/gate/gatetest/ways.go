package gatetest

import (
	"time"

	"bootrace/results"
	"bootrace/results/gate"
)

// secondBoot gives a case's machine another boot.
func secondBoot(c *results.Case, verdict string) *results.Attempt {
	again := c.Attempts[0]
	again.Checks = append([]results.Check(nil), again.Checks...)
	again.Recording, again.Verdict, again.Number = again.Recording+".boot2", verdict, 2
	c.Attempts[0].Number = 1
	c.Attempts = append(c.Attempts, again)
	return &c.Attempts[1]
}

// Ways are all ways of not passing, at least one of each kind.
func Ways() []Way {
	first := func(f func(c *results.Case)) func(*Setup) { return func(s *Setup) { f(&s.Run.Cases[0]) } }
	boot := func(f func(a *results.Attempt)) func(*Setup) {
		return func(s *Setup) { f(&s.Run.Cases[0].Attempts[0]) }
	}
	waived := func(change func(*gate.Waiver)) func(*Setup) {
		return func(s *Setup) {
			s.Fail("late", "", "start-rate")
			change(s.Waive())
		}
	}
	return []Way{
		{"a check fails", gate.Failed, func(s *Setup) { s.Fail("late", "", "start-rate") }, func(s *Setup) { s.Waive() }},
		{"another check fails than the waived one", gate.Failed, func(s *Setup) { waived(noChange)(s); s.Fail("late", "", "no-unit-failed") }, nil},
		{"a check fails on another base than the waived one", gate.Failed, waived(func(w *gate.Waiver) { w.Base = "trixie" }), func(s *Setup) { s.Policy.Waivers[0].Base = "" }},
		{"a case is flaky", gate.Flaky, first(func(c *results.Case) { c.Verdict = "flaky" }), nil},
		{"one repetition of two fails, waived", gate.Flaky, func(s *Setup) {
			passing := s.Run.Cases[0]
			passing.Attempts = append([]results.Attempt(nil), passing.Attempts...)
			passing.Attempts[0].Checks = append([]results.Check(nil), passing.Attempts[0].Checks...)
			waived(noChange)(s)
			s.Run.Cases[0] = passing
		}, func(s *Setup) { s.Fail("late", "", "start-rate") }},
		{"an earlier boot of a passed case failed", gate.Flaky, first(func(c *results.Case) {
			c.Attempts = append([]results.Attempt{{Verdict: "fail", Recording: "/runs/earlier"}}, c.Attempts...)
		}), func(s *Setup) { s.Run.Cases[0].Attempts[0].Verdict = "invalid" }},
		{"a machine's second boot failed", gate.Failed, first(func(c *results.Case) {
			bad := secondBoot(c, "fail")
			bad.Checks[2].Outcome, bad.Checks[2].Findings = "fail", []results.Finding{{Summary: "too often"}}
			c.Verdict, c.Recording = "fail", bad.Recording
		}), func(s *Setup) {
			c := &s.Run.Cases[0]
			c.Verdict, c.Recording = "pass", c.Attempts[0].Recording
			c.Attempts = c.Attempts[:1]
			secondBoot(c, "pass")
		}},
		{"a machine's second boot has no journal", gate.NoEvidence, first(func(c *results.Case) { secondBoot(c, "pass").Artifacts = nil }), func(s *Setup) {
			s.Run.Cases[0].Attempts[1].Artifacts = s.Run.Cases[0].Attempts[0].Artifacts
		}},
		{"a passed case whose machine's second boot failed", gate.NoEvidence, first(func(c *results.Case) { secondBoot(c, "fail") }), func(s *Setup) {
			s.Run.Cases[0].Attempts[1].Verdict = "pass"
		}},
		{"a known failure passes", gate.UnexpectedPass, func(s *Setup) { s.Expect("late") }, func(s *Setup) { s.Fail("late", "", "start-rate") }},
		{"a waived check does not fail any more", gate.UnexpectedPass, func(s *Setup) { s.Waive() }, func(s *Setup) { s.Fail("late", "", "start-rate") }},
		{"a waiver for a scenario that is known to fail", gate.UnexpectedPass, func(s *Setup) { waived(noChange)(s); s.Expect("late") }, func(s *Setup) { s.Policy.Waivers = nil }},
		{"a waiver expired yesterday", gate.WaiverExpired, waived(func(w *gate.Waiver) { w.Expires = "2026-02-28" }), func(s *Setup) { s.Policy.Waivers[0].Expires = "2026-03-01" }},
		{"a waiver's day is none", gate.WaiverExpired, waived(func(w *gate.Waiver) { w.Expires = "soon" }), func(s *Setup) { s.Policy.Waivers[0].Expires = "2026-03-01" }},
		{"a waiver of no scenario", gate.WaiverUnknown, func(s *Setup) { s.Waive().Scenario = "later" }, nil},
		{"a waiver of no check", gate.WaiverUnknown, func(s *Setup) { s.Waive().Check = "rate" }, nil},
		{"a waiver of no base", gate.WaiverUnknown, func(s *Setup) { s.Waive().Base = "sid" }, nil},
		{"a waiver without an owner", gate.WaiverUnknown, waived(func(w *gate.Waiver) { w.Owner = " " }), func(s *Setup) { s.Policy.Waivers[0].Owner = "me" }},
		{"a waiver without a reason", gate.WaiverUnknown, waived(func(w *gate.Waiver) { w.Reason = "" }), func(s *Setup) { s.Policy.Waivers[0].Reason = "so" }},
		{"a waiver that does not expire", gate.WaiverUnknown, waived(func(w *gate.Waiver) { w.Expires = "" }), func(s *Setup) { s.Policy.Waivers[0].Expires = "2026-03-01" }},

		{"a case is untestable", gate.Untestable, func(s *Setup) { s.Set(0, "untestable", "a container cannot show it") }, func(s *Setup) { s.Waive().Check = "untestable" }},
		{"a waived check, and a container cannot show it", gate.Untestable, func(s *Setup) { waived(noChange)(s); s.Set(0, "untestable", "x") }, func(s *Setup) {
			w := *s.Waive()
			w.Check = "untestable"
			s.Policy.Waivers[1] = w
		}},
		{"nothing of the image's is untestable any more", gate.UnexpectedPass, func(s *Setup) { s.Waive().Check = "untestable" }, func(s *Setup) { s.Set(0, "untestable", "x") }},
		{"something lies in the image", gate.InImage, found(true), func(s *Setup) { w := s.Waive(); w.Scenario, w.Check = "image", "role-env" }},
		{"something lies in the image of another base than the waived one", gate.InImage, func(s *Setup) {
			found(true)(s)
			w := s.Waive()
			w.Scenario, w.Check, w.Base = "image", "role-env", "bookworm"
		}, func(s *Setup) { s.Policy.Waivers[0].Base = "trixie" }},
		{"a waiver of what lies in no image", gate.UnexpectedPass, func(s *Setup) {
			found(false)(s)
			w := s.Waive()
			w.Scenario, w.Check = "image", "role-env"
		}, func(s *Setup) { found(true)(s) }},
		{"a case is invalid", gate.Invalid, func(s *Setup) { s.Spoil(0) }, func(s *Setup) { s.Policy.MaxInvalid = 1 }},
		{"all boots of a scenario are invalid, and as many tolerated", gate.Invalid, func(s *Setup) { s.Spoil(0); s.Spoil(4); s.Policy.MaxInvalid = 2 }, func(s *Setup) {
			s.Run.Cases[4] = Passing().Run.Cases[4]
		}},
		{"a spoilt case, of which the last boot was an error", gate.NoEvidence, func(s *Setup) {
			s.Spoil(0)
			s.Policy.MaxInvalid, s.Run.Cases[0].Attempts[2].Verdict = 1, "error"
		}, func(s *Setup) { s.Run.Cases[0].Attempts[2].Verdict = "invalid" }},
		{"a case is an error", gate.Broken, first(func(c *results.Case) { c.Verdict = "error" }), nil},
		{"a verdict that nobody knows", gate.Broken, first(func(c *results.Case) { c.Verdict = "perhaps" }), nil},
		{"nothing was planned", gate.NoCases, func(s *Setup) { s.Plan.Cases, s.Plan.Scenarios, s.Run.Cases, s.Run.Planned = nil, nil, nil, 0 }, nil},
		{"less was planned than the policy wants", gate.NoCases, func(s *Setup) { s.Policy.Repeat = 3 }, nil},
		{"a policy that wants no Vector in particular, by accident", gate.NoCases, func(s *Setup) { s.Policy.Vector = "" }, nil},
		{"a case never ran", gate.NeverRan, func(s *Setup) { s.Run.Cases = s.Run.Cases[1:] }, nil},
		{"a case is there twice", gate.Doubled, func(s *Setup) { s.Run.Cases = append(s.Run.Cases, s.Run.Cases[0]) }, nil},
		{"a case that nobody planned", gate.NotPlanned, func(s *Setup) {
			more := s.Run.Cases[0]
			more.ID = "more@trixie#1"
			s.Run.Cases = append(s.Run.Cases, more)
		}, nil},
		{"a case of another scenario", gate.NotPlanned, first(func(c *results.Case) { c.Scenario = "never" }), nil},
		{"a case that expects something else", gate.NotPlanned, first(func(c *results.Case) { c.Expected = "fail" }), nil},
		{"a run of another subject", gate.OtherSubject, func(s *Setup) { s.Run.Hash = Digest("0") }, nil},
		{"a run of another image", gate.OtherSubject, func(s *Setup) { s.Run.Images["trixie"] = "sha256:" + Digest("0") }, nil},
		{"a run on another base", gate.OtherSubject, func(s *Setup) { s.Run.Bases["trixie"] = "sha256:" + Digest("0") }, nil},
		{"a run of another image that was given", gate.OtherSubject, func(s *Setup) { s.Run.Given = nil }, nil},
		{"an image without a digest", gate.OtherSubject, func(s *Setup) { s.Run.Images["trixie"], s.Plan.Images["trixie"] = "mine:latest", "mine:latest" }, nil},
		{"a case of another subject", gate.OtherSubject, first(func(c *results.Case) { c.Hash = Digest("0") }), nil},
		{"a case of another image", gate.OtherSubject, first(func(c *results.Case) { c.Image = "sha256:" + Digest("0") }), nil},
		{"a passed case without a boot", gate.NoEvidence, first(func(c *results.Case) { c.Attempts = nil }), nil},
		{"a passed case whose boot is none of its own", gate.NoEvidence, first(func(c *results.Case) { c.Recording = "/runs/elsewhere" }), nil},
		{"a passed case whose boot failed", gate.NoEvidence, boot(func(a *results.Attempt) { a.Verdict = "fail" }), nil},
		{"a boot without checks", gate.NoEvidence, boot(func(a *results.Attempt) { a.Checks = nil }), nil},
		{"a boot in which one check was not asked", gate.NoEvidence, boot(func(a *results.Attempt) { a.Checks = a.Checks[1:] }), nil},
		{"a boot in which one check was asked twice", gate.NoEvidence, boot(func(a *results.Attempt) { a.Checks = append(a.Checks, a.Checks[0]) }), nil},
		{"a check without evidence", gate.NoEvidence, boot(func(a *results.Attempt) { a.Checks[0].Outcome = "no-evidence" }), func(s *Setup) { s.Run.Cases[0].Attempts[0].Checks[0].Outcome = "not-applicable" }},
		{"a check without evidence beside a waived one", gate.NoEvidence, func(s *Setup) {
			waived(noChange)(s)
			s.Run.Cases[0].Attempts[0].Checks[0].Outcome = "no-evidence"
		}, func(s *Setup) { s.Run.Cases[0].Attempts[0].Checks[0].Outcome = "pass" }},
		{"a passed boot in which no check passed", gate.NoEvidence, boot(func(a *results.Attempt) {
			for i := range a.Checks {
				a.Checks[i].Outcome = "not-applicable"
			}
		}), func(s *Setup) { s.Run.Cases[0].Attempts[0].Checks[0].Outcome = "pass" }},
		{"a passed boot in which a check failed", gate.NoEvidence, boot(func(a *results.Attempt) {
			a.Checks[0].Outcome, a.Checks[0].Findings = "fail", []results.Finding{{Summary: "x"}}
		}), nil},
		{"a check that failed without a finding", gate.NoEvidence, func(s *Setup) {
			waived(noChange)(s)
			s.Run.Cases[0].Attempts[0].Checks[2].Findings = nil
		}, func(s *Setup) { s.Fail("late", "", "start-rate") }},
		{"an earlier boot of a passed case was an error", gate.NoEvidence, first(func(c *results.Case) {
			c.Attempts = append([]results.Attempt{{Verdict: "error", Recording: "/runs/earlier"}}, c.Attempts...)
		}), func(s *Setup) { s.Run.Cases[0].Attempts[0].Verdict = "invalid" }},
		{"a failed boot in which no check failed", gate.NoEvidence, first(func(c *results.Case) { c.Verdict, c.Attempts[0].Verdict = "fail", "fail" }), nil},
		{"a check that passed with findings", gate.NoEvidence, boot(func(a *results.Attempt) { a.Checks[0].Findings = []results.Finding{{Summary: "x"}} }), nil},
		{"a journal that could not be recorded", gate.NoEvidence, boot(func(a *results.Attempt) { a.Artifacts = a.Artifacts[:1] }), nil},
		{"an empty journal", gate.NoEvidence, boot(func(a *results.Attempt) { a.Artifacts[1].Size = 0 }), nil},
		{"a boot of which nothing was seen", gate.NoEvidence, boot(func(a *results.Attempt) { a.Boot = nil }), nil},
		{"a passed boot that nobody saw to its end", gate.NoEvidence, boot(func(a *results.Attempt) { delete(a.Boot.Measures, results.MeasureMultiUser) }), func(s *Setup) {
			s.Run.Cases[0].Attempts[0].Boot.Measures[results.MeasureMultiUser] = 2
		}},
		{"a stand-in", gate.StandIn, func(s *Setup) { s.vector("vector 0.56.0 (bootrace stand-in, not Vector)") }, func(s *Setup) { s.Policy.Vector = gate.Any }},
		{"a Vector that nobody knows", gate.NoVersions, func(s *Setup) { s.vector("unknown") }, nil},
		{"a Vector of which only the name is known", gate.NoVersions, boot(func(a *results.Attempt) { delete(a.Versions, results.VersionVectorDigest) }), nil},
		{"a case that names another Vector than its boot", gate.NoVersions, first(func(c *results.Case) { c.Vector = "vector 0.55.0 (x)" }), nil},
		{"a boot whose systemd is not known", gate.NoVersions, boot(func(a *results.Attempt) { delete(a.Versions, "systemd") }), nil},
		{"a run whose host is not known", gate.NoVersions, func(s *Setup) { s.Run.Versions = map[string]string{"bootrace": "v1"} }, nil},
		{"a harness of unknown version", gate.NoVersions, func(s *Setup) { s.Plan.Harness = "unknown" }, nil},
		{"a harness of no commit", gate.Devel, func(s *Setup) { s.Plan.Harness = "(devel) go1.26.8 sha256:0123456789ab" }, nil},
		{"a harness of a commit and more", gate.Devel, func(s *Setup) { s.Plan.Harness = "v1.2.0+dirty go1.26.8" }, nil},
		{"a harness of no version", gate.NoVersions, func(s *Setup) { s.Plan.Harness = "" }, nil},
		{"fewer cases than the policy wants", gate.TooFew, func(s *Setup) { s.Policy.MinCases = 9 }, func(s *Setup) { s.Policy.MinCases = 8 }},
		{"enough cases, one of them spoilt", gate.TooFew, func(s *Setup) { s.Policy.MinCases, s.Policy.MaxInvalid = 8, 1; s.Spoil(0) }, func(s *Setup) { s.Policy.MinCases = 7 }},
		{"a run that was cut off", gate.Unfinished, func(s *Setup) { s.Run.Ended = time.Time{} }, nil},
		{"a run that ends tomorrow", gate.Unfinished, func(s *Setup) { s.Run.Ended = s.Now.Add(24 * time.Hour) }, nil},
		{"a run that had planned more", gate.Unfinished, func(s *Setup) { s.Run.Planned++ }, nil},
		{"a run's record of another version", gate.Unfinished, func(s *Setup) { s.Run.Version++ }, nil},
	}
}

// found puts something into the image of trixie.
func found(problem bool) func(*Setup) {
	return func(s *Setup) {
		s.Run.Found = []results.ImageFinding{{Subject: "mine", Base: "trixie", Name: "role-env", Problem: problem, Text: "/etc/opensandbox/worker.env is in the image"}}
	}
}

func noChange(*gate.Waiver) {}

// vector makes every boot have had that Vector.
func (s *Setup) vector(name string) {
	for i := range s.Run.Cases {
		s.Run.Cases[i].Vector, s.Run.Cases[i].Attempts[0].Versions["vector"] = name, name
	}
}
