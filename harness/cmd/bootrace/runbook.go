package main

import (
	stdio "io"

	"github.com/spf13/cobra"

	"bootrace/harness/runbook"
	"bootrace/scenarios"
)

func runbookCommand(io streams) *cobra.Command {
	var script bool
	var production string
	cmd := &cobra.Command{
		Use: "runbook SCENARIO", Short: "Say how to try a scenario on a real development host, step by step",
		Long: `runbook prints the steps for a person, or with --script a bash script that does
them: with a dry run, an undo at any step, and a refusal where the host looks
like production. A scenario is a name of bootrace scenarios, or a file.`,
		Example: "  bootrace runbook delay-45s\n  bootrace runbook delay-45s --script > runbook.sh",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := scenarios.Find(args[0])
			if err != nil {
				return usage(err)
			}
			book, err := runbook.Of(s, production)
			if err != nil {
				return usage(err)
			}
			write := book.Text
			if script {
				write = book.Script
			}
			text, err := write()
			if err != nil {
				return err
			}
			_, err = stdio.WriteString(io.out, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&script, "script", false, "print a bash script that does the steps")
	cmd.Flags().StringVar(&production, "production", "", "extended regular `EXPRESSION`: a host whose name, role env or tags it matches is refused as well")
	return cmd
}
