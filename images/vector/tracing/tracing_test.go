package tracing_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

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
		}, `Z ERROR sink{component_id=platform component_kind="sink" component_type=axiom}:request{request_id=3}: vector::sinks::util::retries: Not retriable.`},
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
			tt.log(tracing.New(&out, slog.LevelInfo))
			if tt.want == "" {
				assert.Empty(t, out.String())
				return
			}
			assert.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z `, out.String())
			assert.True(t, strings.HasSuffix(out.String(), tt.want+"\n"), "got %q", out.String())
		})
	}
}
