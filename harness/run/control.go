package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/recording"
)

// controlBoots is how many control boots a base gets; their median counts, so
// that one slow boot does not loosen or tighten the budget.
const controlBoots = 3

// controlWindow bounds a control boot: an image that takes longer without a
// subject is broken.
const controlWindow = 60 * time.Second

// control is what boots without the subject are: the time that multi-user.target takes,
// and what is active then.
type control struct {
	first sync.WaitGroup
	again sync.Mutex // held while one more is made
	mu    sync.Mutex
	boots []boot.Control
	errs  []error
}

func (c *control) add(b boot.Control, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil { // as a rule the same of all three, which is said once
		what := func(err error) string { w, _, _ := strings.Cut(err.Error(), seeIn); return w }
		if !slices.ContainsFunc(c.errs, func(e error) bool { return what(e) == what(err) }) {
			c.errs = append(c.errs, err)
		}
		return
	}
	c.boots = append(c.boots, b)
}

// seeIn is between what a control boot failed by and the file of its own that shows it.
const seeIn = "; see "

// wait returns the median boot, with what was active in all, once the first are over. Where
// the host has not spoilt all of them, those that it has do not count.
func (c *control) wait() (boot.Control, error) {
	c.first.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := errors.Join(c.errs...); err != nil {
		return boot.Control{}, fmt.Errorf("control boot: %w", err)
	}
	if len(c.boots) == 0 {
		return boot.Control{}, nil // nothing to compare with
	}
	count := slices.DeleteFunc(slices.Clone(c.boots), boot.Control.Spoilt)
	if len(count) == 0 {
		count = slices.Clone(c.boots)
	}
	slices.SortFunc(count, func(a, b boot.Control) int { return cmp.Compare(a.Own(), b.Own()) })
	median := count[len(count)/2]
	median.Active = slices.DeleteFunc(slices.Clone(median.Active), func(unit string) bool {
		return slices.ContainsFunc(c.boots, func(t boot.Control) bool { return !slices.Contains(t.Active, unit) })
	})
	return median, nil
}

// spoilt: the host has spoilt all boots.
func (c *control) spoilt() bool {
	median, err := c.wait()
	return err == nil && median.Spoilt()
}

// footing is what a case's boot must have in common with the control boots it is compared
// with. Vector as packaged is After=network-online.target, and multi-user.target waits for
// Vector: where the network is late, so is the boot without any subject.
type footing struct {
	base    string
	network time.Duration // when it comes; 0: it is there before
}

func footingOf(c Case) footing { return footing{c.Base, c.Scenario.Network.After.Duration} }

// ControlOf is the name of the first control boot that a case is compared with.
func ControlOf(c Case) string { return footingOf(c).boot(1) }

// boot is the name of a control boot.
func (f footing) boot(n int) string {
	if f.network > 0 {
		return fmt.Sprintf("control@%s,network-after-%s#%d", f.base, f.network, n)
	}
	return fmt.Sprintf("control@%s#%d", f.base, n)
}

// controls are those of every footing in the plan, and what begins their boots, one each,
// when there is a place for it. All must be begun: who has no place any more says so.
func (r *Runner) controls(ctx context.Context, cases []Case) (controls map[footing]*control, begin []func()) {
	controls = map[footing]*control{}
	for _, c := range cases {
		on := footingOf(c)
		if controls[on] != nil {
			continue
		}
		ctl := &control{}
		controls[on] = ctl
		ctl.first.Add(controlBoots)
		for i := range controlBoots {
			begin = append(begin, func() {
				leave, err := enter(ctx, r.place.booting)
				if err != nil {
					ctl.add(boot.Control{}, err)
					ctl.first.Done()
					return
				}
				go func() {
					defer ctl.first.Done()
					name := on.boot(i + 1)
					ctl.add(r.unspoilt(ctx, name, on, leave))
					r.tell(Update{Case: name, Over: true})
				}()
			})
		}
	}
	return controls, begin
}

// unspoilt boots until the host does not spoil it, as cases are. booted gives the place among
// those that boot back.
func (r *Runner) unspoilt(ctx context.Context, name string, on footing, booted func()) (boot.Control, error) {
	for n := 1; ; n++ {
		t, err := r.controlBoot(ctx, name, n, on, booted)
		booted()
		again := ""
		switch {
		case n == maxAttempts:
		case errors.As(err, new(hostError)): // a busy host takes as long to answer
			again = err.Error()
		case err == nil && t.Spoilt():
			again = fmt.Sprintf("other processes had the CPU for %s of its %s", t.Lost.Round(time.Millisecond), (t.MultiUser - t.Waited).Round(time.Millisecond))
		}
		if again == "" {
			return t, err
		}
		r.tell(Update{Case: name, Step: "again: " + again})
		r.host.calm(ctx)
		if booted, err = enter(ctx, r.place.booting); err != nil {
			return boot.Control{}, err
		}
	}
}

