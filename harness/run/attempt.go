package run

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/harness/verdict"
	"bootrace/images/azure/fault"
	"bootrace/scenarios"
)

// attempt is one boot of a case, judged.
type attempt struct {
	judge.Judgement
	dir     string
	change  string                    // what would have to change, where it failed
	number  int                       // which boot of its machine; 0: the only one
	files   map[string]recording.File // of the recording
	machine machine.Machine           // nil unless it was left running
	byHand  byHand
}

// attempt makes one boot of a machine's life and judges it. What goes wrong on the way is
// the verdict error, with the reason.
func (r *Runner) attempt(ctx context.Context, b life, ctl *control, booted func()) attempt {
	a, err := r.tryAttempt(ctx, b, ctl, booted)
	a.dir, a.number = b.dir, b.numberOf()
	if err != nil {
		a.Verdict, a.Reason = verdict.Error, err.Error()
	}
	a.lead()
	return a
}

func (r *Runner) tryAttempt(ctx context.Context, b life, ctl *control, booted func()) (attempt, error) {
	defer booted() // whatever happened, it boots no longer
	c, w, subj := b.Case, b.world, r.Subjects[b.Subject]
	s, err := r.shot(w, b.name, subj.Images[c.Base], r.Images[c.Base].Cloud, provisioningOf(c.Scenario), c.Scenario.Cloud.PendingWorkerTTL.Duration)
	if err != nil {
		return attempt{}, err
	}
	s.dir = b.dir
	s.settle, s.window = c.Scenario.Look.Settle.Duration, c.Scenario.Look.Window.Duration
	if s.until = windowOver; c.Scenario.Written() {
		s.until = boot.WorkerRegistered
	}
	if c.Scenario.Delivers() {
		s.hold, s.units = deliveredFor, subj.Units
	}
	// A case ends early when logs arrive; if that left a question open, the next
	// attempt looks for as long as the scenario allows.
	if b.try > 1 && s.hold > 0 {
		s.settle = max(s.settle, c.Scenario.Expect.CredentialsWithin.Duration+deliveredFor)
	}
	if b.try < maxAttempts && subj.Declared.Judges("boot-unblocked") { // the last shows what it can
		s.spoilt = spoiltBy(ctl, c.Scenario.Expect.BootBudget.Duration)
	}
	s.keep = r.Keep != KeepNone || r.Debug != nil || b.number < b.of
	s.late = func() (map[string][]byte, error) {
		booted()                       // who waits here has no place that the control may need
		took, controlErr := ctl.wait() // without: 0, and boot-unblocked has no evidence
		expect, err := json.MarshalIndent(expectation(c, w, subj, took, b.number), "", "  ")
		return map[string][]byte{recording.ExpectFile: expect}, errors.Join(controlErr, err)
	}
	if b.number > 1 {
		s.number, s.rotated, s.down = b.number, w.rotatedLogs(), b.down
		if s.spec.Files, err = w.seedAgain(provisioningOf(c.Scenario), b.number, c.Scenario.Before.NewVault); err != nil {
			return attempt{}, err
		}
		s.again = b.before
		b.byHand = b.byHand.with(machine.Later{After: b.after(), Next: machine.Next{CloudConfig: s.spec.CloudConfig, Files: s.spec.Files}})
	} else {
		b.byHand = byHand{spec: s.spec}
	}
	s.files = map[string][]byte{recording.CaseFile: c.Scenario.Source, recording.ByHandFile: []byte(r.Backend.ByHand(b.byHand.spec, b.byHand.later...))}
	waits, waitsFrom := c.Scenario.FromCloudFinal(), boot.CloudFinalStarted
	if s.until == windowOver {
		waits, waitsFrom = c.Scenario.Waits(), machineStarted
	}
	// What follows cloud-final's start at once still competes with booting.
	busy := boot.CloudFinalStarted
	if c.Scenario.Written() && c.Scenario.WorkerEnv.Delay.Duration < soon {
		busy = boot.WorkerRegistered
	}
	s.boots = bootsFor(c.Scenario.Network.After.Duration)
	rec, err := r.record(ctx, s, func(ms boot.Milestone) {
		if ms == busy || ms == blocked {
			booted()
		}
		if ms == blocked {
			return
		}
		u := Update{Case: c.ID, Step: b.step(string(ms))}
		if ms == waitsFrom {
			u.Planned = waits
		}
		r.tell(u)
	})
	a := attempt{machine: rec.machine, byHand: b.byHand}
	if err != nil {
		return a, err
	}
	fsys, manifest, err := recording.Open(b.dir)
	if err != nil {
		return a, errors.Join(err, rec.gone())
	}
	a.files = manifest.Files
	a.Judgement, err = judge.Recording(fsys)
	_, controlErr := ctl.wait()
	switch {
	case a.Verdict == verdict.Pass:
	case errors.As(controlErr, new(hostError)):
		a.Verdict, a.Reason, a.Settled = verdict.Invalid, controlErr.Error(), true
	case !slices.ContainsFunc(a.Findings, intrinsic):
		// What does not boot without the subject says nothing of it, and no further boot would help.
		err = errors.Join(err, controlErr)
	}
	return a, errors.Join(err, rec.gone())
}

