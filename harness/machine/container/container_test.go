package container

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
	"bootrace/harness/machine/machinetest"
	"bootrace/images"
	"bootrace/images/azure/config"
)

// lab is what tests on real machines need, with the images built.
type lab struct {
	backend       *Backend
	worker, azure string
	owner         *os.File
}

func newLab(t *testing.T) lab {
	t.Helper()
	if testing.Short() {
		t.Skip("boots machines")
	}
	owner, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(owner.Fd()), syscall.LOCK_EX))
	t.Cleanup(func() { _ = owner.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	b, err := Connect(ctx, owner.Name())
	require.NoError(t, err)
	root, err := images.FindRoot(".")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	builder := b.Builder(root, filepath.Join(cache, "bootrace"), func(s string) { t.Log(s) })
	base, err := builder.Base(ctx, images.Suites()[0])
	require.NoError(t, err)
	azure, err := builder.Azure(ctx)
	require.NoError(t, err)
	vector, err := builder.Vector(ctx, images.Vector{})
	require.NoError(t, err)
	worker, err := builder.Worker(ctx, base, azure, vector)
	require.NoError(t, err)
	return lab{backend: b, worker: worker.ID, azure: azure.ID, owner: owner}
}

func (l lab) spec(t *testing.T, name, script string) machine.Spec {
	t.Helper()
	cfg := config.Default()
	cfg.Vault, cfg.Tenant, cfg.Listen.DNS = "kv-test", "11111111-2222-4333-8444-555555555555", "127.0.0.1:53"
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	const seed = "/var/lib/cloud/seed/nocloud/"
	return machine.Spec{
		Run: "test-" + filepath.Base(filepath.Dir(l.owner.Name())), Name: name, WorkerImage: l.worker, CloudImage: l.azure,
		CloudConfig: text,
		Files: []machine.File{
			{Path: seed + "meta-data", Mode: 0o600, Data: []byte("instance-id: " + name + "\n")},
			{Path: seed + "user-data", Mode: 0o600, Data: []byte(script)},
		},
	}
}

// running lists our containers, those of this test's run alone.
func (l lab) running(ctx context.Context) ([]string, error) {
	list, err := l.backend.Engine().ContainerList(ctx, client.ContainerListOptions{All: true,
		Filters: client.Filters{}.Add("label", images.LabelOwner+"="+l.owner.Name())})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range list.Items {
		names = append(names, c.Names...)
	}
	return names, nil
}

func TestContainersAreMachines(t *testing.T) {
	l := newLab(t)
	machinetest.Run(t, machinetest.Subject{
		Backend: l.backend, Running: l.running,
		Spec: func(name, script string) machine.Spec { return l.spec(t, name, script) },
	})
}

func TestSweepTakesOnlyWhatNobodyHolds(t *testing.T) {
	l := newLab(t)
	start := func(name string) machine.Machine {
		m, err := l.backend.Start(t.Context(), l.spec(t, name, "#!/bin/sh\n"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = m.Remove(context.Background()) })
		return m
	}
	mine := func() int {
		names, err := l.running(t.Context())
		require.NoError(t, err)
		return len(names)
	}
	start("sweep-plain")
	kept := start("sweep-kept")
	require.NoError(t, kept.Keep(t.Context()))
	assert.Contains(t, l.backend.Shell(kept.ID()), kept.ID())
	t.Cleanup(func() {
		for _, c := range []string{kept.(*box).worker, kept.(*box).cloud} {
			_ = remove(context.Background(), l.backend.Engine(), c)
		}
	})

	_, err := l.backend.Sweep(t.Context(), machine.NotKept)
	require.NoError(t, err)
	require.Equal(t, 4, mine(), "this process is alive and holds its lock")

	// As the kernel does when a process is killed.
	require.NoError(t, l.owner.Close())
	_, err = l.backend.Sweep(t.Context(), machine.NotKept)
	require.NoError(t, err)
	require.Equal(t, 2, mine(), "the kept machine and its cloud stay")
	require.NoError(t, kept.Remove(t.Context()), "a kept machine is out of its owner's hands")
	require.Equal(t, 2, mine())
}
