package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"path/filepath"

	"github.com/spf13/cobra"

	"bootrace/harness/machine/container"
	"bootrace/harness/plan"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
	"bootrace/results/store"
	"bootrace/scenarios"
)

// runFlags is what the user may say of a run.
type runFlags struct {
	bases         []string
	subject       string
	vector        string
	repeat        int
	parallel      int
	keep          bool
	keepOnFailure bool
	json          bool
}

func runCommand(io streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [SCENARIO|SIZE...]",
		Short: "Boot the scenarios and judge them (default: pre, delay-0s, delay-45s, delay-4m, never)",
		Example: `  bootrace run
  bootrace run smoke                  # or gate, nightly: the library's scenarios of that size
  bootrace run delay-45s --base bookworm --repeat 10
  bootrace run ./mine.yaml --subject ./my-populator --keep-on-failure`,
		RunE: func(cmd *cobra.Command, args []string) error { return runScenarios(cmd.Context(), io, f, args) },
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.bases, "base", images.Suites()[:1], "bases to boot: "+strings.Join(images.Suites(), ", "))
	fl.StringVar(&f.subject, "subject", "", "directory of what is under test (default: this project's populator)")
	fl.StringVar(&f.vector, "vector", "", "a real Vector: .deb, program or image (default: $VECTOR, else the stand-in)")
	fl.IntVar(&f.repeat, "repeat", 1, "boots of each scenario and base")
	fl.IntVar(&f.parallel, "parallel", 0, "machines at once (default: what memory and inotify allow)")
	fl.BoolVar(&f.keep, "keep", false, "leave all machines running; bootrace shell opens them")
	fl.BoolVar(&f.keepOnFailure, "keep-on-failure", false, "leave the machines of failed cases running")
	fl.BoolVar(&f.json, "json", false, "print the results as JSON")
	return cmd
}

func (f runFlags) validate() error {
	for i, b := range f.bases {
		if !slices.Contains(images.Suites(), b) {
			return fmt.Errorf("--base %q: expected one of %s", b, strings.Join(images.Suites(), ", "))
		}
		if slices.Contains(f.bases[:i], b) {
			return fmt.Errorf("--base %s is named twice; --repeat boots it more often", b)
		}
	}
	if info, err := os.Stat(f.subject); f.subject != "" && (err != nil || !info.IsDir()) {
		return fmt.Errorf("--subject %s: no such directory", f.subject)
	}
	// What is no path is the name of an image.
	if v := vectorSource(f); strings.HasPrefix(v, "/") || strings.HasPrefix(v, ".") {
		if _, err := os.Stat(v); err != nil {
			return fmt.Errorf("--vector %s: no such file (it may come from $VECTOR)", v)
		}
	}
	switch {
	case len(f.bases) == 0:
		return fmt.Errorf("--base: expected one of %s", strings.Join(images.Suites(), ", "))
	case f.repeat < 1:
		return fmt.Errorf("--repeat %d: expected at least 1", f.repeat)
	case f.parallel < 0:
		return fmt.Errorf("--parallel %d: expected at least 1", f.parallel)
	case f.keep && f.keepOnFailure:
		return errors.New("--keep and --keep-on-failure: choose one")
	}
	return nil
}

func (f runFlags) keeps() run.Keep {
	switch {
	case f.keep:
		return run.KeepAll
	case f.keepOnFailure:
		return run.KeepOnFailure
	}
	return run.KeepNone
}

