package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADigestIsTheNotedOneOnlyOfTheSameProgram(t *testing.T) {
	t.Parallel()
	baked := time.Unix(1700000000, 0)
	noted := strings.Repeat("ab", 32)
	sum := sha256.Sum256([]byte("vector"))
	read := hex.EncodeToString(sum[:])
	for _, tt := range []struct {
		name, note, want string
		changed          time.Time
	}{
		{"the same", fmt.Sprintf("%s 6 %d\n", noted, baked.Unix()), noted, baked},
		{"another size", fmt.Sprintf("%s 7 %d\n", noted, baked.Unix()), read, baked},
		{"changed later", fmt.Sprintf("%s 6 %d\n", noted, baked.Unix()), read, baked.Add(time.Second)},
		{"a note that is torn", noted[:20], read, baked},
		{"no note", "", read, baked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			program, note := filepath.Join(dir, "vector"), filepath.Join(dir, "note")
			require.NoError(t, os.WriteFile(program, []byte("vector"), 0o755))
			require.NoError(t, os.Chtimes(program, tt.changed, tt.changed))
			if tt.note != "" {
				require.NoError(t, os.WriteFile(note, []byte(tt.note), 0o644))
			}
			got, err := programDigest(program, note)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
	_, err := programDigest(filepath.Join(t.TempDir(), "absent"), "")
	require.Error(t, err)
}
