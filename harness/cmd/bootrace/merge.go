package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"bootrace/results"
	"bootrace/results/store"
)

func mergeCommand(io streams) *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use: "merge FILE...", Short: "Make one run of what run --shard booted on several hosts, and judge it",
		Long: `merge reads what bootrace export wrote of the shards of one plan, stores them as one
run in their place, prints it, and ends as bootrace run would have on one host. A shard that is
missing, that is there twice, or that is of another subject, plan, Vector or bootrace is an error,
and nothing is stored.

Exit codes: 0 all as expected, 1 a failure, 2 usage, 3 a shard or a verdict is missing.`,
		Example: `  bootrace run gate --shard 1/3 && bootrace export latest > shard-1.jsonl   # on each of three hosts
  bootrace merge shard-*.jsonl && bootrace report --form html > report.html`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return merge(cmd.Context(), io, db, files) },
	}
	dbFlag(cmd.Flags(), &db)
	return cmd
}

func merge(ctx context.Context, io streams, db string, files []string) error {
	var shards []results.Run
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return usage(err)
		}
		for run, err := range store.Exported(bufio.NewReader(f)) {
			if err != nil {
				f.Close()
				return fmt.Errorf("read %s: %w", file, err)
			}
			shards = append(shards, run)
		}
		f.Close()
	}
	whole, err := results.MergeShards(shards)
	if err != nil {
		return fmt.Errorf("merge %d runs: %w", len(shards), err)
	}
	if err := withResults(ctx, io, db, func(s *store.Store) error { return s.PutMerged(ctx, whole) }); err != nil {
		return err
	}
	printRun(io, whole)
	return outcome(whole, nil)
}
