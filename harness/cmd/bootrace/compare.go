package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/results"
	"bootrace/results/history"
	"bootrace/results/store"
)

func compareCommand(io streams) *cobra.Command {
	var db string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "compare RUN[/SUBJECT] RUN[/SUBJECT]", Short: "Say what moved from one run, or subject of a run, to another",
		Long: `compare holds the second run against the first: what regressed or improved, which
verdicts changed, and which inputs differ. Runs with at least 30 boots of a case
(--repeat 30) let a tenth more boot time be seen.

Of two runs the host may have been slower during one. Subjects of one run boot in
turns, so what differs between them is theirs.

Exit codes: 0 nothing got worse, 1 a measure regressed or a verdict got worse,
2 usage, 3 it cannot be said: too few boots, cases that are missing, or another
Vector.`,
		Example: `  bootrace compare 20260102-0304 20260103
  bootrace run delay-0s --subject ./before --subject ./after --repeat 30
  bootrace compare 20260104/before 20260104/after`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			runs, samples, err := twoRuns(cmd.Context(), io, db, args)
			if err != nil {
				return err
			}
			c, err := history.Compare(samples[0], samples[1])
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(io.out, struct {
					Version int      `json:"version"`
					Runs    []string `json:"runs"`
					NotRun  int      `json:"not_run"`
					history.Comparison
				}{results.Version, []string{runs[0].ID, runs[1].ID}, notRun(runs), c})
			} else {
				printComparison(io, runs, c)
			}
			switch {
			case err != nil:
				return err
			case c.Worse():
				return exitError{exitFailure, nil}
			case c.Undecided() || notRun(runs) > 0:
				return exitError{exitInvalid, nil}
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// twoRuns reads two runs, or subjects of runs, and their samples.
func twoRuns(ctx context.Context, io streams, where string, ids []string) (runs [2]results.Run, samples [2][]results.Sample, err error) {
	err = withResults(ctx, io, where, func(db *store.Store) (err error) {
		for i, id := range ids {
			id, subject, ofSubject := strings.Cut(id, "/")
			if runs[i], err = storedRun(ctx, db, id); err != nil {
				return err
			}
			if samples[i], err = db.Samples(ctx, results.Filter{Run: runs[i].ID, Subject: subject}); err != nil {
				return err
			}
			if ofSubject {
				if runs[i], err = only(runs[i], subject); err != nil {
					return usage(err)
				}
			}
		}
		return nil
	})
	if err == nil && runs[0].ID == runs[1].ID && runs[0].Subject == runs[1].Subject {
		err = usage(fmt.Errorf("%s and %s are the same run, %s; compare subjects of one as RUN/SUBJECT", ids[0], ids[1], runs[0].ID))
	}
	return runs, samples, err
}

// only is the run as if it had been of one of its subjects. What of the run never
// ran may have been of this one.
func only(r results.Run, subject string) (results.Run, error) {
	var have []string
	all := r.Cases
	r.Cases = nil
	for _, c := range all {
		if c.Subject == subject {
			r.Cases = append(r.Cases, c)
		} else if !slices.Contains(have, c.Subject) {
			have = append(have, c.Subject)
		}
	}
	if len(r.Cases) == 0 {
		return r, fmt.Errorf("run %s: it has no case of subject %q; there are %s", r.ID, subject, strings.Join(have, ", "))
	}
	r.Subject, r.Planned = subject, r.Planned-len(all)+len(r.Cases)
	return r, nil
}

// notRun counts the cases that were planned and never ran.
func notRun(runs [2]results.Run) int {
	n := 0
	for _, r := range runs {
		n += max(0, r.Planned-len(r.Cases))
	}
	return n
}

func printComparison(io streams, runs [2]results.Run, c history.Comparison) {
	st := style{io.color}
	for i, side := range []string{"before", "after"} {
		r := runs[i]
		fmt.Fprintf(io.out, "%-6s  %s  %d of %d cases, %s, Vector: %s\n", side, r.ID, len(r.Cases), max(r.Planned, len(r.Cases)), r.Tested(), r.RanVector())
	}
	names := 0
	for _, r := range c.Rows {
		names = max(names, len(caseName(r.Key, runs[1].Subject)))
	}
	for _, v := range c.Verdicts {
		names = max(names, len(caseName(v.Key, runs[1].Subject)))
	}
	if len(c.Verdicts) > 0 {
		fmt.Fprintln(io.out)
	}
	for _, v := range c.Verdicts {
		fmt.Fprintf(io.out, "  %s  %-*s  %s, before %s\n", st.change(v.Change), names, caseName(v.Key, runs[1].Subject), standing(v.After), standing(v.Before))
	}
	fmt.Fprintln(io.out)
	for _, m := range history.Measures() {
		for _, r := range c.Rows {
			if r.Measure == m.Name && r.Outcome != history.Unchanged { // these are counted only
				fmt.Fprintf(io.out, "  %-*s  %-19s %8s -> %-8s  %s\n", names, caseName(r.Key, runs[1].Subject), m.Title, side(m, r.Before), side(m, r.After), movement(st, m, r))
			}
		}
	}
	if len(c.Inputs) > 0 {
		fmt.Fprintln(io.out, "\nwhat differs, and may be the cause:")
	}
	for _, in := range c.Inputs {
		fmt.Fprintf(io.out, "  %-12s %s -> %s\n", in.Input, values(in.Before), values(in.After))
	}
	moved := func(r history.Row) bool { return r.Outcome == history.Regressed || r.Outcome == history.Improved }
	if runs[0].ID != runs[1].ID && slices.ContainsFunc(c.Rows, moved) {
		fmt.Fprintln(io.out, "\na host that was slower for the whole of one run looks the same; a third run would tell, or both subjects in one")
	}
	if len(c.LeftOut) > 0 || notRun(runs) > 0 {
		fmt.Fprintln(io.out)
	}
	for _, l := range c.LeftOut {
		fmt.Fprintf(io.out, "left out %s: %d boots, %s\n", l.Side, l.Boots, l.Why)
	}
	if n := notRun(runs); n > 0 {
		fmt.Fprintf(io.out, "%d planned cases never ran\n", n)
	}
	fmt.Fprintf(io.out, "\n%s\n", counted(c))
}

// caseName is what the case is called in a run of that subject; a run of several
// has the subject in the name.
func caseName(k history.Key, subject string) string {
	name := k.Scenario + "@" + k.Base
	if k.Subject != subject {
		return k.Subject + "/" + name
	}
	return name
}

// standing says how a case came out.
func standing(t history.Tally) string {
	switch {
	case t.Cases == 0:
		return "not there"
	case t.Judged == 0:
		return fmt.Sprintf("none of %d judged", t.Cases)
	}
	return fmt.Sprintf("%d of %d as expected", t.Expected, t.Judged)
}

// values of an input; one that is a hash is known by its beginning.
func values(list []string) string {
	if len(list) == 0 {
		return "not known"
	}
	short := make([]string, len(list))
	for i, v := range list {
		short[i] = oneLine(v, 50)
	}
	return strings.Join(short, ", ")
}

func side(m history.Measure, s history.Summary) string {
	if s.Boots == 0 {
		return "-"
	}
	return amount(m, s.Median)
}

// amount is a value of a measure: of a count a median may be a half.
func amount(m history.Measure, v float64) string {
	if m.Time {
		return fmt.Sprintf("%.2f s", v)
	}
	return fmt.Sprintf("%g", v)
}

// movement says what a measure came to, and by how much. Of few boots the amount
// would only mislead.
func movement(st style, m history.Measure, r history.Row) string {
	word := st.change(string(r.Outcome))
	e := r.Effect
	switch {
	case r.More > 0 && e != nil && e.Inflation > 1:
		return word + " runs differ among themselves: more runs"
	case r.More > 0:
		return fmt.Sprintf("%s %d more boots a side", word, r.More)
	}
	if share := 100 / r.Before.Median; m.Time && r.Before.Median > 0 {
		return fmt.Sprintf("%s %+.1f %% (%+.1f to %+.1f)", word, share*e.Shift, share*e.Low, share*e.High)
	}
	return fmt.Sprintf("%s %+.2f (%+.2f to %+.2f)", word, e.Shift, e.Low, e.High)
}

// counted sums a comparison up.
func counted(c history.Comparison) string {
	var verdicts, measures []string
	for _, v := range c.Verdicts {
		verdicts = append(verdicts, v.Change)
	}
	for _, r := range c.Rows {
		measures = append(measures, string(r.Outcome))
	}
	var parts []string
	for _, of := range []struct {
		what  string
		words []string
	}{{"verdicts", verdicts}, {"measures", measures}} {
		if len(of.words) > 0 {
			parts = append(parts, of.what+": "+tallied(of.words))
		}
	}
	if len(parts) == 0 {
		return "nothing to compare: no case was judged"
	}
	return strings.Join(parts, "; ")
}

// tallied counts equal words, the frequent ones last: what changed is rare.
func tallied(words []string) string {
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	kinds := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[a], count[b]), strings.Compare(a, b))
	})
	for i, w := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", count[w], w)
	}
	return strings.Join(kinds, ", ")
}
