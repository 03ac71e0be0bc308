package explain

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
)

// Story is what a log says of a boot: the cause first, what follows from it under it.
type Story struct {
	Headline string
	Then     []string
	Notes    []string // what is to be known beside it, and is no failure
	Change   string
	Evidence []timeline.Evidence
}

// item is what is said of one unit, or of the machine, by all checks together.
type item struct {
	rank     int
	at       time.Duration
	line     int
	unit     string
	text     string
	evidence []timeline.Evidence
}

// Ranks, by what follows from what: units fail for a disk that is full, a start is refused
// since the unit failed, a machine waits at its console since a mount failed.
const (
	ofMachine = iota
	ofCycle
	ofCause // a unit that others were not started for
	ofLimit // a unit that was refused further starts
	ofUnit
	ofState // a list has it as failed, and nothing says why
	ofRefusal
	ofWait
	ofCloudInit
	ofStorm
	ofWant
	ofConsole
	ofRest
)

// Log tells what a log shows: of a failure the cause, of the rest how far the log goes.
func Log(b boot.Facts, results []check.Result) Story {
	var s Story
	items := itemsOf(b, results)
	waits := b.LongStarts(longStart)
	doubt, doubtful := b.Doubt()
	switch {
	case len(items) > 0:
		first := items[0]
		s.Headline, s.Evidence = first.text, first.evidence
		if more := consequences(b, first, items[1:]); more != "" {
			s.Headline += "; " + more
		}
		for _, it := range items[1:] {
			if boot.Opens(first.unit, it.unit) && strings.Contains(it.text, " did not appear") {
				s.Headline += "; for want of it " + it.unit + " did not appear"
			} else if b.Makes(it.unit, first.unit) && it.at <= first.at {
				s.Headline += "; before it " + it.unit + " failed, which such a device can come of"
			}
			if !strings.Contains(s.Headline, strings.TrimPrefix(it.text, "cloud-init failed: ")) {
				s.Then = append(s.Then, it.text)
			}
		}
		s.Change = mendLogged(first.text)
	case b.Origin.Said == 0 && len(b.Origin.Users) > 0:
		s.Headline = "nothing in it is of the machine's own boot: systemd speaks in it only as a user's manager"
		if users := said(b.Origin.Users); len(users) > 0 {
			s.Headline += ", whose own units these are: " + strings.Join(users, "; ")
		}
	case len(waits) > 0:
		w := waits[0]
		if s.Headline = fmt.Sprintf("nothing failed in it, but %s took %s to start, which no control boot says to be too long", w.Unit, boot.Round(w.Took)); w.Ongoing {
			s.Headline = fmt.Sprintf("nothing failed in what is there, but it ends as the start of %s goes on, for %s so far", w.Unit, boot.Round(w.Took))
		}
		s.Evidence = append(s.Evidence, w.Evidence)
		s.Change = mendLogged(w.Unit + " took")
	case gap(b).For >= longStart:
		g := gap(b)
		s.Headline = fmt.Sprintf("nothing failed in it, but %s came %s after %s was up, which is all that the chain has before it: what it waited for in between is not in it", g.Unit, boot.Round(g.For), g.Behind)
		s.Evidence = append(s.Evidence, g.Evidence)
		s.Change = "see what failed or was late then: the chain leaves that out, journalctl -b of that time and systemctl --failed have it"
	case doubtful:
		s.Headline = "nothing failed in what is there, but " + doubt.Text
		s.Evidence = append(s.Evidence, doubt.Evidence)
	case again(b) != "":
		s.Headline = "nothing failed in what is there, but " + again(b)
	case booting(b) && b.Up() == "" && b.Origin.Finished == "" && b.End >= longStart:
		s.Headline = fmt.Sprintf("nothing failed in it, but multi-user.target is not reached, though it goes on to %s; what holds it is not in it: %s", timeline.Since(b.End), lacks(b))
	case notRunning(b) != "":
		s.Headline = "nothing failed in what is there, but " + notRunning(b)
	default:
		s.Headline = "nothing wrong is seen " + scope(b) + ", which is no proof of a clean boot: " + cmp.Or(lacks(b), "a log has not what the units were at the end")
	}
	s.Notes = slices.DeleteFunc(notes(b, items, waits), func(n string) bool { return strings.Contains(s.Headline, n) })
	return s
}

// gap is the longest in the critical chain.
func gap(b boot.Facts) (most timeline.Gap) {
	for _, g := range b.Origin.Gaps {
		if g.For > most.For {
			most = g
		}
	}
	return most
}

// manyTimes is from when on that a unit was started again is worth a word.
const manyTimes = 3

