package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bootrace/harness/capsule"
	"bootrace/harness/run"
	"bootrace/harness/wire"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

// runFlags is what the user may say of a run.
type runFlags struct {
	bases         []string
	subjects      []string
	image         string
	asIs          bool
	source        string
	vector        string
	repeat        int
	parallel      int
	keep          bool
	keepOnFailure bool
	debug         bool
	json          bool
	resume        bool
	lastFailed    bool
	failFast      bool
	dryRun        bool
	shard         string
	watch         bool
	labels        map[string]string
	db            string
}

func runCommand(io streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [SCENARIO|SIZE...] | run CAPSULE | run --resume [RUN] | run --last-failed [RUN]",
		Short: "Boot the scenarios and judge them (default: pre, delay-0s, delay-45s, delay-4m, never)",
		Long: `run boots each scenario on each base and judges what happened. A scenario is a
name of bootrace scenarios, or a file. A boot that the host spoilt is made again,
up to three in all; what is spoilt to the end is invalid: no pass, no failure. Nor
is what a container cannot show (untestable), or a scenario that could not do what it
says (not-applicable), which is set aside as long as others were judged.

Exit codes: 0 all as expected, 1 a failure, 2 usage, 3 invalid, untestable or error.`,
		Example: `  bootrace run
  bootrace run smoke                  # or gate, nightly: the library's scenarios of that size
  bootrace run delay-45s --base bookworm --repeat 10
  bootrace run 'vault-*'               # all of that name
  bootrace run ./mine.yaml --subject ./my-populator --keep-on-failure
  bootrace run case.tar.zst           # a capsule's subject and scenario
  bootrace run --resume               # what a run that was killed had still to do
  bootrace run --last-failed          # what was not as expected, once more
  bootrace run delay-45s --repeat 100 --fail-fast    # until it fails
  bootrace run delay-0s --subject ./mine --watch     # again whenever a file of it changes
  bootrace run gate --shard 2/5       # the second of five parts, one a host; bootrace merge joins them`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume && f.lastFailed {
				return usage(errors.New("--resume and --last-failed: choose one"))
			}
			again := f.resume || f.lastFailed
			if len(args) == 1 && capsule.Is(args[0]) && !again {
				return runCapsule(cmd.Context(), io, f, args[0], cmd.Flags().Changed)
			}
			if !again && f.watch {
				paths, err := watched(f, args)
				if err = cmp.Or(err, f.validate()); err != nil {
					return usage(err)
				}
				return keepRunning(cmd.Context(), io, paths, func(ctx context.Context) error { return runScenarios(ctx, io, f, args) })
			}
			if !again {
				return runScenarios(cmd.Context(), io, f, args)
			}
			if err := mayResume(cmd.Flags()); err != nil {
				return usage(err)
			}
			if f.lastFailed {
				return runLastFailed(cmd.Context(), io, f, args)
			}
			return resumeRun(cmd.Context(), io, f, args)
		},
	}
	fl := cmd.Flags()
	f.boots(fl)
	f.tests(fl)
	fl.BoolVar(&f.json, "json", false, "print the results as JSON")
	fl.BoolVar(&f.resume, "resume", false, "boot the cases that a run (default: the latest) did not come to, and its errors")
	fl.BoolVar(&f.lastFailed, "last-failed", false, "boot what was not as expected in a run (default: the latest) again, as a run of its own")
	fl.BoolVar(&f.failFast, "fail-fast", false, "end the run at the first case that fails")
	fl.StringVar(&f.shard, "shard", "", "boot one part of the cases: `PART/PARTS` 2/5 is the second of five; bootrace merge joins them")
	fl.BoolVar(&f.watch, "watch", false, "run again whenever a file of the subject or of the scenario changes")
	fl.BoolVar(&f.dryRun, "dry-run", false, "say which cases there would be, and what they wait, and boot nothing")
	return cmd
}

// boots declares what every verb that boots machines takes.
func (f *runFlags) boots(fl *pflag.FlagSet) {
	f.builds(fl)
	dbFlag(fl, &f.db)
	fl.StringToStringVar(&f.labels, "label", nil, "`NAME=VALUE` that the run keeps, beside its host and CI's commit, branch and link")
	fl.IntVar(&f.repeat, "repeat", 1, "boots of each scenario and base")
	f.atOnce(fl)
	fl.BoolVar(&f.keep, "keep", false, "leave all machines running: bootrace shell opens them, bootrace clean removes them")
	fl.BoolVar(&f.keepOnFailure, "keep-on-failure", false, "leave running those of cases that are not as expected")
	fl.BoolVar(&f.debug, "debug", false, "open a shell in each machine whose case is not as expected, before it goes; one at a time")
}

