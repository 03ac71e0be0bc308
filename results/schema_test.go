package results_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

var update = flag.Bool("update", false, "write run.schema.json anew")

// The schema of what show --json, run --json and export print is made of the types and of
// what is said of them.
func TestTheSchemaOfARunIsWhatTheTypesSay(t *testing.T) {
	t.Parallel()
	r := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: true}
	require.NoError(t, r.AddGoComments("bootrace/results", "./"))
	s := r.Reflect(results.Run{})
	s.Title = "bootrace run"
	s.Description = "A run of bootrace with its cases, version 1. Later ones of this version may have more fields. Those that end in _ns are nanoseconds, of the boot clock where they tell when."
	want, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	want = append(want, '\n')
	const file = "run.schema.json"
	if *update && os.Getenv("CI") == "" {
		require.NoError(t, os.WriteFile(file, want, 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%s is not what the types say; run: go test ./results -run Schema -update, and look at its diff", file)
}
