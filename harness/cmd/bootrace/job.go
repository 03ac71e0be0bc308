package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/results"
)

// job is a run to be: what run and museum have in common.
type job struct {
	name     string       // what the results call it; empty: as the subject
	subjects []wire.Given // none: the populator
	flags    runFlags
	request  *results.Request // nil: it cannot be resumed
	resume   string           // the id of the run to go on with; empty: a new one
	plan     func(wire.Lab, run.Matrix) ([]run.Case, error)
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
	s := newSession(state)
	if j.resume != "" {
		s = oldSession(state, j.resume)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	backend, err := s.join(ctx, io)
	if err != nil {
		return r, explainDisk(err, state)
	}
	db, err := openForRun(ctx, io, f.db)
	if err != nil {
		return r, explainDisk(err, state)
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	lab, err := j.build(ctx, io, backend)
	if err != nil {
		return r, err
	}
	begun, cases, err := j.begin(ctx, io, s, backend, lab)
	if err != nil {
		return r, explainDisk(err, state)
	}
	if err := db.BeginRun(ctx, begun); err != nil {
		return r, explainDisk(err, state)
	}
	r = begun
	room, err := lab.Room(ctx, f.parallel, len(cases))
	if err != nil { // no failure: it limits nothing then
		fmt.Fprintf(io.err, "how many machines the engine's host carries is not known: %v\n", err)
	}
	if room.Note != "" {
		fmt.Fprintln(io.err, room.Note)
	}
	if f.debug {
		room = machine.Room{AtOnce: 1, Ever: 1}
	}
	more := ""
	if len(cases) > room.AtOnce && room.Ever > room.AtOnce {
		more = ", more while the host is calm"
	}
	fmt.Fprintf(io.err, "run %s: %d cases, %s, Vector: %s, %d at once%s\n", s.id, len(cases), r.Tested(), r.Vector, min(room.AtOnce, len(cases)), more)

	show := newProgress(io.err, io.live() && !f.debug, style{io.color}, cases)
	boots, enough := context.WithCancel(ctx)
	defer enough()
	var keeper run.Store = db
	if f.failFast {
		keeper = &failFast{Store: db, end: enough}
	}
	runner := lab.Runner(s.id, s.recordings, keeper, room)
	runner.Keep, runner.Watch = f.keeps(), show.Update
	if len(f.subjects) > 1 {
		runner.Booting = 1 // they are booted to be compared: no boot disturbs another
	}
	if f.debug {
		runner.Debug = func(c results.Case, shell []string) { prompt(ctx, io, c, shell) }
	}
	heard := context.AfterFunc(ctx, func() { show.Note("ending the run and removing its machines; once more (Ctrl-C) ends it at once") })
	ended, runErr := runner.Run(boots, cases)
	r.Cases = append(r.Cases, ended...)
	heard()
	show.Close()
	if slices.ContainsFunc(ended, func(c results.Case) bool { return c.Verdict == "error" }) {
		// The cause of them all comes first.
		runErr = errors.Join(backend.Ping(context.WithoutCancel(ctx)), runErr)
	}
	r.Ended = time.Now().UTC()
	if err := db.EndRun(context.WithoutCancel(ctx), r); err != nil {
		runErr = errors.Join(runErr, err)
	}
	if err := db.Waiting(); err != nil {
		fmt.Fprintf(io.err, "bootrace: %v\n", err)
	}
	if boots.Err() != nil && ctx.Err() == nil {
		runErr = fmt.Errorf("ended at the first failure (--fail-fast): %d of %d cases had ended; run --resume boots the others", len(r.Cases), r.Planned)
	}
	if ctx.Err() != nil {
		runErr = interrupted(context.WithoutCancel(ctx), backend, r)
	}
	return r, explainDisk(runErr, state)
}

// failFast is a store that ends the run once a case has failed.
type failFast struct {
	run.Store
	end func()
}

func (f *failFast) PutCase(ctx context.Context, run string, c results.Case) error {
	err := f.Store.PutCase(ctx, run, c)
	if !c.AsExpected() && !slices.Contains([]string{"invalid", "error", "untestable", "not-applicable"}, c.Verdict) {
		f.end()
	}
	return err
}

// begin returns the run as one that goes on, with the cases that it still has to
// boot: all, if it is new.
func (j job) begin(ctx context.Context, io streams, s *session, backend wire.Backend, lab wire.Lab) (r results.Run, todo []run.Case, err error) {
	todo, err = j.plan(lab, run.Matrix{Bases: j.flags.bases, Vector: lab.Vector, Repeat: j.flags.repeat})
	if err != nil {
		return r, nil, err
	}
	plan := run.PlanHash(todo)
	todo, shard, err := j.flags.part(todo)
	if err != nil {
		return r, nil, err
	}
	r = results.Run{Version: results.Version, ID: s.id, Started: time.Now().UTC(), Subject: j.name, Hash: lab.Hash(),
		Vector: lab.Vector, Planned: len(todo), Dir: s.dir, Images: lab.Workers(), Bases: lab.Bases, Given: lab.Given, Found: lab.Found,
		Plan: plan, Shard: shard, Request: j.request, Labels: labelsOf(j.flags.labels)}
	if r.Subject == "" {
		r.Subject = strings.Join(lab.Names, ",")
	}
	if r.Versions, err = backend.Versions(ctx); err != nil {
		return r, nil, err
	}
	r.Versions["bootrace"] = harnessVersion() // its checks are what a verdict is made of
	if j.resume != "" {
		before, err := stored(ctx, io, j.flags.db, j.resume, nil)
		if err != nil {
			return r, nil, err
		}
		err = sameRun(before, r)
		if err == nil {
			err = sameImages(before, lab.Subjects)
		}
		if err != nil {
			return r, nil, usage(err)
		}
		r = before
		r.Ended, r.Cases = time.Time{}, settled(r.Cases)
		todo = slices.DeleteFunc(todo, func(c run.Case) bool {
			return slices.ContainsFunc(r.Cases, func(done results.Case) bool { return done.ID == c.ID })
		})
	}
	return r, todo, nil
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
func (j job) build(ctx context.Context, io streams, b wire.Backend) (wire.Lab, error) {
	root, cache, err := sources(j.flags.source)
	if err != nil {
		return wire.Lab{}, err
	}
	vector, err := chosenVector(j.flags)
	if err != nil {
		return wire.Lab{}, usage(err)
	}
	lab, err := wire.Build(ctx, b, wire.Options{
		Root: root, Cache: cache, Bases: j.flags.bases, Subjects: j.subjects, Image: j.flags.image, AsIs: j.flags.asIs, Vector: vector,
		Step: func(what string) { fmt.Fprintln(io.err, what) },
	})
	var theirs wire.SubjectError
	if errors.As(err, &theirs) {
		return lab, usage(err)
	}
	return lab, err
}
