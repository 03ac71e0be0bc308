package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatLastsIsAskedOnceAndWhatIsOfOtherUnitsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory", "units.json")
	asked := 0
	ask := func() (string, error) { asked++; return "5", nil }
	first := recall(path, "as loaded")
	for range 2 {
		text, err := first.text("a.service", "StartLimitBurst", ask)
		require.NoError(t, err)
		assert.Equal(t, "5", text)
	}
	assert.Equal(t, 1, asked)
	_, err := first.text("a.service", "WantedBy", func() (string, error) { return "", errors.New("no answer") })
	require.Error(t, err)
	require.NoError(t, first.write(path))

	for _, c := range []struct {
		why, stamp, unit, name string
		asked                  int
	}{
		{"it was kept", "as loaded", "a.service", "StartLimitBurst", 0},
		{"an error is no answer", "as loaded", "a.service", "WantedBy", 1},
		{"another unit", "as loaded", "b.service", "StartLimitBurst", 1},
		{"it does not last", "as loaded", "a.service", "Result", 1},
		{"loaded once more", "loaded later", "a.service", "StartLimitBurst", 1},
	} {
		asked = 0
		text, err := recall(path, c.stamp).text(c.unit, c.name, ask)
		require.NoError(t, err, c.why)
		assert.Equal(t, "5", text, c.why)
		assert.Equal(t, c.asked, asked, c.why)
	}
	require.NoError(t, os.WriteFile(path, []byte(`{"of":"as loaded"`), 0o600))
	asked = 0
	_, err = recall(path, "as loaded").text("a.service", "StartLimitBurst", ask)
	require.NoError(t, err)
	assert.Equal(t, 1, asked, "half a file is none")
}
