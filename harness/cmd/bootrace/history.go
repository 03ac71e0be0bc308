package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"bootrace/results"
	"bootrace/results/history"
	"bootrace/results/store"
)

// historyRuns is how many runs are looked at where nothing else is said: three
// months of nightly ones.
const historyRuns = 100

func historyCommand(io streams) *cobra.Command {
	f := results.Filter{}
	var db, failOn string
	var asJSON bool
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "history [SCENARIO...]", Short: "Show how boot times, credentials and restarts went from run to run",
		Long: `history shows a line for each measure of each case: the runs' medians as a curve,
the median of the earlier runs and that of the last one, and whether the newest
runs (as many as have 30 boots together, at most half of them) moved against the
earlier ones.

Exit codes: 0 it was shown, 1 with --fail-on regressed if the newest runs are worse
than the earlier ones, 2 usage.`,
		Example: "  bootrace history\n  bootrace history delay-45s never --base trixie --runs 1000",
		RunE: func(cmd *cobra.Command, scenarios []string) error {
			if err := someRuns(f); err != nil {
				return err
			}
			if failOn != "" && failOn != regressed {
				return usage(fmt.Errorf("--fail-on %q: expected %s", failOn, regressed))
			}
			samples, err := sampled(cmd.Context(), io, db, f, labels, scenarios)
			if err != nil {
				return err
			}
			series := history.Trends(samples)
			recent, err := history.Compare(history.Recent(samples))
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				err = printJSON(io.out, map[string]any{"version": results.Version, "series": series, "recent": recent})
			case len(samples) == 0:
				fmt.Fprintf(io.out, "nothing is stored of it in the last %d runs; bootrace run makes one\n", f.Runs)
			default:
				printHistory(io, series, recent)
			}
			if err == nil && failOn == regressed && recent.Worse() {
				err = exitError{exitFailure, nil}
			}
			return err
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&f.Base, "base", "", "the base (default: all)")
	cmd.Flags().IntVar(&f.Runs, "runs", historyRuns, "newest runs to look at")
	labelFlag(cmd.Flags(), &labels)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&failOn, "fail-on", "", "regressed: exit 1 if the newest runs are worse, for a nightly that alarms")
	return cmd
}

// regressed is what --fail-on takes.
const regressed = "regressed"

func someRuns(f results.Filter) error {
	if f.Runs < 1 {
		return usage(fmt.Errorf("--runs %d: expected at least 1", f.Runs))
	}
	return nil
}

// sampled reads the samples that the filter chooses, of runs with these labels, and of
// these scenarios only if any are named.
func sampled(ctx context.Context, io streams, where string, f results.Filter, labels map[string]string, scenarios []string) (samples []results.Sample, err error) {
	named := len(scenarios) > 0
	if !named {
		scenarios = []string{""}
	}
	err = withResults(ctx, io, where, func(db *store.Store) error {
		labelled := map[string]bool{}
		if len(labels) > 0 {
			runs, err := db.Runs(ctx, f.Runs)
			if err != nil {
				return err
			}
			for _, r := range runs {
				labelled[r.ID] = r.Labelled(labels)
			}
		}
		for _, f.Scenario = range scenarios {
			some, err := db.Samples(ctx, f)
			if err != nil {
				return err
			}
			if len(labels) > 0 {
				some = slices.DeleteFunc(some, func(s results.Sample) bool { return !labelled[s.Run] })
			}
			if named && len(some) == 0 {
				return usage(advice{fmt.Errorf("no stored case of the last %d runs is of scenario %q", f.Runs, f.Scenario),
					"bootrace show lists a run's cases; --runs looks further back, --base chooses the base"})
			}
			samples = append(samples, some...)
		}
		return nil
	})
	return samples, err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printHistory prints the measures that are compared, under their case.
func printHistory(io streams, series []history.Series, recent history.Comparison) {
	st := style{io.color}
	rows := map[history.Key]map[string]history.Row{}
	for _, r := range recent.Rows {
		if rows[r.Key] == nil {
			rows[r.Key] = map[string]history.Row{}
		}
		rows[r.Key][r.Measure] = r
	}
	lines := map[history.Key]map[string]history.Series{}
	var keys []history.Key // in their order
	for _, s := range series {
		if lines[s.Key] == nil {
			lines[s.Key] = map[string]history.Series{}
			keys = append(keys, s.Key)
		}
		lines[s.Key][s.Measure] = s
	}
	for _, key := range keys {
		fmt.Fprintf(io.out, "%s@%s  %s\n", key.Scenario, key.Base, st.dim(fmt.Sprintf("subject %s, Vector: %s", key.Subject, key.Vector)))
		for _, m := range history.Measures() {
			s, ok := lines[key][m.Name]
			if !ok {
				continue
			}
			last := s.Points[len(s.Points)-1]
			before, said := "-", "no earlier run to compare with"
			if r, ok := rows[key][m.Name]; ok {
				if r.Before.Boots > 0 {
					before = amount(m, r.Before.Median)
				}
				said = movement(st, m, r)
			}
			fmt.Fprintf(io.out, "  %-19s %s%8s -> %-8s  %s\n", m.Title, io.spark(s.Points), before, amount(m, last.Median), said)
		}
	}
	fmt.Fprintf(io.out, "\n%s\n", counted(recent))
}
