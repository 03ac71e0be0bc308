package images

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"archive/tar"

	"github.com/moby/moby/client"
)

// Vector says which Vector a worker image gets.
type Vector struct {
	// Source is a .deb, a binary, or an image of the real Vector; empty for the
	// stand-in.
	Source string
}

// StandIn is the Go program of images/vector, which is not Vector.
func StandIn() Vector { return Vector{} }

// Real reports whether the image gets a Vector from outside.
func (v Vector) Real() bool { return v.Source != "" }

func (v Vector) String() string {
	if v.Real() {
		return "real Vector from " + v.Source
	}
	return "stand-in"
}

// Where the Vector images of the vendor keep the program.
var vectorPaths = []string{"/usr/bin/vector", "/usr/local/bin/vector"}

// Worker returns the image of a worker without a subject.
func (b *Builder) Worker(ctx context.Context, base Image, azure Image, v Vector) (Image, error) {
	return b.worker(ctx, base, azure, v, func(string) bool { return false })
}

// worker adds to the base what a worker has, but for the files that it keeps.
func (b *Builder) worker(ctx context.Context, base Image, azure Image, v Vector, keeps func(name string) bool) (Image, error) {
	rootfs := Tree{}
	if err := rootfs.Dir(filepath.Join(b.Root, "images", "worker", "files"), ""); err != nil {
		return Image{}, fmt.Errorf("worker image: %w", err)
	}
	twin, err := b.Program(ctx, "images/twin")
	if err != nil {
		return Image{}, fmt.Errorf("worker image: %w", err)
	}
	if err := rootfs.Disk(twin, "usr/local/bin/boot-logger", 0o755); err != nil {
		return Image{}, err
	}
	for _, name := range []string{"opensandbox-worker", "bootrace-collect"} {
		rootfs["usr/local/bin/"+name] = link("boot-logger")
	}
	if err := b.addVector(ctx, rootfs, v); err != nil {
		return Image{}, fmt.Errorf("worker image: VECTOR: %w", err)
	}
	ca := azure.Labels[labelCA]
	if ca == "" {
		return Image{}, fmt.Errorf("worker image: %s has no label %s: remove it (docker image rm %s), it is built anew", azure.Ref, labelCA, azure.Ref)
	}
	maps.DeleteFunc(rootfs, func(name string, _ File) bool { return keeps(name) })
	rootfs["usr/local/share/ca-certificates/bootrace.crt"] = File{Mode: 0o644, Data: []byte(ca)}

	tree := Tree{}
	tree.Merge(rootfs, "rootfs")
	if err := tree.Disk(filepath.Join(b.Root, "images", "worker", "Dockerfile"), "Dockerfile", 0o644); err != nil {
		return Image{}, fmt.Errorf("worker image: %w", err)
	}
	return b.Make(ctx, Recipe{
		Kind: "worker", Tree: tree,
		Args: map[string]string{"BASE": base.ID},
	})
}

func link(target string) File { return File{Mode: os.ModeSymlink | 0o777, Data: []byte(target)} }

// addVector puts Vector, its unit and nothing else into the tree.
func (b *Builder) addVector(ctx context.Context, rootfs Tree, v Vector) error {
	unit := filepath.Join(b.Root, "images", "vector", "pkg", "vector.service")
	const program, unitPath = "usr/bin/vector", "usr/lib/systemd/system/vector.service"
	if !v.Real() {
		bin, err := b.Program(ctx, "images/vector")
		if err != nil {
			return err
		}
		return errors.Join(rootfs.Disk(bin, program, 0o755), rootfs.Disk(unit, unitPath, 0o644))
	}
	info, err := os.Stat(v.Source)
	switch {
	case err == nil && strings.HasSuffix(v.Source, ".deb"):
		return rootfs.Disk(v.Source, "opt/vector.deb", 0o644) // brings its own unit
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory: give a .deb, a program or an image", v.Source)
	case err == nil:
		if f, err := elf.Open(v.Source); err != nil {
			return fmt.Errorf("%s is neither a .deb nor a Linux program: %w", v.Source, err)
		} else {
			_ = f.Close()
		}
		return errors.Join(rootfs.Disk(v.Source, program, 0o755), rootfs.Disk(unit, unitPath, 0o644))
	case strings.HasPrefix(v.Source, "/") || strings.HasPrefix(v.Source, "."):
		return err
	}
	data, err := b.programFromImage(ctx, v.Source)
	if err != nil {
		return err
	}
	rootfs[program] = File{Mode: 0o755, Data: data}
	return rootfs.Disk(unit, unitPath, 0o644)
}

// programFromImage takes Vector out of an image, pulled if need be.
func (b *Builder) programFromImage(ctx context.Context, ref string) ([]byte, error) {
	if _, ok, err := b.lookup(ctx, ref); err != nil {
		return nil, err
	} else if !ok {
		res, err := b.Engine.ImagePull(ctx, ref, client.ImagePullOptions{})
		if err == nil {
			err = res.Wait(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no file, and as an image it cannot be pulled: %w", ref, err)
		}
	}
	id, shut, err := b.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer shut()
	for _, p := range vectorPaths {
		res, err := b.Engine.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: p})
		if err != nil {
			continue
		}
		defer res.Content.Close()
		r := tar.NewReader(res.Content)
		for {
			h, err := r.Next()
			if err != nil {
				return nil, fmt.Errorf("read %s of image %s: %w", p, ref, err)
			}
			if h.Typeflag == tar.TypeReg && path.Base(h.Name) == "vector" {
				return io.ReadAll(r)
			}
		}
	}
	return nil, fmt.Errorf("image %s has no %s", ref, strings.Join(vectorPaths, " or "))
}