// controlAgain makes one more boot of a control that the host has spoilt, for a case that
// boots alone: without it, no boot of the case could be judged, however calm the host is by
// then. What goes wrong is told, and leaves the control as it was.
func (r *Runner) controlAgain(ctx context.Context, ctl *control, on footing) {
	ctl.again.Lock()
	defer ctl.again.Unlock()
	if !ctl.spoilt() {
		return
	}
	name := on.boot(len(ctl.boots) + 1)
	b, err := r.controlBoot(ctx, name, 1, on, func() {}) // nobody else boots
	if err != nil {
		r.tell(Update{Case: name, Step: err.Error()})
	} else {
		ctl.add(b, nil)
	}
	r.tell(Update{Case: name, Over: true})
}

func (r *Runner) controlBoot(ctx context.Context, name string, n int, on footing, booted func()) (boot.Control, error) {
	w, attempt := newWorld(), name
	if n > 1 {
		attempt = fmt.Sprintf("%s.%d", name, n)
	}
	window := controlWindow + on.network
	s, err := r.shot(w, attempt, r.Images[on.base].Control, r.Images[on.base].Cloud, provisioning{network: on.network}, window)
	if err != nil {
		return boot.Control{}, err
	}
	s.until, s.window, s.boots = boot.MultiUserReached, window, bootsFor(on.network)
	s.unsearched = true // nobody asks for secrets, and to search for them takes longest
	if on.network == 0 {
		s.cloud = w.vault + ".vault.azure.net"
	}
	rec, err := r.record(ctx, s, func(ms boot.Milestone) {
		if ms == blocked {
			booted()
			return
		}
		r.tell(Update{Case: name, Step: string(ms)})
	})
	if err != nil {
		return boot.Control{}, err
	}
	if err := rec.gone(); err != nil {
		return boot.Control{}, err
	}
	j, err := judge.Expecting(os.DirFS(rec.dir), check.Expect{Setup: boot.Setup{Base: on.base, RoleEnv: boot.Never}})
	if err != nil {
		return boot.Control{}, err
	}
	if why := j.Missing[recording.MissingCloud]; why != "" {
		return boot.Control{}, hostError{"the machine does not reach its cloud, with no subject in it: " + why}
	}
	console := filepath.Join(rec.dir, recording.ConsoleFile)
	if why := j.Missing[recording.MissingClock]; why != "" { // when anything was is not known
		return boot.Control{}, fmt.Errorf("a machine without the subject could not be looked at (%s): the image is broken, or this engine cannot boot it%s%s",
			cmp.Or(j.Missing[recording.MissingCollection], why), seeIn, console)
	}
	if j.MultiUser == 0 {
		late := fmt.Sprintf("multi-user.target was not reached within %s without the subject", window)
		if (boot.Control{MultiUser: window, Waited: on.network, Lost: j.Disturbance.CPULost(0, window)}).Spoilt() {
			return boot.Control{}, hostError{late + ", and other processes had the CPU for most of it: the host is too slow"}
		}
		return boot.Control{}, fmt.Errorf("%s: the image is broken, or the host too slow%s%s", late, seeIn, console)
	}
	return controlOf(j), nil
}

// hostError is what a machine without a subject shows of its host or its engine: it does not
// resolve its cloud, or does not trust it, or gets too little of the CPU to boot. What fails
// for that with a subject is not the subject's.
type hostError struct{ why string }

func (e hostError) Error() string { return e.why }

// controlOf is what a control boot's recording says of it.
func controlOf(j judge.Judgement) boot.Control {
	c := boot.Control{MultiUser: j.MultiUser, Lost: j.Disturbance.CPULost(0, j.MultiUser), Active: j.Boot.Lasting()}
	came, late := j.Boot.NetworkCame()
	basic, ok := j.Boot.Reached("basic.target").First()
	if until := min(came.At, j.MultiUser); late && ok && until > basic.At {
		c.Waited = until - basic.At
		c.Lost -= j.Disturbance.CPULost(basic.At, until)
	}
	return c
}
