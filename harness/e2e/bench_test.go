package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bootrace/harness/timeline"
	"bootrace/harness/wire/wiretest"
	"bootrace/images"
	"bootrace/results"
	"bootrace/scenarios"
)

func median[T time.Duration | float64](list []T) T {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// waiting is a scenario in which cloud-init waits to write worker.env, as it does
// in production for minutes.
func waiting(t testing.TB, delay string) []scenarios.Scenario {
	s, err := scenarios.Parse("waiting.yaml", []byte(`version: 1
name: waiting
description: a machine that waits for its worker.env
worker_env: {when: after, delay: `+delay+`}
look: {window: 5m}
expect: {registered: true}
`))
	require.NoError(t, err)
	return []scenarios.Scenario{s}
}

// BenchmarkCase is what a case costs over what its script waits for, one at a
// time, beside the limit: the bare boot of the same image by the engine's own
// command line, created, started, booted and removed.
func BenchmarkCase(b *testing.B) {
	lab := wiretest.New(b, nil, images.Suites()[0])
	var over []time.Duration
	for b.Loop() {
		for _, c := range lab.Run(b, wiretest.Find(b, "delay-0s"), 5, 1) {
			require.Equal(b, "pass", c.Verdict, c.Reason)
			over = append(over, c.Duration-c.Waited)
		}
	}
	var bare []time.Duration
	for range 5 {
		bare = append(bare, bareBoot(b, lab.Images[images.Suites()[0]].Control))
	}
	b.ReportMetric(median(over).Seconds(), "s-over/case")
	b.ReportMetric(slices.Max(over).Seconds(), "s-over-max/case")
	b.ReportMetric(median(bare).Seconds(), "s/bare-boot")
	b.ReportMetric(float64(median(over))/float64(median(bare)), "over:bare")
	b.ReportMetric(0, "ns/op")
}

// bareBoot is the recipe by hand.
func bareBoot(b *testing.B, image string) time.Duration {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	docker := func(args ...string) string {
		out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
		require.NoError(b, err, "docker %s: %s", strings.Join(args, " "), out)
		return strings.TrimSpace(string(out))
	}
	began := time.Now()
	id := docker("run", "-d", "-t", "--network", "none", "--label", "bootrace.bench=1", "--cap-add", "SYS_ADMIN",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--cgroupns", "private",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp", "-e", "container=docker", image)
	for !strings.Contains(docker("logs", id), "multi-user.target") {
		time.Sleep(20 * time.Millisecond)
	}
	docker("rm", "-f", id)
	return time.Since(began)
}

// BenchmarkPopulator is how fast the credentials come, read off the recordings:
// from worker.env complete to vector.env real, to Vector running with it, and the
// time to READY on the stub path.
func BenchmarkPopulator(b *testing.B) {
	lab := wiretest.New(b, nil, images.Suites()[0])
	var real, running, ready []time.Duration
	for b.Loop() {
		for _, c := range lab.Run(b, wiretest.Find(b, "delay-0s"), 12, 2) {
			require.Equal(b, "pass", c.Verdict, c.Reason)
			l := latencies(b, c)
			real, running, ready = append(real, l.real), append(running, l.running), append(ready, l.ready)
		}
	}
	b.ReportMetric(median(real).Seconds()*1000, "ms-to-vector.env")
	b.ReportMetric(slices.Max(real).Seconds()*1000, "ms-to-vector.env-max")
	b.ReportMetric(median(running).Seconds()*1000, "ms-to-Vector")
	b.ReportMetric(slices.Max(running).Seconds()*1000, "ms-to-Vector-max")
	b.ReportMetric(median(ready).Seconds()*1000, "ms-unit-start-to-READY")
	b.ReportMetric(0, "ns/op")
}

type latency struct{ real, running, ready time.Duration }

// latencies reads one recording. A moment that it does not have fails the benchmark.
func latencies(t testing.TB, c results.Case) latency {
	tl, err := timeline.Read(os.DirFS(c.Recording))
	require.NoError(t, err)
	var complete, real, running, starting, ready time.Duration
	for _, e := range tl.Events {
		switch {
		case e.Kind == timeline.Script && e.Step == "role-env-complete":
			complete = e.At
		case e.Kind == timeline.EnvFile && e.File.Path == "/etc/opensandbox/vector.env" && complete > 0 && e.At > complete && real == 0:
			real = e.At
		case e.Unit == "vector.service" && e.Kind == timeline.Started && real > 0 && running == 0:
			running = e.At
		case e.Unit == "populate-vector-env.service" && e.Kind == timeline.Starting && starting == 0:
			starting = e.At
		case e.Unit == "populate-vector-env.service" && e.Kind == timeline.Started && ready == 0:
			ready = e.At
		}
	}
	for _, at := range []time.Duration{complete, real, running, starting, ready} {
		require.NotZero(t, at, "%s lacks a moment: complete %s, real %s, running %s, starting %s, ready %s", c.Recording, complete, real, running, starting, ready)
	}
	return latency{real: real - complete, running: running - complete, ready: ready - starting}
}

// BenchmarkMemory is what a waiting machine takes of the host: the fall of
// MemAvailable with twenty of them up, its cloud and the engine's shims included,
// and the part of the worker alone: what its processes and its shim have for
// themselves, file pages, which the kernel takes back, not counted.
func BenchmarkMemory(b *testing.B) {
	lab := wiretest.New(b, nil, images.Suites()[0])
	const machines = 20
	room, err := lab.Room(b.Context(), machines, machines)
	require.NoError(b, err)
	require.GreaterOrEqual(b, room.AtOnce, machines, room.Note)
	var whole, worker float64
	for b.Loop() {
		before := memAvailableMB(b)
		var wg sync.WaitGroup
		wg.Go(func() { lab.Run(b, waiting(b, "90s"), machines, machines) })
		time.Sleep(75 * time.Second) // all are up by then; none ends before
		whole = (before - memAvailableMB(b)) / machines
		worker = workersMB(b)
		wg.Wait()
	}
	b.ReportMetric(whole, "MB/machine+cloud")
	b.ReportMetric(worker, "MB/worker")
	b.ReportMetric(0, "ns/op")
}

func memAvailableMB(t testing.TB) float64 {
	data, err := os.ReadFile("/proc/meminfo")
	require.NoError(t, err)
	for l := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(l, "MemAvailable:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			require.NoError(t, err)
			return kb / 1024
		}
	}
	t.Fatal("no MemAvailable in /proc/meminfo")
	return 0
}

