package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/results"
	"bootrace/results/history"
)

func flakyCommand(io streams) *cobra.Command {
	f := results.Filter{}
	var db string
	var asJSON, onlyNew bool
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "flaky", Short: "List the cases whose verdicts differ under the same inputs", Args: noArguments,
		Long: `flaky lists the cases that passed and failed with the same subject, base, Vector,
kernel and systemd, within a run or across runs. Invalid boots are no verdicts.

Exit codes: 0 none is flaky, 1 some are, 2 usage, 3 nothing has been judged yet.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := someRuns(f); err != nil {
				return err
			}
			samples, err := sampled(cmd.Context(), io, db, f, labels, nil)
			if err != nil {
				return err
			}
			flaky := history.Flaky(samples)
			if onlyNew {
				flaky = history.NewlyFlaky(samples)
			}
			judged := history.Judged(samples)
			if asJSON {
				err = printJSON(io.out, map[string]any{"version": results.Version, "verdicts": judged, "flaky": flaky})
			} else {
				printFlaky(io, flaky, judged, onlyNew)
			}
			switch {
			case err != nil:
				return err
			case len(flaky) > 0:
				return exitError{exitFailure, nil}
			case judged == 0:
				return exitError{exitInvalid, nil}
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().IntVar(&f.Runs, "runs", historyRuns, "newest runs to look at")
	cmd.Flags().BoolVar(&onlyNew, "new", false, "only those that were not flaky without the newest run, for a nightly that alarms")
	labelFlag(cmd.Flags(), &labels)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printFlaky(io streams, flaky []history.FlakyCase, judged int, onlyNew bool) {
	st := style{io.color}
	for _, f := range flaky {
		all := 0
		for _, n := range f.Verdicts {
			all += n
		}
		fmt.Fprintf(io.out, "%s %s  not as expected in %.1f %% of %d boots (%.1f to %.1f)\n", st.verdict("flaky"), caseName(f.Key, f.Subject), 100*f.Rate, all, 100*f.Low, 100*f.High)
		fmt.Fprintf(io.out, "        %s\n", st.dim(fmt.Sprintf("subject %s %s, Vector: %s", f.Subject, oneLine(f.Hash, 13), f.Ran)))
		for _, v := range slices.Sorted(maps.Keys(f.Verdicts)) {
			fmt.Fprintf(io.out, "        %-7s %4d  %s\n", v, f.Verdicts[v], latest(f.Runs[v]))
		}
		if f.Unjudged > 0 {
			fmt.Fprintf(io.out, "        %d more were spoilt, which is no verdict\n", f.Unjudged)
		}
	}
	switch {
	case judged == 0:
		fmt.Fprintln(io.out, "nothing has been judged yet; begin with: bootrace run")
	case len(flaky) == 0 && onlyNew:
		fmt.Fprintf(io.out, "no case became flaky with the newest run, by %d verdicts\n", judged)
	case len(flaky) == 0:
		fmt.Fprintf(io.out, "no case is flaky, by %d verdicts\n", judged)
	default:
		fmt.Fprintf(io.out, "\n%d flaky. Why: bootrace explain --run RUN CASE\n", len(flaky))
	}
}

// latest names the newest of the runs.
func latest(runs []string) string {
	const most = 3
	named := slices.Clone(runs[max(0, len(runs)-most):])
	slices.Reverse(named)
	text := "in " + strings.Join(named, ", ")
	if more := len(runs) - len(named); more > 0 {
		text += fmt.Sprintf(" and %d more runs", more)
	}
	return text
}
