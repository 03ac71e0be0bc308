package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/results/store"
)

func exportCommand(io streams) *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use: "export [RUN...]", Short: "Write runs with their cases as JSON Lines (default: all)",
		Example: "  bootrace export > runs.jsonl\n  bootrace export 20260102-0304 | BOOTRACE_DB=postgres://user@host/results bootrace import -",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withResults(cmd.Context(), io, db, func(s *store.Store) error {
				for i, id := range args {
					if strings.HasPrefix(id, latestRun) {
						r, err := storedRun(cmd.Context(), s, id)
						if err != nil {
							return err
						}
						args[i] = r.ID
					}
				}
				out := bufio.NewWriter(io.out)
				err := s.Export(cmd.Context(), out, args...)
				if errors.Is(err, store.ErrNotFound) {
					err = usage(advice{err, "bootrace list shows the runs"})
				}
				return errors.Join(err, out.Flush())
			})
		},
	}
	dbFlag(cmd.Flags(), &db)
	return cmd
}

func importCommand(io streams) *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Store the runs that export wrote; those that are there already are replaced",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from := io.in
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return usage(err)
				}
				defer f.Close()
				from = f
			}
			return withResults(cmd.Context(), io, db, func(s *store.Store) error {
				n, err := s.Import(cmd.Context(), from)
				if err != nil {
					return fmt.Errorf("import %s: %w", args[0], err)
				}
				fmt.Fprintf(io.out, "stored %d runs\n", n)
				return nil
			})
		},
	}
	dbFlag(cmd.Flags(), &db)
	return cmd
}
