package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMaskedUnitThatALinkWantsIsToldThoughPID1LoadsItNot(t *testing.T) {
	etc, lib := filepath.Join(t.TempDir(), "etc"), filepath.Join(t.TempDir(), "lib")
	wants := filepath.Join(etc, "multi-user.target.wants")
	for _, dir := range []string{wants, filepath.Join(lib, "sysinit.target.requires")} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	for name, mask := range map[string]bool{"fetch.service": true, "known.service": true, "sound.service": false} {
		require.NoError(t, os.WriteFile(filepath.Join(lib, name), []byte("[Unit]\n"), 0o600))
		require.NoError(t, os.Symlink(filepath.Join(lib, name), filepath.Join(wants, name)))
		if mask {
			require.NoError(t, os.Symlink(os.DevNull, filepath.Join(etc, name)))
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(etc, "empty.service"), nil, 0o600))
	require.NoError(t, os.Symlink("../empty.service", filepath.Join(lib, "sysinit.target.requires", "empty.service")))
	require.NoError(t, os.Symlink("/nowhere", filepath.Join(wants, "gone.service"))) // there is no such unit
	require.NoError(t, os.Symlink(os.DevNull, filepath.Join(etc, "unwanted.service")))

	var out bytes.Buffer
	writeMasked(&out, []string{etc, lib}, map[string]bool{"known.service": true})
	assert.Equal(t, `Id=empty.service
LoadState=masked
ActiveState=inactive
SubState=dead
RequiredBy=sysinit.target

Id=fetch.service
LoadState=masked
ActiveState=inactive
SubState=dead
WantedBy=multi-user.target

`, out.String())
}
