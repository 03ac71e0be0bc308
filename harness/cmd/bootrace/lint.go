package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"bootrace/harness/lint"
	"bootrace/harness/wire"
)

func lintCommand(io streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "lint [SUBJECT]",
		Short: "Say what can be seen of a subject without booting it (default: this project's populator)",
		Long: `lint bakes the subject as run does, and looks at its units without booting them.

Exit codes: 0 no problem (there may be notes), 1 a problem, 2 usage, 3 it could not be done.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.subjects = args
			}
			return runLint(cmd.Context(), io, f)
		},
	}
	f.builds(cmd.Flags())
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
	problems := 0
	for _, base := range f.bases {
		name := lab.Names[0]
		subj := lab.Subjects[name]
		out, err := backend.Examine(ctx, "lint-"+name, subj.Images[base], lint.Script(subj.Units))
		if err != nil {
			return fmt.Errorf("lint %s on %s: %w", name, base, err)
		}
		remarks, err := lint.Read(out, subj.Units)
		if err != nil {
			return fmt.Errorf("lint %s on %s: %w", name, base, err)
		}
		fmt.Fprintf(io.out, "%s on %s: %d units, %d remarks\n", name, base, len(subj.Units), len(remarks))
		for _, r := range remarks {
			word := st.dim("note   ")
			if r.Level == lint.Problem {
				problems++
				word = st.verdict("fail")
			}
			fmt.Fprintf(io.out, "  %s %s: %s\n", word, r.Unit, r.Text)
		}
	}
	fmt.Fprintln(io.out, lint.OnlyABoot)
	if problems > 0 {
		return exitError{code: exitFailure}
	}
	return nil
}
