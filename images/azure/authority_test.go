package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/config"
)

func TestAnAuthorityIsMadeOnceAndCanBeServedWith(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "dir")
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), []string{"ca", dir}, &stdout, &stderr), &stderr)
	cfg := config.Config{CACert: filepath.Join(dir, "ca.pem"), CAKey: filepath.Join(dir, "ca.key")}
	_, err := readAuthority(cfg)
	require.NoError(t, err)
	info, err := os.Stat(cfg.CAKey)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the key is its owner's")

	before, err := os.ReadFile(cfg.CACert)
	require.NoError(t, err)
	require.Equal(t, 1, run(t.Context(), []string{"ca", dir}, &stdout, &stderr))
	assert.Contains(t, stderr.String(), "file exists")
	after, err := os.ReadFile(cfg.CACert)
	require.NoError(t, err)
	assert.Equal(t, before, after, "clients trust the one that is there")

	require.NoError(t, os.Remove(cfg.CAKey))
	require.Equal(t, 1, run(t.Context(), []string{"ca", dir}, &stdout, &stderr))
	assert.NoFileExists(t, cfg.CAKey, "no key beside another authority's certificate")
}
