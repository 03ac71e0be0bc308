package host

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
)

func TestASampleHasTheHostsClocks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	before := recording.Now()
	go func() { ended <- Watch(ctx, in) }()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-ended)
	var s recording.HostSample
	require.NoError(t, json.Unmarshal(line, &s))
	after := recording.Now()
	assert.True(t, before.Mono <= s.Mono && s.Mono <= after.Mono)
	assert.True(t, before.Realtime <= s.Realtime && s.Realtime <= after.Realtime)
	assert.GreaterOrEqual(t, s.LateUS, int64(0))
}

func TestFactsOfAHost(t *testing.T) {
	t.Parallel()
	f := Facts()
	assert.Positive(t, f.FreeMB)
	assert.Positive(t, f.FreeDiskMB)
	assert.Positive(t, f.InotifyInstances)
	assert.NotZero(t, f.Capabilities)
	assert.True(t, f.Cgroup2)
}
