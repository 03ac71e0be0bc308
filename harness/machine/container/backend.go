// Package container runs machines as containers, in real time: two to a machine,
// the cloud, which owns a network namespace without a way out, and the worker,
// which joins it.
package container

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/images"
)

// Backend runs machines on a container engine.
type Backend struct {
	provider *testcontainers.DockerProvider // nil where no engine answers
	down     error                          // why it does not
	address  string                         // of the engine, as it was named
	cli      []string                       // the engine's own client, on the command line
	own      map[string]string              // labels of what is this process's
	grant    []string                       // the capabilities that machines get; tests take some away
}

// Connect opens the engine that DOCKER_HOST or the engine's defaults name. owner
// is a file that this process keeps locked: once it is not, Sweep takes what
// this backend started for abandoned. With an error only Doctor can be asked.
func Connect(ctx context.Context, owner string) (*Backend, error) {
	b := &Backend{grant: machineCapabilities}
	if b.down = b.connect(ctx); b.down == nil {
		b.own, b.down = images.Labels("", "", owner)
	}
	return b, b.down
}

func (b *Backend) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	named := os.Getenv("DOCKER_HOST")
	b.address = named
	if strings.HasPrefix(named, "ssh://") {
		socket, err := overSSH(named)
		if err != nil {
			return err
		}
		// testcontainers reads it, as we do.
		if err := os.Setenv("DOCKER_HOST", socket); err != nil {
			return err
		}
		named = socket
	}
	if err := answers(ctx, named); err != nil {
		return err
	}
	// Its reaper is an image that not every host can pull; Sweep does its work.
	// testcontainers reads this once, at its first use.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return err
	}
	log.SetDefault(log.NewNoopLogger())
	p, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return NoEngineError{Where: "the default socket", Err: err}
	}
	if got := p.Client().DaemonHost(); named != "" && got != named {
		return fmt.Errorf("DOCKER_HOST is %s, and testcontainers took the engine at %s; make both the same (~/.testcontainers.properties)", named, got)
	}
	b.provider, b.address = p, cmp.Or(b.address, p.Client().DaemonHost())
	if err := b.Ping(ctx); err != nil {
		return err
	}
	v, err := b.Engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("ask the engine for its version: %w", err)
	}
	b.cli = clientOf(v, b.address)
	return nil
}

// clientOf is the client of an engine. Podman lists itself among what it is made of.
func clientOf(v client.ServerVersionResult, host string) []string {
	switch {
	case slices.ContainsFunc(v.Components, func(c system.ComponentVersion) bool { return c.Name == "Podman Engine" }):
		return []string{"podman", "--url", host}
	case host != client.DefaultDockerHost:
		return []string{"docker", "--host", host}
	}
	return []string{"docker"}
}

// Ping asks the engine whether it is there.
func (b *Backend) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if _, err := b.Engine().Ping(ctx, client.PingOptions{}); err != nil {
		return NoEngineError{Where: b.address, Err: err}
	}
	return nil
}

// connectTimeout bounds the wait for an engine that takes connections and does
// not answer.
const connectTimeout = 10 * time.Second

// NoEngineError says that no engine answers.
type NoEngineError struct {
	Where string
	Err   error
}

func (e NoEngineError) Error() string {
	cause := e.Err
	// What the client adds to it says the same again.
	if op := (*net.OpError)(nil); errors.As(cause, &op) {
		cause = op
	}
	// testcontainers joins the errors of all places where it has looked.
	lines := strings.FieldsFunc(cause.Error(), func(r rune) bool { return r == '\n' })
	return fmt.Sprintf("no container engine answers at %s: %s", e.Where, strings.Join(lines, "; "))
}

func (e NoEngineError) Unwrap() error { return e.Err }

// Fix is what to do about it.
func (e NoEngineError) Fix() string {
	return "start it (systemctl start docker), or set DOCKER_HOST to one that runs; bootrace doctor looks at the rest"
}

