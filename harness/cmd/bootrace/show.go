package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/harness/capsule"
	"bootrace/harness/machine"
	"bootrace/results"
	"bootrace/results/store"
	"bootrace/scenarios"
)

func showCommand(io streams) *cobra.Command {
	var db, runID string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show [CASE|CAPSULE|RECORDING]", Short: "Show a run, or all there is to say of one of its cases",
		Long: `show prints the table of a run and what went wrong in it. Of a case, or of all
whose id (SCENARIO@BASE#N) begins so, it prints every check with the lines that it
rests on, and the commands that explain the case, boot it again, or open it.
Of a capsule it prints the same, and what is in it. A recording, by its directory,
is judged anew: neither the store nor an engine is needed.`,
		Example: "  bootrace show\n  bootrace show delay-45s@trixie#1\n  bootrace show --run 20260102-0304 delay-45s",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && capsule.Is(args[0]) {
				return lookInto(args[0], func(c capsule.Capsule) error { return showCapsule(io, args[0], c, asJSON) })
			}
			if is, err := bareRecording(args); err != nil {
				return err
			} else if is {
				return showBare(io, args[0], asJSON)
			}
			r, err := stored(cmd.Context(), io, db, runID, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(io.out, r)
			}
			if len(args) == 0 {
				printRun(io, r)
				return nil
			}
			for _, c := range r.Cases {
				fmt.Fprintf(io.out, "run %s, %s, subject %s, Vector: %s\n", r.ID, c.Started.Format("2006-01-02 15:04:05 MST"), c.Subject, results.WithDigest(c.Vector, c.Decided().Versions[results.VersionVectorDigest]))
				printCase(io, r, c, true)
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().StringVar(&runID, "run", latestRun, "the run, by id or its beginning; latest~1 is the one before the latest")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// stored returns a run of the database, the latest without an id; if a case is
// named, with those cases only that match.
func stored(ctx context.Context, io streams, db, id string, name []string) (r results.Run, err error) {
	err = withResults(ctx, io, db, func(s *store.Store) error {
		r, err = storedRun(ctx, s, id)
		return err
	})
	if err == nil && len(name) > 0 {
		if r.Cases, err = matching(r, name[0]); err != nil {
			err = usage(err)
		}
	}
	return r, err
}

// latestRun is what the run is called that began last of those that have ended; latest~2 is the
// one two before it.
const latestRun = "latest"

func storedRun(ctx context.Context, s *store.Store, id string) (r results.Run, err error) {
	if back, ok := strings.CutPrefix(id, latestRun); ok {
		n := 0
		if back != "" {
			if n, err = strconv.Atoi(strings.TrimPrefix(back, "~")); err != nil || n < 0 || back[0] != '~' {
				return r, usage(fmt.Errorf("run %q: expected %s or %[2]s~1", id, latestRun))
			}
		}
		r, err = s.Latest(ctx, n, stillRuns)
	} else {
		r, err = s.Run(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = usage(advice{err, "bootrace list shows the runs, bootrace run makes one"})
	}
	return r, err
}

// matching returns the cases whose id begins with name.
func matching(r results.Run, name string) ([]results.Case, error) {
	var out []results.Case
	var ids []string
	for _, c := range r.Cases {
		if c.ID == name {
			return []results.Case{c}, nil
		}
		if strings.HasPrefix(c.ID, name) {
			out = append(out, c)
		}
		ids = append(ids, c.ID)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("run %s has no case %q; it has: %s", r.ID, name, strings.Join(ids, ", "))
	}
	return out, nil
}

func listCommand(io streams) *cobra.Command {
	var db string
	var limit int
	var asJSON bool
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "list", Short: "List the latest runs", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if limit < 1 {
				return usage(fmt.Errorf("--limit %d: expected at least 1", limit))
			}
			var runs []results.Run
			if err := withResults(cmd.Context(), io, db, func(s *store.Store) error {
				runs, err = s.Runs(cmd.Context(), limit)
				return err
			}); err != nil {
				return err
			}
			runs = slices.DeleteFunc(runs, func(r results.Run) bool { return !r.Labelled(labels) })
			if asJSON {
				return json.NewEncoder(io.out).Encode(append([]results.Run{}, runs...)) // a list, if an empty one
			}
			switch {
			case len(runs) == 0 && len(labels) > 0:
				fmt.Fprintf(io.out, "none of the latest %d runs has: %s\n", limit, labelled(labels))
			case len(runs) == 0:
				fmt.Fprintln(io.out, "no run is stored yet; begin with: bootrace run")
			}
			for _, r := range runs {
				fmt.Fprintln(io.out, runLine(style{io.color}, r))
			}
			return nil
		},
	}
	dbFlag(cmd.Flags(), &db)
	cmd.Flags().IntVar(&limit, "limit", 20, "runs to look at")
	labelFlag(cmd.Flags(), &labels)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, without the boots' events, which show --json has")
	return cmd
}

// ranked are the verdicts by which a run can be listed, the worst last: what is
// known to be wrong counts for more than what is not known.
var ranked = []string{"pass", "not-applicable", "untestable", "invalid", "error", "flaky", "fail"}

// stillRuns: a process of this host is at it.
func stillRuns(r results.Run) bool {
	return r.Ended.IsZero() && machine.Owned(filepath.Join(r.Dir, "lock"))
}

func runLine(st style, r results.Run) string {
	worst, bad, aside := 0, 0, 0
	note := func(word string) { worst = max(worst, slices.Index(ranked, word)) }
	for _, c := range r.Cases {
		switch {
		case c.AsExpected():
			continue
		case !c.Applies():
			aside++
			continue
		case c.Verdict == "pass": // a known failure that is none any more
			note("fail")
		case !slices.Contains(ranked, c.Verdict):
			note("error")
		default:
			note(c.Verdict)
		}
		bad++
	}
	text, running := fmt.Sprintf("%d of %d cases ended", len(r.Cases), r.Planned), ""
	switch {
	case stillRuns(r):
		text, running = text+" so far", "running"
	case r.Ended.IsZero():
		note("error")
		text = "cut off: " + text
	case len(r.Cases) < r.Planned || len(r.Cases) == 0:
		note("error")
	case aside == len(r.Cases):
		note("not-applicable")
		text = fmt.Sprintf("none of %d cases applies", aside)
	case bad == 0:
		text = fmt.Sprintf("%d cases as expected", len(r.Cases)-aside)
	default:
		text = fmt.Sprintf("%d of %d cases not as expected", bad, len(r.Cases))
		bad = 0 // said
	}
	if bad > 0 {
		text += fmt.Sprintf(", %d not as expected", bad)
	}
	return fmt.Sprintf("%s %s  %-24s %s", st.verdict(cmp.Or(running, ranked[worst])), r.ID, strings.TrimPrefix(r.Tested(), "subject "), text+st.dim("  Vector: "+r.RanVector()))
}

func scenariosCommand(io streams) *cobra.Command {
	var check string
	cmd := &cobra.Command{
		Use: "scenarios", Short: "List the scenarios that bootrace ships, or check a file of one's own", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if check != "" {
				s, err := scenarios.Find(check)
				if err != nil {
					return usage(err)
				}
				fmt.Fprintf(io.out, "%s: scenario %s is in order; it waits %s\n", check, s.Name, s.Waits())
				return nil
			}
			all, err := scenarios.Library()
			if err != nil {
				return err
			}
			for _, s := range all {
				fmt.Fprintf(io.out, "%-28s %-8s %-7s %s\n", s.Name, s.Size, s.Waits(), s.Description)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&check, "check", "", "a scenario file to check")
	return cmd
}
