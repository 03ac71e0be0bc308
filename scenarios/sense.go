package scenarios

import (
	"path"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"bootrace/scenarios/document"
)

// minWindow is room for a boot on a loaded host, and for Vector to hold after it.
const minWindow = 15 * time.Second

// minSettle is a little over the 5 s for which vector-active wants Vector to hold,
// and the time that it takes to get there.
const minSettle = 8 * time.Second

// maxWindow is longer than any boot that is worth waiting for.
const maxWindow = 24 * time.Hour

// place returns the token at a path, as document.Find does.
type place func(path ...any) *token.Token

// sense finds what is well formed and cannot be meant.
func (p *problems) sense(root ast.Node, s Scenario) {
	at := func(path ...any) *token.Token { return document.Find(root, path...) }
	given := func(parent, key string) bool { return at(parent, key) != at(parent) }
	delay, ttl := s.WorkerEnv.Delay.Duration, s.Cloud.PendingWorkerTTL.Duration

	switch delayed := given("worker_env", "delay"); {
	case s.WorkerEnv.When == After && !delayed:
		p.At(at("worker_env"), "worker_env.delay is missing: with when: after, say how long (0s is possible)")
	case s.WorkerEnv.When != After && delayed:
		p.At(at("worker_env", "delay"), "worker_env.delay goes with when: after only, not with %s", s.WorkerEnv.When)
	}
	if !s.Written() {
		if s.Expect.Registered {
			p.At(at("expect", "registered"), "expect.registered: a worker without worker.env cannot register")
		}
		if given("look", "settle") {
			p.At(at("look", "settle"), "look.settle has no meaning when worker.env never comes: say look.window")
		}
	} else if s.Expect.Registered && s.Expect.Verdict == "pass" && delay >= ttl {
		p.At(at("expect", "registered"), "expect.registered: worker.env comes after %s, when the control plane has given up "+
			"(cloud.pending_worker_ttl is %s); expected a shorter delay, or registered: false", s.WorkerEnv.Delay, s.Cloud.PendingWorkerTTL)
	}
	switch way := given("worker_env", "way"); {
	case way && s.WorkerEnv.When != After:
		p.At(at("worker_env", "way"), "worker_env.way goes with when: after only, not with %s", s.WorkerEnv.When)
	case len(s.Expect.Missing) > 0 && !s.Delivers():
		p.At(at("expect", "missing"), "expect.missing has no meaning when no credentials come")
	case !s.Written() && given("expect", "credentials") && s.Expect.Credentials:
		p.At(at("expect", "credentials"), "expect.credentials: there are none without worker.env")
	case !s.Delivers() && given("expect", "credentials_within"):
		p.At(at("expect", "credentials_within"), "expect.credentials_within has no meaning when no credentials come")
	}
	p.senseOfFaults(at, s)
	p.senseOfDuring(at, s)
	p.senseOfLook(at, s)
	p.senseOfBoots(at, s)
	for _, d := range []struct {
		parent, key string
		got         time.Duration
	}{
		{"cloud", "pending_worker_ttl", ttl},
		{"expect", "credentials_within", s.Expect.CredentialsWithin.Duration},
		{"expect", "boot_budget", s.Expect.BootBudget.Duration},
	} {
		if d.got == 0 {
			p.At(at(d.parent, d.key), "%s.%s: expected more than 0s", d.parent, d.key)
		}
	}
	seen := map[string]bool{}
	for _, a := range s.Expect.AllowedFailed {
		if _, err := path.Match(a.Unit, ""); err != nil {
			p.At(at("expect", "allowed_failed"), "expect.allowed_failed: %q is no pattern: expected a unit's name, in which * ? [a-z] match", a.Unit)
		}
		if seen[a.Unit] {
			p.At(at("expect", "allowed_failed"), "expect.allowed_failed: %q is there twice", a.Unit)
		}
		seen[a.Unit] = true
	}
}

func (p *problems) senseOfFaults(at place, s Scenario) {
	for i, f := range s.Cloud.Faults {
		for _, problem := range f.Validate() {
			p.At(at("cloud", "faults", i, problem.Key), "cloud.faults[%d].%s %s", i, problem.Key, problem.Message)
		}
		if from := f.From.Duration; from >= s.Look.Window.Duration && s.Look.Window.Duration > 0 {
			p.At(at("cloud", "faults", i, "from"), "cloud.faults[%d].from: %s is not within look.window, %s", i, f.From, s.Look.Window)
		}
	}
}

func (p *problems) senseOfDuring(at place, s Scenario) {
	for i, a := range s.During {
		if s.WorkerEnv.When == Never {
			p.At(at("during", i, "at"), "during[%d]: goes with a worker.env that comes", i)
		} else if end := s.FromCloudFinal() - minSettle; a.At.Duration > end {
			p.At(at("during", i, "at"), "during[%d].at: %s is later than %s before the case ends: a longer look.settle", i, a.At, minSettle)
		}
	}
}

func (p *problems) senseOfLook(at place, s Scenario) {
	window := s.Look.Window.Duration
	network := s.Network.After.Duration
	switch {
	case network == 0 && at("network") != at():
		p.At(at("network", "after"), "network.after: expected more than 0s; without network: it is there before the boot")
	case network > 0 && network >= window-minWindow:
		p.At(at("network", "after"), "network.after: %s is not within look.window, %s, less %s to see what comes of it", s.Network.After, s.Look.Window, minWindow)
	}
	switch {
	case window == 0:
		p.At(at("look", "window"), "look.window: expected more than 0s")
	case window > maxWindow:
		p.At(at("look", "window"), "look.window: %s is more than %s", window, maxWindow)
	case !s.Written() && window < minWindow:
		p.At(at("look", "window"), "look.window: at least %s, for Vector must be seen to stay active, after a slow boot too", minWindow)
	case s.Written() && window <= s.waits():
		p.At(at("look", "window"), "look.window: %s is not more than network, delay and settle, %s", window, s.waits())
	}
	if s.Written() && s.Look.Settle.Duration < minSettle {
		p.At(at("look", "settle"), "look.settle: at least %s, for Vector must be seen to stay active", minSettle)
	}
}
