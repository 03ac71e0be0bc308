package images

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// Worker returns the image of a worker without a subject.
func (b *Builder) Worker(ctx context.Context, base Image, azure Image, v VectorProgram) (Image, error) {
	return b.worker(ctx, base, azure, v, func(string) bool { return false })
}

// worker adds to the base what a worker has, but for the files that it keeps.
func (b *Builder) worker(ctx context.Context, base Image, azure Image, v VectorProgram, keeps func(name string) bool) (Image, error) {
	rootfs := Tree{}
	if err := rootfs.Dir(filepath.Join(b.Root, "images", "worker", "files"), ""); err != nil {
		return Image{}, fmt.Errorf("worker image: %w", err)
	}
	for pkg, name := range map[string]string{"images/twin": "boot-logger", "images/collector": "bootrace-collect"} {
		if err := b.AddProgram(ctx, rootfs, pkg, "usr/local/bin/"+name); err != nil {
			return Image{}, fmt.Errorf("worker image: %w", err)
		}
	}
	rootfs["usr/local/bin/opensandbox-worker"] = link("boot-logger")
	rootfs.Merge(v.files, "")
	ca, err := base64.StdEncoding.DecodeString(azure.Labels[labelCA])
	if err != nil || len(ca) == 0 {
		return Image{}, fmt.Errorf("worker image: %s has no authority in base64 as its label %s: remove it (bootrace clean --images), it is built anew", azure.Ref, labelCA)
	}
	maps.DeleteFunc(rootfs, func(name string, _ File) bool { return keeps(name) })
	rootfs["usr/local/share/ca-certificates/bootrace.crt"] = File{Mode: 0o644, Data: ca}

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
