package process

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheMachinesOwnPressureIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.pressure")
	assert.Nil(t, fullTotal(path), "a kernel without PSI")
	require.NoError(t, os.WriteFile(path, []byte("some avg10=1.73 avg60=1.15 avg300=0.29 total=949258\nfull avg10=1.13 avg60=0.75 avg300=0.19 total=624877\n"), 0o600))
	got := fullTotal(path)
	require.NotNil(t, got)
	assert.EqualValues(t, 624877, *got)
	for _, text := range []string{"", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", "full total=much\n"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		assert.Nil(t, fullTotal(path), text)
	}
}
