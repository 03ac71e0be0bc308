package container

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"bootrace/harness/recording"
)

// box is a machine of two containers.
type box struct {
	engine        *client.Client
	cloud, worker string // container ids; empty until created

	console, cloudLog io.Reader
	stop              context.CancelFunc // ends the streams
	exited            chan struct{}
	exitCode          int
	backend           *Backend // that boots it again
	// journal is what a machine that has ended left of its journal, as journalctl prints it.
	journal func(context.Context) (string, error)

	mu     sync.Mutex
	closed bool
}

func (m *box) ID() string              { return m.worker[:min(12, len(m.worker))] }
func (m *box) Console() io.Reader      { return m.console }
func (m *box) CloudLog() io.Reader     { return m.cloudLog }
func (m *box) Exited() <-chan struct{} { return m.exited }
func (m *box) ExitCode() int           { return m.exitCode }

// followCloud opens the cloud's log and waits until it says that it answers.
func (m *box) followCloud(ctx context.Context, since time.Time) error {
	// The streams outlive Start's context; Remove ends them.
	var follow context.Context
	follow, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	// But to open them is Start's business, and an engine may not answer.
	defer context.AfterFunc(ctx, m.stop)()
	raw, err := m.engine.ContainerLogs(follow, m.cloud, logsSince(since))
	if err != nil {
		return fmt.Errorf("follow its log: %w", err)
	}
	pr, pw := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(pw, pw, raw)
		_ = raw.Close()
		_ = pw.CloseWithError(err)
	}()
	lines := bufio.NewReaderSize(pr, 64<<10)
	var seen bytes.Buffer
	ready := make(chan error, 1)
	go func() {
		for {
			line, err := lines.ReadBytes('\n')
			seen.Write(line)
			if readyLine(line) {
				ready <- nil
				return
			}
			if err != nil {
				ready <- fmt.Errorf("it ended before it was ready: %s", strings.TrimSpace(seen.String()))
				return
			}
		}
	}()
	select {
	case err := <-ready:
		m.cloudLog = io.MultiReader(bytes.NewReader(seen.Bytes()), lines)
		return err
	case <-time.After(cloudReady):
		return fmt.Errorf("no ready line from the cloud within %s", cloudReady)
	case <-ctx.Done():
		return fmt.Errorf("wait for the cloud's ready line: %w", ctx.Err())
	}
}

// logsSince follows what a container prints from that moment on; the zero time: all of it.
func logsSince(since time.Time) client.ContainerLogsOptions {
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true}
	if !since.IsZero() {
		o.Since = since.Format(time.RFC3339Nano)
	}
	return o
}

