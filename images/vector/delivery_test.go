package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItDeliversTheJournalAndGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := newCloud(t, m, http.StatusOK)
	m.journal(50)
	m.worker(c.URL)

	r := m.start()
	assert.Zero(t, c.has(t, 50))
	assert.Zero(t, r.stops())
	assert.NotContains(t, r.log.String(), "Failed to gracefully shut down in time", "nothing is left to drain")

	var e map[string]any
	require.NoError(t, json.Unmarshal([]byte(c.events[0]), &e))
	assert.Equal(t, "cell-1", e["cell_id"])
	assert.Equal(t, "eastus", e["region"])
	assert.Equal(t, "10.0.0.4", e["host_ip"])
	assert.Equal(t, "w1", e["host"])
	assert.Equal(t, "journald", e["source_type"])
	assert.Equal(t, `{"source":"boot-logger","seq":1}`, e["message"])

	m.journal(60)
	r = m.start()
	assert.Zero(t, c.has(t, 60), "no line came twice")
	assert.Zero(t, r.stops())
}

func TestWhatItReadsWithAWrongTokenIsLost(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := newCloud(t, m, http.StatusUnauthorized)
	m.journal(10)
	m.worker(c.URL)
	r := m.start()
	r.says(`Not retriable; dropping the request. reason="Default retry strategy: Unauthorized"`)
	r.drops("platform", 10)
	assert.Zero(t, r.stops())

	c.answer(http.StatusOK)
	m.journal(12)
	m.start()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		seen := len(c.seen)
		first := c.seen[1]
		c.mu.Unlock()
		if seen == 2 {
			assert.Zero(t, first, "the disk buffer did not save what was refused")
			return
		}
		select {
		case <-c.grew:
		case <-deadline:
			require.Fail(t, "the lines after the restart did not come")
		}
	}
}

func TestWhatItReadsWhileNobodyListensIsKept(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.set("VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS", "1")
	m.journal(30)
	m.worker(refusing)
	r := m.start()
	r.says("Retrying after error.")
	assert.Zero(t, r.stops(), "the exit code of a forced end")
	assert.Contains(t, r.log.String(), `Failed to gracefully shut down in time. Killing components. components="platform`)

	c := newCloud(t, m, http.StatusOK)
	m.set("AXIOM_PLATFORM_URL", c.URL)
	m.start()
	assert.Zero(t, c.has(t, 30))
}

func TestADeadEndpointCostsTheWholeLimitAndASecondSignalNothing(t *testing.T) {
	t.Parallel()
	retrying := func(t *testing.T, limit string) *running {
		m := newMachine(t)
		m.journal(3)
		m.worker(refusing)
		r := m.start(limit)
		r.says("Retrying after error.")
		return r
	}
	t.Run("the time to the end follows the limit", func(t *testing.T) {
		t.Parallel()
		long, short := retrying(t, "--graceful-shutdown-limit-secs=50"), retrying(t, "--graceful-shutdown-limit-secs=1")
		told := time.Now()
		long.signal(syscall.SIGTERM)
		short.signal(syscall.SIGTERM)
		assert.Zero(t, short.ends())
		assert.GreaterOrEqual(t, time.Since(told), time.Second)
		select {
		case <-long.done:
			assert.Fail(t, "the one with 50 s has ended as well", long.log.String())
		default:
		}
	})
	t.Run("a second signal ends it at once", func(t *testing.T) {
		t.Parallel()
		r := retrying(t, "--no-graceful-shutdown-limit")
		r.signal(syscall.SIGTERM)
		r.says("Vector is stopping.")
		assert.Zero(t, r.stops())
		assert.Contains(t, r.log.String(), "Vector has quit.")
	})
}

// What a kill may repeat: a sink's batch of the test below, and a source's.
const (
	inFlight    = 20
	sourceBatch = 16
)

