package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/harness/museum"
	"bootrace/harness/run"
	"bootrace/harness/wire"
)

func museumCommand(io streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "museum [INCIDENT...]",
		Short: "Boot the designs that broke production and see each of them caught for its own reason",
		Long: `museum says of each design what production saw of it, and whether the checks that
must fail are those that do. A design that fails is as expected: --keep leaves its
machines, --keep-on-failure those of designs that were not caught.

Exit codes: 0 each is caught for its own reason, 1 one is not, 2 usage, 3 invalid or error.`,
		Example: `  bootrace museum
  bootrace museum pr257 --keep`,
		RunE: func(cmd *cobra.Command, args []string) error { return runMuseum(cmd.Context(), io, f, args) },
	}
	f.boots(cmd.Flags())
	return cmd
}

func runMuseum(ctx context.Context, io streams, f runFlags, ids []string) error {
	if err := f.validate(); err != nil {
		return usage(err)
	}
	root, _, err := sources(f.source)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, filepath.FromSlash(museum.Dir))
	incidents, err := museum.Read(os.DirFS(dir))
	if err != nil {
		return err
	}
	if incidents, err = chooseIncidents(incidents, ids); err != nil {
		return usage(err)
	}
	j := job{name: "museum", flags: f}
	for _, s := range museum.Subjects(incidents) {
		given, err := wire.Of(filepath.Join(dir, s.Dir), s.Name, s.Vector)
		if err != nil {
			return err
		}
		j.subjects = append(j.subjects, given)
	}
	j.plan = func(_ wire.Lab, m run.Matrix) ([]run.Case, error) { return museum.Plan(incidents, m) }
	r, runErr := j.run(ctx, io)
	if r.ID == "" {
		return runErr
	}
	wrong := 0
	st := style{io.color}
	cells := museum.Compare(incidents, r.Cases)
	for _, i := range incidents {
		fmt.Fprintf(io.out, "\n%s: %s\n  production: %s\n", i.ID, i.Design, i.Production)
		for _, c := range cells {
			if c.Incident != i.ID {
				continue
			}
			text := "works, and nothing is reported"
			if len(c.Want) > 0 {
				text = strings.Join(c.Want, ", ")
				if finding, ok := c.Evidence(); ok {
					text = fmt.Sprintf("%s: +%.3fs %s", text, finding.At.Seconds(), finding.Summary)
				}
			}
			word := "pass" // of the harness, not of the design
			if w := c.Wrong(); w != "" {
				wrong++
				word, text = "fail", w
			}
			scenario := c.Scenario
			if c.Vector != "" {
				scenario += ", " + c.Vector
			}
			fmt.Fprintf(io.out, "  %s %-24s %s\n", st.verdict(word), scenario, oneLine(text, maxReason))
		}
	}
	fmt.Fprintf(io.out, "\n%d of %d cells as they must be, %d boots in %s. Vector: %s. Recordings: %s\n",
		len(cells)-wrong, len(cells), len(r.Cases), seconds(r.Ended.Sub(r.Started)), r.RanVector(), r.Dir)
	if err := outcome(r, runErr); err != nil {
		return err
	}
	if wrong > 0 { // the verdicts are right, for another reason
		return exitError{code: exitFailure}
	}
	return nil
}

// chooseIncidents returns those of the ids, all without any.
func chooseIncidents(all []museum.Incident, ids []string) ([]museum.Incident, error) {
	if len(ids) == 0 {
		return all, nil
	}
	var out []museum.Incident
	var errs []error
	for _, id := range ids {
		n := slices.IndexFunc(all, func(i museum.Incident) bool { return i.ID == id })
		if n < 0 {
			var have []string
			for _, i := range all {
				have = append(have, i.ID)
			}
			errs = append(errs, fmt.Errorf("there is no incident %q; there are %s", id, strings.Join(have, ", ")))
			continue
		}
		out = append(out, all[n])
	}
	return out, errors.Join(errs...)
}
