package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"bootrace/harness/machine"
	"bootrace/harness/wire"
)

func doctorCommand(io streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say whether this host can boot machines, and how to mend it",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := stateDir()
			if err != nil {
				return err
			}
			b, _ := wire.Connect(cmd.Context(), "") // why it is not there is among what doctor says
			findings := b.Doctor(cmd.Context(), state)
			if asJSON {
				if err := json.NewEncoder(io.out).Encode(findings); err != nil {
					return err
				}
			} else {
				printFindings(io, findings)
			}
			if slices.ContainsFunc(findings, func(f machine.Finding) bool { return f.State == machine.Fail }) {
				return exitError{code: exitInvalid}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printFindings(io streams, findings []machine.Finding) {
	st := style{io.color}
	codes := map[machine.State]string{machine.OK: "32", machine.Warn: "33", machine.Fail: "31;1"}
	for _, f := range findings {
		fmt.Fprintf(io.out, "%s  %-13s %s\n", st.paint(codes[f.State], fmt.Sprintf("%-4s", f.State)), f.Probe, f.Detail)
		if f.Fix != "" {
			fmt.Fprintf(io.out, "      %-13s -> %s\n", "", f.Fix)
		}
	}
}
