package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/inside/process"
)

func TestAProgramAndWhatItStarts(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), "sleep", "60")
	require.NoError(t, child.Start())
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	of := fmt.Sprintf("/proc/%d", child.Process.Pid)
	assert.Equal(t, os.Getpid(), process.Parent(of))
	assert.True(t, isOf("/proc/self", exe))
	assert.True(t, isOf(of, exe), "what it started")
	assert.False(t, isOf("/proc/self", vectorProgram))
	assert.False(t, isOf(of, vectorProgram))
	assert.Zero(t, process.Parent("/proc/none"))
}