func (f *runFlags) atOnce(fl *pflag.FlagSet) {
	fl.IntVar(&f.parallel, "parallel", 0, "machines at once (default: what memory, processors and inotify carry)")
}

// tests declares what a verb takes that boots one subject.
func (f *runFlags) tests(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.subjects, "subject", nil, "`DIR` of what is under test (default: this project's populator); several boot in turns")
	fl.StringVar(&f.image, "image", "", "a worker image with the subject in it; a base is what its boot is compared with")
	f.unrepaired(fl)
}

func (f *runFlags) unrepaired(fl *pflag.FlagSet) {
	fl.BoolVar(&f.asIs, "as-is", false, "boot the image as it was left: machine-id, cloud-init's state and journals included")
}

// builds declares what every verb that bakes a subject takes.
func (f *runFlags) builds(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.bases, "base", images.Suites()[:1], "bases to boot: "+strings.Join(images.Suites(), ", ")+", a .tar of a root file system, or an image")
	f.realVector(fl)
	fl.StringVar(&f.source, "source", "", "`DIR` of a clone to make images from, with its Go (default: what this command carries)")
}

func (f *runFlags) realVector(fl *pflag.FlagSet) {
	fl.StringVar(&f.vector, "vector", "", "which Vector runs: auto, stand-in[:0.56], real[:`VERSION`], a .deb, a program or an image\n"+
		"(default: $VECTOR, else auto: the official "+images.PinnedVector+" where it can be had, else the stand-in)")
}

