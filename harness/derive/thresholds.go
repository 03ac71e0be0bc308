package derive

import (
	"fmt"
	"time"

	"bootrace/harness/boot"
	"bootrace/results/history"
)

// delays are what is measured of a fleet, in the order of a boot.
var delays = []struct{ name, from, to string }{
	{"network-online", "PID 1's start", "network-online.target"},
	{"multi-user", "PID 1's start", "multi-user.target"},
	{"cloud-final", "PID 1's start", "the start of cloud-final.service"},
	{"worker-env", "the start of cloud-final.service", "worker.env complete"},
	{"credentials", "worker.env complete", "Vector started with the vault's values"},
}

// percentiles are those that are named.
var percentiles = []float64{0.50, 0.95, 0.99}

// Threshold is a delay over a fleet.
type Threshold struct {
	Delay  string `json:"delay"`
	From   string `json:"from"`
	To     string `json:"to"`
	N      int    `json:"n"`
	AtMost int    `json:"at_most,omitempty"` // in so many boots it is known only by when it was over at the latest
	// Named has p50, p95, p99 as far as there are boots enough.
	Named   []Percentile `json:"named,omitempty"`
	Refused []string     `json:"refused,omitempty"` // why the others are not
}

// Percentile is a named one, with its 95 % interval, in seconds.
type Percentile struct {
	P     float64 `json:"p"`
	Value float64 `json:"seconds"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Thresholds are those of a fleet, a boot's delays each.
func Thresholds(fleet [][]boot.Delay) []Threshold {
	var out []Threshold
	for _, d := range delays {
		t := Threshold{Delay: d.name, From: d.from, To: d.to}
		var samples []float64
		for _, b := range fleet {
			for _, have := range b {
				if have.Name == d.name {
					samples = append(samples, have.Took.Seconds())
					if have.AtMost {
						t.AtMost++
					}
				}
			}
		}
		t.N = len(samples)
		for _, p := range percentiles {
			q, ok := history.QuantileOf(samples, p)
			if !ok {
				t.Refused = append(t.Refused, fmt.Sprintf("p%.0f wants %d boots, %d have it", p*100, history.Needed(p), t.N))
				continue
			}
			t.Named = append(t.Named, Percentile{p, q.Value, q.Low, q.High})
		}
		out = append(out, t)
	}
	return out
}

// Origin is where thresholds are from.
type Origin struct {
	From  string // the directory
	Boots int
	Date  time.Time
}

// largest is the highest percentile of a delay that is named.
func largest(all []Threshold, delay string) (t Threshold, p Percentile, ok bool) {
	for _, t := range all {
		if t.Delay == delay && len(t.Named) > 0 {
			return t, t.Named[len(t.Named)-1], true
		}
	}
	return t, p, false
}

// FleetScenario is a scenario with the largest delays that the fleet's boots are enough for.
// Its limits are a gate's too: a policy that names the file holds subjects to them.
func FleetScenario(all []Threshold, o Origin) string {
	w := &writer{}
	w.comment("from %d boots in %s, %s", o.Boots, o.From, o.Date.UTC().Format("2006-01-02"))
	w.comment("a gate's policy holds subjects to it by scenarios: [the path of this file]")
	w.line("version: 1", "")
	w.line("name: fleet", "")
	w.line("description: the slowest worker.env that the fleet's boots are enough to name", "")
	w.line("worker_env:", "")
	w.line("  when: after", "")
	delay := unknownDelay
	if t, p, ok := largest(all, "worker-env"); ok {
		delay = whole(p.Value)
		w.line("  delay: "+span(delay), basis(t, p))
	} else {
		w.line("  delay: "+span(delay), "not known: "+why(all, "worker-env")+"; an assumption")
	}
	w.line("look:", "")
	w.line("  window: "+span(delay+window), "the delay, and what comes after it")
	w.line("expect:", "")
	if delay >= pendingTTL {
		w.line("  registered: false", "worker.env comes after the control plane has given up (10min)")
	} else {
		w.line("  registered: true", "")
	}
	if t, p, ok := largest(all, "credentials"); ok {
		w.line("  credentials_within: "+span(max(whole(p.High), time.Second)), "the upper end: "+basis(t, p))
	} else {
		w.comment("  credentials_within: 30s   not known: %s; the default", why(all, "credentials"))
	}
	if t, p, ok := largest(all, "multi-user"); ok && len(t.Named) > 1 {
		spread := time.Duration((p.Value - t.Named[0].Value) * float64(time.Second))
		w.line("  boot_budget: "+span(max(whole(spread.Seconds()), time.Second)), fmt.Sprintf("p%.0f less p50: %s", p.P*100, basis(t, p)))
	} else {
		w.comment("  boot_budget: 2s   not known: %s; the default", why(all, "multi-user"))
	}
	return w.String()
}

func why(all []Threshold, delay string) string {
	for _, t := range all {
		if t.Delay == delay && len(t.Refused) > 0 {
			return t.Refused[0]
		}
	}
	return "no boot has it"
}

// basis is what a value rests on.
func basis(t Threshold, p Percentile) string {
	s := fmt.Sprintf("p%.0f of %d boots, 95 %% interval %s to %s, from %s to %s", p.P*100, t.N, span(tenth(p.Low)), span(tenth(p.High)), t.From, t.To)
	if t.AtMost > 0 {
		s += fmt.Sprintf("; at the latest, in %d of them", t.AtMost)
	}
	return s
}

// What a scenario is made with where a log says nothing: the delay that most incidents were
// found with, what there is to see after it, production's pendingWorkerTTL.
const (
	unknownDelay = 45 * time.Second
	window       = 75 * time.Second
	pendingTTL   = 10 * time.Minute
)

func whole(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

func tenth(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond)
}

// span is a duration as scenarios write it.
func span(d time.Duration) string { return d.String() }