// unbooted is what is known without a boot, and no boot would tell otherwise.
func unbooted(v verdict.Verdict, why string) attempt {
	return attempt{Judgement: judge.Judgement{Judgement: verdict.Judgement{Verdict: v, Reason: why, Settled: true}}}
}

func intrinsic(f check.Finding) bool { return f.Intrinsic }

// bootsAtMost is how long a machine is taken to be booting when it does not say
// that it has ended; on an idle host a boot takes under two seconds. One that goes on to
// take the CPU boots for as long as slowly.
const bootsAtMost, slowly = 10 * time.Second, 20 * time.Second

// bootsFor is that of a machine whose network comes so late: it waits for that by then.
func bootsFor(network time.Duration) time.Duration {
	if network > soon {
		return soon
	}
	return bootsAtMost
}

// deliveredFor is how long a case goes on once logs arrive with the vault's token:
// Vector must be seen to stay, and what was logged before it to have come.
const deliveredFor = 8 * time.Second

// soon is a delay so short that the case is not over its boot when it ends.
const soon = 5 * time.Second

// shot is what every boot has in common.
func (r *Runner) shot(w world, name, worker, cloud string, p provisioning, ttl time.Duration) (shot, error) {
	config, err := w.cloudConfig(ttl, p.network)
	if err != nil {
		return shot{}, err
	}
	files, err := w.seed(p)
	if err != nil {
		return shot{}, err
	}
	return shot{
		name: name, dir: filepath.Join(r.Dir, fileName(name)), secrets: w.secrets(),
		spec: machine.Spec{
			Run: r.ID, Name: name, WorkerImage: worker, CloudImage: cloud,
			CloudConfig: config, Files: files,
		},
	}, nil
}

// provisioningOf is what the scenario says of worker.env.
func provisioningOf(s scenarios.Scenario) provisioning {
	before := s.WorkerEnv.BeforeBoot()
	return provisioning{
		beforeBoot: before, write: s.Written() && !before, delay: s.WorkerEnv.Delay.Duration,
		way: s.WorkerEnv.Way, during: s.During, network: s.Network.After.Duration,
	}
}

func expectation(c Case, w world, subj Subject, control boot.Control, number int) check.Expect {
	s := c.Scenario
	e := check.Expect{
		Setup: boot.Setup{
			Base: c.Base, Vector: c.Vector, RoleEnv: boot.Late, NoCredentials: s.Written() && !s.Delivers(),
			SubjectUnits: subj.Units, Populator: subj.PopulatorUnit(), Image: subj.Asks[c.Base], Presets: subj.Presets[c.Base], Faults: shown(s.Cloud.Faults), EnvDigests: boot.Digests{}, LogToken: secretToken,
		},
		Control: control,
		Limits: check.Limits{
			CredentialsWithin: subj.within(s), BootBudget: s.Expect.BootBudget.Duration,
			Registered: s.Expect.Registered, PendingWorkerTTL: s.Cloud.PendingWorkerTTL.Duration, StartsAllowed: s.Expect.Starts,
			Declared: subj.Declared,
		},
	}
	switch {
	case s.WorkerEnv.BeforeBoot():
		e.RoleEnv = boot.Pre
	case !s.Written():
		e.RoleEnv = boot.Never
	}
	for name, value := range w.vectorEnv(s.Expect.Missing) {
		e.EnvDigests[name] = boot.DigestOf(value)
	}
	if s.Before != nil {
		e.Boot, e.RotatedBefore, e.EnvBefore = number, w.rotatedLogs(), boot.Digests{}
		for name, value := range w.before().vectorEnv(s.Expect.Missing) {
			e.EnvBefore[name] = boot.DigestOf(value)
		}
	}
	for _, f := range s.Expect.AllowedFailed {
		e.AllowedFailed = append(e.AllowedFailed, check.Allowed{Unit: f.Unit, Reason: f.Reason})
	}
	return e
}

// shown are the faults that the cloud's log shows when a request meets them. Where one of
// them is not, whether any was met is not known.
func shown(faults []fault.Fault) []boot.Fault {
	var out []boot.Fault
	for _, f := range faults {
		if row, _ := f.Kind.Row(); row.Layer == fault.Connect {
			return nil
		}
		out = append(out, boot.Fault{Service: f.Service, Secret: f.Secret, Kind: string(f.Kind)})
	}
	return out
}

// fileName makes a case's id a name for a directory.
func fileName(id string) string {
	return strings.NewReplacer("/", "_", " ", "_").Replace(id)
}
