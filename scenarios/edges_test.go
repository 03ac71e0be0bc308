package scenarios

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bootrace/scenarios/document"
)

// compiled is the schema that editors use.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("scenario.schema.json", doc))
	schema, err := c.Compile("scenario.schema.json")
	require.NoError(t, err)
	return schema
}

// An editor that shows a file in red which the loader takes, or the reverse in
// what the schema can express, is worse than none.
func TestTheLoaderAndTheSchemaAgreeOnEachValue(t *testing.T) {
	schema := compiled(t)
	values := []string{
		"0s", "45s", "500ms", "1.5s", "1m30s", "1h", "2h45m", "0", `"0"`, `"+45s"`, "+45s", "-45s", ".5s", "5.s", "1us", "1µs", "1ns", "1s1s",
		"45", "45 s", "45S", "4min", "9999999999999h", `""`, `" 45s"`, "~", "true", "[45s]", "{a: 1}", "1e3s", "0x10s", "|\n    45s", "inf", "soon",
	}
	for _, key := range []string{"delay: 45s", "window: 2m"} {
		name, _, _ := strings.Cut(key, ":")
		for _, v := range values {
			t.Run(name+" "+v, func(t *testing.T) {
				source := strings.Replace(good, key, name+": "+v, 1)
				_, err := Parse("f.yaml", []byte(source))
				shaped := true
				if err != nil { // what goes together is beyond a schema
					shaped = !strings.Contains(err.Error(), name+": expected a duration")
				}
				var doc any
				require.NoError(t, yaml.Unmarshal([]byte(source), &doc))
				assert.Equal(t, schema.Validate(doc) == nil, shaped, "the schema takes it, the loader does: %v", err)
			})
		}
	}
	for _, tt := range []struct{ name, old, new string }{
		{"another version", "version: 1", "version: 2"},
		{"a version that is text", "version: 1", `version: "1"`},
		{"a name with a space", "name: mine", "name: my own"},
		{"a name that is a number", "name: mine", "name: 12"},
		{"a description of nothing but space", "a text", `"  "`},
		{"no description", "description: a text\n", ""},
		{"an unknown verdict", "registered: true", "registered: true\n  verdict: maybe"},
		{"starts that are none", "registered: true", "registered: true\n  starts: {vector.service: 0}"},
		{"starts that are a list", "registered: true", "registered: true\n  starts: [1]"},
		{"a failure without a reason", "registered: true", "registered: true\n  allowed_failed: [{unit: a.service}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := strings.Replace(good, tt.old, tt.new, 1)
			_, err := Parse("f.yaml", []byte(source))
			require.Error(t, err)
			var doc any
			require.NoError(t, yaml.Unmarshal([]byte(source), &doc))
			assert.Error(t, schema.Validate(doc), "the loader refuses it: %v", err)
		})
	}
}

func TestWhatTheLoaderTakesTheSchemaTakes(t *testing.T) {
	schema := compiled(t)
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"45s", "4m", "0s", "1", "true", "\"x\"", "never", "before-boot", "after", "~", "mine", "{}", "[]", "fail", "2h"})
		source := good + rapid.SampledFrom([]string{"", "  boot_budget: 2s\n", "  starts: {vector.service: 3}\n", "cloud: {pending_worker_ttl: 10m}\n"}).Draw(t, "more")
		lines := strings.Split(source, "\n")
		for range rapid.IntRange(0, 3).Draw(t, "edits") {
			at := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			if key, _, ok := strings.Cut(lines[at], ": "); ok {
				lines[at] = key + ": " + piece.Draw(t, "value")
			}
		}
		source = strings.Join(lines, "\n")
		if _, err := Parse("f.yaml", []byte(source)); err != nil {
			return
		}
		var doc any
		if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Fatalf("%s\n%v", source, err)
		}
	})
}

func TestFilesThatCannotBeMeant(t *testing.T) {
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(good) }
	for _, tt := range []struct{ name, text, want string }{
		{"registered, but after the control plane has given up", edit("window: 2m", "window: 20m", "45s", "15m"), "pending_worker_ttl"},
		{"the same, the time given", good + "cloud: {pending_worker_ttl: 30s}\n", "pending_worker_ttl"},
		{"a window without an end", edit("window: 2m", "window: 9000h"), "look.window"},
		{"no time for credentials at all", good + "  credentials_within: 0s\n", "expect.credentials_within"},
		{"a unit that is none, in starts", good + "  starts: {vector: 3}\n", "expect.starts.vector"},
		{"a pattern that is none", good + "  allowed_failed: [{unit: 'a[.service', reason: because}]\n", "allowed_failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tt.text))
			require.ErrorContains(t, err, tt.want)
			require.Regexp(t, `^f\.yaml:\d+:\d+: `, err.Error())
		})
	}
}

// What a terminal would obey is not printed, and the mark stands below its place.
func TestAnExcerptIsSafeAndPointsAtItsPlace(t *testing.T) {
	_, err := Parse("f.yaml", []byte(strings.Replace(good, "name: mine", "name: \"\x1b[2J\u202e\"", 1)))
	require.Error(t, err)
	for _, r := range err.Error() {
		assert.True(t, r == '\n' || r >= ' ' && r != 0x7f && r != '\u202e', "%q in %q", r, err.Error())
	}
	_, err = Parse("f.yaml", []byte(strings.Replace(good, "45s", `"ä`+strings.Repeat("x", 4000)+`"`, 1)))
	require.Error(t, err)
	for line := range strings.SplitSeq(err.Error(), "\n") {
		assert.Less(t, len(line), 1000, "one long line of a file does not fill the screen")
	}
}

func TestWindowsLineEndsAndAByteOrderMarkAreTaken(t *testing.T) {
	for name, text := range map[string]string{
		"CRLF": strings.ReplaceAll(good, "\n", "\r\n"), "BOM": "\ufeff" + good, "document marks": "---\n" + good + "...\n", "no newline at the end": strings.TrimSuffix(good, "\n"),
	} {
		s, err := Parse("f.yaml", []byte(text))
		require.NoError(t, err, name)
		assert.Equal(t, "mine", s.Name, name)
		assert.Equal(t, 45*time.Second, s.WorkerEnv.Delay.Duration, name)
	}
}

// The parser recurses by depth: deep nesting must not take the program's stack
// or minutes of its time, in which this test would be cut off.
func TestADeepOrLongFileIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"deep lists":    strings.Repeat("[", document.MaxSize),
		"deep mappings": strings.Repeat("{a: ", document.MaxSize/4),
		"deep blocks":   strings.Repeat("- ", document.MaxSize/2-1) + "a",
		"long":          strings.Repeat("a: b\n", document.MaxSize),
	} {
		_, err := Parse("f.yaml", []byte(text))
		require.Error(t, err, name)
		assert.Less(t, len(err.Error()), 10_000, name)
	}
}

func TestOfANewerFileOnlyTheVersionIsSaid(t *testing.T) {
	_, err := Parse("f.yaml", []byte("news: 1\n"+strings.Replace(good, "version: 1", "version: 2", 1)))
	var problems *Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems.List, 1)
	assert.Equal(t, Problem{File: "f.yaml", Line: 2, Column: 1, Message: "version: this program reads version 1, found 2"}, problems.List[0])
}
