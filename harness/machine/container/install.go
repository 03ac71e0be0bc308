package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"bootrace/harness/machine"
	"bootrace/images"
)

// upWithin bounds the boot of the system that is installed into; to basic.target
// it takes about a second.
const upWithin = 60 * time.Second

// machineInit is what every worker image starts (images/base/Dockerfile).
const machineInit = "/usr/local/sbin/machine-init"

// sealFile is the script that runs instead of systemd once it is there.
const sealFile = "bootrace-seal"

// sealable is a command that boots to basic.target, or seals: nothing of Vector,
// the worker or cloud-init runs before either.
var sealable = []string{"/bin/sh", "-c", "[ ! -e /" + sealFile + " ] || exec /bin/sh -e /" + sealFile + "; exec " + machineInit + " --unit=basic.target"}

// Install puts the files in, boots the image to basic.target, runs the command in
// it, stops it, seals it and commits it: one container and one layer, for
// where the engine compares whole file systems each layer costs seconds. It returns what the command printed.
// Whatever happens the container is removed.
func (b *Backend) Install(ctx context.Context, in machine.Install) (output string, err error) {
	id, box, err := b.bench(ctx, in.Name, in.Image, sealable, in.Files)
	defer b.clear(ctx, id, &err)
	if err != nil {
		return "", err
	}
	var out tail
	if in.Command != nil {
		if err := b.boot(ctx, box, id); err != nil {
			return "", err
		}
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if in.Within > 0 {
			bounded, cancel = context.WithTimeout(ctx, in.Within)
		}
		exit, err := execute(bounded, b.Engine(), id, client.ExecCreateOptions{Cmd: in.Command, Env: in.Env}, nil, &out, &out)
		cancel()
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			return out.String(), machine.LateError{Within: in.Within}
		case err != nil:
			return out.String(), err
		case exit != 0:
			return out.String(), machine.ExitError{Status: exit}
		}
		grace := 10
		if _, err := b.Engine().ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &grace}); err != nil {
			return out.String(), fmt.Errorf("stop the machine: %w", err)
		}
	}
	sealed, err := b.seal(ctx, id, in.Seal)
	if err != nil {
		return out.String(), machine.SealError{Err: err}
	}
	// A machine of the image is not the bench's: Sweep would take for abandoned what
	// somebody starts of it by hand.
	labels := b.labels("", "")
	for key := range labels {
		labels[key] = ""
	}
	maps.Copy(labels, in.Labels(sealed))
	changes := []string{`CMD ["` + machineInit + `"]`}
	for key, value := range labels {
		changes = append(changes, fmt.Sprintf("LABEL %q=%q", key, value))
	}
	// Podman wants a configuration, and newer ones keep no stop signal; Docker has the rest of
	// it from the container, and takes no STOPSIGNAL among the changes.
	signal := &container.Config{StopSignal: "SIGRTMIN+3"}
	if _, err := b.Engine().ContainerCommit(ctx, id, client.ContainerCommitOptions{Reference: in.Ref, Changes: changes, Config: signal}); err != nil {
		return out.String(), fmt.Errorf("commit the machine: %w", err)
	}
	return out.String(), nil
}

// tail keeps the end of what is written to it: a program may print for ever.
type tail struct{ kept []byte }

// tailKept is how much of it.
const tailKept = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if cut := len(t.kept) - tailKept; cut > tailKept {
		t.kept = append(t.kept[:0], t.kept[cut:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept[max(0, len(t.kept)-tailKept):]) }

// seal runs the script alone in a container that is stopped, and returns what it
// printed.
func (b *Backend) seal(ctx context.Context, id, script string) (string, error) {
	script = "rm /" + sealFile + "\n" + script
	began, err := b.now(ctx)
	if err != nil {
		return "", err
	}
	if err := b.copy(ctx, id, began, []machine.File{{Path: "/" + sealFile, Mode: 0o600, Data: []byte(script)}}); err != nil {
		return "", err
	}
	exit, said, warned, err := images.ToItsEnd(ctx, b.Engine(), id, began)
	if err == nil && exit != 0 {
		err = fmt.Errorf("its script exited %d: %s", exit, strings.TrimSpace(warned))
	}
	return said, err
}

// Examine boots the image to basic.target, runs the command in it, and returns
// what it printed to stdout.
func (b *Backend) Examine(ctx context.Context, name, image string, command []string) (output []byte, err error) {
	id, box, err := b.bench(ctx, name, image, sealable, nil)
	defer b.clear(ctx, id, &err)
	if err != nil {
		return nil, err
	}
	if err := b.boot(ctx, box, id); err != nil {
		return nil, err
	}
	var out, stderr bytes.Buffer
	exit, err := execute(ctx, b.Engine(), id, client.ExecCreateOptions{Cmd: command}, nil, &out, &stderr)
	if err == nil && exit != 0 {
		err = fmt.Errorf("%s exited %d: %s", command[0], exit, strings.TrimSpace(stderr.String()))
	}
	return out.Bytes(), err
}

// journalDir is where a journal that is to last is kept, systemd-journald.service(8).
const journalDir = "/var/log/journal"

// journalOf is the journal that a container which has ended has on its disk, read by
// the image's own journalctl.
func (b *Backend) journalOf(ctx context.Context, ended, image string) (journal string, err error) {
	left, err := b.Engine().CopyFromContainer(ctx, ended, client.CopyFromContainerOptions{SourcePath: journalDir})
	if err != nil {
		return "", fmt.Errorf("copy %s out: %w", journalDir, err)
	}
	defer left.Content.Close()
	id, _, err := b.bench(ctx, "journal", image, sealable, nil)
	defer b.clear(ctx, id, &err)
	if err != nil {
		return "", err
	}
	const at = "/opt"
	if _, err := b.Engine().CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: at, Content: left.Content}); err != nil {
		return "", fmt.Errorf("copy %s in: %w", journalDir, err)
	}
	return b.seal(ctx, id, "journalctl --directory="+at+"/journal --output=json --all --no-pager --quiet")
}

