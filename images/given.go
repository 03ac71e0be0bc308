package images

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Given returns the worker image of an image that is a worker already, the
// subject in it: what it has of Vector, its configuration and its drop-ins stays
// as it is. The units are those in its /etc/systemd/system, else those that it changes
// by drop-ins there; the digests are the given image's own: its id, and what the
// registries that have it know it by. All are of one look at the name, which may be
// another image's a moment later. What is at the paths of keep is as it was given: there,
// another, or not there at all; else what a build leaves is cleaned away.
func (b *Builder) Given(ctx context.Context, ref string, azure Image, v VectorProgram, keep []string) (img Image, units, digests []string, err error) {
	given, err := b.image(ctx, ref)
	if err != nil {
		return img, nil, nil, fmt.Errorf("image %s: %w", ref, err)
	}
	base, err := b.baseOn(ctx, ref, given)
	if err != nil {
		return img, nil, nil, err
	}
	id, shut, err := b.open(ctx, base.ID)
	if err != nil {
		return img, nil, nil, err
	}
	defer shut()
	has := func(name string) bool {
		_, err := b.Engine.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: "/" + name})
		return err == nil
	}
	theirs := map[string]bool{} // by directory or file
	for _, name := range []string{vectorProgram, vectorUnit, "etc/vector", "etc/systemd/system/vector.service.d"} {
		theirs[name] = has(name) && !(v.insists && name == vectorProgram)
	}
	theirs[standInFile] = theirs[vectorProgram]
	units, err = b.localUnits(ctx, id)
	if err == nil && len(units) == 0 {
		err = errors.New("it has no unit and no drop-in of its own in /etc/systemd/system, by which the subject is known")
	}
	if err != nil {
		return img, nil, nil, fmt.Errorf("image %s: %w", ref, err)
	}
	img, err = b.worker(ctx, base, azure, v, func(name string) bool { return theirs[name] || theirs[path.Dir(name)] })
	if err != nil {
		return img, nil, nil, fmt.Errorf("image %s: %w", ref, err)
	}
	if img, err = b.restored(ctx, img, given, keep); err != nil {
		return img, nil, nil, fmt.Errorf("image %s: %w", ref, err)
	}
	digests = append([]string{given.ID}, given.digests...)
	slices.Sort(digests)
	return img, units, slices.Compact(digests), nil
}

// restored is an image in which paths are as another has them.
func (b *Builder) restored(ctx context.Context, img, given Image, paths []string) (Image, error) {
	if len(paths) == 0 {
		return img, nil
	}
	id, shut, err := b.open(ctx, given.ID)
	if err != nil {
		return img, err
	}
	defer shut()
	file := "ARG GIVEN\nARG WORKER\nFROM ${GIVEN} AS given\nFROM ${WORKER}\nRUN rm -rf " + strings.Join(paths, " ") + "\n"
	for _, name := range paths {
		if _, err := b.Engine.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: name}); err == nil {
			file += "COPY --from=given " + name + " " + name + "\n"
		}
	}
	return b.Make(ctx, Recipe{Kind: "worker", Tree: Tree{"Dockerfile": {Mode: 0o644, Data: []byte(file)}}, Args: map[string]string{"GIVEN": given.ID, "WORKER": img.ID}})
}

// Look runs a script in an image of which nothing else runs, and returns what it printed.
func (b *Builder) Look(ctx context.Context, ref, script string) (printed string, err error) {
	img, err := b.image(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", ref, err)
	}
	box, err := b.Engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: img.ID, Entrypoint: []string{"/bin/sh", "-c", script}, Cmd: []string{}, User: "0", Labels: map[string]string{LabelImage: "look"}},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err == nil {
		defer func() {
			_, _ = b.Engine.ContainerRemove(context.WithoutCancel(ctx), box.ID, client.ContainerRemoveOptions{Force: true})
		}()
		_, printed, _, err = ToItsEnd(ctx, b.Engine, box.ID, time.Time{})
	}
	if err != nil {
		return "", fmt.Errorf("look into image %s: %w", ref, err)
	}
	return printed, nil
}

// ToItsEnd starts a container, and returns when its program has ended with its exit code
// and what it has printed from a moment on; the zero time: all that the container ever has.
func ToItsEnd(ctx context.Context, engine *client.Client, id string, since time.Time) (exit int64, said, warned string, err error) {
	wait := engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return 0, "", "", err
	}
	select {
	case err := <-wait.Error:
		return 0, "", "", fmt.Errorf("wait for its script: %w", err)
	case end := <-wait.Result:
		exit = end.StatusCode
	}
	wanted := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true}
	if !since.IsZero() {
		wanted.Since = since.Format(time.RFC3339Nano)
	}
	logs, err := engine.ContainerLogs(ctx, id, wanted)
	if err != nil {
		return exit, "", "", fmt.Errorf("its script exited %d, and what it printed cannot be had: %w", exit, err)
	}
	defer logs.Close()
	var out, stderr strings.Builder
	if _, err := stdcopy.StdCopy(&out, &stderr, logs); err != nil {
		return exit, "", "", fmt.Errorf("its script exited %d, and what it printed cannot be read: %w", exit, err)
	}
	return exit, out.String(), stderr.String(), nil
}

// open makes a container of an image, never started, to look into.
func (b *Builder) open(ctx context.Context, ref string) (id string, shut func(), err error) {
	// An image without a command wants one named all the same.
	box, err := b.Engine.ContainerCreate(ctx, client.ContainerCreateOptions{Config: &container.Config{
		Image: ref, Cmd: []string{"none"}, Labels: map[string]string{LabelImage: "look"},
	}})
	if err != nil {
		return "", nil, fmt.Errorf("open image %s: %w", ref, err)
	}
	return box.ID, func() {
		_, _ = b.Engine.ContainerRemove(context.WithoutCancel(ctx), box.ID, client.ContainerRemoveOptions{Force: true})
	}, nil
}

// ReadFile reads a file of an image; the error is fs.ErrNotExist where it has none.
func (b *Builder) ReadFile(ctx context.Context, ref, name string) ([]byte, error) {
	id, shut, err := b.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer shut()
	res, err := b.Engine.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: name})
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("image %.19s: %s: %w", ref, name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("image %.19s: read %s: %w", ref, name, err)
	}
	defer res.Content.Close()
	r := tar.NewReader(res.Content)
	if _, err := r.Next(); err != nil {
		return nil, fmt.Errorf("image %.19s: read %s: %w", ref, name, err)
	}
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// notTheirs are units that a worker image has anyway.
var notTheirs = map[string]bool{"opensandbox-worker.service": true, "boot-logger.service": true, "vector.service": true}

// localUnits lists the units in the image's /etc/systemd/system itself.
func (b *Builder) localUnits(ctx context.Context, id string) ([]string, error) {
	res, err := b.Engine.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: "/etc/systemd/system"})
	if err != nil {
		return nil, fmt.Errorf("read its /etc/systemd/system: %w", err)
	}
	defer res.Content.Close()
	files := map[string]string{}
	for r := tar.NewReader(res.Content); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return Units(files), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read its /etc/systemd/system: %w", err)
		}
		if name := strings.TrimPrefix(h.Name, "system/"); h.Typeflag != tar.TypeDir && !notTheirs[name] {
			files[name] = h.Linkname
		}
	}
}
