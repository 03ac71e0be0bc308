package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manualCommand is for those who make a release, and hidden from the others.
func manualCommand(streams) *cobra.Command {
	return &cobra.Command{
		Use: "manual DIR", Short: "Write the manual pages of all verbs", Hidden: true,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("write the manual: %w", err)
			}
			cmd.Root().DisableAutoGenTag = true // it has the day in it
			header := doc.GenManHeader{Section: "1", Source: "bootrace", Manual: "bootrace"}
			if err := doc.GenManTree(cmd.Root(), &header, args[0]); err != nil {
				return fmt.Errorf("write the manual into %s: %w", args[0], err)
			}
			return nil
		},
	}
}
