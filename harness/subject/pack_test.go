package subject

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images"
)

// lay puts a tree down.
func lay(t *testing.T, files images.Tree, dir string) {
	t.Helper()
	for name, f := range files {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		switch {
		case f.Mode&fs.ModeSymlink != 0:
			require.NoError(t, os.Symlink(string(f.Data), file))
		case f.Mode.IsDir():
			require.NoError(t, os.MkdirAll(file, f.Mode.Perm()))
		default:
			require.NoError(t, os.WriteFile(file, f.Data, 0o600))
			require.NoError(t, os.Chmod(file, f.Mode))
		}
	}
}

func TestAPackedSubjectIsTheSameElsewhere(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"../museum/pr254", "../museum/pr260", "../e2e/testdata/production/pr240", "../e2e/testdata/cases/install-sh", "../e2e/testdata/cases/loadcred"} {
		want, err := Read(dir)
		require.NoError(t, err)
		files, at, err := Pack(dir)
		require.NoError(t, err)
		assert.True(t, filepath.IsLocal(at), at)
		elsewhere := t.TempDir()
		lay(t, files, elsewhere)
		got, err := Read(filepath.Join(elsewhere, at))
		require.NoError(t, err)
		assert.Equal(t, want.Hash(), got.Hash(), dir)
		assert.Equal(t, want.Name, got.Name)
	}
	_, _, err := Pack(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}
