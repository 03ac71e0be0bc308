package container

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// mark changes what the collector has kept of units, and nothing of them.
const mark = `sed -i 's/"StartLimitBurst":"[0-9]*"/"StartLimitBurst":"4711"/g' /run/bootrace/units.json && grep -q 4711 /run/bootrace/units.json`

func TestWhatACollectionKeptOfUnitsHoldsUntilPID1HasReadOrLoadedOthers(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	m, err := l.backend.Start(ctx, l.spec(t, "kept-units", "#!/bin/sh\n"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Remove(context.Background())) })
	require.NoError(t, l.backend.waitUntilUp(ctx, m.(*box).worker))

	sh := func(script string) {
		t.Helper()
		var out bytes.Buffer
		exit, err := execute(ctx, l.backend.Engine(), m.(*box).worker, client.ExecCreateOptions{Cmd: []string{"sh", "-c", script}}, nil, &out, &out)
		require.NoError(t, err)
		require.Zero(t, exit, "%s: %s", script, out.String())
	}
	// A busy host has no time to look ahead, and then nothing is kept.
	ahead := func() {
		sh("rm -f /run/bootrace/units.json")
		for exit := 1; exit != 0; {
			require.NoError(t, ctx.Err())
			collected(ctx, t, m, recording.CollectRequest{Pending: true})
			var err error
			exit, err = execute(ctx, l.backend.Engine(), m.(*box).worker, client.ExecCreateOptions{Cmd: []string{"test", "-s", "/run/bootrace/units.json"}}, nil, io.Discard, io.Discard)
			require.NoError(t, err)
		}
	}
	units := func() string { return collected(ctx, t, m, recording.CollectRequest{})[recording.UnitsFile] }

	ahead()
	sh(mark)
	assert.Contains(t, units(), "StartLimitBurst=4711", "what was asked before is not asked again")
	for _, change := range []string{"systemctl daemon-reload", "systemd-run --quiet --remain-after-exit --unit=new true"} {
		ahead()
		sh(mark)
		sh(change)
		assert.NotContains(t, units(), "StartLimitBurst=4711", "after %s", change)
	}
	assert.Contains(t, units(), "Id=new.service\n")

	// Three that want the CPU all the time, in a machine that may have a tenth of one.
	_, err = l.backend.Engine().ContainerUpdate(ctx, m.(*box).worker, client.ContainerUpdateOptions{Resources: &container.Resources{CPUPeriod: 100_000, CPUQuota: 10_000}})
	require.NoError(t, err)
	lost := func() int {
		us, err := strconv.Atoi(collected(ctx, t, m, recording.CollectRequest{CPULost: true})[recording.CPULostFile])
		require.NoError(t, err)
		return us
	}
	before := lost()
	sh("for i in 1 2 3; do timeout 1 sh -c 'while :; do :; done' & done; wait")
	assert.Greater(t, lost()-before, 300_000, "microseconds: what it wants and others have, or nobody")
}

// collected are the files of a collection.
func collected(ctx context.Context, t *testing.T, m machine.Machine, r recording.CollectRequest) map[string]string {
	t.Helper()
	request, err := json.Marshal(r)
	require.NoError(t, err)
	var stream bytes.Buffer
	require.NoError(t, m.Collect(ctx, request, &stream))
	files := map[string]string{}
	for in := tar.NewReader(&stream); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		data, err := io.ReadAll(in)
		require.NoError(t, err)
		files[h.Name] = string(data)
	}
}