// followWorker opens the console and watches for the end of PID 1.
func (m *box) followWorker(ctx context.Context, since time.Time) error {
	follow, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopCloud := m.stop
	m.stop = func() { cancel(); stopCloud() }
	defer context.AfterFunc(ctx, m.stop)()
	console, err := m.engine.ContainerLogs(follow, m.worker, logsSince(since))
	if err != nil {
		return fmt.Errorf("follow the console: %w", err)
	}
	m.console = console
	wait := m.engine.ContainerWait(follow, m.worker, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	go func() {
		select {
		case res := <-wait.Result:
			m.exitCode = int(res.StatusCode)
			close(m.exited)
		case <-wait.Error: // the engine went away, or Remove ended the wait
		}
	}()
	return nil
}

// detachGrace lets what PID 1 and the cloud have just printed come through.
const detachGrace = 200 * time.Millisecond

func (m *box) Detach() {
	time.Sleep(detachGrace)
	m.stop()
}

// CPU implements machine.Machine.
func (m *box) CPU(ctx context.Context) (time.Duration, error) {
	res, err := m.engine.ContainerStats(ctx, m.worker, client.ContainerStatsOptions{})
	if err != nil {
		return 0, fmt.Errorf("ask the engine what CPU machine %s has had: %w", m.ID(), err)
	}
	defer res.Body.Close()
	var stats container.StatsResponse
	if err := json.NewDecoder(res.Body).Decode(&stats); err != nil {
		return 0, fmt.Errorf("ask the engine what CPU machine %s has had: %w", m.ID(), err)
	}
	return time.Duration(stats.CPUStats.CPUUsage.TotalUsage), nil // nanoseconds, the Engine API's cpu_stats
}

// Collect of a machine that has ended gives what its disk has of the journal.
func (m *box) Collect(ctx context.Context, request []byte, w io.Writer) error {
	select {
	case <-m.exited:
		return m.collectJournal(ctx, w)
	default:
	}
	var stderr bytes.Buffer
	exit, err := execute(ctx, m.engine, m.worker, client.ExecCreateOptions{Cmd: []string{"/usr/local/bin/bootrace-collect"}}, request, w, &stderr)
	if err != nil {
		return fmt.Errorf("collect from machine %s: %w", m.ID(), err)
	}
	if exit != 0 {
		return fmt.Errorf("collect from machine %s: bootrace-collect exited %d: %s", m.ID(), exit, strings.TrimSpace(stderr.String()))
	}
	return nil
}

func (m *box) collectJournal(ctx context.Context, w io.Writer) error {
	journal, err := m.journal(ctx)
	if err != nil {
		return fmt.Errorf("read the journal of machine %s, which has ended: %w", m.ID(), err)
	}
	out := tar.NewWriter(w)
	if err := out.WriteHeader(&tar.Header{Name: recording.CollectedJournal, Mode: 0o600, Size: int64(len(journal))}); err != nil {
		return err
	}
	if _, err := io.WriteString(out, journal); err != nil {
		return err
	}
	return out.Close()
}

// keptPrefix marks what only an explicit clean-up removes. A container's labels
// cannot be changed, its name can.
const keptPrefix = "bootrace-kept-"

// Shell implements machine.Backend.
func (b *Backend) Shell(id string) []string {
	return append(slices.Clone(b.cli), "exec", "-it", id, "bash")
}

func (m *box) Keep(ctx context.Context) error {
	for _, id := range []string{m.cloud, m.worker} {
		info, err := m.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return fmt.Errorf("keep machine %s: %w", m.ID(), err)
		}
		name := strings.TrimPrefix(info.Container.Name, "/")
		if strings.HasPrefix(name, keptPrefix) {
			continue
		}
		name = keptPrefix + strings.TrimPrefix(name, "bootrace-")
		if _, err := m.engine.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name}); err != nil {
			return fmt.Errorf("keep machine %s: %w", m.ID(), err)
		}
	}
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	return nil
}

func (m *box) Remove(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	// The worker first: Podman removes no container that another one depends on.
	parts := slices.DeleteFunc([]string{m.worker, m.cloud}, func(id string) bool { return id == "" })
	// Both end at once, and with them what is recorded: it can be judged while they are removed.
	var ended sync.WaitGroup
	for _, id := range parts {
		ended.Go(func() { kill(ctx, m.engine, id) })
	}
	ended.Wait()
	var errs []error
	for _, id := range parts {
		errs = append(errs, remove(ctx, m.engine, id))
	}
	if m.stop != nil {
		m.stop()
	}
	err := errors.Join(errs...)
	m.closed = err == nil
	return err
}

// kill ends a container: Podman's removal would have systemd stop its units first. One that
// does not run cannot be killed; what else is wrong its removal says.
func kill(ctx context.Context, engine *client.Client, id string) {
	_, _ = engine.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
}

// remove kills and removes a container; one that is gone is no error.
func remove(ctx context.Context, engine *client.Client, id string) error {
	kill(ctx, engine, id)
	_, err := engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	// Somebody else is removing it: wait for that.
	if errdefs.IsConflict(err) {
		wait := engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
		select {
		case <-wait.Result:
			return nil
		case waitErr := <-wait.Error:
			if errdefs.IsNotFound(waitErr) {
				return nil
			}
		}
	}
	return fmt.Errorf("remove container %s: %w", id[:min(12, len(id))], err)
}
