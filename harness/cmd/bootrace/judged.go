package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

func (j *judging) print(all []judged, strange []error, fleet bool) error {
	st := style{j.io.color}
	if j.html {
		return writeJudged(j.io.out, all, time.Now())
	}
	if j.asJSON {
		enc := json.NewEncoder(j.io.out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	if fleet || len(all) > 1 {
		width := 4
		for _, b := range all {
			width = max(width, min(40, len([]rune(label(b)))))
		}
		for _, b := range all {
			fmt.Fprintf(j.io.out, "%s  %-*s  %s\n", st.word(b.Verdict, 10), width, oneLine(label(b), 40), oneLine(b.Headline, maxReason))
		}
		for _, err := range strange {
			fmt.Fprintf(j.io.out, "%s  %s\n", st.word("no log", 10), oneLine(err.Error(), maxReason))
		}
		fmt.Fprintln(j.io.out, verdictsOf(all, len(strange)))
		if fleet {
			return nil
		}
		fmt.Fprintln(j.io.out)
	}
	j.printOne(st, all[0])
	return nil
}

func label(b judged) string { return strings.TrimSpace(b.Host + " " + b.Boot) }

func verdictsOf(all []judged, strange int) string {
	n := map[string]int{}
	for _, b := range all {
		n[b.Verdict]++
	}
	var out []string
	for _, v := range []string{"fail", "flaky", "error", "invalid", "untestable", "not-applicable", "not-judged", "pass"} {
		if n[v] > 0 {
			out = append(out, fmt.Sprintf("%d %s", n[v], v))
		}
	}
	if strange > 0 {
		out = append(out, fmt.Sprintf("%d no log of a boot", strange))
	}
	return strings.Join(out, ", ")
}

func (j *judging) printOne(st style, b judged) {
	fmt.Fprintf(j.io.out, "%s %s: %s\n", st.word(b.Verdict, 10), oneLine(label(b), 60), plain(b.Headline))
	for _, then := range b.Then {
		fmt.Fprintf(j.io.out, "  then    %s\n", plain(then))
	}
	for _, note := range b.Notes {
		fmt.Fprintf(j.io.out, "  note    %s\n", plain(note))
	}
	if b.Change != "" {
		fmt.Fprintf(j.io.out, "  change  %s\n", b.Change)
	}
	for i, ev := range b.Evidence {
		if i < 8 {
			fmt.Fprintf(j.io.out, "  %s\n", st.dim(fmt.Sprintf("%s:%d: %s", plain(ev.File), ev.Line, oneLine(ev.Text, maxReason))))
		}
	}
	fmt.Fprintf(j.io.out, "  from    %s: %s\n", plain(strings.Join(b.Files, ", ")), b.from)
	for _, r := range b.Checks {
		text := r.Note
		if len(r.Findings) > 0 {
			text = r.Findings[0].Summary
			if more := len(r.Findings) - 1; more > 0 {
				text += fmt.Sprintf(" (and %d more)", more)
			}
		}
		fmt.Fprintf(j.io.out, "  %-20s %s %s\n", r.Check, st.word(string(r.Outcome), 10), oneLine(text, maxReason))
	}
}
