// Package machinetest is the one conformance suite for backends: what a
// machine.Backend must do whatever it runs machines on.
//
//	func TestContainer(t *testing.T) {
//		machinetest.Run(t, machinetest.Subject{Backend: b, Spec: spec, Running: running})
//	}
package machinetest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// Subject is the backend under test.
type Subject struct {
	Backend machine.Backend
	// Spec returns a machine of the given name that runs script as its user-data.
	Spec func(name, script string) machine.Spec
	// Running lists the names of the suite's machines, or parts of them, that exist.
	Running func(ctx context.Context) ([]string, error)
}

// patience bounds every wait of the suite: far above what a loaded host takes.
const patience = 90 * time.Second

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	tests := []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"boots with its cloud beside it and nothing else in reach", bootsWithItsCloud},
		{"tells what CPU it has had", tellsWhatCPUItHad},
		{"collects a recording", collects},
		{"says when PID 1 ends by itself", saysWhenItEnds},
		{"leaves nothing behind when a start fails", leavesNothingBehind},
		{"leaves nothing behind when a start is interrupted", leavesNothingOfAnInterruptedStart},
		{"can be removed twice", removedTwice},
		{"goes on when its streams are detached", detaches},
		{"boots again with its disk and nothing else", bootsAgain},
		{"watches the host of its machines", watchesTheHost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, s) })
	}
}

// boot starts a machine and follows its console.
func boot(t *testing.T, s Subject, name, script string) (machine.Machine, <-chan string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := s.Backend.Start(ctx, s.Spec(name, script))
	require.NoError(t, err)
	return m, follow(t, m)
}

// follow follows a machine's console, and removes it in the end.
func follow(t *testing.T, m machine.Machine) <-chan string {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		assert.NoError(t, m.Remove(ctx))
	})
	lines := make(chan string, 4096)
	go func() {
		defer close(lines)
		var buf bytes.Buffer
		chunk := make([]byte, 4096)
		for {
			n, err := m.Console().Read(chunk)
			buf.Write(chunk[:n])
			for {
				line, rest, ok := strings.Cut(buf.String(), "\n")
				if !ok {
					break
				}
				buf.Reset()
				buf.WriteString(rest)
				lines <- strings.TrimRight(line, "\r")
			}
			if err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, m.CloudLog()) }()
	return lines
}

// await reads the console up to the line that contains text.
func await(t *testing.T, lines <-chan string, text string) []string {
	t.Helper()
	deadline := time.After(patience)
	var seen []string
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("the console ended before %q; last lines:\n%s", text, tail(seen))
			}
			seen = append(seen, l)
			if strings.Contains(l, text) {
				return seen
			}
		case <-deadline:
			t.Fatalf("no %q on the console within %s; last lines:\n%s", text, patience, tail(seen))
		}
	}
}

func tail(lines []string) string { return strings.Join(lines[max(0, len(lines)-15):], "\n") }

func tellsWhatCPUItHad(t *testing.T, s Subject) {
	m, lines := boot(t, s, "conf-cpu", `#!/bin/sh
echo BOOTED > /dev/console
sleep 2
echo BUSY > /dev/console
i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done
echo END-OF-SCRIPT > /dev/console
`)
	had := func(text string) time.Duration {
		await(t, lines, text)
		d, err := m.CPU(t.Context())
		require.NoError(t, err)
		return d
	}
	booted, waited, busy := had("BOOTED"), had("BUSY"), had("END-OF-SCRIPT")
	assert.Positive(t, booted)
	assert.GreaterOrEqual(t, waited, booted)
	assert.Greater(t, busy-waited, waited-booted, "a million turns of a shell take more than a wait")
}

