package runbook

import (
	"fmt"

	"bootrace/scenarios"
)

// How a field of the scenario fares on a real host.
type How string

// Ways to fare.
const (
	Done   How = "done"
	Noted  How = "not done" // and no other scenario without it
	Cannot How = "cannot be done"
)

// Field is a field of the scenario, and what becomes of it.
type Field struct {
	Name string
	How  How
	Why  string
}

// Fields says of every field what becomes of it.
func (b Book) Fields() []Field {
	s := b.Scenario
	delay := "counts from the start of " + Unit + ", which begins when cloud-final does"
	out := []Field{
		{"worker_env.when", Done, map[string]string{
			scenarios.After:      "worker.env and server.env are removed, and worker.env is written after the boot",
			scenarios.Never:      "worker.env and server.env are removed, and do not come",
			scenarios.BeforeBoot: "the role env stays where it is",
		}[s.WorkerEnv.When]},
		{"worker_env.delay", Done, delay},
		{"worker_env.way", Done, "as in a machine, with this host's own worker.env: " + scenarios.Ways()[s.WorkerEnv.Way]},
		{"during", Done, "at its times, by the same unit"},
		{"look.window", Done, fmt.Sprintf("how long is waited at most: %s", s.Look.Window)},
		{"look.settle", Done, "how long is waited after the last write, and as long again as credentials_within"},
		{"cloud.pending_worker_ttl", Noted, "the control plane that this host is registered with has its own"},
		{"expect", Noted, "the journal is judged by bootrace judge, against what that is told"},
		{"first boot", Noted, "vector.env is removed; cloud-init's state, Vector's buffer and what else an earlier boot left stay, for no scenario is about them"},
	}
	if s.WorkerEnv.When != scenarios.After {
		out = append(out[:1], out[3:]...) // neither has a meaning
	}
	for i, a := range s.Boots {
		out = append(out, further(i, s, a))
	}
	if after := s.Network.After; after.Duration > 0 {
		out = append(out, Field{"network.after", Cannot, fmt.Sprintf("this host's network is not kept from it for %s: who is logged in came over it; bootrace run does, in a machine", after)})
	}
	for i, f := range s.Cloud.Faults {
		out = append(out, Field{fmt.Sprintf("cloud.faults[%d]", i), Cannot, fmt.Sprintf("%s %s: the cloud is the real one, and nothing here makes it fail; bootrace run does, in a machine", f.Service, f.Kind)})
	}
	return out
}

// further is a further boot. Where the role env was there from the first, that boot is
// what is looked at; else the further ones are what the scenario is about.
func further(i int, s scenarios.Scenario, a scenarios.Again) Field {
	name := fmt.Sprintf("boots[%d]", i)
	if s.WorkerEnv.BeforeBoot() && a.After == scenarios.ByReboot && !a.NewVault && a.WorkerEnv.When == "" && len(a.During) == 0 {
		return Field{name, Noted, "the first boot alone is tried; no secret of a real vault is rotated"}
	}
	return Field{name, Cannot, "one boot of a host is tried, and neither its power is cut nor its vault changed; bootrace run does, in a machine"}
}
