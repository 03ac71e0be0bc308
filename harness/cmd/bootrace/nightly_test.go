package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/images/postgrestest"
	"bootrace/results"
)

// show reads a run by the command.
func (p *place) show(run string) (r results.Run) {
	p.t.Helper()
	code, stdout, stderr := p.bootrace("show", "--json", "--run", run)
	require.Zero(p.t, code, stderr)
	require.NoError(p.t, json.Unmarshal([]byte(stdout), &r))
	return r
}

// The set of all scenarios, twice in a row on both bases, into the PostgreSQL of
// BOOTRACE_DB or one of its own; its reports are left in bin/nightly.
func TestNightlySetAgainstPostgreSQL(t *testing.T) {
	wiretest.Nightly(t)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	dir := filepath.Join(root, "bin", "nightly")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	db := os.Getenv("BOOTRACE_DB")
	if db == "" {
		db = postgrestest.Start(t).Database(t)
	}
	p := newPlace(t)
	p.env = []string{"BOOTRACE_DB=" + db}
	b := p.start("run", "nightly", "--base", "trixie,bookworm", "--repeat", "2", "--json")
	run := b.run()
	p.cleanLater(run)
	code := b.ends(30 * time.Minute)
	for form, file := range map[string]string{"html": "report.html", "junit": "junit.xml", "markdown": "summary.md"} {
		code, stdout, stderr := p.bootrace("report", "--run", run, "--form", form)
		require.Zero(t, code, stderr)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(stdout), 0o644))
	}
	t.Logf("reports of run %s are in %s", run, dir)
	require.Zero(t, code, b.Stderr())

	var r results.Run
	require.NoError(t, json.Unmarshal(b.stdout.Bytes(), &r))
	stored := p.show(run)
	assert.Len(t, stored.Cases, r.Planned)
	again := 0
	for _, c := range stored.Cases {
		assert.Equal(t, c.Expected, c.Verdict, "%s: %s", c.ID, c.Reason)
		again += c.Machines() - 1
	}
	t.Logf("%d cases in %s; %d machines were spoilt by the host and booted anew", len(stored.Cases), r.Ended.Sub(r.Started).Round(time.Second), again)
	assert.Empty(t, stored.Flaky())
}

// Fifty runs, of which the harness or its database is killed at a random moment:
// what had ended is stored, once, and --resume does the rest. Several at a time,
// for most of a boot is waiting.
func TestNightlyKilledRunsAreResumed(t *testing.T) {
	wiretest.Nightly(t)
	const runs, atOnce, cases = 50, 5, 3
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	server := postgrestest.Start(t)
	var away sync.RWMutex // held while the database is: nobody reads it then
	var tally sync.Mutex
	counts := map[string]int{}
	count := func(what string, n int) { tally.Lock(); counts[what] += n; tally.Unlock() }
	ended := regexp.MustCompile(`(?m)(quick@trixie#\d) +(pass|fail|invalid|error) after`)

	one := func(t *testing.T, database bool, after time.Duration) {
		p := newPlace(t)
		p.env = []string{"BOOTRACE_DB=" + server.URL("postgres")}
		b := p.start("run", p.quick, "--repeat", fmt.Sprint(cases), "--parallel", "2")
		run := b.run()
		p.cleanLater(run)
		time.Sleep(after)
		if database {
			away.Lock()
			server.Kill(t)
			time.Sleep(after / 4)
			server.Again(t)
			server.Wait(t)
			away.Unlock()
			count("the database was killed", 1)
			time.Sleep(after / 2)
		}
		_ = b.cmd.Process.Kill()
		b.ends(atOnceEnds)
		said := map[string]bool{}
		for _, m := range ended.FindAllStringSubmatch(b.Stderr(), -1) {
			said[m[1]] = true
		}
		away.RLock()
		before := p.show(run)
		away.RUnlock()
		count("cases had ended", len(before.Cases))
		for id := range said {
			assert.True(t, slices.ContainsFunc(before.Cases, func(c results.Case) bool { return c.ID == id }), "%s had ended and is not stored", id)
		}
		if len(before.Cases) == cases {
			count("runs had nothing left to do", 1)
			return
		}
		away.RLock()
		again := p.start("run", "--resume", run, "--json")
		again.run() // it has read what there is
		away.RUnlock()
		require.Zero(t, again.ends(4*time.Minute), again.Stderr())
		away.RLock()
		resumed := p.show(run)
		away.RUnlock()
		ids := map[string]results.Case{}
		for _, c := range resumed.Cases {
			ids[c.ID] = c
			assert.Equal(t, "pass", c.Verdict, c.Reason)
		}
		assert.Len(t, resumed.Cases, cases)
		assert.Len(t, ids, cases, "nothing is there twice")
		for _, c := range before.Cases {
			assert.Equal(t, c, ids[c.ID], "what had ended is as it was")
		}
		count("cases were resumed", cases-len(before.Cases))
	}
	places := make(chan struct{}, atOnce)
	t.Run("runs", func(t *testing.T) {
		for i := range runs {
			database, after := rnd.IntN(2) == 0, time.Duration(rnd.IntN(30_000))*time.Millisecond
			t.Run(fmt.Sprintf("%d-%s-%t", i, after, database), func(t *testing.T) {
				t.Parallel()
				places <- struct{}{}
				defer func() { <-places }()
				one(t, database, after)
			})
		}
	})
	t.Logf("%d runs: %v", runs, counts)
}

// What costs a quarter of the boot is found in thirty boots a side, the same subject
// under another name is not.
func TestNightlyARegressionOfRealBootsIsFound(t *testing.T) {
	wiretest.Nightly(t)
	p := newPlace(t)
	own := p.ownSubject()
	subject := func(name, file, text string) string {
		dir := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.CopyFS(dir, os.DirFS(own)))
		require.NoError(t, os.Chmod(filepath.Join(dir, "rootfs/usr/local/bin/populate-vector-env"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "rootfs/etc", file), []byte(text), 0o644))
		return dir
	}
	var boots []float64
	first := p.start("run", "delay-0s", "--subject", own, "--repeat", "5", "--parallel", "1")
	p.cleanLater(first.run())
	require.Zero(t, first.ends(patience), first.Stderr())
	for _, c := range p.show(first.run()).Cases {
		boots = append(boots, c.Attempts[0].Boot.Measures[results.MeasureMultiUser])
	}
	median := results.Median(boots)
	require.Positive(t, median)

	b := p.start("run", "delay-0s", "--repeat", "30",
		"--subject", subject("before", "bootrace-test-1", ""), "--subject", subject("same", "bootrace-test-2", ""),
		"--subject", subject("slower", "systemd/system/slower.service", fmt.Sprintf("[Unit]\nDefaultDependencies=no\nAfter=sysinit.target\nBefore=basic.target\n"+
			"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep %.3f\n[Install]\nWantedBy=basic.target\n", median/4)))
	run := b.run()
	p.cleanLater(run)
	require.Zero(t, b.ends(20*time.Minute), b.Stderr())
	code, stdout, _ := p.bootrace("compare", run+"/before", run+"/same")
	assert.Equal(t, exitOK, code, stdout)
	code, stdout, _ = p.bootrace("compare", run+"/before", run+"/slower")
	assert.Equal(t, exitFailure, code, stdout)
	assert.Regexp(t, `boot time .* regressed`, stdout)
	t.Log(stdout)
}
