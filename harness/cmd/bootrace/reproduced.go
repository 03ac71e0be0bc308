package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/judge"
	"bootrace/harness/likeness"
	"bootrace/harness/timeline"
	"bootrace/results"
	"bootrace/scenarios"
)

// likened is all there is to print of a comparison.
type likened struct {
	likeness.Likeness
	journal  judge.Judgement
	scenario scenarios.Scenario
	run      results.Run
}

func printLikeness(io streams, l likened) {
	st := style{io.color}
	origin := l.journal.Boot.Origin
	fmt.Fprintf(io.out, "\n%s %s: %s\n", st.word(string(l.Verdict), len(likeness.NotReproduced)), plain(cmp.Or(origin.Host, origin.Files[0].Name)), oneLine(l.Reason, 2*maxReason))
	for i, d := range l.Differences {
		switch {
		case i == 0: // it is the reason
		case i <= maxDifferences:
			fmt.Fprintf(io.out, "  differs %s\n", oneLine(d.What, maxReason))
		case i == maxDifferences+1:
			fmt.Fprintf(io.out, "  differs in %d things more: --json\n", len(l.Differences)-i)
		}
	}
	for _, try := range tried(l.Differences) {
		fmt.Fprintf(io.out, "  try     %s\n", try)
	}
	for _, u := range l.Unseen {
		fmt.Fprintf(io.out, "  note    %s\n", plain(u))
	}
	printStandings(io, l.Likeness)
	printEvents(io, l)
	fmt.Fprintf(io.out, "\n  from    %s\n", origin)
	fmt.Fprintf(io.out, "  booted  %s, of which bootrace scenario --from prints each value with its line\n", envOf(l.scenario))
	for _, c := range l.run.Cases {
		fmt.Fprintf(io.out, "  %s %s: %s; bootrace explain --run %s %s\n          recording: %s\n", st.ofCase(c), c.ID, oneLine(c.Told(), maxReason), l.run.ID, c.ID, c.Recording)
		if c.Kept != "" {
			fmt.Fprintf(io.out, "          kept: %s\n", c.Kept)
		}
	}
	fmt.Fprintf(io.out, "\n%d of %d boots compared in %s. Vector: %s. Recordings: %s\n", l.Boots, l.run.Planned, seconds(l.run.Ended.Sub(l.run.Started)), l.run.RanVector(), l.run.Dir)
}

// maxDifferences is how many are printed below the first.
const maxDifferences = 12

// tried are what to try, each once.
func tried(all []likeness.Difference) []string {
	var out []string
	for _, d := range all {
		if !slices.Contains(out, d.Try) {
			out = append(out, d.Try)
		}
	}
	return out
}

func envOf(s scenarios.Scenario) string {
	if s.WorkerEnv.When == scenarios.After {
		return fmt.Sprintf("worker.env %s after cloud-final's start", s.WorkerEnv.Delay)
	}
	return "worker.env: " + s.WorkerEnv.When
}

func printStandings(io streams, l likeness.Likeness) {
	if len(l.Findings) == 0 {
		return
	}
	fmt.Fprintf(io.out, "\n  %-20s %-11s %s\n", "check", "journal", "boots")
	for _, f := range l.Findings {
		journal := "-"
		switch {
		case f.Journal:
			journal = "fail"
		case f.Is == likeness.Hidden:
			journal = "cannot show"
		}
		fmt.Fprintf(io.out, "  %-20s %-11s %-8s %s\n", f.Check, journal, fmt.Sprintf("%d of %d", f.Boots, l.Boots), oneLine(f.Says, maxReason))
	}
}

// bootColumns is how many boots stand beside the journal.
const bootColumns = 4

// printEvents prints when the key events were, and draws them: a letter for each, a line for
// each boot, all on one scale.
func printEvents(io streams, l likened) {
	if len(l.Events) == 0 {
		return
	}
	n := min(l.Boots, bootColumns)
	head := fmt.Sprintf("\n    %-32s %10s", "event", "journal")
	for i := range n {
		head += fmt.Sprintf(" %9s", fmt.Sprintf("#%d", i+1))
	}
	if more := l.Boots - n; more > 0 {
		head += fmt.Sprintf("  and %d more", more)
	}
	fmt.Fprintln(io.out, head)
	for i, e := range l.Events {
		line := fmt.Sprintf("  %c %-32s %10s", letter(i), e.Name, moment(e.Journal, e.AtMost))
		for _, at := range e.Boots[:n] {
			line += fmt.Sprintf(" %9s", moment(at, false))
		}
		fmt.Fprintln(io.out, line)
	}
	since := "each since the first line of its journal"
	if l.journal.Boot.Origin.Begins {
		since = "the journal since PID 1's start, the boots since the first line of theirs"
	}
	fmt.Fprintf(io.out, "    %s\n\n", since)
	var last time.Duration
	rows := make([][]*time.Duration, n+1)
	for _, e := range l.Events {
		for i, at := range append([]*time.Duration{e.Journal}, e.Boots[:n]...) {
			rows[i] = append(rows[i], at)
			if at != nil {
				last = max(last, *at)
			}
		}
	}
	for i, row := range rows {
		name := "journal"
		if i > 0 {
			name = fmt.Sprintf("#%d", i)
		}
		fmt.Fprintf(io.out, "    %-8s|%s|\n", name, drawn(row, last))
	}
	fmt.Fprintf(io.out, "    %-8s 0%*s\n", "", drawnColumns-1, timeline.Since(last))
}

// moment is when an event was; "<" is before what it may have been earlier than.
func moment(at *time.Duration, atMost bool) string {
	switch {
	case at == nil:
		return "-"
	case atMost:
		return "<" + timeline.Since(*at)
	}
	return timeline.Since(*at)
}

// letter names the event of a row.
func letter(i int) rune {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if i < len(letters) {
		return rune(letters[i])
	}
	return '*'
}

// drawnColumns is how wide a boot is drawn.
const drawnColumns = 66

// drawn has the events in their order. Those that fall on one column stand side by side.
func drawn(at []*time.Duration, last time.Duration) string {
	var order []int
	for i, t := range at {
		if t != nil {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(*at[x], *at[y]) })
	order = order[:min(len(order), drawnColumns)]
	line := []rune(strings.Repeat(".", drawnColumns))
	next := 0
	for k, i := range order {
		column := 0
		if last > 0 {
			column = int(float64(*at[i]) / float64(last) * (drawnColumns - 1))
		}
		column = min(max(column, next), drawnColumns-(len(order)-k))
		line[column], next = letter(i), column+1
	}
	return string(line)
}
