package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/judge"
	"bootrace/harness/machine"
	"bootrace/harness/run"
	"bootrace/harness/runbook"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

// A development host is a machine that has its worker.env and has booted with it; a
// reboot is systemd's own, after which its container is started again.
func TestARunbookIsPlayedOnAHostThatReboots(t *testing.T) {
	t.Parallel()
	h := newDevelopmentHost(t)
	for _, tt := range []struct {
		name  string
		when  string
		delay time.Duration
		way   scenarios.Way
	}{
		{"delay-0s", scenarios.After, 0, scenarios.Edited},
		{"delay-6s", scenarios.After, 6 * time.Second, scenarios.Edited},
		{"torn", scenarios.After, 0, scenarios.TruncatedAgain},
		{"never", scenarios.Never, 0, ""},
	} {
		// One after the other: there is one host.
		t.Run(tt.name, func(t *testing.T) {
			s := scenarios.Scenario{Name: tt.name}
			s.WorkerEnv.When, s.WorkerEnv.Delay.Duration, s.WorkerEnv.Way = tt.when, tt.delay, tt.way
			s.Look.Window.Duration, s.Look.Settle.Duration = 20*time.Second, 5*time.Second
			journal := h.play(t, s)
			j := judged(t, journal)
			assert.NotEqual(t, verdict.Fail, j.Verdict, "%s: %v", j.Reason, j.Findings)
			assert.Positive(t, j.MultiUser)
			if tt.when == scenarios.Never {
				assert.False(t, strings.Contains(journal, "BOOTRACE_STEP"), "nothing was to come")
				return
			}
			began, complete := stepAt(t, journal, "start"), stepAt(t, journal, "role-env-complete")
			assert.GreaterOrEqual(t, complete-began, tt.delay-time.Second, "the file is late by the delay, of which the unit's own start is a part")
			assert.NotContains(t, h.must(t, "systemctl list-unit-files --no-legend || true"), runbook.Unit, "the unit has removed itself")
		})
	}
}

// The design that failed in production fails on a host as well, once its worker.env is
// taken away: which it never was, on any.
func TestARunbookShowsOnAHostWhatProductionSaw(t *testing.T) {
	t.Parallel()
	h := newDevelopmentHost(t, "../museum/pr254")
	s := scenarios.Scenario{Name: "late"}
	s.WorkerEnv.When, s.WorkerEnv.Delay.Duration, s.WorkerEnv.Way = scenarios.After, 8*time.Second, scenarios.Edited
	s.Look.Window.Duration, s.Look.Settle.Duration = 30*time.Second, 5*time.Second
	journal := h.play(t, s)
	j := judged(t, journal)
	assert.Equal(t, verdict.Fail, j.Verdict, j.Reason)
	var checks []string
	for _, f := range j.Findings {
		checks = append(checks, f.Check)
	}
	assert.Contains(t, checks, "no-start-limit", "%v", j.Findings)
}

func judged(t *testing.T, journal string) judge.Judgement {
	t.Helper()
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "host.export", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(journal)), nil }}})
	require.NoError(t, err)
	require.Len(t, boots, 1, "it has this boot alone")
	return judge.Log(boots[0].Timeline(), check.Limits{BootBudget: scenarios.BootBudget, CredentialsWithin: scenarios.CredentialsWithin}, boot.Control{})
}

// looks is all of the host that a trial touches.
const looks = `cd /etc/opensandbox; stat -c '%n %F %a %u %g %y' *; sha256sum *; ls -A . /var/lib /etc/systemd/system /etc/systemd/system/multi-user.target.wants`

type developmentHost struct{ id, docker string }

// nowhere keeps no results: the host is what is wanted.
type nowhere struct{}

func (nowhere) PutCase(context.Context, string, results.Case) error { return nil }

