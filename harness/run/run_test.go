package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
	"bootrace/images/azure/fault"
	"bootrace/results"
	"bootrace/scenarios"
)

// memory is a store in memory.
type memory struct {
	mu    sync.Mutex
	cases []results.Case
	fail  error
}

func (m *memory) PutCase(_ context.Context, _ string, c results.Case) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.cases = append(m.cases, c)
	return nil
}

// quick is a plan of n cases that are over as soon as the worker has registered.
func quick(n int) []Case {
	s := scenarios.Scenario{Name: "quick", Source: []byte("name: quick\n")}
	s.WorkerEnv.When = scenarios.BeforeBoot
	s.Look.Window.Duration, s.Look.Settle.Duration = time.Minute, time.Millisecond
	s.Expect.Verdict, s.Expect.CredentialsWithin.Duration, s.Expect.BootBudget.Duration = "pass", 30*time.Second, time.Second
	return Plan([]scenarios.Scenario{s}, Matrix{Bases: []string{"trixie"}, Subject: "mine", Repeat: n})
}

func newRunner(t *testing.T, b *fakeBackend) (*Runner, *memory) {
	t.Helper()
	store := &memory{}
	return &Runner{
		ID: "test", Backend: b, Images: map[string]Images{"trixie": {"control", "cloud"}},
		Subjects: map[string]Subject{"mine": {Images: map[string]string{"trixie": "worker"}}},
		Dir:      t.TempDir(), Store: store, Booting: 2, Running: 4,
	}, store
}

func TestNoMoreMachinesBootAtOnceThanAllowed(t *testing.T) {
	b := &fakeBackend{boot: func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }}
	r, store := newRunner(t, b)
	out, err := r.Run(t.Context(), quick(12))
	require.NoError(t, err)
	assert.Len(t, out, 12)
	assert.Len(t, store.cases, 12)
	assert.LessOrEqual(t, b.mostBoot, 2)
	assert.Zero(t, b.living, "every machine is gone")
}

func TestTheLastBootOfACaseThatOthersSpoiltIsAlone(t *testing.T) {
	a := newAdmission(9, 2)
	first, err := enter(t.Context(), a.booting)
	require.NoError(t, err)
	got := make(chan func())
	for range 2 { // two who want all places do not wait for each other
		go func() {
			leave, err := a.bootAlone(context.WithoutCancel(t.Context()))
			assert.NoError(t, err)
			got <- leave
		}()
	}
	select {
	case <-got:
		t.Fatal("somebody boots")
	case <-time.After(20 * time.Millisecond):
	}
	first()
	leave := <-got
	assert.Len(t, a.booting, 2)
	leave()
	(<-got)()
	assert.Empty(t, a.booting)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	held, err := enter(t.Context(), a.booting)
	require.NoError(t, err)
	_, err = a.bootAlone(ended)
	require.ErrorIs(t, err, context.Canceled)
	held()
	assert.Empty(t, a.booting, "what was collected is given back")
}

func TestACaseWithoutEvidenceNeverPasses(t *testing.T) {
	r, _ := newRunner(t, &fakeBackend{})
	out, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	assert.NotEqual(t, "pass", out[0].Verdict, "a machine without a journal proves nothing")
	assert.NotEmpty(t, out[0].Reason)
}

func TestWhatIsToGoIsToldOnceItCounts(t *testing.T) {
	never := quick(1)[0]
	never.ID, never.Scenario.WorkerEnv.When, never.Scenario.Look.Window.Duration = "never", scenarios.Never, 50*time.Millisecond
	late := quick(1)[0]
	late.Scenario.WorkerEnv.When, late.Scenario.WorkerEnv.Delay.Duration = scenarios.After, 45*time.Second
	r, _ := newRunner(t, &fakeBackend{})
	var mu sync.Mutex
	told := map[string]time.Duration{}
	r.Watch = func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		if u.Planned > 0 {
			told[u.Case+" "+u.Step] = u.Planned
		}
	}
	_, err := r.Run(t.Context(), []Case{never, late})
	require.NoError(t, err)
	assert.Equal(t, map[string]time.Duration{
		"never " + string(machineStarted):              50 * time.Millisecond, // its window began
		late.ID + " " + string(boot.CloudFinalStarted): 45*time.Second + time.Millisecond,
	}, told)
}

func TestOfACaseThatIsBootedAgainOneMachineIsKept(t *testing.T) {
	t.Parallel() // its last boots wait for a calm host
	for _, keep := range []Keep{KeepOnFailure, KeepAll} {
		t.Run(string(keep), func(t *testing.T) {
			t.Parallel()
			b := &fakeBackend{reaches: true}
			r, _ := newRunner(t, b)
			r.Keep = keep
			asked := 0
			r.Debug = func(results.Case, []string) { asked++ }
			out, err := r.Run(t.Context(), quick(1))
			require.NoError(t, err)
			assert.Equal(t, "invalid", out[0].Verdict)
			assert.Contains(t, out[0].Reason, "journal")
			assert.Len(t, out[0].Attempts, maxAttempts)
			assert.Equal(t, 1, b.living)
			assert.NotEmpty(t, out[0].Kept)
			assert.Equal(t, 1, asked)
		})
	}
}

