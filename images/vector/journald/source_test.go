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
				"timestamp": time.Date(2026, 7, 14, 8, 0, 0, 5e8, time.UTC), "source_type": "journald"}},
		{"the sender's time goes before the journal's", `{"__CURSOR":"c","_SOURCE_REALTIME_TIMESTAMP":"1000000","__REALTIME_TIMESTAMP":"2000000"}`,
			map[string]any{"_SOURCE_REALTIME_TIMESTAMP": "1000000", "__REALTIME_TIMESTAMP": "2000000", "timestamp": time.Unix(1, 0).UTC(), "source_type": "journald"}},
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
		name    string
		cfg     config.Journald
		systemd int
		cursor  string
		want    string
	}{
		{"the first start reads this boot from its beginning", config.Journald{CurrentBootOnly: true}, 247, "", base + " --boot --since=2000-01-01"},
		{"a later one goes on after the checkpoint", config.Journald{CurrentBootOnly: true}, 247, "s=1;i=2", base + " --boot --after-cursor=s=1;i=2"},
		{"from systemd 250 on following means this boot", config.Journald{CurrentBootOnly: true}, 250, "", base + " --since=2000-01-01"},
		{"all boots before 250", config.Journald{}, 249, "", base + " --since=2000-01-01"},
		{"all boots from 258 on", config.Journald{}, 258, "", base + " --boot=all --since=2000-01-01"},
		{"since_now counts only at first", config.Journald{SinceNow: true}, 247, "", base + " --since=now"},
		{"a directory and a namespace of its own", config.Journald{JournalDirectory: "/j", JournalNamespace: "n"}, 247, "x", base + " --directory=/j --namespace=n --after-cursor=x"},
		{"more arguments come last", config.Journald{ExtraArgs: []string{"--merge"}}, 247, "x", base + " --after-cursor=x --merge"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Source{cfg: config.Source{Journald: tt.cfg}, systemd: tt.systemd, cursor: tt.cursor}
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

const batchSize = 16

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
	s := New(config.Source{Journald: config.Journald{IncludeUnits: units, BatchSize: batchSize}}, 257, c, tracing.New(log, slog.LevelInfo, 0))
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
	assert.Contains(t, log.String(), "Warning journalctl stderr: gone")
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

func TestWhatIsWanted(t *testing.T) {
	t.Parallel()
	record := `{"__CURSOR":"c","MESSAGE":"hi","_SYSTEMD_UNIT":"a.service","_TRANSPORT":"kernel","PRIORITY":"3"}`
	tests := []struct {
		name string
		cfg  config.Journald
		want bool
	}{
		{"all, where nothing is asked for", config.Journald{}, true},
		{"its unit", config.Journald{IncludeUnits: []string{"a.service"}}, true},
		{"another unit", config.Journald{IncludeUnits: []string{"b.service"}}, false},
		{"one of its fields", config.Journald{IncludeMatches: map[string][]string{"_TRANSPORT": {"audit", "kernel"}}}, true},
		{"a field or a unit: one is enough", config.Journald{IncludeUnits: []string{"b.service"}, IncludeMatches: map[string][]string{"_TRANSPORT": {"kernel"}}}, true},
		{"the message by its name in the journal", config.Journald{IncludeMatches: map[string][]string{"MESSAGE": {"hi"}}}, true},
		{"an excluded field", config.Journald{ExcludeMatches: map[string][]string{"_TRANSPORT": {"kernel"}}}, false},
		{"an excluded field goes before its unit", config.Journald{IncludeUnits: []string{"a.service"}, ExcludeMatches: map[string][]string{"PRIORITY": {"3"}}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, err := decode([]byte(record))
			require.NoError(t, err)
			s := Source{cfg: config.Source{Journald: tt.cfg}}
			assert.Equal(t, tt.want, s.wanted(rec.fields))
		})
	}
}

func TestTheVersionOfJournalctl(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journalctl")
	all := config.Source{Journald: config.Journald{JournalctlPath: path}}
	_, err := Version(t.Context(), all)
	require.EqualError(t, err, "journalctl failed to execute: No such file or directory (os error 2)")

	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho 'systemd 252 (252.39-1~deb12u1)'\n"), 0o700))
	version, err := Version(t.Context(), all)
	require.NoError(t, err)
	assert.Equal(t, 252, version)

	once := "#!/bin/sh\n[ -e " + path + ".asked ] || { touch " + path + ".asked; kill $$; }\necho 'systemd 257'\n"
	require.NoError(t, os.WriteFile(path, []byte(once), 0o700))
	stopped, err := Version(t.Context(), all)
	require.NoError(t, err, "the unit was stopped as it asked")
	assert.Equal(t, 257, stopped)

	boot := all
	boot.CurrentBootOnly = true
	assert.NoError(t, CheckVersion(all, 249))
	assert.ErrorContains(t, CheckVersion(all, version), "not supported for systemd versions 250 through 257 (got 252).")
	assert.NoError(t, CheckVersion(boot, version))
	assert.NoError(t, CheckVersion(all, 258))
}
