package check

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// What a log shows that no recording is of: production's own hosts, which have other units
// and other troubles than a case has. It counts for the checks that ask for it.

// subjects are what checks are about that other hosts need not have.
var subjects = map[string][]string{
	"vector-active":       {boot.Vector},
	"vector-credentialed": {boot.Vector},
	"registered":          {boot.Worker + ".service"},
	"logs-delivered":      {boot.Vector, boot.Worker + ".service"},
	"secrets-contained":   {boot.Vector, boot.Populator},
	"env-file-whole":      {boot.Populator, boot.BootLogger + ".service"},
	"role-env-fresh":      {boot.BootLogger + ".service"},
	"cloud-politeness":    {boot.Populator},
}

// Logged runs the checks on a boot that only a log is of. What was seen counts; what was not
// is not judged, and says why.
func Logged(b boot.Facts, e Expect) []Result {
	var out []Result
	for _, c := range Table() {
		r := c.run(b, e)
		if units, needs := subjects[c.Name]; needs && len(r.Findings) == 0 && !b.Speaks(units...) {
			r = Result{Check: c.Name, Outcome: NotJudged, Note: "nothing of " + strings.Join(units, " or ") + " is in it"}
		}
		if r.Outcome == NoEvidence || r.Outcome == NotApplicable {
			r.Outcome, r.Note = NotJudged, cmp.Or(lacking(b, c.Needs), r.Note)
		}
		if c.Name == bootUnblocked.Name && r.Outcome == NotJudged && e.MultiUser <= 0 {
			r.Note = strings.TrimPrefix(r.Note+"; no control boot to compare with (--control)", "; ")
		}
		out = append(out, r)
	}
	return out
}

// lacking says what of the sources is not there; each reason says by itself what it is about.
func lacking(b boot.Facts, sources []string) string {
	var out []string
	for _, s := range append([]string{timeline.Manifest}, sources...) {
		if why, gone := b.Missing[s]; gone && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	return strings.Join(out, "; ")
}

// explained adds to a failed unit why it failed.
func explained(b boot.Facts, f Finding) Finding {
	if b.Origin == nil {
		for i, w := range b.Why(f.Unit) {
			if i < 2 {
				f.Summary += "; " + w.Text
				f.Evidence = append(f.Evidence, w.Evidence)
			}
		}
		return f
	}
	if strings.HasSuffix(f.Unit, ".device") && strings.Contains(f.Summary, "(timeout)") {
		f.Summary = strings.Replace(f.Summary, "failed (timeout)", "did not appear: systemd timed out waiting for the device", 1)
	}
	if !slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
		return ev.Unit == f.Unit && (ev.Kind == timeline.StartFailed || ev.Kind == timeline.Failed)
	}) {
		f.Summary = strings.Replace(f.Summary, " failed (start failed), is failed at the end", " is failed", 1)
	}
	if what := mounted(f.Unit); what != "" {
		f.Summary = strings.Replace(f.Summary, f.Unit, f.Unit+" ("+what+")", 1)
	}
	for i, w := range b.Why(f.Unit) {
		if i < 3 {
			f.Summary += "; " + w.Text
		}
		if !slices.Contains(f.Evidence, w.Evidence) {
			f.Evidence = append(f.Evidence, w.Evidence)
		}
	}
	return f
}

