package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/results"
	"bootrace/results/report"
)

// forms are what a run can be written as.
var forms = map[string]func(io.Writer, results.Run) error{"junit": report.JUnit, "markdown": report.Markdown}

func reportCommand(io streams) *cobra.Command {
	var runID, form string
	names := strings.Join(slices.Sorted(maps.Keys(forms)), ", ")
	cmd := &cobra.Command{
		Use: "report", Short: "Write a run as JUnit XML or as Markdown, for CI servers", Args: noArguments,
		Example: "  bootrace report --form junit > junit.xml\n  bootrace report --form markdown >> $GITHUB_STEP_SUMMARY",
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := forms[form]
			if !ok {
				return usage(fmt.Errorf("--form %q: expected one of %s", form, names))
			}
			r, err := stored(cmd.Context(), runID, nil)
			if err != nil {
				return err
			}
			return write(io.out, r)
		},
	}
	cmd.Flags().StringVar(&runID, "run", "", "the run, by id or its beginning (default: the latest)")
	cmd.Flags().StringVar(&form, "form", "", "one of "+names)
	return cmd
}
