// Package run executes a plan: it gives each case a world of its own, boots it,
// records it, has the recording judged, and hands the result to the store.
//
// It knows machines by their interface and stores by its own; what a verdict is
// made of is judge's business.
//
//	r := run.Runner{Backend: backend, Images: images, Dir: dir, …}
//	cases, err := r.Run(ctx, plan)
package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/machine"
	"bootrace/harness/verdict"
	"bootrace/results"
	"bootrace/scenarios"
)

// Store takes each case as it ends.
type Store interface {
	PutCase(ctx context.Context, run string, c results.Case) error
}

// Images are what machines of one base boot from, as image IDs.
type Images struct {
	Control string // the worker without a subject
	Cloud   string
}

// Keep says which machines are left running for a look inside.
type Keep string

const (
	KeepNone      Keep = ""
	KeepOnFailure Keep = "on-failure"
	KeepAll       Keep = "all"
)

// Runner executes plans. All fields but the last three must be set.
type Runner struct {
	ID       string
	Backend  machine.Backend
	Images   map[string]Images  // by base
	Subjects map[string]Subject // by name
	Dir      string             // recordings go below it, a directory a case
	Store    Store
	// Booting and Running bound the machines that boot and that run at once. Beyond Crowd of
	// them the next one begins while the host is calm; 0: no crowd disturbs.
	Booting, Running, Crowd int

	Keep Keep
	// Debug is called with a case that came out otherwise than expected, while its
	// machine still runs, and the command that opens a shell there; may be nil.
	Debug func(c results.Case, shell []string)
	// Watch is told of each step, from several goroutines; may be nil.
	Watch func(Update)

	host     hostWatch
	versions map[string]string
	place    admission
}

// Subject is what the runner needs to know of what is under test.
type Subject struct {
	Hash      string
	Units     []string
	Populator string                  // its unit that fetches the credentials, if it says so
	Presets   map[string][]string     // by base, what its first boot's presets enable against the build
	Declared  check.Declared          // what else it says of itself
	Asks      map[string][]boot.Asked // by base, what the image asks for that no container has
	Images    map[string]string       // the worker with the subject, by base
	// CredentialsWithin is what the subject holds itself to, by scenario or "default".
	CredentialsWithin map[string]time.Duration
	// Undecided says, by base, why no boot of it can be judged; see verdict.Disturbance.
	Undecided map[string]string
}

// within is the limit for a scenario: the subject's own where it is tighter.
func (s Subject) within(sc scenarios.Scenario) time.Duration {
	limit := sc.Expect.CredentialsWithin.Duration
	own, named := s.CredentialsWithin[sc.Name]
	if !named && !sc.SaysCredentialsWithin() {
		own, named = s.CredentialsWithin["default"]
	}
	if named && own < limit {
		return own
	}
	return limit
}

// maxAttempts is how often a case is booted when the host spoils it.
const maxAttempts = 3

// Run executes the cases and returns them in the plan's order. Cases that were
// not finished when ctx ended are missing; what had ended is stored.
func (r *Runner) Run(ctx context.Context, cases []Case) ([]results.Case, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	if r.versions, err = r.Backend.Versions(ctx); err != nil {
		return nil, err
	}
	cloud := ""
	for _, i := range r.Images {
		cloud = i.Cloud // one is for all bases
	}
	// Without it, what disturbed a boot is known by the boot alone.
	if watched, err := r.Backend.WatchHost(ctx, r.ID, cloud); err != nil {
		r.host.ended = err
	} else {
		defer func() { _ = watched.Close() }() // what cannot be removed now, the next run's sweep takes
		go r.host.follow(watched)
	}
	r.place = newAdmission(r.Running, r.Booting)

	// The control boots take turns with the first cases, which are the longest, and so
	// have the same load beside them.
	controls, pending := r.controls(ctx, cases)
	begin := func(n int) {
		for ; n > 0 && len(pending) > 0; n-- {
			pending[0]()
			pending = pending[1:]
		}
	}
	// Whatever happens, nobody is left behind with a machine in hand.
	defer func() {
		for _, ctl := range controls {
			ctl.first.Wait()
		}
	}()
	done := make([]*results.Case, len(cases))
	errs := make(chan error, len(cases))
	var wg sync.WaitGroup
	for i, c := range cases {
		begin(1)
		if len(r.place.running) == cap(r.place.running) { // and wait for their control boots
			begin(len(pending))
		}
		r.place.outOfTheWay(ctx, r.Crowd, r.host.hasSpare)
		leave, err := enter(ctx, r.place.running)
		if err != nil {
			break
		}
		// Taken here and not in the case: the plan's order is the order of boots.
		booted, err := enter(ctx, r.place.booting)
		if err != nil {
			leave()
			break
		}
		wg.Go(func() {
			defer leave()
			defer booted()
			res := r.runCase(ctx, c, controls[footingOf(c)], booted)
			if ctx.Err() != nil && res.Verdict != string(verdict.Pass) && res.Verdict != string(verdict.Fail) {
				return // cut off; what had ended before is stored
			}
			if err := r.Store.PutCase(context.WithoutCancel(ctx), r.ID, res); err != nil {
				errs <- fmt.Errorf("store case %s: %w (its recording is in %s)", c.ID, err, res.Recording)
				cancel()
				return
			}
			done[i] = &res
			r.tell(Update{Case: c.ID, Result: &res})
		})
	}
	begin(len(pending))
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	out := make([]results.Case, 0, len(cases))
	for _, c := range done {
		if c != nil {
			out = append(out, *c)
		}
	}
	if len(out) < len(cases) && len(all) == 0 {
		all = append(all, context.Cause(ctx))
	}
	return out, errors.Join(all...)
}

