package vrl

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheProductionMergeGivesWhatRealVectorGave: testdata/merged.jsonl is what Vector 0.56 and 0.58-dev sent, alike, of
// three journal entries (a plain line, a JSON object, a JSON array) through this program.
func TestTheProductionMergeGivesWhatRealVectorGave(t *testing.T) {
	t.Parallel()
	program, err := Compile(`parsed, err = parse_json(.message)
if err == null && is_object(parsed) {
  . = merge(., object!(parsed))
  del(.message)
}
if !exists(.hostname) { .hostname, _ = get_hostname() }
`)
	require.NoError(t, err)
	require.Empty(t, program.Unknown())
	require.Empty(t, program.Undecided())

	recorded, err := os.ReadFile("testdata/merged.jsonl")
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(recorded), []byte("\n"))
	messages := []string{"plain", `{"msg": "hello", "level": "INFO", "n": 1}`, "[1, 2]"}
	require.Len(t, lines, len(messages))
	for i, message := range messages {
		var event map[string]any
		require.NoError(t, json.Unmarshal(lines[i], &event))
		stamp, err := time.Parse(time.RFC3339Nano, event["timestamp"].(string))
		require.NoError(t, err)
		event["timestamp"], event["message"] = stamp, message
		for _, made := range []string{"hostname", "msg", "level", "n"} {
			delete(event, made)
		}
		out, err := program.Run(event, Env{Hostname: "vm"})
		require.NoError(t, err)
		got, err := json.Marshal(out)
		require.NoError(t, err)
		assert.JSONEq(t, string(lines[i]), string(got), message)
	}
}

// One Program serves all events of a transform: none may see what another left.
func TestAProgramRunsOnManyEventsAlike(t *testing.T) {
	t.Parallel()
	program, err := Compile(`n = to_int(.n) ?? 0; .n = n + 1; seen = true`)
	require.NoError(t, err)
	for i := range int64(3) {
		out, err := program.Run(map[string]any{"n": i}, Env{})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"n": i + 1}, out, "nothing is left of the event before")
	}
}

func TestAnEventOfForeignTypesIsRefused(t *testing.T) {
	t.Parallel()
	program, err := Compile(`.a = 1`)
	require.NoError(t, err)
	_, err = program.Run(map[string]any{"x": struct{}{}}, Env{})
	require.ErrorContains(t, err, "an event has no struct {}")
}
