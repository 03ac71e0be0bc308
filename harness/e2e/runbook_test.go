package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/run"
	"bootrace/harness/runbook"
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
			book, err := runbook.Of(s, "")
			require.NoError(t, err)
			script, err := book.Script()
			require.NoError(t, err)
			h.put(t, "/root/runbook.sh", script)
			before := h.must(t, looks)

			h.must(t, `bash /root/runbook.sh start --yes-this-is-a-development-host "$(uname -n)"`)
			assert.Empty(t, h.must(t, "cd /etc/opensandbox && ls"), "the host boots without role env and vector.env")
			h.reboot(t)
			out := h.must(t, "bash /root/runbook.sh finish")
			t.Log(out)
			assert.Equal(t, before, h.must(t, looks), "all is as it was")

			journal := h.must(t, "cat /var/tmp/bootrace-"+tt.name+"-*.export")
			h.must(t, "rm /var/tmp/bootrace-*")
			assert.Contains(t, journal, "UNIT=multi-user.target\n")
			assert.Contains(t, journal, "UNIT=vector.service\n", "Vector was started without a role env")
			if tt.when == scenarios.Never {
				assert.NotContains(t, journal, "BOOTRACE_STEP")
				return
			}
			began, complete := h.stepAt(t, journal, "start"), h.stepAt(t, journal, "role-env-complete")
			assert.GreaterOrEqual(t, complete-began, tt.delay-time.Second, "the file is late by the delay, of which the unit's own start is a part")
			assert.NotContains(t, h.must(t, "systemctl list-unit-files --no-legend || true"), runbook.Unit, "the unit has removed itself")
		})
	}
}

// looks is all of the host that a trial touches.
const looks = `cd /etc/opensandbox; stat -c '%n %F %a %u %g %y' *; sha256sum *; ls -A . /var/lib /etc/systemd/system /etc/systemd/system/multi-user.target.wants`

type developmentHost struct{ id, docker string }

// nowhere keeps no results: the host is what is wanted.
type nowhere struct{}

func (nowhere) PutCase(context.Context, string, results.Case) error { return nil }

func newDevelopmentHost(t *testing.T) developmentHost {
	t.Helper()
	if testing.Short() {
		t.Skip("boots machines")
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("the engine's command line client restarts a container; there is none")
	}
	lab := wiretest.New(t, nil, images.Suites()[0])
	id := "runbook-" + filepath.Base(t.TempDir())
	id = fmt.Sprintf("%s-%d", id, os.Getpid())
	r := lab.Runner(id, filepath.Join(lab.Dir, id), nowhere{}, 1)
	r.Keep = run.KeepAll
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := lab.Backend.Sweep(ctx, machine.OfRun(id))
		assert.NoError(t, err)
	})
	cases, err := r.Run(t.Context(), run.Plan(wiretest.Find(t, "pre"), run.Matrix{Bases: images.Suites()[:1], Subject: lab.Names[0], Vector: "stand-in", Repeat: 1}))
	require.NoError(t, err)
	require.Len(t, cases, 1)
	require.Equal(t, "pass", cases[0].Verdict, wiretest.Explain(cases[0]))
	shell := strings.Fields(cases[0].Kept)
	require.Len(t, shell, 5, "docker exec -it ID bash")
	return developmentHost{id: shell[3], docker: docker}
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
func (h developmentHost) stepAt(t *testing.T, journal, step string) time.Duration {
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
