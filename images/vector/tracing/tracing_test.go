package tracing_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/tracing"
)

func TestLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"an info line has the level padded to five", func(l *slog.Logger) {
			l.Info("Log level is enabled.", tracing.Target("vector::app"), "level", "info")
		}, `Z  INFO vector::app: Log level is enabled. level="info"`},
		{"spans come before the target, outermost first", func(l *slog.Logger) {
			l.With(tracing.Component("sink", "platform", "axiom")).Error("Not retriable.", tracing.Request(3), tracing.Target("vector::sinks::util::retries"))
		}, `Z ERROR sink{component_kind="sink" component_id=platform component_type=axiom}:request{request_id=3}: vector::sinks::util::retries: Not retriable.`},
		{"errors and displayed values are not quoted", func(l *slog.Logger) {
			l.Warn("x", "error", errors.New("connection refused"), "reason", tracing.Display("too many requests"), "count", 2)
		}, `Z  WARN vector: x error=connection refused reason=too many requests count=2`},
		{"a line break in a value stays inside the line", func(l *slog.Logger) {
			l.Info("x", "error", errors.New("one\ntwo"))
		}, `Z  INFO vector: x error=one\ntwo`},
		{"what is below the level is not written", func(l *slog.Logger) { l.Debug("x") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			tt.log(tracing.New(&out, slog.LevelInfo, 0))
			if tt.want == "" {
				assert.Empty(t, out.String())
				return
			}
			assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z `, out.String())
			assert.True(t, strings.HasSuffix(out.String(), tt.want+"\n"), "got %q", out.String())
		})
	}
}

func TestAMessageThatComesAgainIsSuppressed(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := tracing.New(&out, slog.LevelInfo, time.Minute)
	one, two := log.With(tracing.Component("sink", "one", "axiom")), log.With(tracing.Component("sink", "two", "axiom"))
	for i := range 4 {
		one.Warn("Retrying.", tracing.Request(i), "try", i)
	}
	two.Warn("Retrying.")
	log.Error("Configuration error.", "error", "a", tracing.Unlimited)
	log.Error("Configuration error.", "error", "b", tracing.Unlimited)

	var got []string
	for line := range strings.Lines(out.String()) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "Z ")
		got = append(got, strings.TrimSpace(text))
	}
	assert.Equal(t, []string{
		`WARN sink{component_kind="sink" component_id=one component_type=axiom}:request{request_id=0}: vector: Retrying. try=0`,
		`WARN sink{component_kind="sink" component_id=one component_type=axiom}:request{request_id=1}: vector: Internal log [Retrying.] is being suppressed to avoid flooding.`,
		`WARN sink{component_kind="sink" component_id=two component_type=axiom}: vector: Retrying.`,
		`ERROR vector: Configuration error. error="a"`,
		`ERROR vector: Configuration error. error="b"`,
	}, got)
}

func TestWhatWasSuppressedIsCounted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	handler := tracing.New(&out, slog.LevelInfo, 10*time.Second).Handler()
	start := time.Date(2026, 7, 14, 8, 0, 0, 0, time.UTC)
	for _, after := range []time.Duration{0, 1, 2, 3, 11} {
		require.NoError(t, handler.Handle(t.Context(), slog.NewRecord(start.Add(after*time.Second), slog.LevelError, "Dropped.", 0)))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 4)
	assert.Contains(t, lines[2], "Internal log [Dropped.] has been suppressed 3 times.")
	assert.True(t, strings.HasSuffix(lines[3], "vector: Dropped."))
}
