// Package likeness says how alike boots of a machine are to a boot that only a journal is
// of: what is wrong in both, whether both go the same way, and what the journal cannot show.
//
//	boot, err := likeness.Read(ctx, name, os.DirFS(recording), journal) // as the journal would have it
//	l := likeness.Of(journal, []likeness.Boot{boot})
//	fmt.Println(l.Verdict, l.Reason)
//
// It boots nothing, and does not judge: what is wrong in a boot is package judge's word.
package likeness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
)

// Verdict is what a comparison comes to.
type Verdict string

// Verdicts.
const (
	Reproduced    Verdict = "reproduced"
	NotReproduced Verdict = "not-reproduced"
	Undecided     Verdict = "undecided" // the journal, or the boots, show too little
)

// Boot is one that was booted, by all that was recorded of it and by its journal alone, read
// as the other journal was.
type Boot struct {
	Name string
	Full judge.Judgement
	Log  judge.Judgement
}

// Likeness is how alike the boots are to the journal.
type Likeness struct {
	Verdict     Verdict      `json:"verdict"`
	Reason      string       `json:"reason"`
	Boots       int          `json:"boots"`
	Findings    []Finding    `json:"findings,omitempty"`
	Events      []Event      `json:"events,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	// Unseen are key events of the boots that the journal ends too early for, or begins too
	// late, and the other way round.
	Unseen []string `json:"unseen,omitempty"`
}

// Difference is what is not alike, and what may make it so.
type Difference struct {
	What string `json:"what"`
	Try  string `json:"try"`
}

// Standing is how a check's findings in the boots stand to those in the journal.
type Standing string

// Standings.
const (
	Same     Standing = "same"
	Missing  Standing = "missing"   // the journal has it, most boots have not
	Extra    Standing = "extra"     // most boots have it, and their journals show it; the journal does not
	Hidden   Standing = "not-shown" // most boots have it, and the journal cannot show it
	Rare     Standing = "rare"      // some boots have it, not most
	Unjudged Standing = "unjudged"  // the journal has it, and it is not judged of the boots
)

// Finding is a check that fails in the journal or in the boots.
type Finding struct {
	Check   string   `json:"check"`
	Journal bool     `json:"journal"`
	Boots   int      `json:"boots"` // in how many it fails, as in the journal if it does there
	Is      Standing `json:"is"`
	Other   bool     `json:"other,omitempty"` // the boots fail in it too, of other units
	Says    string   `json:"says"`            // the first finding, the journal's if it has one; of what is unjudged, why
}

// Mute says why there is nothing to compare boots with; empty: there is.
func Mute(journal judge.Judgement) string {
	if o := journal.Boot.Origin; o == nil || o.Said == 0 {
		return "no line of PID 1 is in it, so nothing is known of any unit"
	}
	return ""
}

// Of compares the boots with the journal.
func Of(journal judge.Judgement, boots []Boot) Likeness {
	l := Likeness{Boots: len(boots)}
	if why := Mute(journal); why != "" {
		l.Verdict, l.Reason = Undecided, "the journal: "+why
		return l
	}
	if len(boots) == 0 {
		l.Verdict, l.Reason = Undecided, "no boot could be judged"
		return l
	}
	c := comparison{journal: journal, boots: boots, populator: boot.Populator}
	if own := boots[0].Full.Expect.Populator; own != "" {
		c.populator = own
	}
	logs := []boot.Facts{journal.Boot}
	for _, b := range boots {
		logs = append(logs, b.Log.Boot)
	}
	c.rows = keyEventsOf(kinOf(c.populator, boots[0].Full.Expect.SubjectUnits, logs...))
	c.had = courseOf(journal.Boot, c.populator, c.rows)
	for _, b := range boots {
		c.courses = append(c.courses, courseOf(b.Log.Boot, c.populator, c.rows))
	}
	l.Findings = c.findings()
	l.Events, l.Unseen = c.events()
	l.Differences = slices.Concat(c.differing(l.Findings), c.presence(l.Events), c.order(), c.held())
	l.Verdict, l.Reason = c.verdict(l)
	if l.Verdict == NotReproduced && len(boots) > 1 {
		c.some(&l)
	}
	return l
}

// some looks for boots that are like the journal by themselves, where most are not. A cycle is
// broken at another job from boot to boot: of a subject that has one, a boot is enough.
func (c comparison) some(l *Likeness) {
	n := c.count(func(i int) bool { return Of(c.journal, c.boots[i:i+1]).Verdict == Reproduced })
	cycle := slices.ContainsFunc(l.Findings, func(f Finding) bool { return f.Check == "no-ordering-cycle" && c.most(f.Boots) })
	switch {
	case n == 0:
	case cycle:
		l.Verdict, l.Differences = Reproduced, nil
		l.Reason = fmt.Sprintf("%d of %d boots go as the journal does; systemd breaks an ordering cycle in most, at another job from boot to boot: no-ordering-cycle", n, len(c.boots))
	default:
		l.Reason = fmt.Sprintf("%d of %d boots are like the journal; of most, %s", n, len(c.boots), l.Reason)
		l.Differences = append(l.Differences, Difference{fmt.Sprintf("%d boots from the others", n), "more boots, for not every one is the same: --repeat 10"})
	}
}

// comparison is a journal and the boots that are to be like it.
type comparison struct {
	journal   judge.Judgement
	boots     []Boot
	populator string
	rows      []keyEvent
	had       course   // the journal's
	courses   []course // the boots'
}

// most: more than half of the boots.
func (c comparison) most(n int) bool { return 2*n > len(c.boots) }

// count is in how many boots something holds.
func (c comparison) count(holds func(i int) bool) int {
	n := 0
	for i := range c.boots {
		if holds(i) {
			n++
		}
	}
	return n
}

func resultOf(results []check.Result, name string) check.Result {
	i := slices.IndexFunc(results, func(r check.Result) bool { return r.Check == name })
	if i < 0 {
		return check.Result{Check: name, Outcome: check.NotJudged, Note: "it was not asked"}
	}
	return results[i]
}

// ofUnits are the checks whose findings are of one unit each, which must be the same: that
// something else failed is no reproduction. Others name the unit by which they saw it.
var ofUnits = []string{"no-unit-failed", "no-start-limit", "start-rate"}

// alike: both fail, and where that is of a unit, in one that both name.
func alike(name string, journal, ours check.Result) bool {
	if journal.Outcome != check.Fail || ours.Outcome != check.Fail {
		return false
	}
	if !slices.Contains(ofUnits, name) {
		return true
	}
	return slices.ContainsFunc(journal.Findings, func(had check.Finding) bool {
		return !boot.Named(had.Unit) || slices.ContainsFunc(ours.Findings, func(f check.Finding) bool { return f.Unit == had.Unit })
	})
}

func (c comparison) findings() []Finding {
	var out []Finding
	for _, name := range check.Names() {
		had := resultOf(c.journal.Results, name)
		full := func(i int) check.Result { return resultOf(c.boots[i].Full.Results, name) }
		log := func(i int) check.Result { return resultOf(c.boots[i].Log.Results, name) }
		f := Finding{Check: name, Journal: had.Outcome == check.Fail}
		f.Boots = c.count(func(i int) bool { return full(i).Outcome == check.Fail || log(i).Outcome == check.Fail })
		same := c.count(func(i int) bool { return alike(name, had, full(i)) || alike(name, had, log(i)) })
		shown := c.count(func(i int) bool {
			return log(i).Outcome == check.Fail && c.had.passed(c.courses[i], seenAt(log(i), c.courses[i]))
		})
		unjudged := c.count(func(i int) bool {
			return full(i).Outcome == check.NotJudged || full(i).Outcome == check.NoEvidence
		})
		switch {
		case f.Journal && c.most(same):
			f.Is, f.Boots = Same, same
		case f.Journal && c.most(unjudged):
			f.Is = Unjudged
		case f.Journal:
			f.Is, f.Other, f.Boots = Missing, same == 0 && f.Boots > 0, same
		case c.most(shown):
			f.Is = Extra
		case c.most(f.Boots):
			f.Is = Hidden
		case f.Boots > 0:
			f.Is = Rare
		default:
			continue
		}
		f.Says = c.says(name, f)
		out = append(out, f)
	}
	return out
}

// seenAt is by when a boot's journal shows that a check fails. That a boot is held is known
// by how long it has been when the journal ends.
func seenAt(r check.Result, c course) time.Duration {
	if r.Check == "boot-unblocked" {
		return c.end
	}
	return r.Findings[0].At
}

// says is the first finding of a check.
func (c comparison) says(name string, f Finding) string {
	if f.Is == Unjudged {
		return resultOf(c.boots[0].Full.Results, name).Note
	}
	all := []check.Result{resultOf(c.journal.Results, name)}
	for _, b := range c.boots {
		all = append(all, resultOf(b.Full.Results, name), resultOf(b.Log.Results, name))
	}
	for _, r := range all {
		if len(r.Findings) > 0 {
			return r.Findings[0].Summary
		}
	}
	return ""
}

// differing are the findings that are not alike.
func (c comparison) differing(findings []Finding) []Difference {
	var out []Difference
	for _, f := range findings {
		switch f.Is {
		case Missing:
			what := fmt.Sprintf("%s fails in the journal, in %d of %d boots: %s", f.Check, f.Boots, len(c.boots), f.Says)
			if f.Other {
				what = fmt.Sprintf("%s fails in the journal of other units than in the boots: %s", f.Check, f.Says)
			}
			out = append(out, Difference{what, c.try(f.Check)})
		case Extra:
			out = append(out, Difference{fmt.Sprintf("%s fails in %d of %d boots, and the journal, which would show it, does not: %s", f.Check, f.Boots, len(c.boots), f.Says), c.try(f.Check)})
		}
	}
	return out
}

// verdict is by the differences first; then by what is wrong in both. Where the journal is
// silent, all of the boot must have been seen, or what held it.
func (c comparison) verdict(l Likeness) (Verdict, string) {
	named := func(is Standing) string {
		var out []string
		for _, f := range l.Findings {
			if f.Is == is {
				out = append(out, f.Check)
			}
		}
		return strings.Join(out, ", ")
	}
	same, hidden, held := named(Same), named(Hidden), c.heldInBoth()
	switch {
	case len(l.Differences) > 0:
		return NotReproduced, l.Differences[0].What
	case named(Unjudged) != "":
		return Undecided, fmt.Sprintf("the journal fails in %s, which is not judged of the boots", named(Unjudged))
	case same != "" && hidden != "":
		return Reproduced, fmt.Sprintf("the boots fail in what the journal does: %s; and in what it cannot show: %s", same, hidden)
	case same != "":
		return Reproduced, "the boots fail in what the journal does: " + same
	case held != "" && hidden != "":
		return Reproduced, fmt.Sprintf("the boots are held by %s, as the journal's is, and fail in what it cannot show: %s", held, hidden)
	case len(l.Unseen) > 0:
		return Undecided, "nothing wrong is seen in the journal, which shows too little of the boot: " + l.Unseen[0]
	case hidden != "":
		return Reproduced, "the boots go as the journal does, and fail in what it cannot show: " + hidden
	case named(Rare) != "":
		return Undecided, fmt.Sprintf("the boots go as the journal does, and not all of them pass: %s", named(Rare))
	}
	return Reproduced, "nothing was wrong: the boots go as the journal does, and pass"
}

// longStart is from when on a start counts as long, and for how long one goes on looking.
const longStart = 30 * time.Second
