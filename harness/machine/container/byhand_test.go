package container

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
)

func TestByHandBootsTheSameMachine(t *testing.T) {
	l := newLab(t)
	if _, err := exec.LookPath(l.backend.cli[0]); err != nil {
		t.Skip("the script is for the engine's command line client, which is not here")
	}
	spec := l.spec(t, "by-hand", "#!/bin/sh\necho $HOME > /run/script-ran\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Stdin = strings.NewReader(l.backend.ByHand(spec))
	out, err := cmd.Output()
	_, printed, _ := strings.Cut(string(out), " rm -f ")
	ids := strings.Fields(printed)
	t.Cleanup(func() {
		// bootrace clean removes them, and nothing else does.
		n, err := l.backend.Sweep(context.Background(), func(left machine.Leftover) bool {
			return !machine.NotKept(left) && machine.OfRun("by-hand")(left) && slices.Contains(ids, left.ID)
		})
		assert.NoError(t, err)
		assert.Equal(t, 2, n)
	})
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(out), " exec -it ")
	require.True(t, ok, string(out))
	worker := strings.Fields(after)[0]
	left, err := l.backend.Leftovers(ctx)
	require.NoError(t, err)
	n := slices.IndexFunc(left, func(l machine.Leftover) bool { return l.ID == worker })
	require.GreaterOrEqual(t, n, 0, left)
	assert.True(t, left[n].Worker, "bootrace shell opens it")
	require.NoError(t, l.backend.waitUntilUp(ctx, worker))
	exit, err := execute(ctx, l.backend.Engine(), worker, client.ExecCreateOptions{Cmd: []string{"/bin/sh", "-c",
		"cloud-init status --wait >/dev/null; test -e /run/script-ran && curl -sf -H Metadata:true 'http://169.254.169.254/metadata/instance?api-version=2021-08-01' >/dev/null"}}, nil, &strings.Builder{}, &strings.Builder{})
	require.NoError(t, err)
	assert.Zero(t, exit, "cloud-init ran the script, and the cloud answers")
}

func TestByHandGoesOnToTheLaterBoots(t *testing.T) {
	t.Parallel()
	b := &Backend{grant: machineCapabilities, cli: []string{"docker"}}
	script := b.ByHand(machine.Spec{Name: "x", CloudConfig: []byte("{}")},
		machine.Later{After: machine.Reboot, Next: machine.Next{CloudConfig: []byte(`{"second":1}`), Files: []machine.File{{Path: "/second", Mode: 0o600}}}},
		machine.Later{After: machine.PowerLoss, Next: machine.Next{CloudConfig: []byte(`{"third":1}`)}})
	check := exec.CommandContext(t.Context(), "sh", "-n")
	check.Stdin = strings.NewReader(script)
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, step := range []string{`engine start "$worker"`, "read -r _", `engine stop --time 100 "$worker"`, `{"second":1}`, "/second", `engine start "$worker"`, "read -r _", `engine kill "$worker"`, `{"third":1}`, `engine start "$worker"`, "docker rm -f"} {
		_, after, ok := strings.Cut(script, step)
		require.True(t, ok, "%s, in this order, in:\n%s", step, script)
		script = after
	}
}

func TestTheEnginesOwnClientIsUsed(t *testing.T) {
	t.Parallel()
	docker := client.ServerVersionResult{Components: []system.ComponentVersion{{Name: "Engine"}, {Name: "containerd"}}}
	podman := client.ServerVersionResult{Components: []system.ComponentVersion{{Name: "Podman Engine"}, {Name: "Conmon"}}}
	for _, tt := range []struct {
		engine       client.ServerVersionResult
		host, client string
		dns          bool
	}{
		{docker, client.DefaultDockerHost, "docker", true},
		{docker, "ssh://boots", "docker --host ssh://boots", true},
		{podman, "unix:///run/podman/podman.sock", "podman --url unix:///run/podman/podman.sock", false},
	} {
		b := &Backend{grant: machineCapabilities, cli: clientOf(tt.engine, tt.host)}
		assert.Equal(t, tt.client+" exec -it abc bash", strings.Join(b.Shell("abc"), " "))
		script := b.ByHand(machine.Spec{Name: "x"})
		assert.Contains(t, script, "engine() { "+tt.client+` "$@"; }`)
		assert.Equal(t, tt.dns, strings.Contains(script, " --dns "), script)
	}
}