func newDevelopmentHost(t *testing.T, subjects ...string) developmentHost {
	t.Helper()
	if testing.Short() {
		t.Skip("boots machines")
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("the engine's command line client restarts a container; there is none")
	}
	lab := wiretest.New(t, subjects, images.Suites()[0])
	id := fmt.Sprintf("runbook-%s-%d", lab.Names[0], os.Getpid())
	r := lab.Runner(id, filepath.Join(lab.Dir, id), nowhere{}, machine.Room{AtOnce: 1, Ever: 1})
	r.Keep = run.KeepAll
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := lab.Backend.Sweep(ctx, machine.OfRun(id))
		assert.NoError(t, err)
	})
	pre := wiretest.Find(t, "pre")
	pre[0].Boots = nil // no script of the harness's is to run in the host's own boots
	cases, err := r.Run(t.Context(), run.Plan(pre, run.Matrix{Bases: images.Suites()[:1], Subject: lab.Names[0], Vector: "stand-in", Repeat: 1}))
	require.NoError(t, err)
	require.Len(t, cases, 1)
	shell := strings.Fields(cases[0].Kept)
	require.Len(t, shell, 5, "docker exec -it ID bash: %s", wiretest.Explain(cases[0]))
	return developmentHost{id: shell[3], docker: docker}
}

// play plays a scenario by its script, from start to finish, and returns the journal.
func (h developmentHost) play(t *testing.T, s scenarios.Scenario) string {
	t.Helper()
	book, err := runbook.Of(s, "")
	require.NoError(t, err)
	script, err := book.Script()
	require.NoError(t, err)
	h.put(t, "/root/runbook.sh", script)
	before := h.must(t, looks)
	h.must(t, `bash /root/runbook.sh start --yes-this-is-a-development-host "$(uname -n)"`)
	assert.Empty(t, h.must(t, "cd /etc/opensandbox && ls"), "the host boots without role env and vector.env")
	h.reboot(t)
	t.Log(h.must(t, "bash /root/runbook.sh finish"))
	assert.Equal(t, before, h.must(t, looks), "all is as it was")
	journal := h.must(t, "cat /var/tmp/bootrace-"+s.Name+"-*.export")
	h.must(t, "rm /var/tmp/bootrace-*")
	return journal
}

func (h developmentHost) sh(ctx context.Context, input, script string) (string, error) {
	cmd := exec.CommandContext(ctx, h.docker, "exec", "-i", h.id, "bash", "-c", script)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h developmentHost) must(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := h.sh(ctx, "", script)
	require.NoError(t, err, "%s:\n%s", script, out)
	return out
}

func (h developmentHost) put(t *testing.T, file, text string) {
	t.Helper()
	out, err := h.sh(t.Context(), text, "cat > "+file)
	require.NoError(t, err, out)
}

// reboot returns when the new PID 1 answers.
func (h developmentHost) reboot(t *testing.T) {
	t.Helper()
	_, _ = h.sh(t.Context(), "", "systemctl reboot") // its connection ends with it
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, h.docker, "wait", h.id).CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.CommandContext(ctx, h.docker, "start", h.id).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Eventually(t, func() bool {
		_, err := h.sh(ctx, "", "systemctl show --value -p Version")
		return err == nil
	}, time.Minute, 200*time.Millisecond, "the host is up again")
}

// stepAt is when a step of the scenario was, on the host's clock.
func stepAt(t *testing.T, journal, step string) time.Duration {
	t.Helper()
	for entry := range strings.SplitSeq(journal, "\n\n") {
		if !strings.Contains(entry, "BOOTRACE_STEP="+step+"\n") {
			continue
		}
		for line := range strings.SplitSeq(entry, "\n") {
			if at, ok := strings.CutPrefix(line, "__MONOTONIC_TIMESTAMP="); ok {
				d, err := time.ParseDuration(at + "us")
				require.NoError(t, err)
				return d
			}
		}
	}
	t.Fatalf("the journal has no step %s", step)
	return 0
}
