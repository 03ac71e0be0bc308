package journald

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
	"bootrace/images/vector/event"
	"bootrace/images/vector/tracing"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       map[string]any
	}{
		{"a record", `{"__CURSOR":"c","MESSAGE":"hi","_HOSTNAME":"w1","_SYSTEMD_UNIT":"a.service","PRIORITY":"6","__REALTIME_TIMESTAMP":"1784016000500000"}`,
			map[string]any{"message": "hi", "host": "w1", "_SYSTEMD_UNIT": "a.service", "PRIORITY": "6", "__REALTIME_TIMESTAMP": "1784016000500000",
				"timestamp": "2026-07-14T08:00:00.5Z", "source_type": "journald"}},
		{"the sender's time goes before the journal's", `{"__CURSOR":"c","_SOURCE_REALTIME_TIMESTAMP":"1000000","__REALTIME_TIMESTAMP":"2000000"}`,
			map[string]any{"_SOURCE_REALTIME_TIMESTAMP": "1000000", "__REALTIME_TIMESTAMP": "2000000", "timestamp": "1970-01-01T00:00:01Z", "source_type": "journald"}},
		{"bytes become text", `{"__CURSOR":"c","MESSAGE":[104,105,27,255]}`, map[string]any{"message": "hi\x1b\uFFFD", "source_type": "journald"}},
		{"values given several times stay an array's text", `{"__CURSOR":"c","X":["a","b"]}`, map[string]any{"X": `["a","b"]`, "source_type": "journald"}},
		{"no cursor is discarded", `{"MESSAGE":"hi"}`, nil},
		{"null is discarded", `{"__CURSOR":"c","MESSAGE":null}`, nil},
		{"what is not JSON is discarded", `-- cursor: x`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(tt.line))
			if tt.want == nil {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "c", got.cursor)
			assert.Equal(t, tt.want, got.fields)
		})
	}
}

func TestArgs(t *testing.T) {
	t.Parallel()
	base := "--follow --all --show-cursor --output=json"
	tests := []struct {
		name   string
		cfg    config.Source
		cursor string
		want   string
	}{
		{"the first start reads this boot from its beginning", config.Source{CurrentBootOnly: true}, "", base + " --boot --since=2000-01-01"},
		{"a later one goes on after the checkpoint", config.Source{CurrentBootOnly: true}, "s=1;i=2", base + " --boot --after-cursor=s=1;i=2"},
		{"since_now counts only at first", config.Source{SinceNow: true}, "", base + " --since=now"},
		{"a directory of its own", config.Source{JournalDirectory: "/j"}, "x", base + " --directory=/j --after-cursor=x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Source{cfg: tt.cfg, cursor: tt.cursor}
			assert.Equal(t, tt.want, strings.Join(s.Args(), " "))
		})
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	for _, cursor := range []string{"", "a long cursor", "short"} {
		c, err := OpenCheckpoint(dir)
		require.NoError(t, err)
		if cursor != "" {
			require.NoError(t, c.Store(cursor))
		}
		require.NoError(t, c.Close())
		c, err = OpenCheckpoint(dir)
		require.NoError(t, err)
		assert.Equal(t, cursor, c.Cursor())
		require.NoError(t, c.Close())
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "checkpoint.txt"), []byte("tor"), 0o600))
	c, err := OpenCheckpoint(dir)
	require.NoError(t, err)
	assert.Empty(t, c.Cursor(), "a line without its end does not count")
	require.NoError(t, c.Close())
}

// fakeJournalctl puts a script in PATH that stands for journalctl: it notes its arguments in the file `calls`, and plays
// the file `journal`. It is a test double; the real one runs in the machines.
func fakeJournalctl(t *testing.T, journal, after string) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal"), []byte(journal), 0o600))
	script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> %[1]s/calls\ncat %[1]s/journal\n%[2]s\n", dir, after)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return calls
}

func entries(unit string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `{"__CURSOR":"c%d","_SYSTEMD_UNIT":%q,"MESSAGE":"m%d"}`+"\n", i, unit, i)
	}
	return b.String()
}

