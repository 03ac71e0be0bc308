package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// Verdicts of a case, as harness/verdict has them.
const (
	pass    = "pass"
	fail    = "fail"
	flaky   = "flaky"
	invalid = "invalid"
	broken  = "error"

	untestable    = "untestable"
	notApplicable = "not-applicable"
)

// Decide holds a run against what was planned and against the policy. Every reason
// is named, not the first one only.
func Decide(p Policy, plan Plan, run results.Run, now time.Time) Decision {
	d := decider{policy: p, plan: plan, run: run, now: now, judged: make([]bool, len(p.Waivers)), used: make([]bool, len(p.Waivers))}
	d.asPlanned()
	d.whole()
	d.images()
	groups, order := map[string]*group{}, []string{}
	for _, c := range plan.Cases {
		inputs := c.Scenario + "@" + c.Base
		g := groups[inputs]
		if g == nil {
			g = &group{}
			groups[inputs], order = g, append(order, inputs)
		}
		d.Cases = append(d.Cases, d.judge(c, g))
	}
	judged, spoilt := 0, []string{}
	for _, inputs := range order {
		g := groups[inputs]
		judged += g.judged
		spoilt = append(spoilt, g.invalid...)
		if g.judged == 0 && len(g.invalid) > 0 {
			d.Refuse(Invalid, inputs, "no boot of it could be judged")
		}
	}
	for _, f := range run.Flaky() {
		d.Refuse(Flaky, f.Inputs, "%d of %d boots of the same inputs failed", f.Fail, f.Pass+f.Fail)
	}
	if len(spoilt) > p.MaxInvalid {
		d.Refuse(Invalid, strings.Join(spoilt, ", "), "%d cases were spoilt by the host, %d are tolerated", len(spoilt), p.MaxInvalid)
	}
	if judged < p.MinCases {
		d.Refuse(TooFew, "the run", "%d cases were judged, the policy wants %d", judged, p.MinCases)
	}
	d.waivers()
	return d.Decision
}

type decider struct {
	Decision
	policy Policy
	plan   Plan
	run    results.Run
	now    time.Time
	judged []bool // by waiver: a case that it is for was judged
	used   []bool // by waiver: such a case needed it
}

// group is what cases of the same inputs came to.
type group struct {
	judged  int      // that passed or failed
	invalid []string // cases
}

// imageID is what engines call images, and in-toto digests: a SHA-256 in hex.
var imageID = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// asPlanned holds the plan against the policy: a plan that asks for less is none.
func (d *decider) asPlanned() {
	p, plan := d.policy, d.plan
	if p.Vector != Real && p.Vector != Any || p.Repeat < 1 || p.MinCases < 1 || len(p.Bases) == 0 {
		d.Refuse(NoCases, "the policy", "it asks for nothing that could be decided")
	}
	if len(plan.Scenarios) == 0 || len(plan.Cases) == 0 || len(plan.Checks) == 0 {
		d.Refuse(NoCases, "the plan", "%d cases of %d scenarios, judged by %d checks", len(plan.Cases), len(plan.Scenarios), len(plan.Checks))
	}
	for scenario := range plan.Scenarios {
		for _, base := range p.Bases {
			for n := 1; n <= p.Repeat; n++ {
				if !slices.ContainsFunc(plan.Cases, func(c Planned) bool { return c.Scenario == scenario && c.Base == base && c.Repetition == n }) {
					d.Refuse(NoCases, fmt.Sprintf("%s@%s#%d", scenario, base, n), "the policy wants it, and it was not planned")
				}
			}
		}
	}
	for _, c := range plan.Cases {
		if !sha256Hex.MatchString(plan.Scenarios[c.Scenario]) || !slices.Contains(p.Bases, c.Base) {
			d.Refuse(NoCases, c.ID, "its scenario has no digest, or its base is none of the policy's")
		}
	}
	if notKnown(plan.Harness) {
		d.Refuse(NoVersions, "the harness", "its version is not known")
	}
	if isDevel(plan.Harness) && !p.Devel {
		d.Refuse(Devel, "the harness", "bootrace %s is of no commit: build it of one, or say devel: true in the policy", plan.Harness)
	}
}