func TestDebugSeesTheMachineOfACaseThatFailedBeforeItGoes(t *testing.T) {
	b := &fakeBackend{}
	r, _ := newRunner(t, b)
	asked := 0
	r.Debug = func(c results.Case, shell []string) {
		asked++
		b.mu.Lock()
		defer b.mu.Unlock()
		assert.Positive(t, b.living)
		assert.Equal(t, []string{"fake", "shell"}, shell)
		assert.NotEmpty(t, c.Reason)
		assert.FileExists(t, filepath.Join(c.Recording, recording.ByHandFile))
	}
	out, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	assert.Equal(t, len(out[0].Attempts), asked, "once a boot")
	assert.Empty(t, out[0].Kept)
	assert.Zero(t, b.living)
}

func TestAMachineThatCannotStartIsAnErrorOfItsCaseAlone(t *testing.T) {
	b := &fakeBackend{fail: func(name string) error {
		if strings.HasPrefix(name, "quick@trixie#2") {
			return errors.New("no room")
		}
		return nil
	}}
	r, _ := newRunner(t, b)
	out, err := r.Run(t.Context(), quick(3))
	require.NoError(t, err)
	require.Len(t, out, 3)
	assert.Equal(t, "error", out[1].Verdict)
	assert.Contains(t, out[1].Reason, "no room")
	assert.NotContains(t, out[0].Reason, "no room")
	assert.Zero(t, b.living)
}

func TestAnInterruptedRunRemovesItsMachinesAndSaysWhatIsMissing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &fakeBackend{}
	r, store := newRunner(t, b)
	cases := quick(3)
	for i := range cases {
		cases[i].Scenario.Look.Settle.Duration = time.Hour
	}
	r.Watch = func(u Update) {
		if u.Step == string(boot.WorkerRegistered) && strings.HasPrefix(u.Case, "quick") {
			cancel()
		}
	}
	out, err := r.Run(ctx, cases)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, out)
	assert.Empty(t, store.cases, "what was cut off is no result")
	assert.Zero(t, b.living)
}

func TestAStoreThatCannotTakeACaseStopsTheRun(t *testing.T) {
	r, store := newRunner(t, &fakeBackend{})
	store.fail = errors.New("disk full")
	_, err := r.Run(t.Context(), quick(30))
	require.ErrorContains(t, err, "disk full")
	require.ErrorContains(t, err, r.Dir, "it says where the recording is")
}

func TestAMachineWhoseStreamsEndWithoutItIsLost(t *testing.T) {
	b := &fakeBackend{}
	m, err := b.Start(t.Context(), (shot{}).spec)
	require.NoError(t, err)
	see := newSightings()
	see.add(streamEnded)
	w := watch{shot: shot{window: time.Minute, until: boot.WorkerRegistered}, machine: m, see: see, reach: func(boot.Milestone) {}}
	_, err = w.toTheEnd(t.Context())
	require.ErrorContains(t, err, "did the engine stop?")
}

func TestAStormOfStartsEndsTheBoot(t *testing.T) {
	starts := map[string][]time.Time{}
	now := time.Now()
	for n := range 2 * stormStarts {
		line := []byte("         Starting \x1b[0;1;39mpopulate.service\x1b[0m - Credentials...\r")
		assert.False(t, storms(starts, line, now.Add(time.Duration(n)*2*time.Second)), "one in 2 s, for as long as it likes")
	}
	now = now.Add(time.Hour)
	for n := range stormStarts {
		storm := storms(starts, []byte("         Starting \x1b[0;1;39mpopulate.service\x1b[0m - Credentials...\r"), now)
		assert.Equal(t, n == stormStarts-1, storm)
		assert.False(t, storms(starts, []byte(fmt.Sprintf("         Starting other-%d.service...", n)), now), "each once")
		assert.False(t, storms(starts, []byte("[  OK  ] Started populate.service."), now))
	}
	b := &fakeBackend{}
	m, err := b.Start(t.Context(), (shot{}).spec)
	require.NoError(t, err)
	see := newSightings()
	see.add(startStorm)
	w := watch{shot: shot{window: time.Minute, until: boot.WorkerRegistered}, machine: m, see: see, reach: func(boot.Milestone) {}}
	ended, err := w.toTheEnd(t.Context())
	require.NoError(t, err)
	assert.Equal(t, startStorm, ended)
}

