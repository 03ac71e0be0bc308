package derive_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/derive"
	"bootrace/harness/timeline"
	"bootrace/scenarios"
)

func factsOf(t *testing.T, log string) boot.Facts {
	t.Helper()
	boots, err := timeline.ReadLogs(t.Context(), []timeline.LogFile{{Name: "j", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(log)), nil }}})
	require.NoError(t, err)
	require.Len(t, boots, 1)
	return boot.Of(boots[0].Timeline())
}

// at is a line of a production journal, so many seconds after PID 1's start.
func at(seconds float64, ident, msg string) string {
	return fmt.Sprintf("[%12.6f] w7 %s: %s\n", 2+seconds, ident, msg)
}

const (
	pid1    = "systemd[1]"
	pop     = "populate-vector-env[412]"
	waiting = `level=INFO msg="vector.env is a stub; waiting since 2026-11-23 22:34:43Z for worker.env or server.env in /etc/opensandbox"`
	secrets = `level=INFO msg="vector.env has the secrets of key vault kv-prod-7 since 2026-11-23 22:38:33Z"`
)

func begin() string {
	return at(0, pid1, "systemd 257.9-1 running in system mode (+PAM)") + at(0.4, pop, waiting) + at(1.2, pid1, "Started vector.service - Vector.") +
		at(1.3, pid1, "Reached target multi-user.target - Multi-User System.") + at(1.4, pid1, "Starting cloud-final.service - Cloud-init: Final Stage...")
}

func TestAScenarioIsDerivedWithTheLinesItRestsOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, log string
		lines     []string // of the scenario
		holds     func(t *testing.T, s scenarios.Scenario)
	}{
		{"late by four minutes, by the populator's word", begin() + at(241.4, pop, `level=INFO msg="vector.env is a stub"`) + at(241.9, pop, secrets) + at(243, pid1, "Started vector.service - Vector."),
			[]string{"when: after  # j:5: systemd: Starting cloud-final.service", "delay: 4m0s  # at the latest, by j:6: populate-vector-env: level=INFO msg=\"vector.env is a stub\"", "# cloud.faults: none"},
			func(t *testing.T, s scenarios.Scenario) {
				assert.Equal(t, 4*time.Minute, s.WorkerEnv.Delay.Duration)
				assert.True(t, s.Expect.Registered)
			}},
		{"never", begin() + at(90, pid1, "Finished cloud-final.service - Cloud-init: Final Stage."),
			[]string{"when: never  # it is awaited still", "registered: false"}, func(t *testing.T, s scenarios.Scenario) { assert.Equal(t, scenarios.Never, s.WorkerEnv.When) }},
		{"before the boot", at(0, pid1, "systemd 257.9-1 running in system mode (+PAM)") + at(0.4, pop, secrets) + at(1.4, pid1, "Starting cloud-final.service - Cloud-init: Final Stage..."),
			[]string{"when: before-boot  # j:2: populate-vector-env"}, nil},
		{"a log that says nothing of it", at(0, pid1, "systemd 257.9-1 running in system mode (+PAM)") + at(1.3, pid1, "Reached target multi-user.target - Multi-User System."),
			[]string{"delay: 45s  # not known: the log does not say when worker.env was complete; an assumption", "# cloud.faults: not known"}, nil},
		{"awaited as the log ends", begin() + at(300, pop, waiting),
			[]string{"delay: 4m59s  # at least: j:6"}, nil},
		{"after the control plane has given up", begin() + at(700, pop, `level=INFO msg="vector.env is a stub"`),
			[]string{"registered: false  # worker.env came after the control plane had given up"}, nil},
		{"a cloud in trouble", begin() + at(46, pop, `level=WARN msg="vector.env is a stub; since 2026-11-23 22:38:33Z: managed identity: 503 Service Unavailable"`) +
			at(52, pop, `level=WARN msg="vector.env is a stub; since 2026-11-23 22:38:39Z: key vault kv-prod-7, secret shared-axiom-platform-ingest-token: 403 Forbidden/ForbiddenByRbac"`) +
			at(80, pop, secrets) + at(81, pid1, "Started vector.service - Vector.") + at(90, "vector[800]", "WARN sink: Retrying after response. reason=Http status: 429 Too Many Requests"),
			[]string{"{service: imds, kind: status, status: 503, until: 52s}  # j:6:", "{service: keyvault, kind: status, secret: shared-axiom-platform-ingest-token, status: 403, until: 1m20s}", "{service: axiom, kind: status, status: 429, until: 1m30s}", "no more at j:7"},
			func(t *testing.T, s scenarios.Scenario) { assert.Len(t, s.Cloud.Faults, 3) }},
		{"somebody restarts Vector", begin() + at(41.4, pop, `level=INFO msg="vector.env is a stub"`) + at(41.9, pop, secrets) + at(43, pid1, "Started vector.service - Vector.") +
			at(190, pid1, "Stopping vector.service - Vector...") + at(191, pid1, "Started vector.service - Vector."),
			[]string{"- {at: 3m9.6s, do: restart, unit: vector.service}  # j:10"}, func(t *testing.T, s scenarios.Scenario) { assert.Len(t, s.During, 1) }},
		{"somebody restarts the populator while it waits, and once more as it delivers", begin() + at(0.5, pid1, "Started populate-vector-env.service - Credentials.") +
			at(3.5, pid1, "Stopping populate-vector-env.service - Credentials...") + at(3.6, pid1, "Stopped populate-vector-env.service - Credentials.") + at(4.6, pid1, "Starting populate-vector-env.service - Credentials...") + at(4.7, pid1, "Started populate-vector-env.service - Credentials.") +
			at(7.45, pid1, "Started opensandbox-worker.service - Worker.") + at(7.5, pid1, "Finished cloud-final.service - Cloud-init: Final Stage.") + at(7.6, pop, `level=INFO msg="vector.env is a stub"`) +
			at(7.7, pid1, "Stopping populate-vector-env.service - Credentials...") + at(7.8, pid1, "Starting populate-vector-env.service - Credentials..."),
			[]string{"- {at: 2.1s, do: restart, unit: populate-vector-env.service}  # j:7", "- {at: 6.3s, do: restart, unit: populate-vector-env.service}  # j:14", "settle: 20.1s  # until after what is done to units"},
			func(t *testing.T, s scenarios.Scenario) { assert.Len(t, s.During, 2) }},
		{"a populator that ends and is started by others again, which nobody stops", begin() + at(3.5, pid1, "Finished populate-vector-env.service - Credentials.") + at(3.6, pid1, "Starting populate-vector-env.service - Credentials...") +
			at(7.5, pid1, "Finished cloud-final.service - Cloud-init: Final Stage.") + at(7.6, pop, `level=INFO msg="vector.env is a stub"`),
			[]string{"delay: 6.2s"}, func(t *testing.T, s scenarios.Scenario) { assert.Empty(t, s.During) }},
		{"a boot that was held is looked at for longer", at(0, pid1, "systemd 257.9-1 running in system mode (+PAM)") + at(91, pid1, "Starting cloud-final.service - Cloud-init: Final Stage...") + at(91.2, pid1, "Finished cloud-final.service - Cloud-init: Final Stage."),
			[]string{"delay: 200ms", "window: 2m56s  # not of the log: what a boot needs after worker.env, and what this one took until cloud-final.service"}, nil},
		{"a clock that is set", "Mar 10 16:46:30 w7 systemd[1]: systemd 257.9-1 running in system mode (+PAM)\nMar 10 12:46:31 w7 systemd[1]: Started a.service - A.\n",
			[]string{"# no scenario sets a machine's clock: the clock steps by -3h59m59s at j:2"}, nil},
		{"what would break out of a comment", begin() + at(41.4, pop, "vector.env \u0085 name: evil # ] }"), []string{"name: from-journal"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := derive.Scenario("from-journal", factsOf(t, tt.log))
			s, err := scenarios.Parse("from-journal.yaml", []byte(text))
			require.NoError(t, err, "it loads under the strict loader:\n%s", text)
			for _, line := range tt.lines {
				assert.Contains(t, text, line)
			}
			if tt.holds != nil {
				tt.holds(t, s)
			}
		})
	}
}

