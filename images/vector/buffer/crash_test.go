package buffer_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/vector/buffer"
)

// The child of the crash test is this test binary, started with crashDir set: a source and a sink around one buffer,
// to be killed at any moment.
const (
	crashDir  = "BOOTRACE_BUFFER_CRASH_DIR"
	crashFrom = "BOOTRACE_BUFFER_CRASH_FROM"
)

const batch = 7

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := child(dir, os.Getenv(crashFrom)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes numbers to the buffer and confirms each on stdout once it was taken, as a source's checkpoint would; what
// it reads back it appends to the file `delivered`, as a service would. With an empty from it only delivers what is left.
func child(dir, from string) error {
	ctx := context.Background()
	b, err := buffer.OpenDisk(filepath.Join(dir, "buffer"), buffer.MinDiskSize, true, nil)
	if err != nil {
		return err
	}
	if from == "" {
		b.CloseWrite()
	} else {
		first, err := strconv.Atoi(from)
		if err != nil {
			return err
		}
		go func() {
			for i := first; ; i++ {
				number := strconv.Itoa(i)
				if b.Write(ctx, [][]byte{[]byte(number)}, nil) == nil {
					fmt.Println(number)
				}
			}
		}()
	}
	out, err := os.OpenFile(filepath.Join(dir, "delivered"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		line, err := b.Read(ctx)
		if err != nil {
			return nil // io.EOF: all was read
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
		if n%batch == 0 {
			if err := b.Ack(batch, true); err != nil {
				return err
			}
		}
	}
}

func TestKilledAgainAndAgainItLosesNoLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const kills = 15
	confirmed := -1
	for kill := range kills {
		cmd := command(t, dir, strconv.Itoa(confirmed+1))
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())

		// Killed after so many confirmed lines: as good as any moment, and without a clock.
		lines := bufio.NewScanner(stdout)
		for n := 0; lines.Scan(); n++ {
			number, err := strconv.Atoi(lines.Text())
			require.NoError(t, err)
			require.Equal(t, confirmed+1, number)
			confirmed = number
			if n == 50+37*kill {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait())
	}
	last := command(t, dir, "")
	out, err := last.CombinedOutput()
	require.NoError(t, err, "%s", out)

	f, err := os.Open(filepath.Join(dir, "delivered"))
	require.NoError(t, err)
	defer f.Close()
	seen := map[int]int{}
	duplicates := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		number, err := strconv.Atoi(s.Text())
		require.NoError(t, err, "a torn line was delivered")
		if seen[number]++; seen[number] > 1 {
			duplicates++
		}
	}
	for i := range confirmed + 1 {
		require.NotZero(t, seen[i], "line %d of %d was confirmed and never delivered", i, confirmed)
	}
	// Each kill may repeat the batch in flight, and the one line written and not yet confirmed.
	assert.LessOrEqual(t, duplicates, kills*(batch+1))
	t.Logf("%d lines, %d kills, %d duplicates", confirmed+1, kills, duplicates)
}

func command(t *testing.T, dir, from string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashFrom+"="+from)
	return cmd
}
