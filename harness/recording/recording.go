// Package recording is the directory format of one boot: the raw files that were
// taken of it, and a manifest that says what they are and what is missing.
//
// It is written while the boot goes on, so that a harness that dies leaves what
// there was, and no secret's value reaches the disk: each is replaced by
// [secret:NAME] on the way, which is also how a leak is found later.
//
//	w, err := recording.Create(dir, secrets)
//	go w.Stream(recording.ConsoleFile, m.Console(), nil)
//	…
//	err = w.Close(recording.Manifest{Case: "delay-45s@trixie#1"})
package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"
)

// Format is the version of the directory format, as it is written and the newest
// that is read.
const Format = 1

// Manifest describes a recording. Times are of CLOCK_MONOTONIC in nanoseconds
// where the name says mono.
type Manifest struct {
	Format       int    `json:"format"`
	Case         string `json:"case"`
	BootZeroMono int64  `json:"boot_zero_mono_ns"`
	BootRealtime int64  `json:"boot_realtime_us"`
	EndMono      int64  `json:"end_mono_ns"`
	// Boot is which boot of its machine it is; 0: the first. Of a later one StartMono is when
	// it was started: what the journal has from before is of another boot.
	Boot      int   `json:"boot,omitempty"`
	StartMono int64 `json:"start_mono_ns,omitempty"`
	// Down is how long the boot before took to end when the machine was told to reboot.
	Down          time.Duration `json:"down_ns,omitempty"`
	ContainerExit *int          `json:"container_exit"`
	// Cut is why the recording ends before its scenario does: what the host did to the boot
	// by then leaves nothing to judge. Empty: it ends as planned.
	Cut      string            `json:"cut,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`
	Secrets  []string          `json:"secrets,omitempty"` // names, never values
	Files    map[string]File   `json:"files"`
	Missing  map[string]string `json:"missing,omitempty"` // file or source: why
}

// File is a file's size in bytes, its SHA-256 in hex, and the version of its form; 0
// is of a recording older than versions, or of a file that no program reads.
type File struct {
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Version int    `json:"version,omitempty"`
}

// ReadManifest reads the manifest of a recording. One that is newer than this
// program, or has a file that is, is refused: to read it all the same would be to
// judge what is not understood.
func ReadManifest(fsys fs.FS) (Manifest, error) {
	var m Manifest
	data, err := fs.ReadFile(fsys, ManifestFile)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	const newer = "%s: %s %d, this program reads up to %d: a newer bootrace made it, read it with that"
	switch {
	case m.Format > Format:
		return m, fmt.Errorf(newer, ManifestFile, "format", m.Format, Format)
	case m.Format < 1:
		return m, fmt.Errorf("%s: format %d is none: it is no recording's manifest", ManifestFile, m.Format)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if got, known := m.Files[name].Version, versions[name]; known > 0 && got > known {
			return m, fmt.Errorf(newer, name, "version", got, known)
		}
	}
	return m, nil
}

// Open reads the manifest of a recording and checks that every file is what it
// was when the recording was closed.
func Open(dir string) (fs.FS, Manifest, error) {
	fsys := os.DirFS(dir)
	m, err := ReadManifest(fsys)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (a case that was cut off leaves no manifest)", err)
	}
	if err != nil {
		return nil, m, fmt.Errorf("open recording %s: %w", dir, err)
	}
	for name, want := range m.Files {
		got, err := describe(filepath.Join(dir, name))
		if err != nil {
			return nil, m, fmt.Errorf("open recording %s: %w", dir, err)
		}
		if got.Size != want.Size || got.SHA256 != want.SHA256 {
			return nil, m, fmt.Errorf("open recording %s: %s was changed after it was recorded", dir, name)
		}
	}
	return fsys, m, nil
}

func describe(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return File{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// writeManifest lists what is in the directory and writes the manifest, whole or
// not at all.
func writeManifest(dir string, m Manifest) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	m.Format, m.Files = Format, map[string]File{}
	for _, e := range entries {
		if e.Name() == ManifestFile || !e.Type().IsRegular() {
			continue
		}
		f, err := describe(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		f.Version = versions[e.Name()]
		m.Files[e.Name()] = f
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, ManifestFile), append(data, '\n'), 0o644)
}