// fleet are boots whose worker.env took from 200 s to 300 s.
func fleet(n int) [][]boot.Delay {
	var out [][]boot.Delay
	for i := range n {
		took := 200*time.Second + time.Duration(i)*100*time.Second/time.Duration(n)
		out = append(out, []boot.Delay{{Name: "worker-env", Took: took, AtMost: i == 0}, {Name: "multi-user", Took: took / 100}})
	}
	return out
}

func TestTenHostsHaveNoP99(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n       int
		named   int
		refused []string
	}{
		{5, 0, []string{"p50 wants 6 boots, 5 have it", "p95 wants 72 boots, 5 have it", "p99 wants 368 boots, 5 have it"}},
		{10, 1, []string{"p95 wants 72 boots, 10 have it", "p99 wants 368 boots, 10 have it"}},
		{100, 2, []string{"p99 wants 368 boots, 100 have it"}},
		{400, 3, nil},
	} {
		for _, got := range derive.Thresholds(fleet(tt.n)) {
			if got.Delay == "worker-env" {
				assert.Len(t, got.Named, tt.named)
				assert.Equal(t, tt.refused, got.Refused)
				assert.Equal(t, 1, got.AtMost)
			}
			if got.Delay == "credentials" {
				assert.Empty(t, got.Named)
				assert.Equal(t, 0, got.N)
			}
		}
	}
}

func TestAFleetsScenarioLoadsAndSaysWhereItIsFrom(t *testing.T) {
	t.Parallel()
	for n, lines := range map[int][]string{
		10:  {"delay: 4m10s  # p50 of 10 boots, 95 % interval", "# from 10 boots in ./hosts, 2026-11-27", "#   boot_budget: 2s   not known: p95 wants 72 boots, 10 have it; the default"},
		400: {"delay: 4m59s  # p99 of 400 boots", "at the latest, in 1 of them", "boot_budget: 1s", "credentials_within: 30s   not known: p50 wants 6 boots, 0 have it"},
		0:   {"delay: 45s  # not known"},
	} {
		text := derive.FleetScenario(derive.Thresholds(fleet(n)), derive.Origin{From: "./hosts", Boots: n, Date: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)})
		_, err := scenarios.Parse("fleet.yaml", []byte(text))
		require.NoError(t, err, text)
		for _, line := range lines {
			assert.Contains(t, text, line)
		}
	}
}
