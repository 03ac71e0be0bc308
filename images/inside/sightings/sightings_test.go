package sightings

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Write(&b, Started, "arguments of process 1", "curl\x00-H\x00a"))
	require.NoError(t, Write(&b, Closed, "/tmp/a"))
	b.WriteString(`{"kind":"clo`)
	got, err := read(&b)
	require.NoError(t, err, "what is being written is left out")
	assert.Equal(t, []Sighting{{Started, "arguments of process 1", "curl\x00-H\x00a"}, {Closed, "/tmp/a", ""}}, got)
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Write(&b, Lost, "fanotify's queue was full"))
	require.NoError(t, Write(&b, Closed, "/tmp/a"))
	got, err := read(&b)
	require.ErrorContains(t, err, "was not seen: fanotify's queue was full")
	assert.Len(t, got, 1)
	_, err = read(bytes.NewBufferString("no JSON\n"))
	require.Error(t, err)
}
