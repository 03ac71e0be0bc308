package vectorenv

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"

	"bootrace/populator/envfile"
)

// mode of the file: nobody but root, systemd hands the values to Vector.
const mode fs.FileMode = 0o600

// File is vector.env on disk.
type File struct{ Path string }

// Contents is what a read found.
type Contents struct {
	Kind   Kind
	Data   []byte            // the file
	Values map[string]string // nil if there is nothing systemd would load
	Err    error             // why the file could not be read, if it is there
}

// Read says what the file holds. A file that cannot be read, or that systemd
// would not load, is Kind None.
func (f File) Read() Contents {
	data, err := os.ReadFile(f.Path)
	if os.IsNotExist(err) {
		return Contents{}
	}
	if err != nil {
		return Contents{Err: err}
	}
	values, err := envfile.Parse(data)
	if err != nil {
		return Contents{Err: fmt.Errorf("%s: %w", f.Path, err)}
	}
	return Contents{Kind: kindOf(values), Data: data, Values: values}
}

// Write replaces the file by one with these bytes, unless it is that file
// already, and says whether its bytes changed. Whoever opens the file meets
// the old one or the new one, after a crash as well.
func (f File) Write(data []byte) (changed bool, err error) {
	old, readErr := os.ReadFile(f.Path)
	same := readErr == nil && bytes.Equal(old, data)
	if same && f.private() {
		return false, nil
	}
	dir := filepath.Dir(f.Path)
	if err := makeDir(dir); err != nil {
		return false, err
	}
	t, err := renameio.NewPendingFile(f.Path, renameio.WithTempDir(dir), renameio.WithStaticPermissions(mode))
	if err != nil {
		return false, err
	}
	defer func() { _ = t.Cleanup() }() // there is nothing left of one that took its place
	// A directory with the set-group-ID bit would hand the file its group.
	if err := t.Chown(os.Geteuid(), os.Getegid()); err != nil {
		return false, err
	}
	if _, err := t.Write(data); err != nil {
		return false, err
	}
	if err := t.CloseAtomicallyReplace(); err != nil {
		return false, err
	}
	// The new name is in place from here on: an error of the directory's
	// fsync means only that a power cut may still undo it.
	_ = syncDir(dir)
	return !same, nil
}

// Sweep removes what a killed Write left beside the file: secrets are in it.
func (f File) Sweep() error {
	dir, base := filepath.Split(f.Path)
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	for _, e := range entries {
		suffix, ours := strings.CutPrefix(e.Name(), "."+base)
		if !ours || suffix == "" || strings.Trim(suffix, "0123456789") != "" || !e.Type().IsRegular() {
			continue
		}
		if rmErr := os.Remove(filepath.Join(dir, e.Name())); rmErr != nil && err == nil {
			err = rmErr
		}
	}
	return err
}

// private says whether the file is a plain file of ours that nobody else reads.
func (f File) private() bool {
	info, err := os.Lstat(f.Path)
	if err != nil || info.Mode() != mode {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid()
}

func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, 0o755) // whatever the umask, others share this directory
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