// mounted is where a mount unit mounts (systemd.mount(5)).
func mounted(unit string) string {
	name, ok := strings.CutSuffix(unit, ".mount")
	if !ok || strings.Contains(name, `\`) {
		return ""
	}
	return "/" + strings.ReplaceAll(strings.TrimPrefix(name, "-"), "-", "/")
}

// loggedFailures are what else went wrong on the machine, of a log.
func loggedFailures(b boot.Facts) []Finding {
	var out []Finding
	for _, t := range b.Troubles() {
		out = append(out, Finding{At: t.At, Unit: t.Unit, Evidence: []timeline.Evidence{t.Evidence}, Summary: t.Text})
	}
	for _, t := range b.CloudInit() {
		out = append(out, Finding{At: t.At, Unit: "cloud-init", Evidence: []timeline.Evidence{t.Evidence}, Summary: "cloud-init failed: " + t.Text})
	}
	for _, f := range b.Ailing() {
		out = append(out, explained(b, Finding{At: f.At, Unit: f.Unit, Evidence: f.Evidence, Summary: f.Unit + " went wrong (the log does not say that it failed)"}))
	}
	return out
}

// longWait is how long a start may keep a boot waiting before it is named without a control
// boot: a device's and a service's time runs out after 90 s (DefaultTimeoutStartSec=).
const longWait = 60 * time.Second

// endless finds starts that the end of the log finds under way, and that were long.
func endless(b boot.Facts) []Finding {
	if b.Origin == nil || b.Up() != "" || b.Origin.Finished != "" {
		return nil
	}
	var out []Finding
	for _, w := range b.LongStarts(longWait) {
		if !w.Ongoing {
			continue
		}
		s := fmt.Sprintf("the boot waits for %s, for %s so far", w.Unit, boot.Round(w.Took))
		if w.Limit != "" {
			s += fmt.Sprintf(" (limit: %s)", w.Limit)
		}
		out = append(out, Finding{At: w.At, Unit: w.Unit, Evidence: []timeline.Evidence{w.Evidence}, Summary: s + ", and the log ends before it has it"})
	}
	// Of a machine that is up somebody may start one at any time: others that wait are a boot's.
	unfinished := func(ev timeline.Event) bool { return strings.HasPrefix(ev.Text, "Bootup is not yet finished") }
	waiting := slices.ContainsFunc(b.Events, unfinished) || slices.ContainsFunc(b.Final.Jobs, func(j timeline.Job) bool { return j.State == "waiting" && j.Type == "start" })
	for _, j := range b.Final.Jobs {
		if waiting && j.State == "running" && j.Type == "start" {
			out = append(out, Finding{At: b.End, Unit: j.Unit, Evidence: []timeline.Evidence{j.Evidence}, Summary: "the boot waits for " + j.Unit + ", whose start job is running"})
		}
	}
	for _, ev := range b.Events {
		if len(out) == 0 && unfinished(ev) {
			out = append(out, Finding{At: ev.At, Evidence: []timeline.Evidence{ev.Evidence}, Summary: "the boot is not finished, as systemd-analyze says"})
			break
		}
	}
	return out[:min(len(out), 5)]
}

// dependents finds units that were not started for want of others of which the log has no
// word: what failed stands before its first line.
func dependents(b boot.Facts, found []Finding) []Finding {
	if b.Origin == nil || slices.ContainsFunc(found, func(f Finding) bool { return !strings.Contains(f.Summary, "at its console") }) {
		return nil
	}
	var out []Finding
	for _, f := range b.Failures().All {
		if f.Result != boot.ForDependency {
			continue
		}
		unit, lacks := lackedBy(b, f)
		if slices.ContainsFunc(out, func(o Finding) bool { return o.Unit == unit }) {
			continue
		}
		summary := unit + " was not started, for want of another unit"
		if lacks != "" {
			summary += ": " + lacks
		} else if !slices.ContainsFunc(b.Why(unit), func(w boot.Word) bool { return strings.HasPrefix(w.Text, "it is bound to ") }) {
			summary += ", of whose failure the log has nothing"
		}
		out = append(out, explained(b, Finding{At: f.At, Unit: unit, Evidence: f.Evidence, Summary: summary}))
	}
	return out
}

// lackedWords are PID 1's of a unit that is no failure, on the line before the one that says what was not
// started for want of it: of a Requisite=, and of a type of unit that the machine has not.
var lackedWords = regexp.MustCompile(`^(?:\[UNSUPP\] )?(.+ is not active|Starting of .+ (?:not supported|unsupported))\.?$`)

// boundWords are those of a BindsTo= with an After= of the same unit, which name who is bound.
var boundWords = regexp.MustCompile(`\bBound to unit [^,]+, but unit isn't active`)

// lackedBy are those words, from right before one of the failure's lines, and the unit that was not
// started: some units have the description of others (an initrd's systemd-fsck-root.service has
// systemd-fsck@.service's).
func lackedBy(b boot.Facts, f boot.Failure) (unit, words string) {
	for _, ev := range b.Events {
		if !slices.ContainsFunc(f.Evidence, func(of timeline.Evidence) bool { return of.File == ev.Evidence.File && of.Line == ev.Evidence.Line+1 }) {
			continue
		}
		if m := boundWords.MatchString(ev.Text); m && ev.Manager && boot.Named(ev.Unit) {
			return ev.Unit, "" // which is among its reasons
		}
		if m := lackedWords.FindStringSubmatch(ev.Text); m != nil && (ev.Manager || ev.Kind == timeline.OnConsole || ev.Change.JobResult == boot.Unsupported) {
			return f.Unit, m[1]
		}
	}
	return f.Unit, ""
}