// bench creates a machine of an image that runs a command, with the files in it, without a network but
// loopback. The container is there if there is an id, error or not.
func (b *Backend) bench(ctx context.Context, name, image string, command []string, files []byte) (id string, box testcontainers.Container, err error) {
	spec := machine.Spec{Run: "bench", Name: fmt.Sprintf("%s-%d", name, time.Now().UnixNano())}
	box, id, err = b.create(ctx, spec, "bench", testcontainers.ContainerRequest{
		Image: image,
		Cmd:   command,
		Env:   map[string]string{"container": "docker"},
		HostConfigModifier: func(hc *container.HostConfig) {
			hc.NetworkMode = "none"
			b.machineHost(hc)
		},
	})
	if err != nil {
		return id, box, fmt.Errorf("create a machine of the image: %w", err)
	}
	if files != nil {
		if _, err := b.Engine().CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: bytes.NewReader(files)}); err != nil {
			return id, box, fmt.Errorf("copy the files in: %w", err)
		}
	}
	return id, box, nil
}

// boot boots a bench to basic.target.
func (b *Backend) boot(ctx context.Context, box testcontainers.Container, id string) error {
	if err := box.Start(ctx); err != nil {
		return fmt.Errorf("start a machine of the image: %w", err)
	}
	return b.waitUntilUp(ctx, id)
}

// clear removes a bench, and joins what goes wrong with it to err.
func (b *Backend) clear(ctx context.Context, id string, err *error) {
	if id == "" {
		return
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), listTimeout)
	defer cancel()
	*err = errors.Join(*err, remove(cleanup, b.Engine(), id))
}

// waitUntilUp returns once systemd has reached its target.
func (b *Backend) waitUntilUp(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	var said bytes.Buffer
	for {
		said.Reset()
		_, err := execute(ctx, b.Engine(), id, client.ExecCreateOptions{Cmd: []string{"systemctl", "is-system-running", "--wait"}}, nil, &said, &said)
		switch state := strings.TrimSpace(said.String()); {
		case err != nil && ctx.Err() == nil:
			return fmt.Errorf("systemd is not up: %w", err)
		case state == "running", state == "degraded":
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("systemd is not up after %s, systemctl says: %s", upWithin, strings.TrimSpace(said.String()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// execute runs a command in a container and returns its exit code. The command
// goes on when ctx ends; the caller removes the container.
func execute(ctx context.Context, engine *client.Client, id string, what client.ExecCreateOptions, stdin []byte, stdout, stderr io.Writer) (exit int, err error) {
	what.AttachStdin, what.AttachStdout, what.AttachStderr = stdin != nil, true, true
	fail := func(step string, err error) (int, error) {
		if ended := context.Cause(ctx); ended != nil {
			err = ended // it closed the connection, which is what err says
		}
		return 0, fmt.Errorf("%s: %s: %w", what.Cmd[0], step, err)
	}
	ex, err := engine.ExecCreate(ctx, id, what)
	if err != nil {
		return fail("create", err)
	}
	at, err := engine.ExecAttach(ctx, ex.ID, client.ExecAttachOptions{})
	if err != nil {
		return fail("attach", err)
	}
	defer at.Close()
	// The connection knows nothing of the context.
	defer context.AfterFunc(ctx, at.Close)()
	if stdin != nil {
		if _, err := at.Conn.Write(stdin); err != nil {
			return fail("send its input", err)
		}
		if err := at.CloseWrite(); err != nil {
			return fail("end its input", err)
		}
	}
	if _, err := stdcopy.StdCopy(stdout, stderr, at.Reader); err != nil || ctx.Err() != nil {
		return fail("read its output", err)
	}
	res, err := engine.ExecInspect(ctx, ex.ID, client.ExecInspectOptions{})
	if err != nil {
		return fail("ask for its exit code", err)
	}
	return res.ExitCode, nil
}
