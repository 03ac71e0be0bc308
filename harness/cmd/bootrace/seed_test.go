package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"bootrace/results"
	"bootrace/results/store"
)

// seeded is a run to store: so many boots of each scenario.
type seeded struct {
	id        string
	scenarios []string
	boots     int
	slower    float64 // factor of pre's boot time
	failed    int     // of never's boots, the last ones
	vector    string
	kernel    string
	planned   int // beyond those that ran
	subject   string
	beside    string // another subject of the run, that is not slower and does not fail
}

const realVector = "vector 0.56.0 (x86_64-unknown-linux-gnu 88a8a3a)"

// histories are what the command history of the scripts can store, by name.
var histories = map[string][]seeded{
	"moved": {
		{id: "20260131-000000-dddd", scenarios: []string{"pre"}, boots: 2, slower: 1, kernel: "6.1", planned: 3},
		{id: "20260201-000000-aaaa", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1"},
		{id: "20260202-000000-bbbb", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1"},
		{id: "20260203-000000-cccc", scenarios: []string{"pre", "never"}, boots: 30, slower: 1.15, failed: 2, kernel: "6.8"},
	},
	"steady": {
		{id: "20260201-000000-aaaa", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1"},
		{id: "20260202-000000-bbbb", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1"},
		{id: "20260203-000000-cccc", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1", planned: 1},
		{id: "20260204-000000-dddd", scenarios: []string{"pre", "never"}, boots: 30, slower: 1, kernel: "6.1", vector: realVector},
	},
	"subjects": {{id: "20260201-000000-aaaa", scenarios: []string{"pre"}, boots: 30, slower: 1.15, kernel: "6.1", subject: "after", beside: "before"}},
	"spoilt":   {{id: "20260201-000000-aaaa", scenarios: []string{"pre"}, boots: 0, planned: 4}},
}

// history NAME stores the runs of that name.
func storeHistory(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || histories[args[0]] == nil {
		ts.Fatalf("usage: history NAME")
	}
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(ts.Getenv("BOOTRACE_STATE"), "results.db"))
	ts.Check(err)
	defer func() { ts.Check(s.Close()) }()
	for _, h := range histories[args[0]] {
		began, err := time.Parse("20060102", h.id[:8])
		ts.Check(err)
		r := runOf(h.id, began, h.planned, h.cases()...)
		r.Planned += len(r.Cases)
		ts.Check(s.BeginRun(ctx, r))
		for _, c := range r.Cases {
			ts.Check(s.PutCase(ctx, r.ID, c))
		}
		ts.Check(s.EndRun(ctx, r))
	}
}

func (h seeded) cases() []results.Case {
	var out []results.Case
	if h.beside != "" {
		other := h
		other.subject, other.beside, other.slower, other.failed = h.beside, "", 1, 0
		out = other.cases()
	}
	for _, scenario := range h.scenarios {
		for n := range h.boots {
			c := caseOf(scenario, "pass", "13 checks")
			if scenario == "never" && n >= h.boots-h.failed {
				c = caseOf(scenario, "fail", "registered: never")
			}
			c.ID = fmt.Sprintf("%s@trixie#%d", scenario, n+1)
			c.Repetition = n + 1
			if h.subject != "" {
				c.Subject = h.subject
				c.ID = c.Subject + "/" + c.ID
			}
			if h.vector != "" {
				c.Vector = h.vector
			}
			// Boots scatter by some percent, in another order in each run.
			luck := 1 + 0.08*math.Sin(float64((n+1)*(len(out)+3)+int(h.id[7])))
			m := map[string]float64{results.MeasureMultiUser: 2 * luck, results.MeasureControl: 1.9, results.MeasureRestarts: 1, results.MeasureHeadroom: 4,
				results.MeasureLines: 56, results.MeasureDelivered: 56, results.MeasureRequests: 7}
			if scenario == "pre" {
				m[results.MeasureMultiUser] *= h.slower
				m[results.MeasureCredentials] = 1.2 * luck
			}
			c.Attempts[0].Boot = &results.Boot{End: 10 * time.Second, Measures: m}
			c.Attempts[0].Versions = map[string]string{"kernel": h.kernel, "systemd": "257", "engine": "20.10", "vector": c.Vector}
			out = append(out, c)
		}
	}
	return out
}