// whole holds the run's own record against the plan.
func (d *decider) whole() {
	run, plan := d.run, d.plan
	switch {
	case run.Version != results.Version || run.ID == "" || run.Dir == "":
		d.Refuse(Unfinished, "the run", "its record is not whole")
	case run.Started.IsZero() || run.Ended.IsZero() || run.Ended.Before(run.Started):
		d.Refuse(Unfinished, "the run", "it was cut off")
	case run.Ended.After(d.now):
		d.Refuse(Unfinished, "the run", "it ended %s from now: a clock is wrong", run.Ended.Sub(d.now))
	case run.Planned != len(plan.Cases):
		d.Refuse(Unfinished, "the run", "it planned %d cases, not %d", run.Planned, len(plan.Cases))
	}
	if run.Subject == "" || run.Hash == "" || run.Subject != plan.Subject || run.Hash != plan.Hash {
		d.Refuse(OtherSubject, "the run", "it is of %q (%q), gated is %q (%q)", run.Subject, run.Hash, plan.Subject, plan.Hash)
	}
	for _, base := range d.policy.Bases {
		if image := plan.Images[base]; !imageID.MatchString(image) || run.Images[base] != image {
			d.Refuse(OtherSubject, "base "+base, "the run booted image %q, gated is %q", run.Images[base], image)
		}
		if from := plan.Bases[base]; !imageID.MatchString(from) || run.Bases[base] != from {
			d.Refuse(OtherSubject, "base "+base, "the run's workers are made of image %q, gated are those of %q", run.Bases[base], from)
		}
	}
	if !slices.Equal(run.Given, plan.Given) {
		d.Refuse(OtherSubject, "the run", "it was given image %v, gated is %v", run.Given, plan.Given)
	}
	if notKnown(run.Versions["kernel"]) {
		d.Refuse(NoVersions, "the run", "what it ran on is not known")
	}
	for _, c := range run.Cases {
		if !slices.ContainsFunc(plan.Cases, func(p Planned) bool { return p.ID == c.ID }) {
			d.Refuse(NotPlanned, c.ID, "the plan has no such case")
		}
	}
}

// judge says what a case of the plan counts as.
func (d *decider) judge(p Planned, g *group) Judged {
	out := Judged{ID: p.ID, Base: p.Base, Expected: p.Expected, Outcome: CaseFailed}
	var found []results.Case
	for _, c := range d.run.Cases {
		if c.ID == p.ID {
			found = append(found, c)
		}
	}
	before := len(d.Reasons)
	if len(found) != 1 {
		if len(found) == 0 {
			d.Refuse(NeverRan, p.ID, "there is no result of it")
		} else {
			d.Refuse(Doubled, p.ID, "there are %d results of it", len(found))
		}
		return out
	}
	c := found[0]
	out.Verdict, out.Boots = c.Verdict, len(c.Attempts)
	d.isMeant(p, c)
	switch c.Verdict {
	case invalid:
		g.invalid = append(g.invalid, c.ID)
		for _, a := range c.Attempts {
			if before := a.Number > 0 && a.Verdict == pass; a.Verdict != invalid && !before { // of these it is not to blame
				d.Refuse(NoEvidence, c.ID, "the host is said to have spoilt it, and a boot of it came out as %q: %s", a.Verdict, a.Reason)
			}
		}
		if len(d.Reasons) == before {
			out.Outcome = CaseWarned // as long as no more are than the policy tolerates
		}
		return out
	case flaky:
		d.Refuse(Flaky, c.ID, "%s", c.Reason)
		return out
	case notApplicable:
		if out.Why = c.Reason; len(d.Reasons) == before {
			out.Outcome = CaseAside
		}
		return out
	case untestable:
		out.Why = c.Reason
		for i, w := range d.policy.Waivers { // of what was not judged, no other is needed or not
			d.judged[i] = d.judged[i] || w.covers(p.Scenario, p.Base, untestable)
		}
		if out.Waived = d.waive(Untestable, p.Scenario, p.Base, c.ID, []told{{untestable, c.Reason}}); len(d.Reasons) == before {
			out.Outcome = CaseWarned
		}
		return out
	case pass, fail:
	case broken:
		d.Refuse(Broken, c.ID, "%s", c.Reason)
		return out
	default:
		d.Refuse(Broken, c.ID, "nobody knows the verdict %q", c.Verdict)
		return out
	}
	g.judged++
	for i, w := range d.policy.Waivers {
		d.judged[i] = d.judged[i] || w.covers(p.Scenario, p.Base, w.Check)
	}
	failed := d.evidence(c)
	outcome := CasePassed
	switch {
	case c.Verdict == pass && p.Expected == fail:
		d.Refuse(UnexpectedPass, c.ID, "it is known to fail, and passes: its scenario must say so")
	case c.Verdict == fail && p.Expected == fail:
		outcome = CaseWarned
	case c.Verdict == fail:
		outcome = CaseWarned
		var said []told
		for _, check := range failed {
			saw := ""
			if len(check.Findings) > 0 {
				saw = check.Findings[0].Summary
			}
			said = append(said, told{check.Name, saw})
		}
		out.Waived = d.waive(Failed, p.Scenario, p.Base, c.ID, said)
	}
	if len(d.Reasons) == before {
		out.Outcome = outcome
	}
	return out
}

