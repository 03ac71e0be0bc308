package capsule

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"bootrace/results"
)

// Capsule is one that was unpacked.
type Capsule struct {
	Manifest
	At string // the directory that it is unpacked in
	// Unpacked is the run with its one case, whose recording is in At.
	Unpacked results.Run
}

// Recording is the directory of the case's recording.
func (c Capsule) Recording() string { return filepath.Join(c.At, RecordingDir) }

// Scenario is the file of the scenario.
func (c Capsule) Scenario() string { return filepath.Join(c.At, ScenarioFile) }

// SubjectDir is the subject's directory; empty if it was an image.
func (c Capsule) SubjectDir() string {
	if c.Subject.Dir == "" {
		return ""
	}
	return filepath.Join(c.At, filepath.FromSlash(c.Subject.Dir))
}

// Open unpacks a capsule into a directory, which must not exist, and is not there if
// there is an error. Whatever is in the file, nothing is written outside.
func Open(file, dir string) (c Capsule, err error) {
	f, err := os.Open(file)
	if err != nil {
		return c, fmt.Errorf("open capsule: %w", err)
	}
	defer f.Close()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return c, fmt.Errorf("open capsule %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open capsule %s: %w", file, err), os.RemoveAll(dir))
		}
	}()
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return c, plain(err)
	}
	defer z.Close()
	t := tar.NewReader(z)
	c = Capsule{At: dir}
	if c.Manifest, err = readManifest(t); err != nil {
		return c, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return c, err
	}
	defer root.Close()
	if err := unpack(root, t, c.Manifest); err != nil {
		return c, err
	}
	record, err := root.ReadFile(caseFile)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(record, &c.Unpacked); err != nil {
		return c, fmt.Errorf("%s: %w", caseFile, err)
	}
	if len(c.Unpacked.Cases) != 1 {
		return c, fmt.Errorf("%s: expected one case, got %d", caseFile, len(c.Unpacked.Cases))
	}
	kase := &c.Unpacked.Cases[0]
	kase.Recording = c.Recording()
	for i := range kase.Attempts {
		if in := kase.Attempts[i].Recording; in != "" {
			if !local(in) || !strings.HasPrefix(in, RecordingDir) {
				return c, fmt.Errorf("%s: recording in %q", caseFile, in)
			}
			kase.Attempts[i].Recording = filepath.Join(dir, in)
		}
	}
	return c, nil
}

// errNone: the file is something else.
var errNone = errors.New("it is no capsule: bootrace capsule makes them")

// plain says of an error of the decoder what it means.
func plain(err error) error {
	switch {
	case errors.Is(err, zstd.ErrMagicMismatch):
		return errNone
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it is cut short: %w", err)
	case errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("it is damaged: %w", err)
	}
	return err
}

func readManifest(t *tar.Reader) (m Manifest, err error) {
	h, err := t.Next()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, tar.ErrHeader):
		return m, errNone
	case err != nil:
		return m, plain(err)
	case h.Name != manifestFile || h.Typeflag != tar.TypeReg:
		return m, errNone
	case h.Size > maxManifest:
		return m, fmt.Errorf("%s has %d bytes, more than any", manifestFile, h.Size)
	}
	data, err := io.ReadAll(t)
	if err != nil {
		return m, plain(err)
	}
	// The version first: what a newer one says otherwise is not to be misread.
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	}
	switch {
	case version.Format > Format:
		return m, fmt.Errorf("%s: format %d, this program reads up to %d: a newer bootrace made it, read it with that", manifestFile, version.Format, Format)
	case version.Format < 1:
		return m, errNone
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	}
	return m, m.sensible()
}