// answers asks the engine that DOCKER_HOST names whether it is there. Left to
// itself testcontainers goes on to the default socket when it is not
// (internal/core/docker_host.go), and boots machines on an engine that nobody named.
func answers(ctx context.Context, host string) error {
	if host == "" {
		return nil
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		return fmt.Errorf("DOCKER_HOST=%s: %w: expected such as unix:///var/run/docker.sock or tcp://host:2376", host, err)
	}
	defer c.Close()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return NoEngineError{Where: "DOCKER_HOST=" + host, Err: err}
	}
	return nil
}

// Name implements machine.Backend.
func (b *Backend) Name() string { return "container" }

// Builder makes images with the engine.
func (b *Backend) Builder(root, cache string, step func(what string)) *images.Builder {
	return &images.Builder{Engine: b.Engine(), Root: root, Cache: cache, Step: step}
}

// Engine is the engine's client.
func (b *Backend) Engine() *client.Client {
	return b.provider.Client().(*testcontainers.DockerClient).Client
}

// Versions implements machine.Backend.
func (b *Backend) Versions(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	v, err := b.Engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask the engine for its version: %w", err)
	}
	info, err := b.Engine().Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, fmt.Errorf("ask the engine about its host: %w", err)
	}
	return map[string]string{"engine": v.Version, "kernel": info.Info.KernelVersion}, nil
}

// cloudConfig is where the cloud expects its configuration (images/azure).
const cloudConfig = "/etc/azure/cloud.json"

// resolver has the machine ask its cloud for names. Docker mounts the same over it;
// Podman mounts nothing where the network is none, and would leave the image's own.
var resolver = machine.File{Path: "/etc/resolv.conf", Mode: 0o644, Data: []byte("nameserver 127.0.0.1\n")}

// cloudReady bounds the wait for the cloud's ready line; it takes some 50 ms.
const cloudReady = 60 * time.Second

