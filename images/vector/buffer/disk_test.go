package buffer

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string, max, maxFile int64, block bool) *Disk {
	t.Helper()
	d, err := openDisk(dir, max, maxFile, block, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func write(t *testing.T, b Buffer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		require.NoError(t, b.Write(t.Context(), [][]byte{line(i)}, nil))
	}
}

func line(i int) []byte { return fmt.Appendf(nil, "line %04d", i) }

func drain(t *testing.T, b Buffer) []string {
	t.Helper()
	b.CloseWrite()
	var got []string
	for {
		l, err := b.Read(t.Context())
		if err == io.EOF {
			return got
		}
		require.NoError(t, err)
		got = append(got, string(l))
	}
}

func lines(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, string(line(i)))
	}
	return out
}

func read(t *testing.T, b Buffer, n int) {
	t.Helper()
	for range n {
		_, err := b.Read(t.Context())
		require.NoError(t, err)
	}
}

func TestARestartResendsExactlyWhatWasNotAcknowledged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                    string
		maxFile                 int64
		written, readOut, acked int
	}{
		{"nothing was read", maxFileSize, 5, 0, 0},
		{"all was read, nothing acknowledged", maxFileSize, 5, 5, 0},
		{"some was acknowledged", maxFileSize, 5, 4, 3},
		{"all was acknowledged", maxFileSize, 5, 5, 5},
		{"over several files", 60, 20, 15, 13},
		{"acknowledged up to the end of a file", 50, 20, 4, 2},
		{"nothing was written", maxFileSize, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := open(t, dir, 1<<20, tt.maxFile, true)
			write(t, d, 0, tt.written)
			read(t, d, tt.readOut)
			require.NoError(t, d.Ack(tt.acked, true))
			require.NoError(t, d.Close())

			d = open(t, dir, 1<<20, tt.maxFile, true)
			assert.Equal(t, tt.written-tt.acked, d.Len())
			write(t, d, tt.written, tt.written+2)
			assert.Equal(t, lines(tt.acked, tt.written+2), drain(t, d))
		})
	}
}

func TestATornTailIsCutOffAtEveryByte(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	d := open(t, whole, 1<<20, maxFileSize, true)
	write(t, d, 0, 3)
	require.NoError(t, d.Close())
	data, err := os.ReadFile(filepath.Join(whole, "buffer-data-0.dat"))
	require.NoError(t, err)
	two := len(data) / 3 * 2

	damaged := map[string][]byte{"a wrong byte at the end": append(append([]byte{}, data[:len(data)-1]...), data[len(data)-1]^1)}
	damaged["zeros after a whole record"] = append(append([]byte{}, data[:two]...), make([]byte, 100)...)
	for cut := two; cut < len(data); cut++ {
		damaged[fmt.Sprintf("cut at byte %d", cut)] = data[:cut]
	}
	for name, content := range damaged {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "buffer-data-0.dat"), content, 0o600))
		d := open(t, dir, 1<<20, maxFileSize, true)
		write(t, d, 7, 8)
		assert.Equal(t, append(lines(0, 2), lines(7, 8)...), drain(t, d), name)
		require.NoError(t, d.Close())
	}
}

func TestATornLedgerSlotFallsBackToTheOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, 1<<20, maxFileSize, true)
	write(t, d, 0, 4)
	read(t, d, 4)
	require.NoError(t, d.Ack(1, true))
	require.NoError(t, d.Ack(1, true))
	slot := int64(d.ledger.turn%2) * slotSize
	require.NoError(t, d.Close())

	f, err := os.OpenFile(filepath.Join(dir, "buffer.db"), os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("torn"), slot+10)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	assert.Equal(t, lines(1, 4), drain(t, open(t, dir, 1<<20, maxFileSize, true)), "one line twice, none lost")
}

func TestAcknowledgedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, 1<<20, 60, true)
	write(t, d, 0, 20)
	read(t, d, 20)
	require.NoError(t, d.Ack(20, true))
	left, err := filepath.Glob(filepath.Join(dir, "buffer-data-*"))
	require.NoError(t, err)
	assert.Len(t, left, 1)
	assert.Zero(t, d.Len())
	assert.Zero(t, d.held)
}

func TestAFullBufferBlocksOrDrops(t *testing.T) {
	t.Parallel()
	size := int64(headerSize + len(line(0)))
	t.Run("block waits for an acknowledgement", func(t *testing.T) {
		t.Parallel()
		d := open(t, t.TempDir(), 2*size, maxFileSize, true)
		write(t, d, 0, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, d.Write(ctx, [][]byte{line(2)}, nil), context.DeadlineExceeded)

		written := make(chan error, 1)
		go func() { written <- d.Write(t.Context(), [][]byte{line(2), line(3)}, nil) }()
		read(t, d, 2)
		require.NoError(t, d.Ack(2, true))
		require.NoError(t, <-written)
		assert.Equal(t, lines(2, 4), drain(t, d))
	})
	t.Run("drop_newest drops the newest", func(t *testing.T) {
		t.Parallel()
		d := open(t, t.TempDir(), 2*size, maxFileSize, false)
		write(t, d, 0, 5)
		assert.Equal(t, lines(0, 2), drain(t, d))
	})
	t.Run("a line above the size still passes when nothing else is held", func(t *testing.T) {
		t.Parallel()
		d := open(t, t.TempDir(), 1, maxFileSize, true)
		write(t, d, 0, 1)
		assert.Equal(t, lines(0, 1), drain(t, d))
	})
}

func TestAWriterThatCannotWriteWaitsAndLosesNothing(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), 1<<20, maxFileSize, true)
	write(t, d, 0, 1)
	good := d.w
	readOnly, err := os.Open(good.Name())
	require.NoError(t, err)
	d.mu.Lock()
	d.w = readOnly
	d.mu.Unlock()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, d.Write(ctx, [][]byte{line(1)}, nil), context.DeadlineExceeded)

	d.mu.Lock()
	d.w = good
	d.mu.Unlock()
	write(t, d, 1, 2)
	assert.Equal(t, lines(0, 2), drain(t, d))
	require.NoError(t, readOnly.Close())
}

func TestOnlyOneProcessHasTheBuffer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir, 1<<20, maxFileSize, true)
	_, err := openDisk(dir, 1<<20, maxFileSize, true, nil)
	require.ErrorContains(t, err, "is another Vector process running and using this buffer?")
}

func TestCheckDiskSize(t *testing.T) {
	t.Parallel()
	assert.NoError(t, CheckDiskSize(268435488))
	assert.ErrorContains(t, CheckDiskSize(268435487), "must be greater than or equal to 268435488 bytes")
}
