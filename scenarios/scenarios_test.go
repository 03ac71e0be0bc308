package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bootrace/images/azure/fault"
)

var update = flag.Bool("update", false, "write scenario.schema.json anew")

const good = `version: 1
name: mine
description: a text
worker_env:
  when: after
  delay: 45s
look:
  window: 2m
expect:
  registered: true
`

func TestAGoodFileIsReadWithItsDefaults(t *testing.T) {
	s, err := Parse("mine.yaml", []byte(good))
	require.NoError(t, err)
	assert.Equal(t, 45*time.Second, s.WorkerEnv.Delay.Duration)
	assert.Equal(t, defaultSettle, s.Look.Settle.Duration)
	assert.Equal(t, defaultTTL, s.Cloud.PendingWorkerTTL.Duration)
	assert.Equal(t, "pass", s.Expect.Verdict)
	assert.Equal(t, 55*time.Second, s.Waits())
}

func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	edit := func(old, new string) string { return string(bytes.Replace([]byte(good), []byte(old), []byte(new), 1)) }
	tests := []struct {
		name, text string
		want       []string
	}{
		{"an unknown key", edit("  delay:", "  dealy:"), []string{"f.yaml:6:3: unknown key worker_env.dealy: expected delay, way, when (did you mean delay?)"}},
		{"a duration without a unit", edit("45s", "45"), []string{`f.yaml:6:10: worker_env.delay: expected a duration such as 45s or 4m, found "45"`}},
		{"a duration that is no duration", edit("2m", "soon"), []string{`f.yaml:8:11: look.window: expected a duration`}},
		{"a negative duration", edit("45s", "-45s"), []string{"f.yaml:6:10: worker_env.delay"}},
		{"a missing key", edit("  window: 2m", "  settle: 10s"), []string{"look.window is missing"}},
		{"a wrong choice", edit("when: after", "when: later"), []string{`f.yaml:5:9: worker_env.when: expected one of before-boot, after, never, found "later"`}},
		{"a delay where none can be", edit("when: after", "when: before-boot"), []string{"f.yaml:6:3: worker_env.delay goes with when: after only"}},
		{"no delay where one must be", edit("  delay: 45s\n", ""), []string{"worker_env.delay is missing"}},
		{"a window that ends before the delay", edit("2m", "30s"), []string{"f.yaml:8:3: look.window: 30s is not more than network, delay and settle, 55s"}},
		{"registration that cannot be", edit("when: after\n  delay: 45s", "when: never"), []string{"f.yaml:9:3: expect.registered"}},
		{"text for a truth value", edit("registered: true", "registered: perhaps"), []string{`f.yaml:10:15: expect.registered: expected true or false, found "perhaps"`}},
		{"another version", edit("version: 1", "version: 2"), []string{"f.yaml:1:1: version: this program reads version 1"}},
		{"a newer file, whose new keys are not the point", edit("version: 1", "version: 2\nnews: 1"), []string{"f.yaml:1:1: version: this program reads version 1, found 2\n    version: 2\n    ^"}},
		{"a name that cannot be one", edit("name: mine", "name: My Own"), []string{"f.yaml:2:7: name: expected small letters"}},
		{"the same key twice", edit("name: mine", "name: mine\nname: other"), []string{"f.yaml:3"}},
		{"a tab", edit("  when", "\twhen"), []string{"f.yaml:5"}},
		{"an open quote", edit("a text", `"a text`), []string{"f.yaml:3"}},
		{"a list for keys", "- a\n- b\n", []string{"the file: expected keys with values, found a list"}},
		{"nothing", "", []string{"f.yaml: empty"}},
		{"a comment alone", "# nothing\n", []string{"f.yaml: empty"}},
		{"two documents", good + "---\n" + good, []string{"a second document"}},
		{"binary", "\x00\x01\xff", []string{"not a text file"}},
		{"an alias", edit("description: a text", "description: &a text"), []string{"anchors, aliases and tags"}},
		{"several at once", edit("45s", "45") + "more: 1\n", []string{"f.yaml:6:10", "unknown key more"}},
		{"starts of none", good + "  starts: {vector.service: 0}\n", []string{"expect.starts.vector.service: expected a whole number, at least 1"}},
		{"an allowed failure without a reason", good + "  allowed_failed: [{unit: a.service}]\n", []string{"expect.allowed_failed[0].reason is missing"}},
		{"a network that comes at once", good + "network: {after: 0s}\n", []string{"network.after: expected more than 0s; without network"}},
		{"a network without a time", good + "network: {}\n", []string{"network.after is missing"}},
		{"a network that comes at the end of the window", good + "network: {after: 105s}\n", []string{"network.after: 1m45s is not within look.window, 2m"}},
		{"a network that comes when the case is over", good + "network: {after: 65s}\n", []string{"look.window: 2m0s is not more than network, delay and settle, 2m0s"}},
		{"settling too short to see anything", edit("  window: 2m", "  window: 2m\n  settle: 1s"), []string{"look.settle: at least"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tt.text))
			var problems *Problems
			require.ErrorAs(t, err, &problems)
			for _, want := range tt.want {
				assert.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestTheLibraryIsWhatBootraceShips(t *testing.T) {
	all, err := Library()
	require.NoError(t, err)
	names := map[string]bool{}
	kinds := map[fault.Kind]bool{}
	ways := map[Way]bool{}
	for _, s := range all {
		assert.False(t, names[s.Name], "%s is there twice", s.Name)
		names[s.Name] = true
		ways[s.WorkerEnv.Way] = true
		assert.NotEmpty(t, s.Source)
		for _, f := range s.Cloud.Faults {
			kinds[f.Kind] = true
		}
	}
	for _, name := range []string{"delay-0s", "delay-45s", "delay-4m", "never", "pre"} {
		assert.True(t, names[name], name)
	}
	for way := range Ways() {
		assert.True(t, ways[way], "no scenario writes worker.env %s", way)
	}
	for _, row := range fault.Table() {
		assert.True(t, kinds[row.Kind], "no scenario has the fault %s", row.Kind)
	}
}

// A pause before the next try is less than twice what the outage has taken so
// far (populator/populate/fetch.go: each pause doubles, give or take 30 %). With
// less room than that a verdict would be a matter of luck.
func TestABoundLeavesRoomForThePopulatorsPauses(t *testing.T) {
	all, err := Library()
	require.NoError(t, err)
	outages := 0
	for _, s := range all {
		assert.GreaterOrEqual(t, s.Expect.CredentialsWithin.Duration, 3*s.Network.After.Duration, s.Name)
		for _, f := range s.Cloud.Faults {
			if s.Expect.Credentials && (f.Service == "imds" || f.Service == "keyvault") {
				assert.GreaterOrEqual(t, s.Expect.CredentialsWithin.Duration, 3*f.Until.Duration, s.Name)
				if f.Until.Duration > 0 {
					outages++
				}
			}
		}
	}
	assert.Positive(t, outages, "none is bounded: are they still found?")
}

func TestFind(t *testing.T) {
	s, err := Find("delay-45s")
	require.NoError(t, err)
	assert.Equal(t, "delay-45s", s.Name)

	_, err = Find("dela-45s")
	require.ErrorContains(t, err, "did you mean delay-45s?")
	_, err = Find("nothing-like-it")
	require.ErrorContains(t, err, "bootrace scenarios lists them")

	file := t.TempDir() + "/mine.yaml"
	require.NoError(t, os.WriteFile(file, []byte(good), 0o600))
	s, err = Find(file)
	require.NoError(t, err)
	assert.Equal(t, "mine", s.Name)
	_, err = Find(t.TempDir() + "/absent.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTheSchemaIsUpToDateAndTheLibraryValid(t *testing.T) {
	want, err := Schema()
	require.NoError(t, err)
	const file = "scenario.schema.json"
	if *update {
		require.NoError(t, os.WriteFile(file, want, 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "scenario.schema.json is not what the types say; run: go test ./scenarios -run Schema -update, and look at its diff")

	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(want))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(file, doc))
	schema, err := c.Compile(file)
	require.NoError(t, err)
	validate := func(source []byte) error {
		var v any
		require.NoError(t, yaml.Unmarshal(source, &v))
		return schema.Validate(v)
	}
	all, err := Library()
	require.NoError(t, err)
	for _, s := range all {
		assert.NoError(t, validate(s.Source), s.Name)
		assert.True(t, bytes.HasPrefix(s.Source, []byte("# yaml-language-server: $schema=../"+file+"\n")), "%s: editors do not know what it is", s.Name)
	}
	assert.Error(t, validate([]byte("version: 1\n")), "the schema refuses, too")
	assert.Error(t, validate(bytes.Replace([]byte(good), []byte("45s"), []byte("soon"), 1)))
}

func TestNoInputMakesTheLoaderPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := []byte(good)
		if rapid.Bool().Draw(t, "bytes") {
			source = rapid.SliceOf(rapid.Byte()).Draw(t, "source")
		}
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			if len(source) > 0 {
				at := rapid.IntRange(0, len(source)-1).Draw(t, "at")
				piece := rapid.SampledFrom([]string{"", "\n", ": ", "- ", "&a ", "*a", "!!x ", "{", "[", "'", "\"", "<<: ", "? ", "|", "\t", "#"}).Draw(t, "piece")
				source = append(append(bytes.Clone(source[:at]), piece...), source[at:]...)
			}
		}
		s, err := Parse("f.yaml", source)
		if err == nil && s.Name == "" {
			t.Fatal("accepted a scenario without a name")
		}
		var problems *Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("an error without a place: %v", err)
		}
	})
}
