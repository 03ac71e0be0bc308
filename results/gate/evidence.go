package gate

import (
	"regexp"
	"slices"
	"strings"

	"bootrace/results"
)

// journal is the file of a recording without which nothing is known of a boot
// (harness/timeline, Journal).
const journal = "journal.json.gz"

// versions are what must be known of each boot (harness/run and the machine's
// collector name them).
var versions = []string{"kernel", "systemd", "cloud-init", "vector", results.VersionVectorDigest}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// evidence refuses a verdict, pass or fail, that rests on less than it must, and
// returns the checks that failed.
func (d *decider) evidence(c results.Case) (failed []results.Check) {
	refuse := func(format string, args ...any) { d.Refuse(NoEvidence, c.ID, format, args...) }
	if c.Started.IsZero() || c.Recording == "" || c.Backend == "" {
		refuse("when, where or on what it ran is not known")
	}
	boots := c.Boots() // of the machine that decided
	ofMachine := func(a results.Attempt) bool {
		return slices.ContainsFunc(boots, func(b results.Attempt) bool { return b.Recording == a.Recording })
	}
	decided := 0
	for _, a := range c.Attempts {
		switch {
		case a.Recording == c.Recording:
			decided++
		case ofMachine(a) && a.Verdict == pass: // the machine was booted again, or before
		case a.Number > 0 && a.Verdict == pass: // of a machine whose next boot was spoilt
		case a.Verdict == pass || a.Verdict == fail:
			if a.Verdict != c.Verdict {
				d.Refuse(Flaky, c.ID, "one boot came out as %s, another as %s", a.Verdict, c.Verdict)
			}
		case a.Verdict != invalid: // the only verdict after which a case is booted again
			refuse("a boot of it came out as %q", a.Verdict)
		}
	}
	if decided != 1 || c.Decided().Verdict != c.Verdict {
		refuse("the boot that decided it is not among its %d boots", len(c.Attempts))
		return nil
	}
	if last := boots[len(boots)-1]; last.Verdict != c.Verdict {
		refuse("the machine's %s came out as %s", last.Name(), last.Verdict)
	}
	for _, a := range boots {
		found := d.checks(c, a)
		if len(found) > 0 && a.Recording != c.Recording {
			refuse("%s of its machine is not the one that decided, and %s failed in it", a.Name(), found[0].Name)
		}
		failed = append(failed, found...)
		d.seen(c, a)
	}
	return failed
}

// seen refuses what a boot's recording does not show.
func (d *decider) seen(c results.Case, a results.Attempt) {
	refuse := func(format string, args ...any) { d.Refuse(NoEvidence, c.ID, format, args...) }
	if n := slices.IndexFunc(a.Artifacts, func(f results.Artifact) bool { return f.Name == journal }); n < 0 {
		refuse("its recording has no %s", journal)
	} else if f := a.Artifacts[n]; f.Size <= 0 || !sha256Hex.MatchString(f.SHA256) {
		refuse("its %s is empty or not known", journal)
	}
	if a.Boot == nil || a.Boot.End <= 0 {
		refuse("what its boot looked like is not known")
	} else if a.Boot.Measures[results.MeasureMultiUser] <= 0 && c.Verdict == pass {
		refuse("it passed, and when it had booted is not known")
	}
	for _, name := range versions {
		if notKnown(a.Versions[name]) {
			d.Refuse(NoVersions, c.ID, "the version of %s is not known", name)
		}
	}
	if c.Vector != a.Versions["vector"] {
		d.Refuse(NoVersions, c.ID, "the case says that Vector was %q, its boot %q", c.Vector, a.Versions["vector"])
	}
	if d.policy.Vector == Real && (!strings.HasPrefix(c.Vector, "vector ") || strings.Contains(c.Vector, "stand-in")) {
		d.Refuse(StandIn, c.ID, "the policy wants the real Vector, and it booted with: %s", c.Vector)
	}
}

// checks refuses a boot in which a check was not asked, or has no evidence, or
// says other than the verdict. It returns the checks that failed.
func (d *decider) checks(c results.Case, a results.Attempt) (failed []results.Check) {
	refuse := func(format string, args ...any) { d.Refuse(NoEvidence, c.ID, format, args...) }
	asked, passed := map[string]bool{}, 0
	for _, check := range a.Checks {
		if asked[check.Name] || !slices.Contains(d.plan.Checks, check.Name) {
			refuse("check %q is there twice, or is none that was to be asked", check.Name)
		}
		asked[check.Name] = true
		switch check.Outcome {
		case "pass":
			passed++
		case "fail":
			failed = append(failed, check)
		case "not-applicable":
		default:
			refuse("check %s: %s: %s", check.Name, check.Outcome, check.Note)
		}
		if says := len(check.Findings) > 0; says != (check.Outcome == "fail") {
			refuse("check %s came out as %s with %d findings", check.Name, check.Outcome, len(check.Findings))
		}
	}
	for _, name := range d.plan.Checks {
		if !asked[name] {
			refuse("check %s was not asked", name)
		}
	}
	switch {
	case a.Verdict == pass && len(failed) > 0:
		refuse("it passed, though %s failed", failed[0].Name)
	case a.Verdict == pass && passed == 0:
		refuse("it passed, and no check did")
	case a.Verdict == fail && len(failed) == 0:
		refuse("it failed, and no check did: %s", c.Reason)
	}
	return failed
}
