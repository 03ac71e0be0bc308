package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

func TestWhatVectorsConfigurationReadsSecretsFrom(t *testing.T) {
	config := recording.VectorConfig{Files: []recording.ConfigFile{
		{Format: "yaml", Text: "secret:\n  a: {type: directory, path: /run/vk}\n  b: {type: exec, command: [/bin/cat], path: /etc/c}\nsinks:\n  f: {type: file, path: /var/log/out}\n"},
		{Format: "toml", Text: "[secret.c]\ntype = \"file\"\npath = \"/run/c.json\"\n"},
		{Format: "json", Text: "{"},
	}}
	assert.ElementsMatch(t, []string{"/run/vk", "/run/c.json"}, readByBackends(config))
	assert.Empty(t, readByBackends(recording.VectorConfig{}))
}

func TestAFileMayHoldSecretsThatIsForNobodyElse(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("whose files are root's is seen by root")
	}
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"token": 0o600, "open": 0o644, ".new.1": 0o600} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, mode))
	}
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	assert.Equal(t, []string{filepath.Join(dir, "token")}, guarded(link))
	assert.Equal(t, []string{filepath.Join(dir, "token")}, guarded(filepath.Join(link, "token")))
	assert.Empty(t, guarded(filepath.Join(dir, "open")))
	assert.Empty(t, guarded(filepath.Join(dir, "none")))
}

func TestAPathOfVectorsIsElsewhereOutsideOfItsMounts(t *testing.T) {
	binds := []bind{{"/etc/opensandbox/vk", "/run/vk"}, {"/srv/x", "/srv/x"}}
	for inside, want := range map[string]string{
		"/run/vk": "/etc/opensandbox/vk", "/run/vk/token": "/etc/opensandbox/vk/token", "/run/vk2/token": "/run/vk2/token", "/srv/x/a": "/srv/x/a",
	} {
		assert.Equal(t, want, outside(inside, binds))
	}
}

func TestANameOfACredentialMayBeAPattern(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.env", "b.env", "c"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	assert.Equal(t, []string{filepath.Join(dir, "a.env"), filepath.Join(dir, "b.env")}, inCredstores(filepath.Join(dir, "*.env")))
	assert.Equal(t, []string{filepath.Join(dir, "c")}, inCredstores(filepath.Join(dir, "c")))
	assert.Empty(t, inCredstores(filepath.Join(dir, "none")))
	assert.Empty(t, inCredstores("bootrace-no-such-credential"))
}