func runScenarios(ctx context.Context, io streams, f runFlags, names []string) (err error) {
	if err := f.validate(); err != nil {
		return usage(err)
	}
	list, err := scenarios.Choose(names)
	if err != nil {
		return usage(err)
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	s, err := newSession(state)
	if err != nil {
		return explainDisk(err, state)
	}
	defer func() { err = errors.Join(err, s.close()) }()

	backend, err := container.Connect(ctx, s.lock.Name())
	if err != nil {
		return err
	}
	if n, err := backend.Sweep(ctx, container.NotKept); err != nil {
		fmt.Fprintf(io.err, "bootrace: what an earlier run left behind cannot be removed: %v\n", err)
	} else if n > 0 {
		fmt.Fprintf(io.err, "removed %d containers that a dead run had left behind\n", n)
	}
	db, err := store.Open(ctx, filepath.Join(state, "results.db"))
	if err != nil {
		return explainDisk(err, state)
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	lab, err := build(ctx, io, backend, f)
	if err != nil {
		return err
	}
	subj := lab.Subject
	vector := images.Vector{Source: vectorSource(f)}.String()
	cases := plan.Make(list, plan.Matrix{Bases: f.bases, Subject: subj.Name, Vector: vector, Repeat: f.repeat})
	r := results.Run{Version: results.Version, ID: s.id, Started: time.Now().UTC(), Subject: subj.Name, Hash: subj.Hash(),
		Vector: vector, Planned: len(cases), Dir: s.dir}
	if r.Versions, err = backend.Versions(ctx); err != nil {
		return err
	}
	if err := db.BeginRun(ctx, r); err != nil {
		return explainDisk(err, state)
	}
	parallel := atOnce(f.parallel)
	fmt.Fprintf(io.err, "run %s: %d cases, subject %s, Vector: %s, %d at once\n", s.id, len(cases), subj.Name, vector, min(parallel, len(cases)))

	show := newProgress(io.err, io.terminal, style{io.color}, cases)
	runner := lab.Runner(s.id, s.dir, db, parallel)
	runner.Keep, runner.Watch = f.keeps(), show.Update
	heard := context.AfterFunc(ctx, func() { show.Note("ending the run and removing its machines; once more (Ctrl-C) ends it at once") })
	var runErr error
	r.Cases, runErr = runner.Run(ctx, cases)
	heard()
	show.Close()
	if slices.ContainsFunc(r.Cases, func(c results.Case) bool { return c.Verdict == "error" }) {
		// The cause of them all comes first.
		runErr = errors.Join(backend.Ping(context.WithoutCancel(ctx)), runErr)
	}
	r.Ended = time.Now().UTC()
	if err := db.EndRun(context.WithoutCancel(ctx), r); err != nil {
		runErr = errors.Join(runErr, err)
	}
	if f.json {
		enc := json.NewEncoder(io.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		printRun(io, r)
	}
	if ctx.Err() != nil {
		runErr = interrupted(context.WithoutCancel(ctx), backend, r)
	}
	return outcome(r, explainDisk(runErr, state))
}

// interrupted says what a run leaves that a signal ended.
func interrupted(ctx context.Context, backend *container.Backend, r results.Run) error {
	err := fmt.Errorf("interrupted: %d of %d cases had ended and are stored", len(r.Cases), r.Planned)
	n, lookErr := backend.Remaining(ctx, r.ID)
	switch {
	case lookErr != nil:
		return advice{fmt.Errorf("%w; whether machines are left cannot be said: %w", err, lookErr), "bootrace clean removes what is left, and so does the next run"}
	case n > 0:
		return advice{fmt.Errorf("%w; %d containers are left", err, n), "bootrace clean removes them; what is not kept the next run removes, too"}
	}
	return fmt.Errorf("%w, the machines are removed", err)
}

// outcome is the exit code of a run: a failure counts for more than what could
// not be judged, for it is known.
func outcome(r results.Run, err error) error {
	code := exitOK
	for _, c := range r.Cases {
		switch {
		case c.Verdict == "invalid" || c.Verdict == "error":
			code = max(code, exitInvalid)
		case !c.AsExpected():
			return exitError{exitFailure, err}
		}
	}
	switch {
	case err != nil:
		return exitError{exitInvalid, err}
	case code != exitOK:
		return exitError{code: code}
	case len(r.Cases) == 0 || len(r.Cases) < r.Planned:
		return exitError{exitInvalid, fmt.Errorf("%d of %d cases were judged", len(r.Cases), r.Planned)}
	}
	return nil
}

// build makes what the run needs, where it is not there already.
func build(ctx context.Context, io streams, b *container.Backend, f runFlags) (wire.Lab, error) {
	root, err := images.FindRoot(".")
	if err != nil {
		return wire.Lab{}, err
	}
	cache, err := cacheDir()
	if err != nil {
		return wire.Lab{}, err
	}
	lab, err := wire.Build(ctx, b, wire.Options{
		Root: root, Cache: cache, Bases: f.bases, Subject: f.subject, Vector: vectorSource(f),
		Step: func(what string) { fmt.Fprintln(io.err, what) },
	})
	var theirs wire.SubjectError
	if errors.As(err, &theirs) {
		return lab, usage(err)
	}
	return lab, err
}
