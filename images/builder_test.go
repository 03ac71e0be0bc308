package images

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnImageIsBuiltOnceAndAnotherMeanwhile(t *testing.T) {
	var said []string
	b := &Builder{Cache: t.TempDir(), Step: func(what string) { said = append(said, what) }}
	ended, end := context.WithCancel(t.Context())
	end()

	unlock, err := b.lock(ended, "bootrace/subject:1a00000000000000")
	require.NoError(t, err, "nobody builds it, so nobody is waited for")
	other, err := b.lock(ended, "bootrace/subject:1b00000000000000")
	require.NoError(t, err, "another image")
	other()
	assert.Empty(t, said)

	_, err = b.lock(ended, "bootrace/subject:1a00000000000000")
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, said, 1, "it says what it waits for")

	unlock()
	again, err := b.lock(ended, "bootrace/subject:1a00000000000000")
	require.NoError(t, err)
	again()
}
