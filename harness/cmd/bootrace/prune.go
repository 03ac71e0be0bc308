package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bootrace/harness/machine"
	"bootrace/results/store"
)

func pruneCommand(io streams) *cobra.Command {
	var db string
	var keep int
	var age time.Duration
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove old runs from the results, and their recordings",
		Long: `Remove old runs from the results, and their recordings. With both flags a run
goes only if both say so. A run that goes on stays, and one that was cut off
or interrupted stays for a day, in which it can be resumed.`,
		Example: "  bootrace prune --older-than 720h --keep 20",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := cmd.Flags().Changed
			switch {
			case !given("keep") && !given("older-than"):
				return usage(errors.New("expected --keep N or --older-than DURATION, or both: what is old?"))
			case keep < 0:
				return usage(fmt.Errorf("--keep %d: expected at least 0", keep))
			case given("older-than") && age <= 0:
				return usage(fmt.Errorf("--older-than %s: expected a duration such as 720h", age))
			}
			p := store.Policy{Keep: keep, Now: time.Now()}
			if age > 0 {
				p.Before = p.Now.Add(-age)
			}
			return prune(cmd.Context(), io, db, p)
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().IntVar(&keep, "keep", 0, "keep the newest so many runs")
	cmd.Flags().DurationVar(&age, "older-than", 0, "keep what began less than so long ago, such as 720h")
	return cmd
}

// prune removes the runs that the policy does not keep.
func prune(ctx context.Context, io streams, db string, p store.Policy) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	return withResults(ctx, io, db, func(s *store.Store) error {
		stale, err := s.Stale(ctx, p)
		if err != nil {
			return err
		}
		n := 0
		defer func() { fmt.Fprintf(io.out, "removed %d runs\n", n) }()
		for _, r := range stale {
			// First what lies around: if this ends here, the next one finds the run again.
			free := true
			for _, id := range append(r.Shards, r.ID) {
				if one, err := removeRecordings(state, id); err != nil {
					return err
				} else if !one {
					free = false
				}
			}
			if !free {
				continue
			}
			if err := s.Remove(ctx, r.ID); err != nil {
				return err
			}
			n++
		}
		return nil
	})
}

// removeRecordings removes a run's directory, if there is one and no process
// holds it; else free is false. The run's name may come from an imported file: one
// that leads anywhere else is of no directory of ours.
func removeRecordings(state, run string) (free bool, err error) {
	if run != filepath.Base(run) || !filepath.IsLocal(run) || run == "." {
		return true, nil
	}
	dir := filepath.Join(state, "runs", run)
	if machine.Owned(filepath.Join(dir, "lock")) {
		return false, nil
	}
	return true, os.RemoveAll(dir)
}
