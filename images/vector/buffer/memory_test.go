package buffer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemoryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	m := NewMemory(10, true, false)
	write(t, m, 0, 3)
	read(t, m, 1)
	require.NoError(t, m.Ack(1, true))
	assert.Equal(t, 2, m.Len())
	assert.Equal(t, lines(1, 3), drain(t, m))
}

func TestMemoryCountsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	m := NewMemory(2, true, false)
	write(t, m, 0, 2)
	read(t, m, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, m.Write(ctx, [][]byte{line(2)}, nil), context.DeadlineExceeded)
	require.NoError(t, m.Ack(1, true))
	write(t, m, 2, 3)
}

func TestMemoryDropsTheNewest(t *testing.T) {
	t.Parallel()
	m := NewMemory(2, false, false)
	write(t, m, 0, 5)
	assert.Equal(t, lines(0, 2), drain(t, m))
}

func TestMemoryTellsTheSourceWhenItIsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		ackAtSink bool
		delivered bool
		want      []string
	}{
		{"without acknowledgements, when the lines are in", false, true, []string{"ok", "written", "acked"}},
		{"with them, when the last line is delivered", true, true, []string{"written", "ok", "acked"}},
		{"with them, when it was refused", true, false, []string{"written", "refused", "acked"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := NewMemory(10, true, tt.ackAtSink)
			var got []string
			require.NoError(t, m.Write(t.Context(), [][]byte{line(0), line(1)}, func(ok bool) {
				if ok {
					got = append(got, "ok")
				} else {
					got = append(got, "refused")
				}
			}))
			got = append(got, "written")
			read(t, m, 2)
			require.NoError(t, m.Ack(1, tt.delivered))
			require.NoError(t, m.Ack(1, tt.delivered))
			assert.Equal(t, tt.want, append(got, "acked"))
		})
	}
}