func (f runFlags) validate() error {
	for i, b := range f.bases {
		switch {
		case slices.Contains(images.Suites(), b):
		case images.IsTarball(b):
			if _, err := os.Stat(b); err != nil {
				return fmt.Errorf("--base %s: no such file", b)
			}
		case !strings.ContainsAny(b, ":/"):
			return fmt.Errorf("--base %q: expected one of %s, a .tar of a root file system, or an image as name:tag", b, strings.Join(images.Suites(), ", "))
		}
		if slices.Contains(f.bases[:i], b) {
			return fmt.Errorf("--base %s is named twice; --repeat boots it more often", b)
		}
	}
	for _, s := range f.subjects {
		if info, err := os.Stat(s); err != nil || !info.IsDir() {
			return fmt.Errorf("--subject %s: no such directory", s)
		}
	}
	if _, err := chosenVector(f); err != nil {
		return err
	}
	if f.shard != "" {
		if _, err := results.ParseShard(f.shard); err != nil {
			return fmt.Errorf("--shard %w", err)
		}
	}
	switch {
	case len(f.bases) == 0:
		return fmt.Errorf("--base: expected one of %s", strings.Join(images.Suites(), ", "))
	case f.repeat < 1:
		return fmt.Errorf("--repeat %d: expected at least 1", f.repeat)
	case f.parallel < 0:
		return fmt.Errorf("--parallel %d: expected at least 1", f.parallel)
	case f.watch && (f.dryRun || f.shard != ""):
		return errors.New("--watch runs the whole plan: leave out --dry-run and --shard")
	case f.dryRun && f.json:
		return errors.New("--dry-run and --json: choose one")
	case f.keep && f.keepOnFailure:
		return errors.New("--keep and --keep-on-failure: choose one")
	case f.image != "" && len(f.subjects) > 0:
		return errors.New("--image and --subject: choose one")
	case f.image != "" && len(f.bases) > 1:
		return errors.New("--image: one --base, whose control boot it is compared with")
	case f.debug && f.parallel > 1:
		return errors.New("--debug and --parallel: with a prompt one machine runs at a time")
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

func runScenarios(ctx context.Context, io streams, f runFlags, names []string) error {
	if err := f.validate(); err != nil {
		return usage(err)
	}
	list, err := scenarios.Choose(names)
	if err != nil {
		return usage(err)
	}
	if f.dryRun {
		return printPlan(io, list, f)
	}
	request, err := f.request(names)
	if err != nil {
		return err
	}
	return runJob(ctx, io, scenarioJob(list, f, request))
}

// planOf is the plan of the scenarios for the subjects of those names; several boot in turns.
func planOf(list []scenarios.Scenario, m run.Matrix, subjects []string) []run.Case {
	var plans [][]run.Case
	for _, m.Subject = range subjects {
		plans = append(plans, run.Plan(list, m))
	}
	if len(plans) == 1 {
		return plans[0]
	}
	return run.Merge(plans...)
}

// printPlan says what would be booted, in the order in which it would begin.
func printPlan(io streams, list []scenarios.Scenario, f runFlags) error {
	names := []string{""} // one has no name in a case's
	if len(f.subjects) > 1 {
		names = nil
		for _, dir := range f.subjects {
			whole, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			names = append(names, filepath.Base(whole))
		}
	}
	cases := planOf(list, run.Matrix{Bases: f.bases, Repeat: f.repeat}, names)
	cases, _, err := f.part(cases)
	if err != nil {
		return err
	}
	for _, c := range cases {
		fmt.Fprintf(io.out, "%-32s waits %s\n", c.ID, c.Scenario.Waits())
	}
	fmt.Fprintf(io.out, "cases: %d\n", len(cases))
	return nil
}

// part is what the flags' shard has of a plan: all, and nil, where there is none.
func (f runFlags) part(plan []run.Case) ([]run.Case, *results.Shard, error) {
	if f.shard == "" {
		return plan, nil, nil
	}
	s, err := results.ParseShard(f.shard)
	if err == nil && s.Of > len(plan) {
		err = usage(fmt.Errorf("--shard %s: more parts than cases, of which there are %d", s, len(plan)))
	}
	if err != nil {
		return nil, nil, err
	}
	s.Whole = len(plan)
	return results.Take(s, plan), &s, nil
}

// scenarioJob is a run of the scenarios on the flags' subjects, which boot in
// turns: what the host does to one it does to the others.
func scenarioJob(list []scenarios.Scenario, f runFlags, request *results.Request) job {
	return job{flags: f, subjects: wire.Dirs(f.subjects...), request: request, plan: func(lab wire.Lab, m run.Matrix) ([]run.Case, error) {
		return planOf(list, m, lab.Names), nil
	}}
}

// runJob runs a job to its end and prints what came of it.
func runJob(ctx context.Context, io streams, j job) error {
	r, err := j.run(ctx, io)
	switch {
	case r.ID == "": // it did not begin
		return err
	case j.flags.json:
		if err := printJSON(io.out, r); err != nil {
			return err
		}
	default:
		printRun(io, r)
	}
	return outcome(r, err)
}

// request is what the flags ask for, whatever directory is read from later.
func (f runFlags) request(names []string) (*results.Request, error) {
	q := results.Request{Image: f.image, AsIs: f.asIs, Repeat: f.repeat, Vector: vectorSource(f)}
	var errs []error
	absolute := func(name string, isFile bool) string {
		if !isFile {
			return name
		}
		abs, err := filepath.Abs(name)
		errs = append(errs, err)
		return abs
	}
	for _, n := range names {
		q.Scenarios = append(q.Scenarios, absolute(n, scenarios.IsFile(n)))
	}
	for _, b := range f.bases {
		q.Bases = append(q.Bases, absolute(b, images.IsTarball(b)))
	}
	for _, s := range f.subjects {
		q.Subjects = append(q.Subjects, absolute(s, true))
	}
	_, notFile := os.Stat(q.Vector)
	q.Vector = absolute(q.Vector, notFile == nil)
	return &q, errors.Join(errs...)
}

// interrupted says what a run leaves that a signal ended.
func interrupted(ctx context.Context, backend wire.Backend, r results.Run) error {
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
	code, judged := exitOK, 0
	for _, c := range r.Cases {
		switch {
		case c.Verdict == "not-applicable": // it is set aside, and named
			continue
		case c.Verdict == "invalid" || c.Verdict == "error" || c.Verdict == "untestable":
			code = max(code, exitInvalid)
		case !c.AsExpected():
			return exitError{exitFailure, err}
		}
		judged++
	}
	switch {
	case err != nil:
		return exitError{exitInvalid, err}
	case code != exitOK:
		return exitError{code: code}
	case len(r.Cases) == 0 || len(r.Cases) < r.Planned:
		return exitError{exitInvalid, fmt.Errorf("%d of %d cases were judged", len(r.Cases), r.Planned)}
	case judged == 0:
		return exitError{exitInvalid, fmt.Errorf("none of %d scenarios applies to the subject", r.Planned)}
	}
	return nil
}
