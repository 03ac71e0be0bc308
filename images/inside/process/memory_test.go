package process

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemoryThatNoFileIsBehind(t *testing.T) {
	t.Parallel()
	assert.EqualValues(t, 25028<<10, anonymous("Name:\tvector\nVmRSS:\t   70000 kB\nRssAnon:\t   25028 kB\nRssFile:\t   44972 kB\n"))
	assert.Zero(t, anonymous("Name:\tsh\nState:\tZ (zombie)\n"), "it has ended")

	unit := Unit("/proc/self")
	if unit == "" {
		t.Skip("this test is in no control group of a unit's")
	}
	own, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	sum, err := Anonymous(unit)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, 2*sum, anonymous(string(own)), "this process is among them")
	none, err := Anonymous("no-such.service")
	require.NoError(t, err)
	assert.Zero(t, none)
}