func bootsWithItsCloud(t *testing.T, s Subject) {
	_, lines := boot(t, s, "conf-net", `#!/bin/sh
ip -o link | awk '{print "LINK", $2}' > /dev/console
echo "OUT $(ip route get 192.0.2.1 ipproto tcp 2>&1)" > /dev/console
curl -s -o /dev/null -w 'IMDS %{http_code}\n' -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-08-01' > /dev/console
echo END-OF-SCRIPT > /dev/console
`)
	seen := await(t, lines, "END-OF-SCRIPT")
	assert.True(t, slices.ContainsFunc(seen, func(l string) bool { return strings.Contains(l, "multi-user.target") }))
	assert.Contains(t, seen, "IMDS 200", "the cloud answers at the real address")
	links := 0
	for _, l := range seen {
		if link, ok := strings.CutPrefix(l, "LINK "); ok {
			links++
			// ip-link(8): the other end of a link is named where it is in the same
			// namespace, and is @ifN where it is in another.
			assert.NotRegexp(t, `@if[0-9]`, link, "a machine has no link to another namespace")
		}
		if out, ok := strings.CutPrefix(l, "OUT "); ok {
			assert.Contains(t, out, "unreachable", "a machine has no way out")
		}
	}
	assert.Positive(t, links)
	assert.True(t, slices.ContainsFunc(seen, func(l string) bool { return strings.HasPrefix(l, "OUT ") }))
}

func collects(t *testing.T, s Subject) {
	m, lines := boot(t, s, "conf-collect", "#!/bin/sh\necho END-OF-SCRIPT > /dev/console\n")
	await(t, lines, "END-OF-SCRIPT")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := json.Marshal(recording.CollectRequest{Secrets: map[string]string{"sought": t.Name()}})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, m.Collect(ctx, request, &out))
	got := map[string]int64{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got[h.Name] = h.Size
	}
	for _, name := range []string{recording.CollectedJournal, recording.UnitsFile, recording.ManagerFile, recording.ProcessesFile} {
		assert.Positive(t, got[name], "%s is part of a recording; got %v", name, got)
	}
}

func saysWhenItEnds(t *testing.T, s Subject) {
	m, _ := boot(t, s, "conf-exit", "#!/bin/sh\nsystemctl exit 7\n")
	select {
	case <-m.Exited():
		assert.NotEqual(t, -1, m.ExitCode())
	case <-time.After(patience):
		t.Fatalf("PID 1 was told to exit, and within %s nobody said so", patience)
	}
}

func leavesNothingBehind(t *testing.T, s Subject) {
	spec := s.Spec("conf-broken", "#!/bin/sh\n")
	spec.CloudConfig = []byte("{")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := s.Backend.Start(ctx, spec)
	require.Error(t, err, "a cloud without a configuration is no cloud")
	assert.Contains(t, err.Error(), "cloud", "the error names what went wrong")
	assertGone(t, s, "conf-broken")
}

// An engine goes on with what it was asked for when the one who asked has gone: whenever that
// was, nothing may be there in the end.
func leavesNothingOfAnInterruptedStart(t *testing.T, s Subject) {
	const moments = 10
	began := time.Now()
	boot(t, s, "conf-whole", "#!/bin/sh\n")
	whole := time.Since(began)
	for i := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), whole*time.Duration(i)/moments)
		m, err := s.Backend.Start(ctx, s.Spec(fmt.Sprintf("conf-interrupted-%d", i), "#!/bin/sh\n"))
		cancel()
		if err == nil {
			require.NoError(t, m.Remove(t.Context()), "a start that was quicker than the first")
		}
	}
	time.Sleep(whole)
	assertGone(t, s, "conf-interrupted")
}

func removedTwice(t *testing.T, s Subject) {
	m, _ := boot(t, s, "conf-twice", "#!/bin/sh\n")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, m.Remove(ctx))
	require.NoError(t, m.Remove(ctx))
	assertGone(t, s, "conf-twice")
}