// again names the unit that was started again most often, and why that is all that is known.
func again(b boot.Facts) string {
	var most timeline.Event
	counted := map[string]int{} // systemd has a counter since 235
	for _, ev := range b.Of(timeline.Restart) {
		counted[ev.Unit]++
		if ev.Change.Count = max(ev.Change.Count, counted[ev.Unit]); ev.Change.Count > most.Change.Count {
			most = ev
		}
	}
	if most.Change.Count < manyTimes {
		return ""
	}
	return fmt.Sprintf("%s was started again %d times by its Restart=, and what ended it is not in it", most.Unit, most.Change.Count)
}

// booting: what is there is of a boot, and not of a machine that has long been up.
func booting(b boot.Facts) bool {
	for _, target := range []string{"sysinit.target", "basic.target", "local-fs.target", "sockets.target"} {
		if _, ok := b.Reached(target).First(); ok {
			return true
		}
	}
	return b.Origin.Begins
}

// longStart is from when on a start is worth a word.
const longStart = 30 * time.Second

func said(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// scope is what was looked at.
func scope(b boot.Facts) string {
	o := b.Origin
	if o.Said == 0 {
		return "in what is there, where PID 1 has no line"
	}
	lines := fmt.Sprintf("in %d lines of PID 1", o.Said)
	switch {
	case o.NoClock:
		return lines + ", which have no time"
	case o.First == o.Last:
		return lines + ", all of one moment"
	}
	return fmt.Sprintf("%s from %s to %s", lines, timeline.Since(o.First), timeline.Since(o.Last))
}

func lacks(b boot.Facts) string {
	var out []string
	for _, source := range []string{timeline.Journal, timeline.Console} {
		if why := b.Missing[source]; why != "" && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	return strings.Join(out, "; ")
}

// itemsOf brings together what the checks say of each unit.
func itemsOf(b boot.Facts, results []check.Result) []item {
	refused := map[string]bool{}
	stormed := map[string]string{}
	failed := map[string]bool{}
	var order []item
	for _, r := range results {
		for _, f := range r.Findings {
			switch r.Check {
			case "no-start-limit":
				refused[f.Unit] = true
			case "start-rate":
				stormed[f.Unit] = f.Summary
			case "no-unit-failed":
				failed[f.Unit] = true
			}
		}
	}
	var cycles []check.Finding
	troubles := b.Troubles()
	for _, r := range results {
		for _, f := range r.Findings {
			it := item{at: f.At, unit: f.Unit, text: f.Summary, evidence: f.Evidence, rank: ofRest}
			if len(f.Evidence) > 0 {
				it.line = f.Evidence[0].Line
			}
			switch r.Check {
			case "no-ordering-cycle":
				cycles = append(cycles, f)
				continue
			case "no-unit-failed":
				it.rank = rankOf(b, troubles, f)
				if refused[f.Unit] {
					it.rank = min(it.rank, ofLimit)
					it.text += "; its starts were used up, and a further start was refused (start limit)"
				}
				if storm := stormed[f.Unit]; storm != "" && !refused[f.Unit] {
					it.text += "; " + storm
				}
				it.text += cloudWords(b, f.Unit) + restarts(b, f.Unit) + took(b, f.Unit)
			case "no-start-limit":
				if failed[f.Unit] {
					continue
				}
				it.rank = ofRefusal
			case "start-rate":
				if failed[f.Unit] || refused[f.Unit] {
					continue
				}
				it.rank = ofStorm
			case "boot-unblocked":
				if it.rank = ofWait; ofCloudInits(f.Unit) {
					it.rank = ofStorm // what it says itself says why
				}
			case "vector-active":
				it.text += whyIdle(b.Final.Units[f.Unit])
				if words := b.Why(f.Unit); len(words) > 0 && !failed[f.Unit] {
					it.text += "; " + words[0].Text
				}
			}
			order = append(order, it)
		}
	}
	if len(cycles) > 0 {
		order = append(order, cycle(b, cycles))
	}
	if n := len(slices.DeleteFunc(slices.Clone(order), func(it item) bool { return it.rank != ofMachine || gaveUp(it) })); n > 0 {
		for i := range order {
			if gaveUp(order[i]) {
				order[i].rank = ofRest // another says why
			}
		}
	}
	for i, it := range order { // whose device waits for it, whatever else waits for that
		if slices.ContainsFunc(order, func(o item) bool { return o.rank == ofCause && boot.Opens(it.unit, o.unit) }) {
			order[i].rank = min(it.rank, ofCause)
		}
	}
	slices.SortStableFunc(order, func(x, y item) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(x.at, y.at), cmp.Compare(x.line, y.line))
	})
	return order
}