func TestKilledAgainAndAgainItLosesNoLine(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := newCloud(t, m, http.StatusServiceUnavailable)
	m.worker(c.URL)
	// Small batches, so that some are under way whenever the program is killed.
	m.config("data_dir: " + m.path("data") + `
sources: {journal: {type: journald}}
sinks:
  platform:
    type: axiom
    inputs: [journal]
    url: "${AXIOM_PLATFORM_URL}"
    token: "${AXIOM_PLATFORM_TOKEN}"
    dataset: "${AXIOM_PLATFORM_DATASET}"
    buffer: {type: disk, max_size: 268435488}
    batch: {max_events: ` + fmt.Sprint(inFlight) + `, timeout_secs: 0.005}
`)
	const kills, more = 6, 200
	lines := 0
	for kill := range kills {
		lines += more
		m.journal(lines)
		// Killed while nobody takes anything, while all is taken, and between a batch taken and its answer.
		c.answer([]int{http.StatusServiceUnavailable, http.StatusOK, acceptAndHang}[kill%3])
		for len(c.grew) > 0 {
			<-c.grew
		}
		r := m.start()
		r.says("Starting journalctl.")
		awaitCheckpoint(t, m, lines-more*kill/kills)
		select {
		case <-c.grew:
		case <-time.After(patience):
			require.Fail(t, "no batch came")
		}
		r.kill()
	}
	c.answer(http.StatusOK)
	m.start()
	duplicates := c.has(t, lines)
	// A kill may repeat what was in flight: the batch sent and not yet acknowledged, and the entries buffered and not yet
	// in the checkpoint.
	assert.LessOrEqual(t, duplicates, kills*(inFlight+sourceBatch))
	assert.NotZero(t, duplicates, "a batch whose answer never came is sent again")
	t.Logf("%d lines, %d kills, %d duplicates", lines, kills, duplicates)
}

// awaitCheckpoint waits until the source has come as far as a line, which is any moment to be killed at.
func awaitCheckpoint(t *testing.T, m *machine, line int) {
	t.Helper()
	path := filepath.Join(m.path("data"), "journal", "checkpoint.txt")
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(path)
		var at int
		_, err := fmt.Sscanf(string(text), "c%d\n", &at)
		return err == nil && at >= line
	}, patience, time.Millisecond)
}

func TestNoSecretIsInTheLog(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := newCloud(t, m, http.StatusForbidden)
	m.journal(5)
	m.worker(c.URL)
	r := m.start("-v")
	r.says("Default retry strategy: Forbidden") // of the sink with the token: the one for metrics is answered 404, sooner or later
	var token string
	for _, e := range m.environ {
		if value, ok := strings.CutPrefix(e, "AXIOM_PLATFORM_TOKEN="); ok {
			token = value
		}
	}
	assert.NotContains(t, r.log.String(), token)
	c.mu.Lock()
	assert.True(t, c.auths["Bearer "+token])
	c.mu.Unlock()
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.cmd.Process.Pid))
	require.NoError(t, err)
	assert.NotContains(t, string(cmdline), token)
}

func TestTheLiteralTextIsTheTokenFrom057(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	c := newCloud(t, m, http.StatusUnauthorized)
	m.journal(1)
	m.set("STANDIN_VECTOR_VERSION", "0.57.0")
	m.set("AXIOM_PLATFORM_TOKEN", "never used")
	m.config("data_dir: " + m.path("data") + `
sources: {journal: {type: journald}}
sinks: {p: {type: axiom, inputs: [journal], token: "${AXIOM_PLATFORM_TOKEN}", dataset: platform, url: "` + c.URL + `"}}
`)
	r := m.start()
	r.says("Not retriable")
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.Equal(t, map[string]bool{"Bearer ${AXIOM_PLATFORM_TOKEN}": true}, c.auths)
}

func TestConsolePrintsEventsAndMetrics(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.journal(1)
	m.config("data_dir: " + m.path("data") + `
sources: {journal: {type: journald}, metrics: {type: internal_metrics}}
sinks: {screen: {type: console, target: stderr, inputs: [journal, metrics], encoding: {codec: json}}, nowhere: {type: blackhole, inputs: [journal]}}
`)
	r := m.start()
	r.says(`"message":"{\"source\":\"boot-logger\",\"seq\":1}"`)
	r.says(`"name":"started_total"`)
	assert.Zero(t, r.stops())
	assert.NotContains(t, r.log.String(), "Failed to gracefully shut down in time")
}
