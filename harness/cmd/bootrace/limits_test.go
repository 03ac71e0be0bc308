package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/machine/container"
)

func TestWhatIsAskedForIsBoundByTheHostAndNothingAskedByItsCoresToo(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 1, atOnce(1))
	assert.Equal(t, container.InotifyRoom(), atOnce(1_000_000), "beyond the inotify limit PID 1 hangs")
	assert.Positive(t, atOnce(0))
	assert.LessOrEqual(t, atOnce(0), machinesPerCore*runtime.NumCPU())
}