// ofCloudInits: a stage of cloud-init, by its name or by what its unit says that it is.
func ofCloudInits(unit string) bool {
	return strings.HasPrefix(unit, "cloud-") || strings.HasPrefix(strings.ToLower(unit), "cloud-init")
}

// isTerminal: without that device there is no login on it, and nothing else is missing.
func isTerminal(unit string) bool { return terminal.MatchString(unit) }

var terminal = regexp.MustCompile(`^dev-(?:tty|hvc|xvc|sclp)\S*\.device$`)

// slight are services that nothing hangs on, and that fail in boots which are well.
var slight = regexp.MustCompile(`^(?:systemd-vconsole-setup|console-setup|keyboard-setup|plymouth-\S+|systemd-(?:backlight|rfkill)\S*|systemd-hwdb-update)\.service$`)

// rankOf is a unit's place among the causes.
func rankOf(b boot.Facts, troubles []boot.Trouble, f check.Finding) int {
	s := f.Summary
	switch {
	case strings.Contains(s, "at its console"), strings.HasPrefix(s, "the machine was"):
		return ofConsole
	case strings.HasPrefix(s, "systemctl status counts"):
		return ofRest
	case f.Unit == "cloud-init":
		return ofCloudInit
	case strings.Contains(s, "for want of another unit"):
		return ofWant
	case strings.Contains(s, "(dependency)"):
		return ofRest
	case strings.HasPrefix(s, boot.NoSwap): // a root that is not there comes first
		return ofUnit
	case slices.ContainsFunc(troubles, func(t boot.Trouble) bool { return t.Text == s }):
		return ofMachine
	case isTerminal(f.Unit), slight.MatchString(f.Unit):
		return ofStorm
	case len(waitedFor(b, f.Unit)) > 0:
		return ofCause
	case strings.HasSuffix(s, " is failed"):
		return ofState
	}
	return ofUnit
}

// waitedFor are the units that PID 1 says right after the failure not to have been started.
func waitedFor(b boot.Facts, unit string) []string {
	var out []string
	after := false
	for _, ev := range b.Events {
		switch {
		case ev.Unit == unit && (ev.Kind == timeline.StartFailed || ev.Kind == timeline.Failed || ev.Kind == timeline.Refused) && ev.Change.JobResult != boot.ForDependency:
			after = true
		case !after || !ev.Manager:
		case ev.Kind == timeline.StartFailed && ev.Change.JobResult == boot.ForDependency:
			if !slices.Contains(out, ev.Unit) && ev.Unit != unit {
				out = append(out, ev.Unit)
			}
		case ev.Kind == timeline.StartFailed || ev.Kind == timeline.Starting || ev.Kind == timeline.Started:
			after = ev.Kind == timeline.Started && len(out) == 0
		}
	}
	return out
}

// consequences are what was not started for it, and where that ended.
func consequences(b boot.Facts, first item, rest []item) string {
	console := slices.DeleteFunc(slices.Clone(rest), func(it item) bool { return it.rank != ofConsole })

	var out []string
	var want []string
	for _, f := range b.Failures().All {
		if f.Result == boot.ForDependency && f.Unit != first.unit {
			want = append(want, f.Unit)
		}
	}
	if first.rank != ofMachine && slices.ContainsFunc(rest, func(it item) bool { return it.rank == ofCause || len(waitedFor(b, it.unit)) > 0 }) { // each has its own
		want = waitedFor(b, first.unit)
		for _, it := range rest {
			if boot.Opens(first.unit, it.unit) {
				want = append(want, waitedFor(b, it.unit)...)
			}
		}
	}
	if first.rank == ofMachine {
		for i, it := range rest {
			if it.rank >= ofCause && it.rank <= ofState {
				text, _, _ := strings.Cut(it.text, "; ")
				when := "then "
				before := cmp.Or(cmp.Compare(it.at, first.at), cmp.Compare(it.line, first.line)) < 0
				if before && (strings.HasSuffix(first.text, "(OOM)") || strings.HasPrefix(first.text, "PID 1 has no D-Bus")) {
					when = "before it " // which is no consequence of it
				}
				if out = append(out, when+text); i > 2 {
					break
				}
			}
		}
	}
	if strings.HasPrefix(first.text, "PID 1 ended the machine") { // nothing waits for that
		want = nil
	}
	if len(want) > 0 && (first.rank <= ofState || isTerminal(first.unit)) && first.rank != ofCycle {
		more := ""
		if len(want) > 5 {
			more = fmt.Sprintf(" and %d more", len(want)-5)
		}
		out = append(out, "not started for want of it: "+strings.Join(want[:min(5, len(want))], ", ")+more)
	}
	if len(console) > 0 && first.rank < ofConsole {
		out = append(out, console[0].text)
	}
	return strings.Join(out, "; ")
}