// Update is one step of one case.
type Update struct {
	Case    string
	Step    string
	Planned time.Duration // how long it will take from now on; 0: not known
	Result  *results.Case // set when the case has ended
	Over    bool          // a control boot has ended, which has no result of its own
}

func (r *Runner) tell(u Update) {
	if r.Watch != nil {
		r.Watch(u)
	}
}

// runCase boots a case until the host does not spoil it, and never returns
// without a verdict. booted gives the place among the booting machines back.
func (r *Runner) runCase(ctx context.Context, c Case, ctl *control, booted func()) results.Case {
	began := time.Now()
	out := results.Case{
		ID: c.ID, Scenario: c.Scenario.Name, Base: c.Base, Repetition: c.Repetition, Expected: c.Scenario.Expect.Verdict,
		Backend: r.Backend.Name(), Subject: c.Subject, Hash: r.Subjects[c.Subject].Hash, Image: r.Subjects[c.Subject].Images[c.Base], Vector: "unknown",
		Started: began.UTC(), Waited: c.Scenario.Waits(),
	}
	var judgements []verdict.Judgement // of machines
	var decided []string               // the recordings that they rest on
	for n := 1; ; n++ {
		boots := r.live(ctx, c, ctl, n, booted)
		a := boots[len(boots)-1] // all before it passed
		judgements = append(judgements, ofMachine(boots))
		decided = append(decided, deciding(boots).dir)
		for _, b := range boots {
			out.Attempts = append(out.Attempts, b.record())
			out.Vector = cmp.Or(b.Versions["vector"], out.Vector)
		}
		if a.Verdict != verdict.Invalid || a.Settled || n == maxAttempts || ctx.Err() != nil {
			out.Kept = r.look(ctx, a, out)
			break
		}
		r.remove(ctx, a) // it shows nothing of the subject, and would take room from the next
		r.tell(Update{Case: c.ID, Step: "again: " + a.Reason})
		alone := n+1 == maxAttempts || ctl.spoilt()
		booted() // a place of its own would be one too few for all
		again, err := r.placeToBoot(ctx, alone)
		if err != nil {
			break
		}
		if alone {
			r.controlAgain(ctx, ctl, footingOf(c))
		}
		booted = again
		defer again()
	}
	final := verdict.Combine(judgements)
	out.Verdict, out.Reason = string(final.Verdict), final.Reason
	for i, j := range judgements {
		if j.Verdict == final.Verdict {
			out.Recording = decided[i]
		}
	}
	out.Recording = cmp.Or(out.Recording, out.Attempts[0].Recording)
	out.Duration = time.Since(began)
	return out
}

// placeToBoot waits for a place among those that boot; alone, until nobody else boots and the
// host is calm.
func (r *Runner) placeToBoot(ctx context.Context, alone bool) (leave func(), err error) {
	if !alone {
		return enter(ctx, r.place.booting)
	}
	if leave, err = r.place.bootAlone(ctx); err == nil {
		r.host.calm(ctx)
	}
	return leave, err
}

// ofMachine is the judgement on all boots of a machine: that of the one that is no pass,
// and says which it is.
func ofMachine(boots []attempt) verdict.Judgement {
	j := boots[len(boots)-1].Judgement.Judgement
	if n := boots[len(boots)-1].number; n > 1 && j.Verdict != verdict.Pass {
		j.Reason = fmt.Sprintf("boot %d: %s", n, j.Reason)
	}
	if len(boots) > 1 && j.Verdict == verdict.Pass {
		j.Reason = fmt.Sprintf("%d boots, the first: %s", len(boots), boots[0].Reason)
	}
	return j
}

// deciding is the boot that the machine's judgement rests on: the one that is no pass, else
// the first, which is like those of machines that boot once.
func deciding(boots []attempt) attempt {
	if last := boots[len(boots)-1]; last.Verdict != verdict.Pass {
		return last
	}
	return boots[0]
}

// look lets somebody look into the machine of a case's last boot, if that is
// wanted, and ends it. One that is kept is left running: then look returns the
// command that opens a shell in it.
func (r *Runner) look(ctx context.Context, a attempt, c results.Case) string {
	wrong := string(a.Verdict) != c.Expected
	if r.Debug != nil && a.machine != nil && wrong && ctx.Err() == nil {
		c.Verdict, c.Reason, c.Recording = string(a.Verdict), a.Reason, a.dir
		r.Debug(c, r.Backend.Shell(a.machine.ID()))
	}
	if a.machine != nil && (r.Keep == KeepAll || r.Keep == KeepOnFailure && wrong) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		if err := a.machine.Keep(ctx); err == nil {
			return strings.Join(r.Backend.Shell(a.machine.ID()), " ")
		}
	}
	r.remove(ctx, a)
	return ""
}

// remove ends a boot's machine if it still runs. What cannot be removed now, the
// next run's sweep takes.
func (r *Runner) remove(ctx context.Context, a attempt) {
	if a.machine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	_ = a.machine.Remove(ctx)
}
