package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"bootrace/harness/boot"
	"bootrace/harness/capsule"
	"bootrace/harness/explain"
	"bootrace/harness/timeline"
	"bootrace/results"
)

func explainCommand(io streams) *cobra.Command {
	var db, runID string
	cmd := &cobra.Command{
		Use: "explain [CASE|CAPSULE|RECORDING]", Short: "Say in a few sentences why a case failed, and what would have to change",
		Long: "explain takes a case by its id, SCENARIO@BASE#N, or all whose id begins so. Without one it\n" +
			"explains all cases of the run that came out otherwise than expected. A recording, by its\n" +
			"directory, is judged anew.",
		Example: "  bootrace explain\n  bootrace explain delay-45s\n  bootrace explain --run 20260102-0304 delay-45s@trixie#1",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && capsule.Is(args[0]) {
				return lookInto(args[0], func(c capsule.Capsule) error {
					printExplanation(io, c.Unpacked.Cases[0], args[0]+": "+capsule.RecordingDir)
					return nil
				})
			}
			if is, err := bareRecording(args); err != nil {
				return err
			} else if is {
				c, _, err := bare(args[0])
				if err != nil {
					return usage(err)
				}
				printExplanation(io, c, args[0])
				return nil
			}
			r, err := stored(cmd.Context(), io, db, runID, args)
			if err != nil {
				return err
			}
			cases := r.Cases
			if len(args) == 0 {
				cases = slices.DeleteFunc(cases, func(c results.Case) bool { return c.AsExpected() || !c.Applies() })
			}
			for _, c := range cases {
				printExplanation(io, c, c.Recording)
			}
			if len(cases) == 0 {
				fmt.Fprintf(io.out, "run %s: what ended of it, %d of %d cases, came out as expected\n", r.ID, len(r.Cases), r.Planned)
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&runID, "run", latestRun, "the run, by id or its beginning; latest~1 is the one before the latest")
	return cmd
}

// printExplanation explains a case; in is where its recording lies, for people.
func printExplanation(io streams, c results.Case, in string) {
	st := style{io.color}
	fmt.Fprintf(io.out, "%s %s\n", st.ofCase(c), c.ID)
	e, ok, err := explained(c)
	if !ok {
		what := "no check failed"
		if c.Unjudged() {
			what = "it could not be judged"
		}
		fmt.Fprintf(io.out, "  %s: %s\n", what, plain(c.Told()))
		return
	}
	fmt.Fprintf(io.out, "  why     %s: %s\n", e.Check, plain(e.Why))
	for _, more := range e.More {
		fmt.Fprintf(io.out, "          %s\n", plain(more))
	}
	for _, then := range e.Then {
		fmt.Fprintf(io.out, "  then    %s\n", plain(then))
	}
	fmt.Fprintf(io.out, "  change  %s\n", e.Change)
	for _, ev := range e.Evidence {
		fmt.Fprintf(io.out, "  %s\n", st.dim(fmt.Sprintf("%s:%d: %s", ev.File, ev.Line, oneLine(ev.Text, maxReason))))
	}
	fmt.Fprintf(io.out, "  in %s\n", in)
	if err != nil {
		fmt.Fprintf(io.out, "  without the recording, which would say more: %v\n", err)
	}
}

// explained explains a case. A recording that was removed takes some of the
// explanation with it, not all; err says so.
func explained(c results.Case) (e explain.Explanation, ok bool, err error) {
	tl, err := timeline.Read(os.DirFS(c.Recording))
	if err != nil {
		tl = timeline.Timeline{}
	}
	e, ok = explain.Case(c, boot.Of(tl))
	return e, ok, err
}
