package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bootrace/harness/capsule"
	"bootrace/harness/timeline"
)

// aroundBy is how far from a moment what is shown around it may be.
const aroundBy = 5 * time.Second

// shown says which lines of a journal are wanted.
type shown struct {
	unit   string        // of or about it; empty: of all
	around time.Duration // on the boot clock
	near   bool          // around counts
}

func journalCommand(io streams) *cobra.Command {
	var db, runID, unit, around string
	cmd := &cobra.Command{
		Use: "journal CASE|CAPSULE|RECORDING", Short: "Print the journal of a boot that was recorded, on the boot clock",
		Long: "Prints what the journal of the boot that decided a case has: when, on the boot clock, the line's number, which\n" +
			"evidence names, and who says what.",
		Example: "  bootrace journal delay-45s@trixie#1\n  bootrace journal delay-45s -u vector.service\n  bootrace journal delay-45s --around 45s",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			want := shown{unit: unit, near: cmd.Flags().Changed("around")}
			if want.near {
				var err error
				if want.around, err = time.ParseDuration(strings.TrimPrefix(around, "+")); err != nil {
					return usage(fmt.Errorf("--around %q: expected a time on the boot clock, such as 45s or 1m30s", around))
				}
			}
			if unit != "" && !strings.Contains(unit, ".") {
				want.unit += ".service" // as journalctl -u
			}
			if capsule.Is(args[0]) {
				return lookInto(args[0], func(c capsule.Capsule) error {
					return printJournal(io, c.Unpacked.Cases[0].Recording, want)
				})
			}
			if is, err := bareRecording(args); err != nil {
				return err
			} else if is {
				return printJournal(io, args[0], want)
			}
			r, err := stored(cmd.Context(), io, db, runID, args)
			if err != nil {
				return err
			}
			var errs []error
			for _, c := range r.Cases {
				if len(r.Cases) > 1 {
					fmt.Fprintf(io.out, "%s\n", c.ID)
				}
				if c.Recording == "" {
					errs = append(errs, fmt.Errorf("%s was not booted: %s", c.ID, plain(c.Told())))
					continue
				}
				errs = append(errs, printJournal(io, c.Recording, want))
			}
			return errors.Join(errs...)
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&runID, "run", latestRun, "the run, by id or its beginning; latest~1 is the one before the latest")
	cmd.Flags().StringVarP(&unit, "unit", "u", "", "what a unit says, and what is said of it")
	cmd.Flags().StringVar(&around, "around", "", "what is within "+aroundBy.String()+" of a time on the boot clock")
	return cmd
}

func printJournal(io streams, dir string, want shown) error {
	t, err := timeline.Read(os.DirFS(dir))
	if err != nil {
		return err
	}
	if why, ok := t.Missing[timeline.Journal]; ok {
		fmt.Fprintf(io.err, "bootrace: the journal is not whole: %s\n", plain(why))
	}
	none := true
	for _, ev := range t.Events {
		if ev.Evidence.File != timeline.Journal || want.unit != "" && ev.Unit != want.unit || want.near && (ev.At-want.around).Abs() > aroundBy {
			continue
		}
		none = false
		who, _, _ := strings.Cut(ev.Evidence.Text, ": ")
		fmt.Fprintf(io.out, "%10s %5d  %s: %s\n", timeline.Since(ev.At), ev.Evidence.Line, plain(who), plain(ev.Text))
	}
	if none {
		fmt.Fprintf(io.err, "bootrace: no line of its journal is so; the boot ends at %s\n", timeline.Since(t.End))
	}
	return nil
}