// watchesTheHost: by the clock that machines have there, whichever we have here.
func watchesTheHost(t *testing.T, s Subject) {
	spec := s.Spec("conf-host", "#!/bin/sh\n")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watched, err := s.Backend.WatchHost(ctx, spec.Run, spec.CloudImage)
	require.NoError(t, err)
	lines := json.NewDecoder(watched)
	var first, second recording.HostSample
	require.NoError(t, lines.Decode(&first))
	require.NoError(t, lines.Decode(&second))
	assert.Positive(t, first.Mono)
	assert.Greater(t, second.Mono, first.Mono)
	assert.Greater(t, second.Realtime, first.Realtime)
	require.NoError(t, watched.Close())
	names, err := s.Running(ctx)
	require.NoError(t, err)
	assert.Empty(t, names)
}

func detaches(t *testing.T, s Subject) {
	m, lines := boot(t, s, "conf-detach", "#!/bin/sh\necho END-OF-SCRIPT > /dev/console\n")
	await(t, lines, "END-OF-SCRIPT")
	m.Detach()
	deadline := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-lines:
		case <-deadline:
			t.Fatalf("the console went on for %s after it was detached", patience)
		}
	}
	select {
	case <-m.Exited():
		t.Fatal("the machine ended with its streams")
	default:
	}
	running, err := s.Running(t.Context())
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(running, func(n string) bool { return strings.Contains(n, "conf-detach") }), fmt.Sprint(running))
}

// again is run by cloud-init in each boot, and tells what is left of the one before.
const again = `#!/bin/sh
echo "DISK $(cat /root/mark) RUN $(cat /run/mark 2>/dev/null) UPTIME $(systemctl show --value -p UserspaceTimestampMonotonic)" > /dev/console
curl -s -o /dev/null -w 'IMDS %{http_code}\n' -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-08-01' > /dev/console
echo AGAIN > /root/mark
echo END-OF-SCRIPT > /dev/console
`

func bootsAgain(t *testing.T, s Subject) {
	const name = "conf-again"
	m, lines := boot(t, s, name, "#!/bin/sh\necho FIRST > /root/mark\necho FIRST > /run/mark\necho END-OF-SCRIPT > /dev/console\n")
	await(t, lines, "END-OF-SCRIPT")
	next := machine.Next{CloudConfig: s.Spec(name, "").CloudConfig, Files: []machine.File{{Path: "/var/lib/cloud/scripts/per-boot/again", Mode: 0o700, Data: []byte(again)}}}
	began := recording.Monotonic()
	for _, boot := range []struct {
		how  machine.Ending
		disk string
	}{{machine.Reboot, "FIRST"}, {machine.PowerLoss, "AGAIN"}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, m.Down(ctx, boot.how))
		n, err := m.Up(ctx, next)
		cancel()
		require.NoError(t, err)
		assert.Equal(t, m.ID(), n.ID(), "it is the same machine")
		seen := await(t, follow(t, n), "END-OF-SCRIPT")
		assert.Contains(t, seen, "IMDS 200")
		i := slices.IndexFunc(seen, func(l string) bool { return strings.HasPrefix(l, "DISK ") })
		require.GreaterOrEqual(t, i, 0, tail(seen))
		var zero int64
		_, err = fmt.Sscanf(seen[i], "DISK "+boot.disk+" RUN  UPTIME %d", &zero)
		require.NoError(t, err, "its disk is as it was, and /run is empty: %s", seen[i])
		assert.Greater(t, zero*1000, began, "its clock's zero is this boot's")
		assert.False(t, slices.ContainsFunc(seen, func(l string) bool { return strings.Contains(l, "Reached target halt.target") }), "its console is this boot's alone")
		began, m = recording.Monotonic(), n
	}
	running, err := s.Running(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, len(slices.DeleteFunc(running, func(n string) bool { return !strings.Contains(n, name) })), "a worker and its cloud: %v", running)
}

func assertGone(t *testing.T, s Subject, name string) {
	t.Helper()
	running, err := s.Running(t.Context())
	require.NoError(t, err)
	assert.False(t, slices.ContainsFunc(running, func(n string) bool { return strings.Contains(n, name) }), "left behind: %v", running)
}
