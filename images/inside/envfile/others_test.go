package envfile

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOthersAreThoseBesideRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	for name, tt := range map[string]struct {
		mode     os.FileMode
		uid, gid int
		list     []aclEntry
		want     string
	}{
		"root's alone":                        {mode: 0o600, want: "-"},
		"its group's":                         {mode: 0o640, gid: 54321, want: "group:54321"},
		"root's group's":                      {mode: 0o640, want: "-"},
		"all may read it":                     {mode: 0o644, want: "others"},
		"another user's":                      {mode: 0o600, uid: 54321, want: "user:54321"},
		"a list lets a user":                  {mode: 0o640, list: []aclEntry{{1, 6, 0}, {aclUser, 4, 54321}, {aclGroupObj, 0, 0}, {0x10, 4, 0}, {0x20, 0, 0}}, want: "user:54321"},
		"a list whose mask lets nobody":       {mode: 0o600, list: []aclEntry{{1, 6, 0}, {aclUser, 4, 54321}, {aclGroupObj, 0, 0}, {0x10, 0, 0}, {0x20, 0, 0}}, want: "-"},
		"a list with a group that may change": {mode: 0o620, list: []aclEntry{{1, 6, 0}, {aclGroupObj, 0, 0}, {aclGroup, 2, 54321}, {0x10, 2, 0}, {0x20, 0, 0}}, want: "group:54321"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vector.env")
			require.NoError(t, os.WriteFile(path, []byte("A=1\n"), 0o600))
			require.NoError(t, os.Chown(path, tt.uid, tt.gid))
			require.NoError(t, os.Chmod(path, tt.mode))
			if tt.list != nil {
				list := binary.LittleEndian.AppendUint32(nil, 2)
				for _, e := range tt.list {
					list = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(list, e.tag), e.perm)
					list = binary.LittleEndian.AppendUint32(list, e.id)
				}
				if err := unix.Setxattr(path, "system.posix_acl_access", list, 0); errors.Is(err, unix.EOPNOTSUPP) {
					t.Skip("this file system has no access lists")
				} else {
					require.NoError(t, err)
				}
			}
			assert.Equal(t, tt.want, Inspect(path).Others)
		})
	}
}

func TestAPipeIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	assert.Equal(t, uint32(0o600), Inspect(path).Mode)
}
