package images

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Given returns the worker image of an image that is a worker already, the
// subject in it: what it has of Vector, its configuration and its drop-ins stays
// as it is. The units are those in its /etc/systemd/system, else those that it changes
// by drop-ins there; the digests are the given image's own: its id, and what the
// registries that have it know it by. All are of one look at the name, which may be
// another image's a moment later.
func (b *Builder) Given(ctx context.Context, ref string, azure Image, v VectorProgram) (img Image, units, digests []string, err error) {
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
	digests = append([]string{given.ID}, given.digests...)
	slices.Sort(digests)
	return img, units, slices.Compact(digests), nil
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
