package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"bootrace/harness/recording"
	"bootrace/results"
	"bootrace/scenarios"
)

// maxFindings is how many findings of a case are shown before the rest is counted.
const maxFindings = 6

// caseLine is a case's row of the table, names columns wide in its name and, on a
// terminal, no wider than that: what is cut of a reason stands below the table.
func (s style) caseLine(c results.Case, names, width int) string {
	line := fmt.Sprintf("  %s %-*s %8s", s.ofCase(c), names, c.ID, seconds(c.Duration))
	text := headline(c)
	switch {
	case !c.AsExpected():
		text = c.Told()
	case c.Verdict == "fail":
		text = "as expected: " + c.Reason
	}
	room := maxReason
	if width > 0 {
		room = min(room, width-len("  verdict ")-max(names, len(c.ID))-len(" 12345.6s")-len("  "))
	}
	if text == "" || room < 8 {
		return line
	}
	text = oneLine(text, room)
	if c.AsExpected() {
		text = s.dim(text)
	}
	return line + "  " + text
}

// maxReason bounds a reason within a table.
const maxReason = 200

// nameColumns is the width of the longest case id.
func nameColumns(cases []results.Case) int {
	n := 0
	for _, c := range cases {
		n = max(n, len(c.ID))
	}
	return n
}

// headline is what a passed case is worth remembering for.
func headline(c results.Case) string {
	if len(c.Attempts) == 0 {
		return c.Reason
	}
	var out []string
	if _, besides, ok := strings.Cut(c.Reason, " checks"); ok && besides != "" { // what was not judged, or not seen
		out = append(out, strings.TrimLeft(besides, ",; "))
	}
	for _, check := range c.Attempts[len(c.Attempts)-1].Checks {
		switch check.Name {
		case "vector-credentialed", "boot-unblocked", "logs-delivered":
			if check.Note != "" && check.Outcome == "pass" {
				out = append(out, check.Note)
			}
		}
	}
	return strings.Join(out, "; ")
}

