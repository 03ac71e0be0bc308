package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"bootrace/harness/machine"
)

func shellCommand(io streams) *cobra.Command {
	return &cobra.Command{
		Use: "shell [CASE]", Short: "Open a shell in a kept machine (run --keep), or list them",
		Long: `shell opens the machine whose name has CASE in it, as it is: systemctl and
journalctl say what happened. It stays until bootrace clean removes it.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			all, err := b.Leftovers(cmd.Context())
			if err != nil {
				return err
			}
			var kept []machine.Leftover
			for _, l := range all {
				if l.Kept && l.Worker && (len(args) == 0 || strings.Contains(l.Name, strings.NewReplacer("@", "_", "#", "_", "/", "_").Replace(args[0]))) {
					kept = append(kept, l)
				}
			}
			switch {
			case len(args) == 0 && len(kept) == 0:
				fmt.Fprintln(io.out, "no machine is kept; run with --keep or --keep-on-failure")
				return nil
			case len(args) == 0:
				for _, l := range kept {
					fmt.Fprintf(io.out, "%.12s  %s\n", l.ID, l.Name)
				}
				return nil
			case len(kept) == 0:
				return usage(fmt.Errorf("no kept machine of a case %q; bootrace shell lists them, run --keep makes them", args[0]))
			case len(kept) > 1:
				return usage(fmt.Errorf("%d kept machines match %q, name one: %s, %s, …", len(kept), args[0], kept[0].Name, kept[1].Name))
			}
			argv := b.Shell(kept[0].ID)
			program, err := exec.LookPath(argv[0])
			if err != nil {
				return fmt.Errorf("open a shell in %s: %w; the engine's command line client is needed for this one verb", kept[0].Name, err)
			}
			return syscall.Exec(program, argv, os.Environ())
		},
	}
}
