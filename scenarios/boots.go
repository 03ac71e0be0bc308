package scenarios

import (
	"slices"
	"time"
)

// Again is a further boot of the same machine: what happens before it, and what it differs
// by from the first. Its disk is as the boot before left it; faults, and a network that is
// late, are the first's alone.
type Again struct {
	After     string    `yaml:"after" json:"after" jsonschema:"required,enum=reboot,enum=power-loss" jsonschema_description:"How the boot before ends: reboot (units are stopped) or power-loss (all is gone at once)"`
	Rotated   []string  `yaml:"rotated" json:"rotated,omitempty" jsonschema:"format=secret" jsonschema_description:"Secrets that have a new value from now on; Axiom takes the old one still"`
	NewVault  bool      `yaml:"new_vault" json:"new_vault,omitempty" jsonschema_description:"worker.env names another vault, which has other tokens (default: false)"`
	WorkerEnv WorkerEnv `yaml:"worker_env" json:"worker_env,omitzero" jsonschema_description:"When worker.env is written in this boot (default: it is there, as the boot before left it)"`
	During    []Action  `yaml:"during" json:"during,omitempty" jsonschema_description:"What is done to units while the machine runs"`
	Look      Settling  `yaml:"look" json:"look,omitzero" jsonschema_description:"How long to look"`
}

// Settling is how long to look at a further boot; its window follows from that.
type Settling struct {
	Settle Duration `yaml:"settle" json:"settle,omitzero" jsonschema_description:"After the worker has registered (default: 10s)"`
}

// How a boot ends before the next.
const (
	ByReboot    = "reboot"
	ByPowerLoss = "power-loss"
)

// maxBoots bounds the boots of a machine; the numbers of their log lines have room for
// one more.
const maxBoots = 8

// EachBoot is the scenario boot by boot, each as a scenario of one boot. All but the first
// have what happens before them in Before.
func (s Scenario) EachBoot() []Scenario {
	first := s
	first.Boots = nil
	out := []Scenario{first}
	for _, a := range s.Boots {
		b := first
		b.Before = &a
		b.Cloud.Faults, b.Network, b.During = nil, Network{}, a.During
		if b.WorkerEnv = a.WorkerEnv; b.WorkerEnv.When == "" {
			b.WorkerEnv.When = BeforeBoot
		}
		if b.WorkerEnv.Way == "" {
			b.WorkerEnv.Way = Edited
		}
		if b.Look.Settle = a.Look.Settle; b.Look.Settle.Duration == 0 {
			b.Look.Settle.Duration = defaultSettle
		}
		b.Look.Window.Duration = b.waits() + s.Expect.CredentialsWithin.Duration + windowAfter
		b.Expect.Registered = b.Written()
		out = append(out, b)
	}
	return out
}

// windowAfter is for the boot itself: a Vector that has not the vault's values is to have
// had its time for them, also on a busy host.
const windowAfter = 15 * time.Second

// senseOfBoots holds each boot against those before it.
func (p *problems) senseOfBoots(at place, s Scenario) {
	if len(s.Boots) >= maxBoots {
		p.At(at("boots"), "boots: %d more are too many: at most %d", len(s.Boots), maxBoots-1)
	}
	written := s.Written()
	for i, a := range s.Boots {
		env := a.WorkerEnv
		says := func(key string) bool { return at("boots", i, "worker_env", key) != at("boots", i, "worker_env") }
		switch {
		case env.When == "" && !written:
			p.At(at("boots", i), "boots[%d].worker_env is missing: no boot before it has written worker.env", i)
		case env.When == After && !says("delay"):
			p.At(at("boots", i, "worker_env"), "boots[%d].worker_env.delay is missing: with when: after, say how long (0s is possible)", i)
		case env.When != "" && env.When != After && (says("delay") || env.Way != ""):
			p.At(at("boots", i, "worker_env"), "boots[%d].worker_env: delay and way go with when: after only", i)
		case env.When == Never && written:
			p.At(at("boots", i, "worker_env", "when"), "boots[%d].worker_env.when: a boot before has written worker.env, which is there", i)
		case env.When == Never && a.NewVault:
			p.At(at("boots", i, "new_vault"), "boots[%d].new_vault: goes with a worker.env that comes", i)
		}
		written = written || env.When == After || env.When == BeforeBoot
		if settle := a.Look.Settle.Duration; settle > 0 && settle < minSettle {
			p.At(at("boots", i, "look", "settle"), "boots[%d].look.settle: at least %s, for Vector must be seen to stay active", i, minSettle)
		}
		if env.When == Never {
			continue
		}
		end := s.EachBoot()[i+1].FromCloudFinal() - minSettle
		for n, action := range a.During {
			if action.At.Duration > end {
				p.At(at("boots", i, "during", n, "at"), "boots[%d].during[%d].at: %s is later than %s before the boot ends: a longer look.settle", i, n, action.At, minSettle)
			}
		}
		if seen := slices.Compact(slices.Sorted(slices.Values(a.Rotated))); len(seen) < len(a.Rotated) {
			p.At(at("boots", i, "rotated"), "boots[%d].rotated: a secret is there twice", i)
		}
	}
}