func newSource(t *testing.T, log *strings.Builder, units ...string) *Source {
	t.Helper()
	c, err := OpenCheckpoint(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	s := New(config.Source{IncludeUnits: units}, c, tracing.New(log, slog.LevelInfo))
	s.backoff = time.Millisecond
	return s
}

func TestItFollowsFiltersAndMovesTheCheckpoint(t *testing.T) {
	fakeJournalctl(t, entries("a.service", 0, 40)+"not json\n"+entries("b.service", 40, 50)+entries("a.service", 50, 51)+entries("b.service", 51, 52), "exec sleep 60")
	var log strings.Builder
	s := newSource(t, &log, "a.service")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	largest := 0
	err := s.Run(ctx, func(_ context.Context, events []event.Event, done func(bool)) error {
		largest = max(largest, len(events))
		for _, e := range events {
			got = append(got, e.Log["message"].(string))
		}
		done(true)
		if len(got) == 41 {
			cancel()
		}
		return nil
	})
	require.NoError(t, err)
	require.Len(t, got, 41)
	assert.Equal(t, "m0", got[0])
	assert.Equal(t, "m50", got[40])
	assert.LessOrEqual(t, largest, batchSize)
	assert.Contains(t, log.String(), "Invalid record from journald, discarding.")
	assert.Contains(t, []string{"c50", "c51"}, s.checkpoint.Cursor())
}

func TestTheCheckpointStaysUntilTheEventsAreSafe(t *testing.T) {
	fakeJournalctl(t, entries("a.service", 0, 1), "exec sleep 60")
	var log strings.Builder
	s := newSource(t, &log)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var safe func(bool)
	require.NoError(t, s.Run(ctx, func(_ context.Context, _ []event.Event, done func(bool)) error {
		safe = done
		cancel()
		return nil
	}))
	assert.Empty(t, s.checkpoint.Cursor())
	safe(false)
	assert.Empty(t, s.checkpoint.Cursor(), "what was refused does not move it")
	safe(true)
	assert.Equal(t, "c0", s.checkpoint.Cursor())
}

func TestWhatIsFilteredOutMovesTheCheckpointToo(t *testing.T) {
	fakeJournalctl(t, entries("b.service", 0, 3), "exit 1")
	var log strings.Builder
	s := newSource(t, &log, "a.service")
	require.Error(t, s.follow(t.Context(), nil))
	assert.Equal(t, "c2", s.checkpoint.Cursor())
}

func TestAJournalctlThatEndsIsStartedAgainAfterItsLastRecord(t *testing.T) {
	calls := fakeJournalctl(t, entries("a.service", 0, 2), "echo gone >&2; exit 3")
	var log strings.Builder
	s := newSource(t, &log)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	require.NoError(t, s.Run(ctx, func(context.Context, []event.Event, func(bool)) error {
		if n++; n == 2 {
			cancel()
		}
		return nil
	}))
	got, err := os.ReadFile(calls)
	require.NoError(t, err)
	runs := strings.Split(strings.TrimSpace(string(got)), "\n")
	require.GreaterOrEqual(t, len(runs), 2)
	assert.Contains(t, runs[0], "--since=2000-01-01")
	assert.Contains(t, runs[1], "--after-cursor=c1")
	assert.Contains(t, log.String(), "Journalctl process stopped")
	assert.Contains(t, log.String(), `stderr="gone"`)
}

func TestALineAboveTheLimitIsDiscarded(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := newSource(t, &log)
	journal := `{"__CURSOR":"c0","MESSAGE":"` + strings.Repeat("x", maxLine) + "\"}\n" + entries("a.service", 1, 2)
	var got []string
	require.NoError(t, s.read(t.Context(), strings.NewReader(journal), func(_ context.Context, events []event.Event, _ func(bool)) error {
		for _, e := range events {
			got = append(got, e.Log["message"].(string))
		}
		return nil
	}))
	assert.Equal(t, []string{"m1"}, got)
	assert.Contains(t, log.String(), "too long for the stand-in")
}
