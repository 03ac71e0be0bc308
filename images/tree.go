package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"time"
)

// File is one file, symbolic link or empty directory of a Tree.
type File struct {
	Mode fs.FileMode // permission bits, setuid and its like; fs.ModeSymlink, fs.ModeDir
	Data []byte      // content, or the link's target
}

// digest is the SHA-256 of the content.
func (f File) digest() string { return fmt.Sprintf("sha256:%x", sha256.Sum256(f.Data)) }

// permissions are the bits of a mode that a Tree keeps.
const permissions = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Tree is what goes into an image: files by slash-separated path without a
// leading slash. Ownership is root's, times are the epoch's, so that equal trees
// have equal hashes.
type Tree map[string]File

// Dir adds the files of a directory on disk below prefix. What git keeps beside
// them is none of them, and changes while they do not.
func (t Tree) Dir(dir, prefix string) error {
	root := os.DirFS(dir)
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := File{Mode: info.Mode() & permissions}
		switch {
		case d.IsDir():
			// One that holds something comes into being with that.
			if entries, err := fs.ReadDir(root, name); err != nil || len(entries) > 0 || name == "." {
				return err
			}
			f.Mode |= fs.ModeDir
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(dir + "/" + name)
			if err != nil {
				return err
			}
			f = File{Mode: fs.ModeSymlink | 0o777, Data: []byte(target)}
		case info.Mode().IsRegular():
			if f.Data, err = fs.ReadFile(root, name); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s/%s: neither a file nor a symbolic link", dir, name)
		}
		t[path.Join(prefix, name)] = f
		return nil
	})
}

// Disk adds one file from disk under the given name and mode.
func (t Tree) Disk(file, name string, mode fs.FileMode) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t[name] = File{Mode: mode, Data: data}
	return nil
}

// Merge adds another tree below prefix; what is there already is replaced.
func (t Tree) Merge(other Tree, prefix string) {
	for name, f := range other {
		t[path.Join(prefix, name)] = f
	}
}

// Hash is the SHA-256 of all names, modes and contents, in hex.
func (t Tree) Hash() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t)) {
		f := t[name]
		sum := sha256.Sum256(f.Data)
		fmt.Fprintf(h, "%q %o %x\n", name, uint32(f.Mode), sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Tar is the tree as the engine takes it.
func (t Tree) Tar() ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		f := t[name]
		h := &tar.Header{Name: name, Mode: tarMode(f.Mode), ModTime: f.modified(), Typeflag: tar.TypeReg, Size: int64(len(f.Data))}
		switch {
		case f.Mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, string(f.Data), 0
		case f.Mode.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, name+"/"
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("tar %s: %w", name, err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(f.Data); err != nil {
				return nil, fmt.Errorf("tar %s: %w", name, err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// modified is a time that differs where the contents do. Engines whose storage has no overlayfs
// of the kernel's (fuse-overlayfs, vfs) find what a layer has changed by size and time
// (Docker's archive.ChangesDirs): a file as long as the one that it replaces was left out.
func (f File) modified() time.Time {
	if f.Mode.IsDir() {
		return time.Unix(0, 0)
	}
	sum := sha256.Sum256(f.Data)
	return time.Unix(int64(binary.BigEndian.Uint32(sum[:])%1_500_000_000), 0) // long ago
}

// tarMode is a mode as tar(5) has it.
func tarMode(m fs.FileMode) int64 {
	mode := int64(m.Perm())
	for bit, posix := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			mode |= posix
		}
	}
	return mode
}
