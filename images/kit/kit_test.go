package kit

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images"
)

func TestAKitIsTheTreeThatImagesAreMadeOf(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	var first, second bytes.Buffer
	require.NoError(t, Pack(t.Context(), root, []string{runtime.GOARCH}, &first))
	require.NoError(t, Pack(t.Context(), root, []string{runtime.GOARCH}, &second))
	assert.True(t, bytes.Equal(first.Bytes(), second.Bytes()), "the same tree gives the same bytes")

	cache := t.TempDir()
	unpacked, err := unpack(first.Bytes(), cache)
	require.NoError(t, err)
	for _, name := range []string{"images/base", "images/worker", "images/postgres", "populator/systemd"} {
		want, got := images.Tree{}, images.Tree{}
		require.NoError(t, want.Dir(filepath.Join(root, name), name))
		require.NoError(t, got.Dir(filepath.Join(unpacked, name), name))
		for file := range want {
			if filepath.Ext(file) == ".go" {
				delete(want, file)
			}
		}
		require.NotEmpty(t, want)
		assert.Equal(t, want.Hash(), got.Hash(), name)
	}
	for _, pkg := range images.Programs() {
		info, err := os.Stat(filepath.Join(unpacked, images.Prebuilt(pkg, runtime.GOARCH)))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o755), info.Mode(), pkg)
	}
	again, err := unpack(first.Bytes(), cache)
	require.NoError(t, err)
	assert.Equal(t, unpacked, again)
	left, err := os.ReadDir(filepath.Join(cache, "kit"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing but the whole is left")
}

func TestHalfAKitLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	_, err := unpack([]byte("no archive"), cache)
	require.Error(t, err)
	left, err := os.ReadDir(filepath.Join(cache, "kit"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWithoutAKitTheTreeIsTheRoot(t *testing.T) {
	want, err := images.FindRoot(".")
	require.NoError(t, err)
	for _, dir := range []string{"", "."} {
		got, err := Root(dir, t.TempDir())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err = Root("/", t.TempDir())
	assert.ErrorContains(t, err, "no bootrace source tree at or above /")
}
