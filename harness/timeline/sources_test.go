package timeline

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	text := "\x1b[!p\x1b]104\a\x1b[?7hsystemd 257 running\r\r\n" +
		"\x1b[0;1;31mcycb.service: Job cyca.service/start deleted to break ordering cycle starting with cycb.service/start\x1b[0m\r\r\n" +
		"[\x1b[0;1;31m SKIP \x1b[0m] Ordering cycle found, skipping \x1b[0;1;39mcyca.service\x1b[0m\r\n" +
		"[\x1b[0;1;31m SKIP \x1b[0m] Ordering cycle found, skipping \x1b[0;1;39mpopulate-v\u2026ervice\x1b[0m\r\n" +
		"[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mvector.service\x1b[0m - Vector.\r\n" +
		"\r[   *  ] Job x/start running\r\x1b[K[\x1b[0;32m  OK  \x1b[0m] Reached target paths.target - Path Units.\r\n" +
		"bad \xff\xfe bytes [secret:a-token]"
	var d damage
	events := readConsole(strings.NewReader(text), &d)
	require.Empty(t, d.String())
	type seen struct {
		kind                  Kind
		status, unit, dropped string
	}
	var got []seen
	for _, e := range events {
		assert.True(t, e.Untimed)
		assert.NotContains(t, e.Text, "\x1b")
		got = append(got, seen{e.Kind, e.Status, e.Unit, e.Change.Dropped})
	}
	assert.Equal(t, []seen{
		{OnConsole, "", "", ""},
		{Cycle, "", "", "cyca.service"},
		{Cycle, "SKIP", "cyca.service", "cyca.service"},
		{Cycle, "SKIP", "", ""},
		{OnConsole, "FAILED", "vector.service", ""},
		{OnConsole, "", "", ""},
		{OnConsole, "OK", "paths.target", ""},
		{OnConsole, "", "", ""},
	}, got)
	assert.Equal(t, []string{"a-token"}, events[len(events)-1].Secrets)
}

func TestCloud(t *testing.T) {
	t.Parallel()
	text := `{"mono":1000000000,"service":"azure","op":"ready"}
{"mono":3000000000,"service":"axiom","op":"ingest","status":200,"duration_ns":1000,"lines":{"boot-logger":"1-20,22"},"token_name":"t","retry_after_s":2,"unknown":1}
{"mono":4000000000,"service":"axiom","op":"ingest","lines":{"boot-logger":"5-1"}}
not json
`
	var d damage
	events := readCloud(strings.NewReader(text), 2*time.Second, &d)
	require.Len(t, events, 3)
	assert.Equal(t, -time.Second, events[0].At)
	assert.Equal(t, map[string][]Range{"boot-logger": {{First: 1, Last: 20}, {First: 22, Last: 22}}}, events[1].Call.Lines)
	assert.Equal(t, 2*time.Second, events[1].Call.RetryAfter)
	assert.Contains(t, d.String(), "line 3: lines that are not ranges")
	assert.Contains(t, d.String(), "line 4: not a request")
}

func TestUnitsAreReadWhateverTheOrderOfTheirProperties(t *testing.T) {
	t.Parallel()
	text := "Type=notify\nNRestarts=2\nId=vector.service\nActiveState=active\nSubState=running\nAfter=a.service b.service\n" +
		"ActiveEnterTimestampMonotonic=12500000\nStartLimitIntervalUSec=1min 30s\nStatusText=one\n\nId=x.target\nActiveState=inactive\n\nId=cut.service\n"
	var d damage
	units := readUnits(strings.NewReader(text), 10*time.Second, &d)
	require.Len(t, units, 2)
	v := units["vector.service"]
	assert.Equal(t, 2500*time.Millisecond, v.ActiveEnter)
	assert.Equal(t, 90*time.Second, v.StartLimitInterval)
	assert.Equal(t, []string{"a.service", "b.service"}, v.After)
	assert.Zero(t, units["x.target"].InactiveExit)
	assert.Contains(t, d.String(), "a unit without Id or ActiveState")
}

func TestTimeSpans(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "1min 30s": 90 * time.Second, "100ms": 100 * time.Millisecond, "0": 0, "": 0, "2h": 2 * time.Hour,
		"infinity": 1<<63 - 1, "nonsense": 0, "5 parsecs": 0,
	} {
		assert.Equal(t, want, span(s), s)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		units      []string
		wrong      string
	}{
		{"none is an empty file", "", nil, ""},
		{"none, said in words", "No jobs running.\n", nil, ""},
		{"aligned columns", "75 after.service     start waiting\n2  multi-user.target start running\n", []string{"after.service", "multi-user.target"}, ""},
		{"a line cut off", "75 after.service sta", nil, "line 1: not a job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d damage
			var units []string
			for _, j := range readJobs(strings.NewReader(tt.text), &d) {
				units = append(units, j.Unit)
			}
			assert.Equal(t, tt.units, units)
			assert.Equal(t, tt.wrong, d.String())
		})
	}
}

func FuzzConsole(f *testing.F) {
	f.Add([]byte("\x1b[0;1;31mx\x1b[0m\r\n[ SKIP ] Ordering cycle found, skipping a.service\r\x1b]0;title"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d damage
		for _, e := range readConsole(bytes.NewReader(data), &d) {
			if !e.Untimed || e.Text == "" || strings.ContainsAny(e.Text, "\x1b\r\n") {
				t.Fatalf("%+v", e)
			}
		}
	})
}

func FuzzCloud(f *testing.F) {
	f.Add([]byte(`{"mono":1,"service":"axiom","op":"ingest","lines":{"a":"1-3,7"},"retry_after_s":1e300}` + "\n"))
	f.Add([]byte(`{"mono":-1,"service":"imds","op":"token","duration_ns":-5}` + "\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d damage
		for _, e := range readCloud(bytes.NewReader(data), time.Second, &d) {
			if e.Call == nil || e.Call.RetryAfter < 0 {
				t.Fatalf("%+v", e)
			}
			for _, ranges := range e.Call.Lines {
				for _, r := range ranges {
					if r.First < 1 || r.Last < r.First || r.Last > recording.MaxSeq {
						t.Fatalf("range %+v", r)
					}
				}
			}
		}
	})
}
