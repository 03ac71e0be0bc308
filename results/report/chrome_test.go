package report

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// booted is a run of two boots and of a case that has none.
func booted() results.Run {
	r := example()
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	for i := range 2 {
		c := &r.Cases[i]
		c.Attempts[1].Versions = map[string]string{"systemd": "257", "vector": "stand-in"}
		c.Attempts[1].Boot = &results.Boot{
			Zero: time.Date(2026, 1, 2, 3, 4, 6, 500, time.UTC), End: sec(60),
			Measures: map[string]float64{results.MeasureMultiUser: 2.5},
			Events: []results.Event{
				{At: 0, Until: sec(1), Lane: results.LaneWaiting, Name: "vector.service"},
				{At: sec(1), Until: sec(1.5), Lane: results.LaneStart, Name: "vector.service", Bad: true, Text: "automatic restart 1"},
				{At: sec(1.5), Lane: results.LaneFailed, Name: "vector.service", Text: "failed: exit-code", Bad: true},
				{At: sec(2), Lane: results.LaneFile, Name: "worker.env", Text: "complete"},
				{At: sec(3), Until: sec(5), Lane: results.LaneRequest, Name: "keyvault", Text: "secrets.get shared-cell-id 200"},
				{At: sec(3.5), Until: sec(4), Lane: results.LaneRequest, Name: "keyvault", Text: "secrets.get shared-axiom-platform-dataset 503", Bad: true},
				{At: sec(4), Until: sec(6), Lane: results.LaneRequest, Name: "keyvault", Text: "secrets.get shared-axiom-platform-dataset 200"},
				{At: sec(7), Lane: results.LaneMoment, Name: "controlplane", Text: "the worker is registered"},
			},
			Lines: []results.LineCount{{At: 0}, {At: sec(60), Logged: 100, Delivered: 90}},
		}
	}
	return r
}

// chromeEvents reads a trace by the rules of the format.
func chromeEvents(t *testing.T, r results.Run) []map[string]any {
	t.Helper()
	var out strings.Builder
	require.NoError(t, Chrome(&out, r))
	var trace struct {
		TraceEvents     []map[string]any `json:"traceEvents"`
		DisplayTimeUnit string           `json:"displayTimeUnit"`
	}
	require.NoError(t, json.Unmarshal([]byte(out.String()), &trace))
	assert.Contains(t, []string{"ms", "ns"}, trace.DisplayTimeUnit)
	type row struct{ pid, tid float64 }
	last, open := map[row]float64{}, map[row][]float64{}
	for _, e := range trace.TraceEvents {
		for _, key := range []string{"name", "ph", "ts", "pid", "tid"} {
			require.Contains(t, e, key, "%v", e)
		}
		at, ts := row{e["pid"].(float64), e["tid"].(float64)}, e["ts"].(float64)
		switch e["ph"] {
		case "M":
			require.Contains(t, []string{"process_name", "process_sort_index", "thread_name", "thread_sort_index"}, e["name"])
			require.NotEmpty(t, e["args"])
		case "C":
			for _, v := range e["args"].(map[string]any) {
				require.IsType(t, 0.0, v, "a counter counts")
			}
		case "i":
			require.Equal(t, "t", e["s"])
			require.NotContains(t, e, "dur")
			require.GreaterOrEqual(t, ts, last[at], "sorted within its thread: %v", e)
			last[at] = ts
		case "X":
			require.GreaterOrEqual(t, ts, last[at], "sorted within its thread: %v", e)
			last[at] = ts
			dur := e["dur"].(float64)
			require.Positive(t, dur)
			end := math.Round((ts + dur) * 1000) // in nanoseconds, as Perfetto keeps it
			open[at] = slices.DeleteFunc(open[at], func(end float64) bool { return end <= math.Round(ts*1000) })
			for _, outer := range open[at] {
				require.LessOrEqual(t, end, outer, "within what is open: %v", e)
			}
			open[at] = append(open[at], end)
		default:
			require.Fail(t, "unknown phase", "%v", e)
		}
	}
	return trace.TraceEvents
}

func TestAChromeTraceHasAProcessACaseAndAThreadAUnit(t *testing.T) {
	events := chromeEvents(t, booted())
	names := map[string][]any{}
	for _, e := range events {
		if e["ph"] == "M" && strings.HasSuffix(e["name"].(string), "_name") {
			kind := e["name"].(string)
			if kind == "process_name" || e["pid"] == 1.0 {
				names[kind] = append(names[kind], e["args"].(map[string]any)["name"])
			}
		}
	}
	assert.Equal(t, []any{"good: pass", "bad: fail", "museum: fail, no boot was recorded", "spoilt: invalid, no boot was recorded"}, names["process_name"])
	assert.Equal(t, []any{"controlplane", "worker.env", "vector.service", "keyvault", "keyvault (2)"}, names["thread_name"],
		"requests at once have a thread each")
	find := func(name string) map[string]any {
		i := slices.IndexFunc(events, func(e map[string]any) bool { return e["name"] == name })
		require.GreaterOrEqual(t, i, 0, name)
		return events[i]
	}
	start := find("start: automatic restart 1")
	assert.Equal(t, 1e6, start["ts"])
	assert.Equal(t, 5e5, start["dur"])
	assert.Equal(t, "X", start["ph"])
	assert.Equal(t, true, start["args"].(map[string]any)["bad"])
	assert.Equal(t, "i", find("complete")["ph"])
	assert.Equal(t, "waiting", find("waiting")["cat"])
	assert.Equal(t, "C", find("log lines")["ph"])
}

func TestARunWithoutABootHasNoChromeTrace(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, Chrome(&out, example()), "no boot to draw")
	assert.Empty(t, out.String())
}

func TestOverlappingSpansAreNeverOnOneThread(t *testing.T) {
	r := booted()
	var many []results.Event
	for i := range time.Duration(50) {
		many = append(many, results.Event{At: i * 7 * time.Nanosecond, Until: i*7*time.Nanosecond + (i%13+1)*11*time.Nanosecond, Lane: results.LaneRequest, Name: "imds", Text: "token"})
	}
	r.Cases[0].Attempts[1].Boot.Events = many
	n := 0
	for _, e := range chromeEvents(t, r) {
		if e["name"] == "token" {
			n++
		}
	}
	assert.Equal(t, 50, n, "none is lost")
}
