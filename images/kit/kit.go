// Package kit is what images are made of, in one archive: the files of a source tree
// that go into them, the programs, built for one or more architectures, and the museum.
// A command that is built with the tag kit carries one, and needs neither Go nor the
// source where it runs.
//
//	go run ./images/kit/pack amd64 arm64     writes images/kit/kit.tar.zst
//	go build -tags kit ./harness/cmd/bootrace
package kit

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"bootrace/images"
)

// contents are the directories and files of the source tree that are read at run time.
func contents() []string {
	return []string{
		"images/azure/Dockerfile", "images/base", "images/postgres", "images/vector/pkg/vector.service", "images/worker",
		"populator/subject.yaml", "populator/systemd", "harness/museum",
	}
}

// Pack writes the kit of a source tree, with programs for the architectures as Go names
// them. Equal trees and compilers give equal bytes.
func Pack(ctx context.Context, root string, architectures []string, w io.Writer) error {
	tree := images.Tree{}
	for _, name := range contents() {
		file := filepath.Join(root, filepath.FromSlash(name))
		info, err := os.Stat(file)
		switch {
		case err != nil:
		case info.IsDir():
			err = tree.Dir(file, name)
		default:
			err = tree.Disk(file, name, 0o644)
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
	}
	for name := range tree {
		if path.Ext(name) == ".go" {
			delete(tree, name)
		}
	}
	for _, arch := range architectures {
		if err := programs(ctx, root, arch, tree); err != nil {
			return err
		}
	}
	archive, err := tree.Tar()
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // more would not be the same bytes everywhere
	if err != nil {
		return err
	}
	_, err = z.Write(archive)
	return errors.Join(err, z.Close())
}

// programs builds what goes into images for one architecture.
func programs(ctx context.Context, root, arch string, tree images.Tree) (err error) {
	dir, err := os.MkdirTemp("", "bootrace-kit")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, pkg := range images.Programs() {
		out := filepath.Join(dir, path.Base(pkg))
		if err := images.Compile(ctx, root, pkg, arch, out); err != nil {
			return err
		}
		if err := tree.Disk(out, images.Prebuilt(pkg, arch), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Root is the directory that images are made from: that of the source tree at or above
// dir; without dir the kit that this command carries, unpacked below cache the first time;
// without a kit the tree at or above the working directory.
func Root(dir, cache string) (string, error) {
	switch {
	case dir != "":
		return images.FindRoot(dir)
	case carried != nil:
		root, err := unpack(carried, cache)
		if err != nil {
			return "", fmt.Errorf("unpack what images are made of: %w; room and write access below %s are needed, XDG_CACHE_HOME names another place", err, cache)
		}
		return root, nil
	}
	return images.FindRoot(".")
}

// Carried says whether this command needs neither Go nor the source.
func Carried() bool { return carried != nil }

// unpack makes a directory of a kit, named by its digest, whole or not at all.
func unpack(kit []byte, cache string) (string, error) {
	root := filepath.Join(cache, "kit", fmt.Sprintf("%x", sha256.Sum256(kit)))
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return "", err
	}
	part, err := os.MkdirTemp(filepath.Dir(root), "part")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(part) // is there only if something went wrong
	if err := extract(kit, part); err != nil {
		return "", err
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(part, root); err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
		return "", err
	}
	return root, nil
}

// extract writes the files of a kit below dir.
func extract(kit []byte, dir string) error {
	z, err := zstd.NewReader(bytes.NewReader(kit))
	if err != nil {
		return err
	}
	defer z.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := root.MkdirAll(path.Dir(h.Name), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(path.Clean(h.Name), 0o755)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, h.Name)
		default:
			var data []byte
			if data, err = io.ReadAll(t); err == nil {
				err = errors.Join(root.WriteFile(h.Name, data, 0o600), root.Chmod(h.Name, h.FileInfo().Mode())) // whatever the umask is
			}
		}
		if err != nil {
			return err
		}
	}
}
