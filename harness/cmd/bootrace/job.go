package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/harness/machine/container"
	"bootrace/harness/plan"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
	"bootrace/results/store"
)

// job is a run to be: what run and museum have in common.
type job struct {
	name     string   // what the results call it; empty: as the subject
	subjects []string // directories; none: the populator
	flags    runFlags
	plan     func(wire.Lab, plan.Matrix) ([]plan.Case, error)
}

// run boots and stores the job's cases. A run without an id did not begin.
func (j job) run(ctx context.Context, io streams) (r results.Run, err error) {
	f := j.flags
	if f.debug && !io.terminal {
		return r, usage(errors.New("--debug: there is no terminal for the prompt; --keep-on-failure leaves the machine, bootrace shell opens it"))
	}
	state, err := stateDir()
	if err != nil {
		return r, err
	}
	s, err := newSession(state)
	if err != nil {
		return r, explainDisk(err, state)
	}
	defer func() { err = errors.Join(err, s.close()) }()

	backend, err := container.Connect(ctx, s.lock.Name())
	if err != nil {
		return r, err
	}
	if n, err := backend.Sweep(ctx, container.NotKept); err != nil {
		fmt.Fprintf(io.err, "bootrace: what an earlier run left behind cannot be removed: %v\n", err)
	} else if n > 0 {
		fmt.Fprintf(io.err, "removed %d containers that a dead run had left behind\n", n)
	}
	db, err := store.Open(ctx, filepath.Join(state, "results.db"))
	if err != nil {
		return r, explainDisk(err, state)
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	lab, err := j.build(ctx, io, backend)
	if err != nil {
		return r, err
	}
	vector := images.Vector{Source: vectorSource(f)}.String()
	cases, err := j.plan(lab, plan.Matrix{Bases: f.bases, Vector: vector, Repeat: f.repeat})
	if err != nil {
		return r, err
	}
	begun := results.Run{Version: results.Version, ID: s.id, Started: time.Now().UTC(), Subject: j.name, Hash: lab.Hash(),
		Vector: vector, Planned: len(cases), Dir: s.dir}
	if begun.Subject == "" {
		begun.Subject = strings.Join(lab.Names, ",")
	}
	if begun.Versions, err = backend.Versions(ctx); err != nil {
		return r, err
	}
	if err := db.BeginRun(ctx, begun); err != nil {
		return r, explainDisk(err, state)
	}
	r = begun
	parallel := atOnce(f.parallel)
	if f.debug {
		parallel = 1
	}
	fmt.Fprintf(io.err, "run %s: %d cases, subject %s, Vector: %s, %d at once\n", s.id, len(cases), r.Subject, vector, min(parallel, len(cases)))

	show := newProgress(io.err, io.terminal && !f.debug, style{io.color}, cases)
	runner := lab.Runner(s.id, s.dir, db, parallel)
	runner.Keep, runner.Watch = f.keeps(), show.Update
	if f.debug {
		runner.Debug = func(c results.Case, shell []string) { prompt(ctx, io, c, shell) }
	}
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
	if ctx.Err() != nil {
		runErr = interrupted(context.WithoutCancel(ctx), backend, r)
	}
	return r, explainDisk(runErr, state)
}

// prompt opens a shell in the machine of a failed case and waits for its end.
func prompt(ctx context.Context, io streams, c results.Case, shell []string) {
	fmt.Fprintf(io.err, "\n%s: %s: %s\n  recording: %s\n  this is its machine; exit ends it and the run goes on\n", c.ID, c.Verdict, c.Reason, c.Recording)
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = io.in, io.out, io.err
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		fmt.Fprintf(io.err, "bootrace: no shell: %v\n", err)
	}
}

// build makes what the run needs, where it is not there already.
func (j job) build(ctx context.Context, io streams, b *container.Backend) (wire.Lab, error) {
	root, err := images.FindRoot(".")
	if err != nil {
		return wire.Lab{}, err
	}
	cache, err := cacheDir()
	if err != nil {
		return wire.Lab{}, err
	}
	lab, err := wire.Build(ctx, b, wire.Options{
		Root: root, Cache: cache, Bases: j.flags.bases, Subjects: j.subjects, Image: j.flags.image, Vector: vectorSource(j.flags),
		Step: func(what string) { fmt.Fprintln(io.err, what) },
	})
	var theirs wire.SubjectError
	if errors.As(err, &theirs) {
		return lab, usage(err)
	}
	return lab, err
}