// isMeant holds a result against its case of the plan.
func (d *decider) isMeant(p Planned, c results.Case) {
	if p.Scenario != c.Scenario || p.Base != c.Base || p.Repetition != c.Repetition || p.Expected != c.Expected || p.Expected != pass && p.Expected != fail {
		d.Refuse(NotPlanned, c.ID, "it is %s@%s#%d, expected to %s; planned was %s@%s#%d, expected to %s",
			c.Scenario, c.Base, c.Repetition, c.Expected, p.Scenario, p.Base, p.Repetition, p.Expected)
	}
	if c.Subject != d.plan.Subject || c.Hash != d.plan.Hash || c.Image != d.plan.Images[p.Base] {
		d.Refuse(OtherSubject, c.ID, "it booted image %q of %q (%q), gated is image %q of %q (%q)",
			c.Image, c.Subject, c.Hash, d.plan.Images[p.Base], d.plan.Subject, d.plan.Hash)
	}
}

// told is what a waiver may be for, and what was seen of it.
type told struct{ name, saw string }

// waive returns what waivers cover, and refuses for each that none does.
func (d *decider) waive(kind Kind, scenario, base, about string, all []told) (waived []string) {
	for _, t := range all {
		n := slices.IndexFunc(d.policy.Waivers, func(w Waiver) bool { return w.covers(scenario, base, t.name) })
		if n < 0 {
			d.Refuse(kind, about, "%s: %s", t.name, t.saw)
			continue
		}
		d.used[n] = true
		if w := d.policy.Waivers[n]; w.expired(d.now) {
			d.Refuse(kind, about, "%s: %s (it was waived until %s)", t.name, t.saw, w.Expires)
			continue
		}
		waived = append(waived, t.name)
	}
	return waived
}

// ofImage is, as a waiver's scenario, the image itself.
const ofImage = "image"

// images refuses for each problem that lies in an image, and is not waived.
func (d *decider) images() {
	for i, w := range d.policy.Waivers {
		d.judged[i] = w.Scenario == ofImage
	}
	for _, f := range d.run.Found {
		if f.Problem {
			d.waive(InImage, ofImage, f.Base, "image on "+f.Base, []told{{f.Name, f.Text}})
		}
	}
}

// waivers holds the waivers against what they were needed for.
func (d *decider) waivers() {
	for i, w := range d.policy.Waivers {
		about := fmt.Sprintf("%s in %s", w.Check, w.Scenario)
		unknown := d.policy.unknown(w, d.plan)
		switch {
		case blank(w.Reason) || blank(w.Owner) || blank(w.Expires):
			d.Refuse(WaiverUnknown, about, "a waiver has a reason, an owner and the day it expires")
		case unknown != "":
			d.Refuse(WaiverUnknown, about, "%s", unknown)
		case w.expired(d.now):
			d.Refuse(WaiverExpired, about, "it held until %s; %s answers for it: %s", w.Expires, w.Owner, w.Reason)
		case d.judged[i] && !d.used[i]:
			d.Refuse(UnexpectedPass, about, "nothing needs this waiver any more: remove it (%s, %s)", w.Owner, w.Reason)
		}
	}
}

// CheckWaivers says before anything boots which waivers are of no scenario, check
// or base of the plan: those that Decide would refuse.
func (p Policy) CheckWaivers(plan Plan) error {
	var errs []error
	for i, w := range p.Waivers {
		if unknown := p.unknown(w, plan); unknown != "" {
			errs = append(errs, fmt.Errorf("%s: waivers[%d]: %s", p.File, i, unknown))
		}
	}
	return errors.Join(errs...)
}

// unknown says which part of a waiver is of nothing in the plan, if one is.
func (p Policy) unknown(w Waiver, plan Plan) string {
	switch _, ok := plan.Scenarios[w.Scenario]; {
	case w.Scenario == ofImage && (w.Base == "" || slices.Contains(p.Bases, w.Base)):
	case !ok:
		return fmt.Sprintf("the policy's scenarios have no %q", w.Scenario)
	case !slices.Contains(plan.Checks, w.Check) && w.Check != untestable:
		return fmt.Sprintf("there is no check %q; there are %s", w.Check, strings.Join(plan.Checks, ", "))
	case w.Base != "" && !slices.Contains(p.Bases, w.Base):
		return fmt.Sprintf("the policy's bases have no %q", w.Base)
	}
	return ""
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// isDevel reports whether the Go command found no commit for a build, or files beside it.
func isDevel(version string) bool {
	return strings.Contains(version, "(devel)") || strings.Contains(version, "+dirty") || strings.Contains(version, "+modified")
}

// notKnown reports whether a version is none.
func notKnown(version string) bool { return blank(version) || version == "unknown" }
