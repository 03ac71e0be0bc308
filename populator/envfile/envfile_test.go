package envfile_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"bootrace/populator/envfile"
)

// load reads one list of testdata/corpus; its README says how they were made.
func load[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile("testdata/corpus/" + name)
	require.NoError(t, err)
	var rows []T
	require.NoError(t, json.Unmarshal(data, &rows))
	require.NotEmpty(t, rows)
	return rows
}

func TestParseTakesWhatSystemdTakes(t *testing.T) {
	t.Parallel()
	type row struct {
		File []byte
		Env  map[string][]byte // absent: systemd loads nothing
	}
	for _, r := range load[row](t, "files.json") {
		got, err := envfile.Parse(r.File)
		if r.Env == nil {
			assert.ErrorIs(t, err, envfile.ErrInvalid, "file %q", r.File)
			continue
		}
		require.NoError(t, err, "file %q", r.File)
		want := map[string]string{}
		for name, value := range r.Env {
			want[name] = string(value)
		}
		assert.Equal(t, want, got, "file %q", r.File)
	}
}

func TestParseEndsACommentAtItsLineAsSystemd254Does(t *testing.T) {
	t.Parallel()
	got, err := envfile.Parse([]byte("# continued? \\\nA=1\n"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "1"}, got)
}

func TestAppendWritesWhatIsReadBackOrRefuses(t *testing.T) {
	t.Parallel()
	type row struct {
		Value   []byte
		Refused string
	}
	for _, r := range load[row](t, "values.json") {
		// Lines before and after, so that nothing leaks from one to another.
		file, err := envfile.Append([]byte("BEFORE=\"b\"\n"), "NAME", string(r.Value))
		if r.Refused != "" {
			var refused *envfile.RefusedError
			require.ErrorAs(t, err, &refused, "value %q", r.Value)
			assert.Equal(t, "NAME", refused.Name)
			assert.Contains(t, err.Error(), r.Refused)
			assert.Equal(t, "BEFORE=\"b\"\n", string(file), "nothing of a refused value is written")
			continue
		}
		require.NoError(t, err, "value %q", r.Value)
		file, err = envfile.Append(file, "AFTER", "a")
		require.NoError(t, err)
		assert.Equal(t, 3, bytes.Count(file, []byte("\n")), "one line each")
		got, err := envfile.Parse(file)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"BEFORE": "b", "NAME": string(r.Value), "AFTER": "a"}, got)
	}
}

func TestAppendRefusesWhatNoProcessCanBeGiven(t *testing.T) {
	t.Parallel()
	_, err := envfile.Append(nil, "N", strings.Repeat("x", 128<<10-3))
	require.NoError(t, err)
	_, err = envfile.Append(nil, "N", strings.Repeat("x", 128<<10-2))
	require.ErrorContains(t, err, "more than a process can be given")
}

func TestAppendRefusesANameThatIsNone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "1A", "A B", "A=B", "A\nB", "Ä"} {
		_, err := envfile.Append(nil, name, "v")
		assert.ErrorContains(t, err, "not a variable's name", "name %q", name)
	}
}

func TestARefusalNeverShowsTheValue(t *testing.T) {
	t.Parallel()
	_, err := envfile.Append(nil, "NAME", "hunter2\nhunter2")
	require.ErrorContains(t, err, "line feed at byte 7")
	assert.NotContains(t, err.Error(), "hunter2")
	_, err = envfile.Parse([]byte("A=\"hunter2\xff\"\n"))
	require.ErrorIs(t, err, envfile.ErrInvalid)
	assert.NotContains(t, err.Error(), "hunter2")
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("a\"b\\c$d`e")
	f.Fuzz(func(t *testing.T, value string) {
		file, err := envfile.Append(nil, "NAME", value)
		if err != nil {
			assert.Empty(t, file)
			return
		}
		got, err := envfile.Parse(file)
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"NAME": value}, got)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("A=1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		env, err := envfile.Parse(data)
		if err != nil {
			return
		}
		// Whatever was read can be written, unless it has an inner newline.
		for name, value := range env {
			if !strings.ContainsAny(value, "\r\n") && len(value) < 1<<16 {
				file, err := envfile.Append(nil, name, value)
				require.NoError(t, err)
				again, err := envfile.Parse(file)
				require.NoError(t, err)
				assert.Equal(t, map[string]string{name: value}, again)
			}
		}
	})
}

// TestWrittenFilesAreTheOnesThatSystemdReads keeps what Append writes for each
// acceptable value beside the value: the harness has real machines read them
// (harness/machine/container), and knows nothing of this package.
func TestWrittenFilesAreTheOnesThatSystemdReads(t *testing.T) {
	t.Parallel()
	require.False(t, golden.FlagUpdate() && os.Getenv("CI") != "", "goldens are not made anew in CI")
	type written struct {
		Env  map[string][]byte `json:"env"`
		File []byte            `json:"file"`
	}
	var rows []written
	for _, r := range load[struct {
		Value   []byte
		Refused string
	}](t, "values.json") {
		file, err := envfile.Append(nil, "BEFORE", "b")
		require.NoError(t, err)
		if file, err = envfile.Append(file, "NAME", string(r.Value)); err != nil {
			require.NotEmpty(t, r.Refused)
			continue
		}
		file, err = envfile.Append(file, "AFTER", "a")
		require.NoError(t, err)
		rows = append(rows, written{File: file, Env: map[string][]byte{"BEFORE": []byte("b"), "NAME": r.Value, "AFTER": []byte("a")}})
	}
	data, err := json.MarshalIndent(rows, "", " ")
	require.NoError(t, err)
	golden.Assert(t, string(data)+"\n", "corpus/written.json")
}
