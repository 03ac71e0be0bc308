package machine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyALockThatIsSeenFreeIsFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, free := filepath.Join(dir, "held"), filepath.Join(dir, "free")
	lock, err := Own(held)
	require.NoError(t, err)
	_, err = Own(held)
	require.ErrorIs(t, err, ErrOwned)
	require.NoError(t, os.WriteFile(free, nil, 0o600))
	for name, tt := range map[string]struct {
		file          string
		mine, foreign bool
	}{
		"nobody holds it":   {free, true, true},
		"its process lives": {held, false, false},
		// Whoever may not look is refused in another way than whoever finds nothing;
		// root is refused nothing, so that this is not a directory.
		"it cannot be looked at":      {filepath.Join(free, "lock"), false, false},
		"its state directory is gone": {filepath.Join(dir, "none"), true, false},
	} {
		assert.Equal(t, tt.mine, Abandoned(tt.file, false), "%s: a run of one's own", name)
		assert.Equal(t, tt.foreign, Abandoned(tt.file, true), "%s: a run of another user", name)
		assert.Equal(t, !tt.mine, Owned(tt.file), name)
	}
	require.NoError(t, lock.Close())
	assert.False(t, Owned(held))
}

func TestOfWhomASweepIs(t *testing.T) {
	t.Parallel()
	mine, kept := Leftover{Run: "20261127-1"}, Leftover{Run: "20261127-1", Kept: true}
	foreign, foreignKept := Leftover{Run: "20261127-1", Foreign: true}, Leftover{Run: "20261127-1", Foreign: true, Kept: true}
	for name, tt := range map[string]struct {
		wanted func(Leftover) bool
		want   []bool // mine, kept, foreign, foreign and kept
	}{
		"the next run":         {NotKept, []bool{true, false, false, false}},
		"clean":                {OfRun(""), []bool{true, true, false, false}},
		"clean --run":          {OfRun("2026"), []bool{true, true, false, false}},
		"clean --run ANOTHER":  {OfRun("2025"), []bool{false, false, false, false}},
		"clean --others":       {OfAnyonesRun(""), []bool{true, true, true, true}},
		"clean --others --run": {OfAnyonesRun("2025"), []bool{false, false, false, false}},
	} {
		for i, l := range []Leftover{mine, kept, foreign, foreignKept} {
			assert.Equal(t, tt.want[i], tt.wanted(l), "%s: %+v", name, l)
		}
	}
}
