package process

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAUnitIsNamedAsItIsFollowed(t *testing.T) {
	etc, usr := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink("logship.service", filepath.Join(etc, "vector.service")))
	require.NoError(t, os.Symlink("/dev/null", filepath.Join(etc, "boot-logger.service")))
	require.NoError(t, os.WriteFile(filepath.Join(usr, "opensandbox-worker.service"), nil, 0o644))
	require.NoError(t, os.Symlink("other.service", filepath.Join(usr, "boot-logger.service")))
	for unit, want := range map[string]string{
		"logship.service": "vector.service", "vector.service": "vector.service", "opensandbox-worker.service": "opensandbox-worker.service",
		"other.service": "other.service", // ours is masked before it
	} {
		assert.Equal(t, want, named(unit, []string{etc, usr, filepath.Join(etc, "none")}), unit)
	}
}
