package buffer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatTheFirstStageHasNoRoomForGoesToTheSecond(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	memory := NewMemory(2, false, false)
	disk := open(t, dir, 1<<20, maxFileSize, true)
	b := Overflow(memory, disk)
	told := 0
	for i := range 5 {
		require.NoError(t, b.Write(t.Context(), [][]byte{line(i)}, func(ok bool) {
			assert.True(t, ok)
			told++
		}))
	}
	assert.Equal(t, 5, told, "each of them is in a stage")
	assert.Equal(t, 2, memory.Len())
	assert.Equal(t, 3, disk.Len())

	var got []string
	for range 5 {
		text, err := b.Read(t.Context())
		require.NoError(t, err)
		got = append(got, string(text))
	}
	assert.ElementsMatch(t, lines(0, 5), got)
	require.NoError(t, b.Ack(5, true))
	assert.Zero(t, b.Len())
	b.CloseWrite()
	_, err := b.Read(t.Context())
	require.Error(t, err)
	require.NoError(t, b.Close())
}

func TestAChainWaitsForEitherStage(t *testing.T) {
	t.Parallel()
	b := Overflow(NewMemory(1, false, false), NewMemory(1, true, false))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := b.Read(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, b.Write(t.Context(), [][]byte{line(0), line(1)}, nil))
	full, cancelFull := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancelFull()
	require.ErrorIs(t, b.Write(full, [][]byte{line(2)}, nil), context.DeadlineExceeded, "the last stage blocks")
	for range 2 {
		_, err := b.Read(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, b.Ack(2, true))
	require.NoError(t, b.Close())
}

func TestAMemoryBufferMayBeLimitedInBytes(t *testing.T) {
	t.Parallel()
	size := int64(len(line(0)))
	m := NewSizedMemory(2*size, false, false)
	write(t, m, 0, 5)
	assert.Equal(t, 2, m.Len())
	read(t, m, 1)
	require.NoError(t, m.Ack(1, true))
	write(t, m, 5, 7)
	assert.Equal(t, append(lines(1, 2), lines(5, 6)...), drain(t, m))

	one := NewSizedMemory(1, true, false)
	write(t, one, 0, 1)
	assert.Equal(t, 1, one.Len(), "a line above the limit passes alone")
}
