package main

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bootrace/harness/museum"
	"bootrace/images"
	"bootrace/results/store"
	"bootrace/scenarios"
)

// A shell waits no longer than that for completions of the results (a database may be far).
const completeWithin = 2 * time.Second

// completedRuns is how many of the latest runs a shell is offered.
const completedRuns = 20

// complete tells the shell what a verb's arguments and flags can be. A verb that is not
// here takes files or nothing.
func complete(root *cobra.Command) {
	arguments := map[string]cobra.CompletionFunc{
		"run": scenariosAndSizes, "runbook": scenarioNames, "history": scenarioNames,
		"museum": incidentIDs,
		"show":   caseIDs, "explain": caseIDs, "journal": caseIDs, "capsule": caseIDs,
		"compare": runIDs, "export": runIDs,
	}
	flags := map[string]cobra.CompletionFunc{"base": words(images.Suites()), "run": runIDs, "form": words(slices.Sorted(maps.Keys(forms)))}
	for _, c := range root.Commands() {
		if f := arguments[c.Name()]; f != nil {
			c.ValidArgsFunction = f
		}
		for name, f := range flags {
			if c.Flags().Lookup(name) != nil {
				_ = c.RegisterFlagCompletionFunc(name, f) // fails for a flag that is not there, or twice
			}
		}
	}
}

// words are all there is to choose from.
func words(list []string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// scenarioNames are the library's, or a file.
func scenarioNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	library, err := scenarios.Library()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var out []string
	for _, s := range library {
		out = append(out, cobra.CompletionWithDesc(s.Name, firstLine(s.Description)))
	}
	return out, cobra.ShellCompDirectiveDefault
}

func scenariosAndSizes(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names, directive := scenarioNames(c, args, begun)
	return slices.Concat(scenarios.Size("").Values(), names), directive
}

func incidentIDs(*cobra.Command, []string, string) (ids []string, _ cobra.ShellCompDirective) {
	if root, _, err := sources(""); err == nil {
		incidents, _ := museum.Read(os.DirFS(filepath.Join(root, filepath.FromSlash(museum.Dir))))
		for _, i := range incidents {
			ids = append(ids, cobra.CompletionWithDesc(i.ID, i.Design))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// runIDs are the latest runs'.
func runIDs(c *cobra.Command, _ []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
	ids = append(ids, latestRun)
	look(c, func(ctx context.Context, s *store.Store) {
		runs, _ := s.Runs(ctx, completedRuns)
		for _, r := range runs {
			ids = append(ids, cobra.CompletionWithDesc(r.ID, r.Tested()))
		}
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// caseIDs are those of the run that --run names; capsules and recordings are files.
func caseIDs(c *cobra.Command, args []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	look(c, func(ctx context.Context, s *store.Store) {
		id, _ := c.Flags().GetString("run")
		r, _ := storedRun(ctx, s, id)
		for _, kase := range r.Cases {
			ids = append(ids, cobra.CompletionWithDesc(kase.ID, kase.Verdict+": "+firstLine(kase.Reason)))
		}
	})
	return ids, cobra.ShellCompDirectiveDefault
}

// look calls f with the results, quietly: a shell that completes shows no errors.
func look(c *cobra.Command, f func(context.Context, *store.Store)) {
	ctx, cancel := context.WithTimeout(c.Context(), completeWithin)
	defer cancel()
	db, _ := c.Flags().GetString("db")
	_ = withResults(ctx, streams{out: io.Discard, err: io.Discard}, db, func(s *store.Store) error {
		f(ctx, s)
		return nil
	})
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
