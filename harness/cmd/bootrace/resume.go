package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

// resumable are the flags that a run which is resumed may be given: all others
// say what to boot, and that is settled.
var resumable = []string{"resume", "last-failed", "fail-fast", "db", "json", "parallel", "keep", "keep-on-failure", "debug", "source"}

func mayResume(given *pflag.FlagSet) error {
	var settled []string
	given.Visit(func(fl *pflag.Flag) {
		if !slices.Contains(resumable, fl.Name) {
			settled = append(settled, "--"+fl.Name)
		}
	})
	if len(settled) > 0 {
		return fmt.Errorf("--resume and --last-failed boot what the run was to boot: leave out %s", strings.Join(settled, ", "))
	}
	return nil
}

// resumeRun goes on with a run that did not come to its end.
func resumeRun(ctx context.Context, io streams, f runFlags, args []string) error {
	if len(args) > 1 {
		return usage(fmt.Errorf("--resume: expected one run, got %s", strings.Join(args, ", ")))
	}
	if err := nothingWaits(ctx, io, f.db); err != nil {
		return err
	}
	r, err := stored(ctx, io, f.db, strings.Join(args, ""), nil)
	if err != nil {
		return err
	}
	if len(settled(r.Cases)) >= r.Planned {
		return usage(fmt.Errorf("run %s has nothing left to do: all its %d cases were judged", r.ID, r.Planned))
	}
	j, err := jobAgain(r, f)
	if err != nil {
		return usage(err)
	}
	j.resume = r.ID
	return runJob(ctx, io, j)
}

// jobAgain is the job that a run was.
func jobAgain(r results.Run, f runFlags) (job, error) {
	q := r.Request
	if q == nil {
		return job{}, fmt.Errorf("run %s cannot be booted again: bootrace run did not make it, or an older version of it did", r.ID)
	}
	f.bases, f.subjects, f.image, f.asIs, f.vector, f.repeat = q.Bases, q.Subjects, q.Image, q.AsIs, vectorAgain(r), q.Repeat
	if r.Shard != nil {
		f.shard = r.Shard.String()
	}
	if err := f.validate(); err != nil {
		return job{}, err
	}
	list, err := scenarios.Choose(q.Scenarios)
	if err != nil {
		return job{}, err
	}
	return scenarioJob(list, f, q), nil
}

// runLastFailed boots what was not as expected in a run once more.
func runLastFailed(ctx context.Context, io streams, f runFlags, args []string) error {
	if len(args) > 1 {
		return usage(fmt.Errorf("--last-failed: expected one run, got %s", strings.Join(args, ", ")))
	}
	r, err := stored(ctx, io, f.db, cmp.Or(strings.Join(args, ""), latestRun), nil)
	if err != nil {
		return err
	}
	type one struct{ subject, id string }
	failed := map[one]bool{}
	for _, c := range r.Cases {
		failed[one{c.Subject, c.ID}] = !c.AsExpected()
	}
	if !slices.Contains(slices.Collect(maps.Values(failed)), true) {
		return usage(fmt.Errorf("run %s: all its %d cases were as expected", r.ID, len(r.Cases)))
	}
	j, err := jobAgain(r, f)
	if err != nil {
		return usage(err)
	}
	j.flags.shard = "" // its cases are of that part
	whole := j.plan
	j.plan = func(lab wire.Lab, m run.Matrix) ([]run.Case, error) {
		cases, err := whole(lab, m)
		return slices.DeleteFunc(cases, func(c run.Case) bool { return !failed[one{c.Subject, c.ID}] }), err
	}
	return runJob(ctx, io, j)
}

// vectorAgain asks for the Vector that the run had: what auto found then may be
// another one now.
func vectorAgain(r results.Run) string {
	v, err := images.ParseVector(r.Request.Vector)
	if err != nil || !v.IsAuto() {
		return r.Request.Vector
	}
	if version, ok := strings.CutPrefix(r.Vector, "stand-in "); ok {
		return "stand-in:" + version
	}
	return "real"
}

// settled are the cases that were judged. An error is no verdict: the engine was
// gone, or the disk full, and is there again.
func settled(cases []results.Case) []results.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c results.Case) bool { return c.Verdict == "error" })
}

// nothingWaits is an error where results wait that the database has not got: their
// cases have ended, and would be booted again.
func nothingWaits(ctx context.Context, io streams, where string) error {
	db, err := openForRun(ctx, io, where)
	if err != nil {
		return err
	}
	return errors.Join(db.Waiting(), db.Close())
}

// anew is what to do about a run that cannot be gone on with.
const anew = "; what it has stays stored, run anew for the rest"

// sameImages says which case that has ended booted another image than its
// repetitions now would. The run's own record has no images of several subjects.
func sameImages(before results.Run, now map[string]run.Subject) error {
	for _, c := range before.Cases {
		if c.Image != "" && c.Image != now[c.Subject].Images[c.Base] {
			return fmt.Errorf("run %s: the worker image of %s was made anew since%s", before.ID, c.Inputs(), anew)
		}
	}
	return nil
}

// sameRun says why a run cannot be gone on with as now is: a verdict of before
// and one of now would not be about the same thing.
func sameRun(before, now results.Run) error {
	switch {
	case before.Dir != now.Dir:
		return fmt.Errorf("run %s: its recordings are in %s, and this would write to %s: resume it there (BOOTRACE_STATE)", before.ID, before.Dir, now.Dir)
	case before.Vector != now.Vector:
		return fmt.Errorf("run %s: Vector was %s and is %s%s", before.ID, before.Vector, now.Vector, anew)
	case before.Hash != now.Hash:
		return fmt.Errorf("run %s: subject %s is another one now%s", before.ID, before.Subject, anew)
	case !maps.Equal(before.Images, now.Images):
		return fmt.Errorf("run %s: its worker images were made anew since%s", before.ID, anew)
	case !maps.Equal(before.Bases, now.Bases): // the control boots are theirs
		return fmt.Errorf("run %s: its bases' images were made anew since%s", before.ID, anew)
	case before.Plan != now.Plan:
		return fmt.Errorf("run %s: its scenarios are others now%s", before.ID, anew)
	}
	for _, name := range slices.Sorted(maps.Keys(before.Versions)) {
		if before.Versions[name] != now.Versions[name] {
			return fmt.Errorf("run %s: %s was %s and is %s%s", before.ID, name, before.Versions[name], now.Versions[name], anew)
		}
	}
	return nil
}
