package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"bootrace/harness/machine"
	"bootrace/harness/verdict"
	"bootrace/scenarios"
)

// life is one boot of a machine, and how many it is to have.
type life struct {
	Case              // its scenario is that of this boot alone
	world      world  // as it is in this boot
	try        int    // of the case
	number, of int    // of the machine's boots
	name, dir  string // of the recording
	// before is the machine that was booted before, nil for the first boot. It is down.
	before machine.Machine
	down   time.Duration // how long that took; 0: the power failed
	byHand byHand
}

// byHand is what a script needs to boot the machine again, this boot included.
type byHand struct {
	spec  machine.Spec
	later []machine.Later
}

// with is that of the boot after.
func (h byHand) with(l machine.Later) byHand {
	return byHand{h.spec, append(slices.Clone(h.later), l)}
}

// after is how the boot before ended.
func (b life) after() machine.Ending {
	if b.Scenario.Before.After == scenarios.ByPowerLoss {
		return machine.PowerLoss
	}
	return machine.Reboot
}

// numberOf is the boot's number, 0 where there is but one.
func (b life) numberOf() int {
	if b.of == 1 {
		return 0
	}
	return b.number
}

// step is a step of this boot as it is told.
func (b life) step(what string) string {
	if b.number > 1 {
		return fmt.Sprintf("boot %d: %s", b.number, what)
	}
	return what
}

// downTimeout bounds the end of a boot: a little more than units have to stop.
const downTimeout = 3 * time.Minute

// live boots a machine for the case, and again as often as its scenario says, until a boot
// is no pass. Each of them is a boot to judge.
func (r *Runner) live(ctx context.Context, c Case, ctl *control, try int, booted func()) []attempt {
	subj := r.Subjects[c.Subject]
	if why := subj.Undecided[c.Base]; why != "" {
		booted()
		return []attempt{unbooted(verdict.Invalid, why)}
	}
	boots := c.Scenario.EachBoot()
	for i, s := range boots {
		var why string
		if boots[i], why = subj.fitted(s); why != "" {
			booted()
			return []attempt{unbooted(verdict.NotApplicable, why)}
		}
	}
	b := life{Case: c, world: newWorld(), try: try, number: 1, of: len(boots), name: fmt.Sprintf("%s.%d", c.ID, try)}
	b.dir = filepath.Join(r.Dir, fileName(b.name))
	b.Scenario = boots[0]
	b.world.meet(boots[0].Cloud.Faults)
	out := []attempt{r.attempt(ctx, b, ctl, booted)}
	first := b
	for i, s := range boots[1:] {
		last := out[len(out)-1]
		if last.Verdict != verdict.Pass {
			break
		}
		b.Scenario, b.number, b.before = s, i+2, last.machine
		b.world = b.world.again(*s.Before)
		b.name, b.dir = fmt.Sprintf("%s, boot %d", first.name, b.number), fmt.Sprintf("%s.boot%d", first.dir, b.number)
		b.byHand = last.byHand
		out[len(out)-1].machine = nil // it is the next boot's
		a, err := r.reboot(ctx, b, ctl)
		if err != nil {
			a = attempt{number: b.number}
			a.Verdict, a.Reason = verdict.Error, err.Error()
		}
		if a.Verdict == verdict.Error {
			r.remove(ctx, last) // if it did not become the next boot's
		}
		out = append(out, a)
	}
	return out
}

// reboot ends the boot before and makes the next one. Its place among the machines that
// boot is asked for when the machine is down. With an error the machine is still b's.
func (r *Runner) reboot(ctx context.Context, b life, ctl *control) (attempt, error) {
	r.tell(Update{Case: b.ID, Step: b.step("after " + b.Scenario.Before.After)})
	down, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	began := time.Now()
	if err := b.before.Down(down, b.after()); err != nil {
		return attempt{}, fmt.Errorf("boot %d: %w", b.number, err)
	}
	if b.after() == machine.Reboot {
		b.down = time.Since(began)
	}
	leave, err := r.placeToBoot(ctx, b.try == maxAttempts)
	if err != nil {
		return attempt{}, err
	}
	return r.attempt(ctx, b, ctl, leave), nil
}