func TestEveryWayAndEveryActionIsAScriptThatShTakes(t *testing.T) {
	w := newWorld()
	during := []scenarios.Action{{Do: scenarios.Kill, Unit: "vector.service"}, {Do: scenarios.StopStart, Unit: "vector.service"}, {Do: scenarios.Restart, Unit: "vector.service"}}
	for way := range scenarios.Ways() {
		files, err := w.seed(provisioning{write: true, way: way, during: during})
		require.NoError(t, err, "each way that a scenario may have is in the script's table")
		cmd := exec.CommandContext(t.Context(), "sh", "-n")
		cmd.Stdin = bytes.NewReader(files[1].Data)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", way, out)
		assert.NotContains(t, string(files[1].Data), "{{", way)
	}
}

func TestARotatedSecretsNewValueIsSecretAndExpected(t *testing.T) {
	w := newWorld()
	w.meet([]fault.Fault{{Service: "keyvault", Kind: fault.SecretRotated, Secret: secretToken}})
	fresh := w.secrets()[secretToken+recording.Rotated]
	require.NotEmpty(t, fresh)
	assert.NotEqual(t, w.token, fresh)
	assert.Equal(t, fresh, w.vectorEnv(nil)["AXIOM_PLATFORM_TOKEN"])
	cfg, err := w.cloudConfig(time.Minute, 0)
	require.NoError(t, err)
	assert.Contains(t, string(cfg), fresh)
	assert.Empty(t, w.vectorEnv([]string{secretMetricsToken})["AXIOM_PLATFORM_METRICS_TOKEN"])
}

func TestTheSeedHasProductionsOrder(t *testing.T) {
	w := newWorld()
	late, err := w.seed(provisioning{write: true, delay: 45 * time.Second})
	require.NoError(t, err)
	script := string(late[1].Data)
	for i, step := range []string{"mark start", "reach 45000", "template > $file", "created", "edit", "mark role-env-complete", "systemctl start opensandbox-worker", "mark done"} {
		at := strings.Index(script, step)
		require.GreaterOrEqual(t, at, 0, "step %d, %s:\n%s", i, step, script)
		script = script[at:]
	}
	never, err := w.seed(provisioning{})
	require.NoError(t, err)
	assert.NotContains(t, string(never[1].Data), "opensandbox-worker", "without worker.env nothing starts the worker")
	pre, err := w.seed(provisioning{beforeBoot: true})
	require.NoError(t, err)
	assert.Equal(t, "/etc/opensandbox/worker.env", pre[2].Path)
	assert.NotContains(t, string(pre[2].Data), "__", "a file from before the boot is complete")
	for _, f := range late {
		for _, secret := range w.secrets() {
			assert.NotContains(t, string(f.Data), secret, "secrets are in the vault alone")
		}
	}
}

func TestWhereTheNetworkIsLateItsTargetIs(t *testing.T) {
	w := newWorld()
	there, err := w.seed(provisioning{beforeBoot: true})
	require.NoError(t, err)
	late, err := w.seed(provisioning{beforeBoot: true, network: 20 * time.Second})
	require.NoError(t, err)
	added := late[len(there):]
	require.Len(t, added, 2)
	assert.Equal(t, there, late[:len(there)])
	assert.Equal(t, "/etc/systemd/system/network-online.target.d/bootrace.conf", added[0].Path)
	assert.Contains(t, string(added[0].Data), "\nAfter=bootrace-wait-online.service\n")
	assert.Equal(t, "/etc/systemd/system/bootrace-wait-online.service", added[1].Path)

	config, err := w.cloudConfig(time.Minute, 20*time.Second)
	require.NoError(t, err)
	assert.Contains(t, string(config), `"network":{"after":"20s"}`)
}

func TestEveryWorldIsNew(t *testing.T) {
	a, b := newWorld(), newWorld()
	for name, value := range a.secrets() {
		assert.Regexp(t, `^xaat-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, value)
		assert.NotEqual(t, value, b.secrets()[name])
	}
	assert.LessOrEqual(t, len(a.vault), 24, "Key Vault names have at most 24 characters")
}

func TestTheRecordingOfAFakeBootIsClosed(t *testing.T) {
	b := &fakeBackend{}
	r, _ := newRunner(t, b)
	out, err := r.Run(t.Context(), quick(1))
	require.NoError(t, err)
	for _, name := range []string{"manifest.json", "console.log", "cloud.jsonl", "expect.json", "scenario.yaml"} {
		_, err := os.Stat(fmt.Sprintf("%s/%s", out[0].Recording, name))
		assert.NoError(t, err)
	}
	assert.Equal(t, "error", out[0].Verdict)
	assert.Contains(t, out[0].Reason, "control boot", "there is nothing to compare with")
	assert.Equal(t, "worker", out[0].Image, "a case says which image booted")
	var names []string
	for _, a := range out[0].Attempts[0].Artifacts {
		names = append(names, a.Name)
		assert.Len(t, a.SHA256, 64)
	}
	assert.Subset(t, names, []string{"cloud.jsonl", "console.log", "expect.json", "scenario.yaml"})
}
