package explain

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/results"
)

// of is a failed check that is about a unit.
func of(unit, check string) results.Check {
	return results.Check{Name: check, Findings: []results.Finding{{Summary: "seen", Unit: unit}}}
}

// recorded reads the recording of a real boot with a real Vector; of its files those are
// there that say what Vector did.
func recorded(t *testing.T, name string) boot.Facts {
	t.Helper()
	tl, err := timeline.Read(os.DirFS("testdata/" + name))
	require.NoError(t, err)
	return boot.Of(tl)
}

func TestARealVectorThatRefusesItsConfigurationIsExplainedByItsOwnWords(t *testing.T) {
	t.Parallel()
	b := recorded(t, "delay-0s-default-0.58-dev")
	e, ok := Case(failed(of(boot.Vector, "no-start-limit"), of(boot.Vector, "vector-active")), b)
	require.True(t, ok)
	assert.Equal(t, "no-start-limit", e.Check)
	require.GreaterOrEqual(t, len(e.More), 2)
	assert.Regexp(t, `^Vector ended by itself \(ExecStartPre\) \d+ times, the last at \+\d+\.\d+s with 78, configuration refused; its last words: `+
		`x Failed to validate sink "platform": invalid uri character \| x Failed to validate sink "platform_metrics": invalid uri character$`, e.More[0])
	assert.Contains(t, e.More[1], "from 0.57 on")
	assert.Equal(t, changeInterpolation, e.Change)
	assert.NotContains(t, strings.Join(e.More, "\n")+e.Change, "worker.env")
}

func TestARealVectorThatRanIsNotExplained(t *testing.T) {
	t.Parallel()
	b := recorded(t, "delay-45s-default-0.56")
	require.NotEmpty(t, b.Of(timeline.Stopping), "Vector was restarted with its values")
	for _, check := range vectors {
		e, ok := Case(failed(of(boot.Vector, check)), b)
		require.True(t, ok)
		assert.NotContains(t, strings.Join(e.More, "\n"), "Vector ended by itself", check)
		assert.NotContains(t, strings.Join(e.More, "\n"), "0.57", check)
		assert.NotEqual(t, changeInterpolation, e.Change, check)
		assert.NotEqual(t, changeConfig, e.Change, check)
	}
}

func TestAVectorThatRunsAndCannotSendIsQuoted(t *testing.T) {
	t.Parallel()
	more := func(lines ...string) string {
		b := timelinetest.Healthy()
		for i, l := range lines {
			b.Log(timelinetest.LoadedAt+time.Duration(i+1)*time.Second, boot.Vector, l)
		}
		tl, err := timeline.Read(b.FS())
		require.NoError(t, err)
		e, ok := Case(failed(of(boot.Vector, "logs-delivered")), boot.Of(tl))
		require.True(t, ok)
		return strings.Join(e.More, "\n")
	}
	assert.NotContains(t, more("INFO vector: Vector has started."), "Vector said")
	assert.Contains(t, more("2026-07-14T08:00:00.123456Z  WARN sink{component_id=platform}: vector::sinks::util::retries: Retrying after error. error=dns error",
		"WARN vector::sinks::util::retries: Internal log [Retrying after error.] is being suppressed to avoid flooding."),
		fmt.Sprintf("Vector said at %s: WARN sink{component_id=platform}: vector::sinks::util::retries: Retrying after error. error=dns error", timeline.Since(timelinetest.LoadedAt+time.Second)))
}

func TestALineThatPID1DidNotTakeIsQuoted(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.PID1(2*time.Second, "", boot.Vector, "vector.service: Ignoring invalid environment assignment 'AXIOM-TOKEN=x': /etc/opensandbox/vector.env", nil)
	tl, err := timeline.Read(b.FS())
	require.NoError(t, err)
	e, ok := Case(failed(of(boot.Vector, "vector-credentialed")), boot.Of(tl))
	require.True(t, ok)
	assert.Contains(t, e.More, "PID 1: vector.service: Ignoring invalid environment assignment 'AXIOM-TOKEN=x': /etc/opensandbox/vector.env")
}

// events are a second apart.
func events(list ...timeline.Event) []timeline.Event {
	for i := range list {
		list[i].At = time.Duration(i+1) * time.Second
		if list[i].Unit == "" && list[i].Call == nil {
			list[i].Unit = boot.Vector
		}
	}
	return list
}

