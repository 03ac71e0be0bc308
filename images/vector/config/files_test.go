package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/config"
)

// tree writes files, by their paths, and gives the directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

const (
	asYAML = "sources: {j: {type: journald, include_units: [a]}}\nsinks: {p: {type: axiom, inputs: [j], token: t, dataset: d, buffer: {type: disk, max_size: 268435488}}}"
	asTOML = "[sources.j]\ntype = \"journald\"\ninclude_units = [\"a\"]\n[sinks.p]\ntype = \"axiom\"\ninputs = [\"j\"]\ntoken = \"t\"\ndataset = \"d\"\n" +
		"buffer = {type = \"disk\", max_size = 268_435_488}\nbatch.timeout_secs = 1.0\n"
	asJSON = "{\n\t\"sources\": {\"j\": {\"type\": \"journald\", \"include_units\": [\"a\"]}},\n\t\"sinks\": {\"p\": {\"type\": \"axiom\", \"inputs\": [\"j\"], " +
		"\"token\": \"t\", \"dataset\": \"d\", \"buffer\": {\"type\": \"disk\", \"max_size\": 268435488}}}}"
)

func TestTheSameInEveryFormat(t *testing.T) {
	t.Parallel()
	want, err := config.ParseText(config.YAML, asYAML)
	require.NoError(t, err)
	for format, text := range map[config.Format]string{config.TOML: asTOML, config.JSON: asJSON} {
		got, err := config.ParseText(format, text)
		require.NoError(t, err, "%s", format)
		assert.Equal(t, want.Sources, got.Sources, "%s", format)
		assert.Equal(t, want.Sinks, got.Sinks, "%s", format)
		assert.NotEqual(t, want.Fingerprint, got.Fingerprint)
	}
	for format, text := range map[config.Format]string{config.TOML: "token = 'tok-secret", config.JSON: `{"token": tok-secret}`} {
		_, err := config.ParseText(format, text)
		require.ErrorContains(t, err, "line 1", "%s", format)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestFilesThatMakeAConfiguration(t *testing.T) {
	t.Parallel()
	const sources, sinks = "sources: {j: {type: journald}}", "sinks: {p: {type: blackhole, inputs: [j]}}"
	files := map[string]string{
		"one.yaml": sources, "two.toml": "[sinks.p]\ntype = \"blackhole\"\ninputs = [\"j\"]\n", "again.yaml": sources,
		"d/global.yaml": "data_dir: /tmp/a\n" + sources, "d/more.yml": sinks, "d/notes.txt": "{", "d/more.json": `{"sinks": {"p": {"inputs": ["m"]}}, "sources": {"m": {"type": "internal_metrics"}}}`,
		"parts/base.yaml": "data_dir: /tmp/b", "parts/sources/j.yaml": "type: journald", "parts/transforms/r.toml": "type = \"remap\"\ninputs = [\"j\"]\nsource = \".a = 1\"",
		"parts/sinks/p.json": `{"type": "blackhole", "inputs": ["r"]}`, "x.conf": asTOML, "other.yaml": "data_dir: /tmp/c\n" + sinks,
	}
	dir := tree(t, files)
	tests := []struct {
		name  string
		files []config.File
		dirs  []string
		ids   string // source, transform, sink
		fails string
	}{
		{name: "two files of two formats", files: []config.File{{Path: "one.yaml"}, {Path: "two.toml"}}, ids: "j//p"},
		{name: "a pattern, and a file that comes twice counts once", files: []config.File{{Path: "one.y*ml"}, {Path: "one.yaml"}, {Path: "two.toml"}}, ids: "j//p"},
		{name: "a format that is said, whatever the name", files: []config.File{{Path: "x.conf", Format: config.TOML}}, ids: "j//p"},
		{name: "without one it is YAML", files: []config.File{{Path: "x.conf"}}, fails: "invalid type: sequence, expected a map"},
		{name: "a component in two files", files: []config.File{{Path: "one.yaml"}, {Path: "again.yaml"}, {Path: "two.toml"}}, fails: "duplicate source id found: j"},
		{name: "a directory's files are joined, lists appended", dirs: []string{"d"}, ids: "j m//p"},
		{name: "folders have a component a file", dirs: []string{"parts"}, ids: "j/r/p"},
		{name: "two data directories", files: []config.File{{Path: "other.yaml"}}, dirs: []string{"d"}, fails: "conflicting values for 'data_dir' found"},
		{name: "a file that is not there", files: []config.File{{Path: "gone.yaml"}, {Path: "one.yaml"}}, fails: "Config file not found in path."},
		{name: "a directory that is not there", dirs: []string{"gone"}, fails: "Could not read config dir"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			named := append([]config.File{}, tt.files...)
			for i := range named {
				named[i].Path = filepath.Join(dir, named[i].Path)
			}
			var dirs []string
			for _, d := range tt.dirs {
				dirs = append(dirs, filepath.Join(dir, d))
			}
			cfg, err := config.LoadFiles(named, dirs, config.Options{})
			if tt.fails != "" {
				require.ErrorContains(t, err, tt.fails)
				return
			}
			require.NoError(t, err)
			var sources, transforms, sinks []string
			for _, s := range cfg.Sources {
				sources = append(sources, s.ID)
			}
			for _, s := range cfg.Transforms {
				transforms = append(transforms, s.ID)
			}
			for _, s := range cfg.Sinks {
				sinks = append(sinks, s.ID)
			}
			assert.Equal(t, tt.ids, strings.Join(sources, " ")+"/"+strings.Join(transforms, " ")+"/"+strings.Join(sinks, " "))
		})
	}
}

func TestSecretBackends(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"secrets.json": `{"token": "from a file"}`, "dir/token": "from a directory\n", "dir/empty": "",
		"ask":    "#!/bin/sh\ncat > /dev/null\necho '{\"token\": {\"value\": \"from a command\", \"error\": null}, \"bad\": {\"value\": null, \"error\": \"no\"}}'\n",
		"silent": "#!/bin/sh\nexec sleep 60\n",
	})
	for _, name := range []string{"ask", "silent"} {
		require.NoError(t, os.Chmod(filepath.Join(dir, name), 0o700))
	}
	backends := map[string]string{
		"f":     "{type: file, path: DIR/secrets.json}",
		"d":     "{type: directory, path: DIR/dir, remove_trailing_whitespace: true}",
		"e":     "{type: exec, command: [DIR/ask]}",
		"quiet": "{type: exec, command: [DIR/silent], timeout: 1}",
		"gone":  "{type: file, path: DIR/gone.json}",
	}
	text := "secret:\n"
	for name, b := range backends {
		text += "  " + name + ": " + strings.ReplaceAll(b, "DIR", dir) + "\n"
	}
	tests := []struct{ name, token, want, fails string }{
		{"from a file", "SECRET[f.token]", "from a file", ""},
		{"from a directory, without its newline", "SECRET[d.token]", "from a directory", ""},
		{"from a command", "SECRET[e.token]", "from a command", ""},
		{"within a text", "a-SECRET[f.token]-b", "a-from a file-b", ""},
		{"what is no placeholder stays", "SECRET[token]", "SECRET[token]", ""},
		{"a backend that is not there", "SECRET[vault.token]", "", `Backend "vault" is required for secret retrieval but was not found in config.`},
		{"a key that the file does not have", "SECRET[f.other]", "", `Error while retrieving secret from backend "f": secret for key 'other' was not retrieved.`},
		{"a file that is not there", "SECRET[gone.token]", "", `Error while retrieving secret from backend "gone"`},
		{"an empty secret", "SECRET[d.empty]", "", "secret for key 'empty' was empty"},
		{"a command that says no", "SECRET[e.bad]", "", "secret for key 'bad' was not retrieved"},
		{"a command that does not answer", "SECRET[quiet.token]", "", "Command timed-out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			whole := config.Text{Format: config.YAML, Text: text + "sources: {j: {type: journald}}\nsinks: {p: {type: axiom, inputs: [j], dataset: d, token: '" + tt.token + "'}}"}
			cfg, err := config.ParseTexts([]config.Text{whole}, config.Options{})
			detached, detachedErr := config.ParseTexts([]config.Text{whole}, config.Options{Detached: true})
			require.NoError(t, detachedErr, "who only looks needs no secrets")
			assert.Equal(t, tt.token, detached.Sinks[0].Axiom.Token)
			if tt.fails != "" {
				require.ErrorContains(t, err, tt.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, cfg.Sinks[0].Axiom.Token)
		})
	}
}