// sensible refuses a manifest whose files would not stay where they are unpacked.
func (m Manifest) sensible() error {
	if len(m.Files) > maxFilesInOne {
		return fmt.Errorf("%s names %d files, more than any case has", manifestFile, len(m.Files))
	}
	for _, must := range []string{caseFile, ScenarioFile, PageFile, RecordingDir + "/manifest.json"} {
		if f, ok := m.Files[must]; !ok || !f.Mode.IsRegular() {
			return fmt.Errorf("%s names no %s", manifestFile, must)
		}
	}
	if m.Subject.Dir != "" && (!local(m.Subject.Dir) || !within(subjectDir, m.Subject.Dir)) {
		return fmt.Errorf("%s: subject in %q, which is not below %s", manifestFile, m.Subject.Dir, subjectDir)
	}
	var all int64
	for name, f := range m.Files {
		if !local(name) || name == manifestFile {
			return fmt.Errorf("%s names %q: a path that leads elsewhere", manifestFile, name)
		}
		if f.Size < 0 || f.Size > maxUnpacked {
			return fmt.Errorf("%s: %s has %d bytes", manifestFile, name, f.Size)
		}
		all += f.Size
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := m.Files[dir]; ok {
				return fmt.Errorf("%s: %s is below %s, which is no directory of the capsule", manifestFile, name, dir)
			}
		}
		switch f.Mode.Type() {
		case 0:
		case fs.ModeDir, fs.ModeSymlink:
			if !within(subjectDir, name) {
				return fmt.Errorf("%s: %s is no regular file", manifestFile, name)
			}
		default:
			return fmt.Errorf("%s: %s is neither a file nor a symbolic link", manifestFile, name)
		}
	}
	if all > maxUnpacked {
		return fmt.Errorf("%s: its files have %d bytes together, more than any case's", manifestFile, all)
	}
	return nil
}

// local says whether a name stays below where it is put.
func local(name string) bool {
	return name != "." && path.Clean(name) == name && filepath.IsLocal(name) && !strings.ContainsRune(name, 0)
}

func unpack(root *os.Root, t *tar.Reader, m Manifest) error {
	done := map[string]bool{}
	links := map[string]string{} // made last: nothing is written by way of one
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return plain(err)
		}
		name := h.Name
		want, ok := m.Files[name]
		switch {
		case !ok:
			return fmt.Errorf("%q is in it, and not in its manifest", name)
		case done[name]:
			return fmt.Errorf("%s is in it twice", name)
		}
		done[name] = true
		switch {
		case h.Typeflag == tar.TypeReg && want.Mode.IsRegular():
			err = put(root, name, want, t)
		case h.Typeflag == tar.TypeSymlink && want.Mode.Type() == fs.ModeSymlink:
			if links[name] = h.Linkname; !ofImage(name) && (path.IsAbs(h.Linkname) || !local(path.Join(path.Dir(name), h.Linkname))) {
				return fmt.Errorf("%s is a link to %q, which leads elsewhere", name, h.Linkname)
			}
			err = same(name, want, int64(len(h.Linkname)), sha256.Sum256([]byte(h.Linkname)))
		case h.Typeflag == tar.TypeDir && want.Mode.IsDir():
			if err = root.MkdirAll(name, 0o700); err == nil {
				err = root.Chmod(name, want.Mode&permissions)
			}
		default:
			return fmt.Errorf("%s is of another type than its manifest says", name)
		}
		if err != nil {
			return plain(err)
		}
	}
	for _, name := range m.names() {
		if !done[name] {
			return fmt.Errorf("%s is missing: it is cut short, or was changed", name)
		}
	}
	for name, target := range links {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.Symlink(target, name); err != nil {
			return err
		}
	}
	return nil
}

const permissions = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// put writes one file, and holds it against the manifest.
func put(root *os.Root, name string, want File, r io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	// A byte more than it should have is enough to see that it has.
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(r, want.Size+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := same(name, want, n, [sha256.Size]byte(h.Sum(nil))); err != nil {
		return err
	}
	return root.Chmod(name, want.Mode&permissions)
}

func same(name string, want File, size int64, sum [sha256.Size]byte) error {
	if size != want.Size || hex.EncodeToString(sum[:]) != want.SHA256 {
		return fmt.Errorf("%s is not what its manifest says: it was changed after it was packed", name)
	}
	return nil
}
