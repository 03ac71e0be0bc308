package container

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestByHandBootsTheSameMachine(t *testing.T) {
	l := newLab(t)
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("the script is for the engine's command line client, which is not here")
	}
	spec := l.spec(t, "by-hand", "#!/bin/sh\necho $HOME > /run/script-ran\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Stdin = strings.NewReader(l.backend.ByHand(spec))
	out, err := cmd.Output()
	for line := range strings.Lines(string(out)) {
		if ids, ok := strings.CutPrefix(strings.TrimSpace(line), "docker rm -f "); ok {
			for _, id := range strings.Fields(ids) {
				t.Cleanup(func() { assert.NoError(t, remove(context.Background(), l.backend.Engine(), id)) })
			}
		}
	}
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(out), "docker exec -it ")
	require.True(t, ok, string(out))
	worker := strings.Fields(after)[0]
	require.NoError(t, l.backend.waitUntilUp(ctx, worker))
	exit, err := execute(ctx, l.backend.Engine(), worker, client.ExecCreateOptions{Cmd: []string{"/bin/sh", "-c",
		"cloud-init status --wait >/dev/null; test -e /run/script-ran && curl -sf -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-08-01' >/dev/null"}}, nil, &strings.Builder{}, &strings.Builder{})
	require.NoError(t, err)
	assert.Zero(t, exit, "cloud-init ran the script, and the cloud answers")
}