// printRun is what a run says at its end: the table, then what went wrong.
func printRun(io streams, r results.Run) {
	st := style{io.color}
	fmt.Fprintf(io.out, "\nrun %s: %s, Vector: %s\n", r.ID, r.Tested(), r.RanVector())
	if len(r.Labels) > 1 { // not the host alone
		fmt.Fprintf(io.out, "  %s\n", labelled(r.Labels))
	}
	count := map[string]int{}
	for _, c := range r.Cases {
		count[c.Verdict]++
		fmt.Fprintln(io.out, st.caseLine(c, nameColumns(r.Cases), io.width))
	}
	for _, c := range r.Cases {
		if !c.AsExpected() && c.Applies() {
			fmt.Fprintln(io.out)
			printCase(io, r, c, false)
		}
	}
	for _, f := range r.Found {
		if f.Problem {
			fmt.Fprintf(io.out, "\n%s %s on %s: %s: %s\n", st.verdict("image"), f.Subject, f.Base, f.Name, plain(f.Text))
		}
	}
	for _, f := range r.Flaky() {
		fmt.Fprintf(io.out, "\n%s %s: %d passed and %d failed of the same inputs\n", st.verdict("flaky"), f.Inputs, f.Pass, f.Fail)
	}
	var sums []string
	for _, v := range []string{"pass", "fail", "flaky", "untestable", "not-applicable", "invalid", "error"} {
		if count[v] > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	if missing := r.Planned - len(r.Cases); missing > 0 {
		sums = append(sums, fmt.Sprintf("%d not run", missing))
	}
	if len(sums) == 0 {
		sums = []string{"nothing ran"}
	}
	within := ""
	if took := r.Ended.Sub(r.Started); !r.Ended.IsZero() && took > 0 {
		within = " in " + seconds(took)
	}
	fmt.Fprintf(io.out, "\n%s%s. Recordings: %s\n", strings.Join(sums, ", "), within, cmp.Or(r.Dir, "where the shards ran"))
}

// printCase shows a case: the cause first, then what to do, then where to look.
func printCase(io streams, r results.Run, c results.Case, all bool) {
	st := style{io.color}
	fmt.Fprintf(io.out, "%s %s: %s\n", st.ofCase(c), c.ID, plain(c.Told()))
	if change := c.Change(); change != "" {
		fmt.Fprintf(io.out, "        change: %s\n", change)
	}
	fmt.Fprintf(io.out, "        why: bootrace explain --run %s %s\n", r.ID, c.ID)
	fmt.Fprintf(io.out, "        again: %s\n", again(r.Request, c))
	if c.Recording == "" {
		return // it was not booted
	}
	fmt.Fprintf(io.out, "        recording: %s\n", c.Recording)
	fmt.Fprintf(io.out, "        by hand: sh %s\n", filepath.Join(c.Recording, recording.ByHandFile))
	if c.Kept != "" {
		fmt.Fprintf(io.out, "        kept: %s\n", c.Kept)
	}
	printChecks(io, c, all, fmt.Sprintf("bootrace show --run %s %s", r.ID, c.ID))
}

// printChecks shows what the checks of a case saw; more is the command that shows all.
func printChecks(io streams, c results.Case, all bool, more string) {
	st := style{io.color}
	for i, a := range c.Attempts {
		if a.Recording != c.Recording && !all {
			continue
		}
		if all && len(c.Attempts) > 1 {
			fmt.Fprintf(io.out, "  %s: %s, %s\n", attemptName(c, i), a.Verdict, plain(a.Reason))
		}
		for _, check := range a.Checks {
			if !all && (check.Outcome == "pass" || check.Outcome == "not-applicable") {
				continue
			}
			fmt.Fprintln(io.out, strings.TrimRight(fmt.Sprintf("  %s  %-19s %s", st.outcome(check.Outcome), check.Name, plain(check.Note)), " "))
			for i, f := range check.Findings {
				if i == maxFindings && !all {
					fmt.Fprintf(io.out, "          and %d more: %s\n", len(check.Findings)-i, more)
					break
				}
				printFinding(io, st, f)
			}
		}
	}
}

// attemptName is what a boot of a case is called beside the others: by its machine, and by
// its number among that one's.
func attemptName(c results.Case, i int) string {
	machines, machine := c.Machines(), 0
	for _, a := range c.Attempts[:i+1] {
		if a.Number <= 1 {
			machine++
		}
	}
	name := c.Attempts[i].Name()
	switch {
	case name == "":
		return fmt.Sprintf("attempt %d of %d", machine, machines)
	case machines > 1:
		return fmt.Sprintf("attempt %d of %d, %s", machine, machines, name)
	}
	return name
}

// again is the command that boots the case once more and leaves it open. Without
// the run's request it is not known where the subject lies.
func again(q *results.Request, c results.Case) string {
	museum := q == nil && strings.HasPrefix(c.ID, c.Subject+"/") // of a plan with several subjects
	q = cmp.Or(q, &results.Request{})
	dir := ".../" + c.Subject
	if n := slices.IndexFunc(q.Subjects, func(s string) bool { return filepath.Base(s) == c.Subject }); n >= 0 {
		dir = q.Subjects[n]
	}
	scenario := c.Scenario
	if _, err := scenarios.Find(scenario); err != nil { // a file of the user's own; the recording has it
		scenario = filepath.Join(c.Recording, recording.CaseFile)
	}
	line := fmt.Sprintf("bootrace run %s --base %s --keep-on-failure", scenario, c.Base)
	switch {
	case museum:
		return fmt.Sprintf("bootrace museum %s --base %s --keep-on-failure", c.Subject, c.Base)
	case strings.ContainsRune(c.Subject, ':'):
		line += " --image " + c.Subject
	case c.Subject != "populator" || len(q.Subjects) > 0:
		line += " --subject " + dir
	}
	if q.AsIs {
		line += " --as-is"
	}
	if q.Vector != "" {
		line += " --vector " + q.Vector
	}
	return line
}

func printFinding(io streams, st style, f results.Finding) {
	fmt.Fprintf(io.out, "          +%.3fs %s\n", f.At.Seconds(), plain(f.Summary))
	for i, e := range f.Evidence {
		if i == 2 {
			fmt.Fprintf(io.out, "            %s\n", st.dim(fmt.Sprintf("and %d more lines", len(f.Evidence)-i)))
			break
		}
		fmt.Fprintf(io.out, "            %s\n", st.dim(fmt.Sprintf("%s:%d: %s", e.File, e.Line, oneLine(e.Text, 140))))
	}
}

// plain makes of what a machine wrote a text that a terminal shows, and does not
// obey: a log line could paint a verdict over ours.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func oneLine(s string, most int) string {
	s = plain(strings.Join(strings.Fields(s), " "))
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