// Start implements machine.Backend.
func (b *Backend) Start(ctx context.Context, spec machine.Spec) (_ machine.Machine, err error) {
	m := &box{backend: b, engine: b.Engine(), exited: make(chan struct{})}
	defer func() {
		if err != nil {
			cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			err = errors.Join(err, m.Remove(cleanup))
		}
	}()
	began, err := b.now(ctx)
	if err != nil {
		return nil, err
	}
	cloud, cloudID, err := b.create(ctx, spec, "cloud", testcontainers.ContainerRequest{
		Image: spec.CloudImage,
		HostConfigModifier: func(hc *container.HostConfig) {
			hc.NetworkMode = "none"
			// The cloud's own resolver. The worker has the same resolv.conf, as it
			// has the same network; the search list is not the host's.
			hc.DNS, hc.DNSSearch = []netip.Addr{netip.MustParseAddr("127.0.0.1")}, []string{"."}
			// For eth0, and the cloud behind it (images/azure/uplink).
			hc.CapAdd = []string{"NET_ADMIN"}
		},
	})
	m.cloud = cloudID
	if err != nil {
		return nil, fmt.Errorf("create the cloud of %s: %w", spec.Name, err)
	}
	// The cloud starts while the worker, which needs its name only, is made.
	ready := make(chan error, 1)
	go func() {
		config := []machine.File{{Path: cloudConfig, Mode: 0o600, Data: spec.CloudConfig}}
		err := b.copy(ctx, cloudID, began, config)
		if err == nil {
			err = cloud.Start(ctx)
		}
		if err == nil {
			err = m.followCloud(ctx, time.Time{})
		}
		ready <- err
	}()
	worker, workerID, err := b.create(ctx, spec, "worker", testcontainers.ContainerRequest{
		Image: spec.WorkerImage,
		Env:   map[string]string{"container": "docker"},
		// PID 1's messages from before journald runs go to the console only.
		ConfigModifier: func(c *container.Config) { c.Tty = true },
		HostConfigModifier: func(hc *container.HostConfig) {
			hc.NetworkMode = container.NetworkMode("container:" + m.cloud)
			b.machineHost(hc)
		},
	})
	m.worker = workerID
	m.journal = func(ctx context.Context) (string, error) { return b.journalOf(ctx, workerID, spec.WorkerImage) }
	if err == nil {
		err = b.copy(ctx, workerID, began, append(slices.Clone(spec.Files), resolver))
	}
	if readyErr := <-ready; readyErr != nil {
		return nil, fmt.Errorf("start the cloud of %s: %w", spec.Name, readyErr)
	}
	if err == nil {
		err = worker.Start(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("start machine %s: %w", spec.Name, err)
	}
	if err := m.followWorker(ctx, time.Time{}); err != nil {
		return nil, fmt.Errorf("start machine %s: %w", spec.Name, err)
	}
	return m, nil
}

// machineCapabilities are what a machine gets beside the engine's own: systemd
// mounts its file systems itself, and the collector reads the environments of
// other users' processes, ptrace(2), for which kernels up to 6.12 at least, and
// every user namespace, want CAP_SYS_PTRACE.
var machineCapabilities = []string{"SYS_ADMIN", "SYS_PTRACE"}

// machineHost is what systemd needs of the engine to be PID 1.
func (b *Backend) machineHost(hc *container.HostConfig) {
	hc.CapAdd = b.grant
	hc.SecurityOpt = []string{"seccomp=unconfined", "apparmor=unconfined"}
	hc.CgroupnsMode = "private"
	hc.Tmpfs = map[string]string{"/run": "", "/run/lock": "", "/tmp": ""}
}

// labels are what a container of ours carries.
func (b *Backend) labels(run, role string) map[string]string {
	out := maps.Clone(b.own)
	out[images.LabelRun], out[images.LabelRole] = run, role
	return out
}

// create makes a container. The id is there as soon as the container is.
func (b *Backend) create(ctx context.Context, spec machine.Spec, role string, req testcontainers.ContainerRequest) (c testcontainers.Container, id string, err error) {
	req.Name = containerName(spec, role)
	req.Labels = b.labels(spec.Run, role)
	// On an engine without a network called bridge testcontainers adds one of its own,
	// which would be a way out.
	req.EndpointSettingsModifier = func(settings map[string]*network.EndpointSettings) { clear(settings) }
	// testcontainers would ask a registry for an image that the engine does not have.
	if _, err := b.Engine().ImageInspect(ctx, req.Image); errdefs.IsNotFound(err) {
		return nil, "", fmt.Errorf("its image %.19s is gone from the engine: run again, what is missing is built", req.Image)
	} else if err != nil {
		return nil, "", fmt.Errorf("ask the engine for image %s: %w", req.Image, err)
	}
	// An engine makes a container whose client has gone all the same, and then nobody has its id.
	creation, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	c, err = b.provider.CreateContainer(creation, req)
	if c != nil {
		id = c.GetContainerID()
	}
	return c, id, cmp.Or(err, ctx.Err())
}

// createTimeout bounds the making of a container, which takes some 50 ms on an idle host.
const createTimeout = 2 * time.Minute

// now is the time of the engine's host, which containers and their logs have.
func (b *Backend) now(ctx context.Context) (time.Time, error) {
	info, err := b.Engine().Info(ctx, client.InfoOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("ask the engine for its time: %w", err)
	}
	t, err := time.Parse(time.RFC3339Nano, info.Info.SystemTime)
	if err != nil {
		return t, fmt.Errorf("ask the engine for its time: %w", err)
	}
	return t, nil
}

// copy puts files of that time into a container, all in one request.
func (b *Backend) copy(ctx context.Context, id string, at time.Time, files []machine.File) error {
	if len(files) == 0 {
		return nil
	}
	content, err := tarball(at, files)
	if err != nil {
		return err
	}
	if _, err := b.Engine().CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: content}); err != nil {
		return fmt.Errorf("copy %d files in: %w", len(files), err)
	}
	return nil
}

// containerName is what docker ps shows.
func containerName(spec machine.Spec, role string) string {
	return fmt.Sprintf("bootrace-%s-%s-%s", spec.Run, printable(spec.Name), role)
}

// printable makes a machine's name part of a container's.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, name)
}

func tarball(at time.Time, files []machine.File) (io.Reader, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data)), ModTime: at}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	return &buf, w.Close()
}

// readyLine reports whether a line of the cloud's log says that it answers.
func readyLine(line []byte) bool {
	var l recording.Request
	return json.Unmarshal(line, &l) == nil && l.Service == "azure" && l.Op == recording.OpReady
}
