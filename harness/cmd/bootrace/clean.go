package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"bootrace/harness/machine"
)

func cleanCommand(io streams) *cobra.Command {
	var alsoImages, alsoRuns, alsoOthers bool
	var onlyRun string
	cmd := &cobra.Command{
		Use: "clean", Short: "Remove kept machines and what dead runs left behind",
		Long: `Remove kept machines, those of by-hand.sh, and what dead runs left behind. Only
containers and images with our labels are touched, none of a run that is going on, and
of another user's only if --others asks for it and that run is seen to have ended.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			wanted := machine.OfRun(onlyRun)
			if alsoOthers {
				wanted = machine.OfAnyonesRun(onlyRun)
			}
			n, err := b.Sweep(cmd.Context(), wanted)
			fmt.Fprintf(io.out, "removed %d containers\n", n)
			if err != nil {
				return err
			}
			if alsoImages {
				n, err := b.Builder("", "", nil).RemoveAll(cmd.Context())
				fmt.Fprintf(io.out, "removed %d images\n", n)
				if err == nil {
					err = removeKits()
				}
				if err != nil {
					return err
				}
			}
			if alsoRuns {
				n, err := removeRuns()
				fmt.Fprintf(io.out, "removed the recordings of %d runs; their results stay\n", n)
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&onlyRun, "run", "", "only the machines of this run, by id or its beginning; by-hand: those of by-hand.sh")
	cmd.Flags().BoolVar(&alsoOthers, "others", false, "what other users' runs left behind as well, where they are seen to have ended")
	cmd.Flags().BoolVar(&alsoImages, "images", false, "remove our images as well, and what they were made from: the next run makes them anew")
	cmd.Flags().BoolVar(&alsoRuns, "runs", false, "remove the recordings of all runs that have ended")
	return cmd
}

// removeKits removes what commands have unpacked to make images from: each release has its own.
func removeKits() error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(cache, "kit")); err != nil {
		return fmt.Errorf("remove what images were made from: %w", err)
	}
	return nil
}

// removeRuns removes the directories of runs that no process holds, and the capsules that
// were run.
func removeRuns() (int, error) {
	state, err := stateDir()
	if err != nil {
		return 0, err
	}
	if err := os.RemoveAll(filepath.Join(state, capsulesDir)); err != nil {
		return 0, err
	}
	dirs, err := os.ReadDir(filepath.Join(state, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for _, d := range dirs {
		free, err := removeRecordings(state, d.Name())
		if err != nil {
			return n, err
		}
		if free {
			n++
		}
	}
	return n, nil
}
