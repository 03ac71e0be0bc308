package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bootrace/harness/lint"
	"bootrace/harness/wire"
	"bootrace/results"
)

func lintCommand(io streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "lint [SUBJECT|IMAGE]",
		Short: "Say what can be seen of a subject or an image without a boot (default: this project's populator)",
		Long: `lint bakes the subject as run does, or takes a worker image as --image does, and looks
at what lies in it and at its units without booting them.

Exit codes: 0 no problem (there may be notes), 1 a problem, 2 usage, 3 a boot of a
container cannot show it, or it could not be done.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if _, err := os.Stat(args[0]); err != nil && strings.ContainsAny(args[0], ":") {
					f.image = args[0]
				} else {
					f.subjects = args
				}
			}
			return runLint(cmd.Context(), io, f)
		},
	}
	f.builds(cmd.Flags())
	f.unrepaired(cmd.Flags())
	return cmd
}

func runLint(ctx context.Context, io streams, f runFlags) (err error) {
	f.repeat = 1
	if err := f.validate(); err != nil {
		return usage(err)
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	s := newSession(state)
	defer func() { err = errors.Join(err, s.close()) }()
	backend, err := s.join(ctx, io)
	if err != nil {
		return explainDisk(err, state)
	}
	lab, err := job{flags: f, subjects: wire.Dirs(f.subjects...)}.build(ctx, io, backend)
	if err != nil {
		return err
	}
	st := style{io.color}
	problems, untestable := 0, 0
	for _, base := range f.bases {
		name := lab.Names[0]
		subj := lab.Subjects[name]
		out, err := backend.Examine(ctx, "lint-"+name, subj.Images[base], lint.Script(subj.Units))
		if err != nil {
			return fmt.Errorf("lint %s on %s: %w", name, base, err)
		}
		remarks, err := lint.Read(out, subj.Units, subj.PopulatorUnit())
		if err != nil {
			return fmt.Errorf("lint %s on %s: %w", name, base, err)
		}
		remarks = append(append(lint.Asked(subj.Asks[base]), remarks...), inImage(lab.Found, base)...)
		if lab.Configs[base] != "" {
			more, _ := lint.Vector(lab.Configs[base])
			remarks = append(remarks, more...)
		}
		slices.SortStableFunc(remarks, func(a, b lint.Remark) int { return strings.Compare(string(b.Level), string(a.Level)) }) // the worst first
		fmt.Fprintf(io.out, "%s on %s: %d units, %d remarks\n", name, base, len(subj.Units), len(remarks))
		for _, r := range remarks {
			word := st.dim("note   ")
			switch r.Level {
			case lint.Problem:
				problems++
				word = st.verdict("fail")
			case lint.Untestable:
				untestable++
				word = st.verdict("untestable")
			}
			fmt.Fprintf(io.out, "  %s %s: %s\n", word, r.Unit, r.Text)
		}
	}
	fmt.Fprintln(io.out, lint.OnlyABoot)
	switch {
	case problems > 0:
		return exitError{code: exitFailure}
	case untestable > 0:
		return exitError{code: exitInvalid}
	}
	return nil
}

// inImage are remarks on what lies in the image.
func inImage(found []results.ImageFinding, base string) []lint.Remark {
	var out []lint.Remark
	for _, f := range found {
		level := lint.Note
		if f.Problem {
			level = lint.Problem
		}
		if f.Base == base {
			out = append(out, lint.Remark{Level: level, Unit: "image", Text: f.Name + ": " + f.Text})
		}
	}
	return out
}
