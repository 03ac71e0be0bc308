package container

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/images"
)

// lookout makes a container that sees the engine's host (images/azure/host), which may
// be another than this one. It is there if there is an id, error or not.
func (b *Backend) lookout(ctx context.Context, run, image, what string) (id string, box testcontainers.Container, err error) {
	spec := machine.Spec{Run: run, Name: fmt.Sprintf("host-%d", time.Now().UnixNano())}
	box, id, err = b.create(ctx, spec, what, testcontainers.ContainerRequest{
		Image: image,
		Cmd:   []string{"host", what},
		HostConfigModifier: func(hc *container.HostConfig) {
			hc.NetworkMode, hc.PidMode = "none", "host"
			if what == raiseLimit { // /proc/sys is read-only in any other
				hc.MaskedPaths, hc.ReadonlyPaths = []string{}, []string{}
			}
			// To see what files others have open, proc(5).
			hc.CapAdd, hc.SecurityOpt = []string{"SYS_PTRACE"}, []string{"apparmor=unconfined"}
		},
	})
	if err != nil {
		err = fmt.Errorf("create a container that sees the engine's host: %w", err)
	}
	return id, box, err
}

// WatchHost implements machine.Backend.
func (b *Backend) WatchHost(ctx context.Context, run, cloudImage string) (_ io.ReadCloser, err error) {
	id, box, err := b.lookout(ctx, run, cloudImage, "watch")
	defer func() {
		if err != nil {
			b.clear(ctx, id, &err)
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := box.Start(ctx); err != nil {
		return nil, fmt.Errorf("start what watches the engine's host: %w", err)
	}
	logs, err := b.Engine().ContainerLogs(context.WithoutCancel(ctx), id, logsSince(time.Time{}))
	if err != nil {
		return nil, fmt.Errorf("follow what watches the engine's host: %w", err)
	}
	out, in := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(in, io.Discard, logs)
		_ = in.CloseWithError(err)
	}()
	return &watched{Reader: out, close: func() (err error) {
		_ = out.Close()
		_ = logs.Close()
		b.clear(ctx, id, &err)
		return err
	}}, nil
}

type watched struct {
	io.Reader
	close func() error
}

func (w *watched) Close() error { return w.close() }

// facts asks a container on the engine's host what that has for machines.
func (b *Backend) facts(ctx context.Context, image string) (f recording.HostFacts, err error) {
	said, err := b.asked(ctx, image, "facts")
	if err == nil {
		err = json.Unmarshal([]byte(said), &f)
	}
	if err != nil {
		return f, fmt.Errorf("ask a container on the engine's host what that has: %w", err)
	}
	return f, nil
}

// raiseLimit is what a container on the engine's host does to let more machines run at once.
const raiseLimit = "raise"

// asked runs a container on the engine's host to its end, and returns what it printed.
func (b *Backend) asked(ctx context.Context, image, what string) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	id, _, err := b.lookout(ctx, "bench", image, what)
	defer b.clear(ctx, id, &err)
	if err != nil {
		return "", err
	}
	exit, said, warned, err := images.ToItsEnd(ctx, b.Engine(), id, time.Time{})
	if err == nil && exit != 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(warned), "\n")
		err = fmt.Errorf("it exited %d: %s", exit, first)
	}
	return said, err
}

// Cores implements wire.Backend.
func (b *Backend) Cores(ctx context.Context) (int, error) {
	info, err := b.Engine().Info(ctx, client.InfoOptions{})
	if err != nil {
		return 0, fmt.Errorf("ask the engine for its host's processors: %w", err)
	}
	return max(1, info.Info.NCPU), nil
}
