package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"bootrace/images"
	"bootrace/results"
	"bootrace/results/store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bootrace": main})
}

var update = flag.Bool("update", false, "write the golden output of testdata anew")

// noEngine is a DOCKER_HOST at which nothing listens.
const noEngine = "unix:///nonexistent/engine.sock"

// The scripts of testdata; the first word of a name is the category. None boots
// a machine, or even reaches an engine.
func TestScripts(t *testing.T) {
	t.Parallel()
	clone, err := images.FindRoot(".")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		// Goldens are changed by a person who looks at the change, not by CI.
		UpdateScripts: *update && os.Getenv("CI") == "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("BOOTRACE_STATE", filepath.Join(env.WorkDir, "state"))
			env.Setenv("DOCKER_HOST", noEngine)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("ESC", "\x1b")
			env.Setenv("CLONE", clone)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      exits,
			"isjson":     isJSON,
			"fits":       fits,
			"prepare":    prepare,
			"columns":    columns,
			"booted":     booted,
			"collecting": collecting,
			"hold":       hold,
			"history":    storeHistory,
			"keypair":    keyPair,
			"certify":    certify,
		},
	})
}

// exits CODE bootrace ARG… runs the command and wants that exit code of it.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if err != nil {
		if _, scanErr := fmt.Sscanf(err.Error(), "exit status %d", &code); scanErr != nil {
			ts.Fatalf("%s: %v", strings.Join(args[1:], " "), err)
		}
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s: exit code %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// isjson FILE [KEY…] wants one JSON document, an object or a list of them, that
// has the keys.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: isjson FILE [KEY...]")
	}
	var list []map[string]any
	data := ts.ReadFile(args[0])
	if err := json.Unmarshal([]byte(data), &list); err != nil {
		var one map[string]any
		ts.Check(json.Unmarshal([]byte(data), &one))
		list = []map[string]any{one}
	}
	for _, doc := range list {
		for _, key := range args[1:] {
			if _, ok := doc[key]; !ok {
				ts.Fatalf("no %q in %v", key, doc)
			}
		}
	}
}

// fits SCHEMA FILE wants a JSON document, and each line of JSON Lines, to be as the schema says.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fits SCHEMA FILE")
	}
	schema, err := jsonschema.NewCompiler().Compile(args[0])
	ts.Check(err)
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1])))
	for n := 0; ; n++ {
		var doc any
		err := dec.Decode(&doc)
		if err == io.EOF && n > 0 {
			return
		}
		ts.Check(err)
		ts.Check(schema.Validate(doc))
	}
}

// columns FILE N wants no line of more than N characters.
func columns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: columns FILE N")
	}
	var most int
	_, err := fmt.Sscan(args[1], &most)
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > most {
			ts.Fatalf("%d columns: %s", n, line)
		}
	}
}

// prepare stores three runs: one all passed, one with a failure of two attempts,
// one that was cut off.
func prepare(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: prepare")
	}
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(ts.Getenv("BOOTRACE_STATE"), "results.db"))
	ts.Check(err)
	defer func() { ts.Check(s.Close()) }()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, r := range []results.Run{passedRun(began), failedRun(began.Add(time.Hour)), cutOffRun(began.Add(2 * time.Hour))} {
		ts.Check(s.BeginRun(ctx, r))
		for _, c := range r.Cases {
			ts.Check(s.PutCase(ctx, r.ID, c))
		}
		ts.Check(s.EndRun(ctx, r))
	}
	ts.Check(os.MkdirAll(filepath.Join(ts.Getenv("BOOTRACE_STATE"), "runs", "20260102-030405-aaaa"), 0o755))
}

// hold RUN claims a run, as the process does that it belongs to, until the script ends.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold RUN")
	}
	dir := filepath.Join(ts.Getenv("BOOTRACE_STATE"), "runs", args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	f, err := os.Create(filepath.Join(dir, "lock"))
	ts.Check(err)
	ts.Check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	ts.Defer(func() { ts.Check(f.Close()) })
}

func runOf(id string, began time.Time, planned int, cases ...results.Case) results.Run {
	r := results.Run{Version: results.Version, ID: id, Started: began, Ended: began.Add(time.Minute), Subject: "populator", Hash: "h",
		Vector: "stand-in", Planned: planned, Dir: "/recordings/" + id, Cases: cases}
	for i := range r.Cases {
		c := &r.Cases[i]
		c.Started = began.Add(time.Duration(i) * time.Second)
		for n := range c.Attempts {
			c.Attempts[n].Recording = fmt.Sprintf("%s/%s.%d", r.Dir, c.ID, n+1)
			c.Recording = c.Attempts[n].Recording // the last one decides
		}
	}
	return r
}

func caseOf(scenario, verdict, reason string, checks ...results.Check) results.Case {
	return results.Case{ID: scenario + "@trixie#1", Scenario: scenario, Base: "trixie", Repetition: 1, Subject: "populator", Hash: "h",
		Backend: "container", Expected: "pass", Verdict: verdict, Reason: reason, Vector: "vector 0.56.0 (bootrace stand-in, not Vector)",
		Duration: 12 * time.Second, Waited: 10 * time.Second,
		Attempts: []results.Attempt{{Verdict: verdict, Reason: reason, Checks: checks}}}
}

func passedRun(began time.Time) results.Run {
	active := results.Check{Name: "vector-active", Outcome: "pass", Note: "active since +1.2s"}
	return runOf("20260102-030405-aaaa", began, 2, caseOf("pre", "pass", "13 checks", active), caseOf("delay-45s", "pass", "13 checks", active))
}

func failedRun(began time.Time) results.Run {
	finding := results.Finding{Summary: "vector.service failed: start-limit-hit", At: 45120 * time.Millisecond, Unit: "vector.service",
		Evidence: slices.Repeat([]results.Evidence{{File: "journal.json.gz", Line: 812, Text: "vector.service: Start request repeated too quickly."}}, 4)}
	bad := caseOf("delay-45s", "fail", "no-start-limit: vector.service failed: start-limit-hit",
		results.Check{Name: "no-start-limit", Outcome: "fail", Note: "9 of 5 starts", Findings: slices.Repeat([]results.Finding{finding}, 8)},
		results.Check{Name: "registered", Outcome: "pass"}, results.Check{Name: "boot-unblocked", Outcome: "no-evidence", Note: "no control boot"})
	spoilt := results.Attempt{Verdict: "invalid", Reason: "the host was busy"}
	bad.Attempts = append([]results.Attempt{spoilt}, bad.Attempts...)
	return runOf("20260102-040405-bbbb", began, 2, caseOf("pre", "pass", "13 checks"), bad)
}

func cutOffRun(began time.Time) results.Run {
	r := runOf("20260102-050405-cccc", began, 5, caseOf("pre", "pass", "13 checks"))
	r.Ended = time.Time{}
	return r
}