// workersMB is the median of the workers' anonymous memory in MB, the engine's
// shim added.
func workersMB(t testing.TB) float64 {
	ids, err := exec.CommandContext(t.Context(), "docker", "ps", "-q", "--no-trunc", "--filter", "label=bootrace.role=worker").Output()
	require.NoError(t, err)
	var sums []float64
	for _, id := range strings.Fields(string(ids)) {
		pids, err := exec.CommandContext(t.Context(), "docker", "top", id, "-eo", "pid").Output()
		if err != nil {
			continue // it has just ended
		}
		sum := 0.0
		for _, pid := range strings.Fields(string(pids))[1:] {
			sum += anonymousMB(pid)
		}
		sums = append(sums, sum+shimMB(t, id))
	}
	require.NotEmpty(t, sums, "no worker is running")
	return median(sums)
}

func anonymousMB(pid string) float64 {
	data, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0
	}
	sum := 0.0
	for l := range strings.Lines(string(data)) {
		if name, rest, _ := strings.Cut(l, ":"); name == "Anonymous" {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			sum += kb / 1024
		}
	}
	return sum
}

func shimMB(t testing.TB, id string) float64 {
	out, err := exec.CommandContext(t.Context(), "pgrep", "-f", "containerd-shim.*"+id).Output()
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, pid := range strings.Fields(string(out)) {
		sum += anonymousMB(pid)
	}
	return sum
}

// BenchmarkBake bakes small subjects that were never baked before, files and an
// installer, and one of them again.
func BenchmarkBake(b *testing.B) {
	wiretest.New(b, nil, images.Suites()[0]) // the base is there
	write := func(name, text string, mode os.FileMode) string {
		dir := filepath.Join(b.TempDir(), "small")
		for file, content := range map[string]string{name: text, "rootfs/etc/systemd/system/a.service": fmt.Sprintf("# %d\n[Service]\nExecStart=/bin/true\n", time.Now().UnixNano())} {
			require.NoError(b, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755))
			require.NoError(b, os.WriteFile(filepath.Join(dir, file), []byte(content), mode))
		}
		return dir
	}
	bake := func(dir string) float64 {
		began := time.Now()
		wiretest.New(b, []string{dir}, images.Suites()[0])
		return time.Since(began).Seconds()
	}
	for b.Loop() {
		files := write("rootfs/etc/none", "", 0o644)
		b.ReportMetric(bake(files), "s/files")
		b.ReportMetric(bake(files), "s/unchanged")
		b.ReportMetric(bake(write("install.sh", "#!/bin/sh\nsystemctl enable a.service\n", 0o755)), "s/installer")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAtOnce boots a hundred cases at once on what cores there are: boots a
// second, and whether the verdicts are those of one at a time.
func BenchmarkAtOnce(b *testing.B) {
	lab := wiretest.New(b, nil, images.Suites()[0])
	const cases = 100
	room, err := lab.Room(b.Context(), cases, cases)
	require.NoError(b, err)
	require.GreaterOrEqual(b, room.AtOnce, cases, room.Note)
	for b.Loop() {
		began := time.Now()
		out := lab.Run(b, waiting(b, "180s"), cases, cases)
		last := time.Duration(0)
		attempts, passed := 0, 0
		for _, c := range out {
			last = max(last, c.Started.Sub(began))
			attempts += c.Machines()
			if c.Verdict == "pass" {
				passed++
			}
		}
		b.ReportMetric(cases/last.Seconds(), "boots/s")
		b.ReportMetric(float64(passed), "passed")
		b.ReportMetric(float64(attempts), "attempts")
	}
	b.ReportMetric(0, "ns/op")
}