func TestHowVectorEndedIsSaidOnlyWhereItEndedByItself(t *testing.T) {
	t.Parallel()
	starting, stopping := timeline.Event{Kind: timeline.Starting}, timeline.Event{Kind: timeline.Stopping}
	says := func(text string) timeline.Event { return timeline.Event{Kind: timeline.Log, Text: text} }
	exit := func(command, code, status string) timeline.Event {
		return timeline.Event{Kind: timeline.Exit, Change: timeline.Change{Command: command, ExitCode: code, ExitStatus: status}}
	}
	started := says("2026-11-27T06:00:00.1Z  INFO vector: Vector has started.")
	for _, tt := range []struct {
		name   string
		events []timeline.Event
		want   string // empty: nothing
	}{
		{"a panic", events(starting, started, says("thread 'main' panicked at src/main.rs"), exit("ExecStart", "exited", "101")),
			"Vector ended by itself at +4.000s with 101; its last words: thread 'main' panicked at src/main.rs"},
		{"an error in its log", events(starting, says("2026-11-27T06:00:00.1Z ERROR vector::cli: Configuration error. error=no"), started, exit("ExecStart", "exited", "78")),
			"Vector ended by itself at +4.000s with 78, configuration refused; its last words: ERROR vector::cli: Configuration error. error=no"},
		{"killed, and nothing but the ordinary said", events(starting, started, exit("ExecStart", "killed", "9")),
			"Vector ended by itself at +3.000s by signal 9; its last words: INFO vector: Vector has started."},
		{"silent, twice", events(starting, says("of the first start"), exit("ExecStart", "exited", "1"), starting, exit("ExecStart", "exited", "1")),
			"Vector ended by itself 2 times, the last at +5.000s with 1, without a word"},
		{"an end with 0", events(starting, started, timeline.Event{Kind: timeline.Succeeded}),
			"Vector ended by itself at +3.000s; its last words: INFO vector: Vector has started."},
		{"stopped", events(starting, started, stopping, timeline.Event{Kind: timeline.Succeeded}), ""},
		{"stopped, and killed after its time", events(starting, started, stopping, exit("ExecStart", "killed", "9")), ""},
		{"a reload that was refused", events(starting, started, exit("ExecReload", "exited", "78")), ""},
		{"another unit", events(starting, started, timeline.Event{Kind: timeline.Exit, Unit: "populate-vector-env.service"}), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, ok := Case(failed(of(boot.Vector, "vector-active")), boot.Of(timeline.Timeline{Events: tt.events}))
			require.True(t, ok)
			if tt.want == "" {
				assert.Empty(t, e.More)
				return
			}
			assert.Equal(t, []string{tt.want}, e.More)
		})
	}
}

func TestTheMendIsOfWhatVectorSays(t *testing.T) {
	t.Parallel()
	refused := func(words string) []timeline.Event {
		return events(timeline.Event{Kind: timeline.Starting}, timeline.Event{Kind: timeline.Log, Text: words},
			timeline.Event{Kind: timeline.Exit, Change: timeline.Change{Command: "ExecStartPre", ExitCode: "exited", ExitStatus: "78"}})
	}
	sent := func(c timeline.Call) []timeline.Event {
		c.Op, c.Status = "ingest", 403
		return events(timeline.Event{Kind: timeline.Request, Call: &c})
	}
	uri := `x Sink "platform": invalid uri character`
	own := func(check string) string {
		for _, c := range causes {
			if c.check == check {
				return c.change
			}
		}
		return ""
	}
	for _, tt := range []struct {
		name, check, unit, version string
		events                     []timeline.Event
		want                       string
	}{
		{"a URL as it is written", "no-unit-failed", boot.Vector, "vector 0.58.0 (x)", refused(uri), changeInterpolation},
		{"of a Vector that does not say its version", "no-unit-failed", boot.Vector, "", refused(uri), changeInterpolation},
		{"a URL that is wrong before 0.57", "no-unit-failed", boot.Vector, "vector 0.56.0 (x)", refused(uri), changeConfig},
		{"another unit that failed", "no-unit-failed", "a.service", "vector 0.58.0 (x)", refused(uri), own("no-unit-failed")},
		{"a variable that is missing", "no-start-limit", boot.Vector, "vector 0.56.0 (x)", refused(`x Missing environment variable in config. name = "A"`), own("no-start-limit")},
		{"a program that does not compile", "no-start-limit", boot.Vector, "vector 0.56.0 (x)", refused(`x error[E105]: call to undefined function`), changeConfig},
		{"the text as the token", "logs-delivered", boot.Vector, "vector 0.58.0 (x)", sent(timeline.Call{Auth: "literal", Dataset: "d"}), changeInterpolation},
		{"the text as the dataset", "logs-delivered", boot.Vector, "vector 0.58.0 (x)", sent(timeline.Call{Auth: "ok", Dataset: "${AXIOM_PLATFORM_DATASET}"}), changeInterpolation},
		{"a wrong token", "logs-delivered", boot.Vector, "vector 0.58.0 (x)", sent(timeline.Call{Auth: "wrong", Dataset: "d"}), own("logs-delivered")},
		{"a boot that is blocked for its own reason", "boot-unblocked", boot.Vector, "vector 0.58.0 (x)", refused(uri), own("boot-unblocked")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := boot.Of(timeline.Timeline{Events: tt.events, Versions: map[string]string{"vector": tt.version}})
			e, ok := Case(failed(of(tt.unit, tt.check)), b)
			require.True(t, ok)
			assert.Equal(t, tt.want, e.Change)
		})
	}
}
