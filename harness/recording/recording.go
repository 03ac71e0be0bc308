// Package recording is the directory format of one boot: the raw files that were
// taken of it, and a manifest that says what they are and what is missing.
//
// It is written while the boot goes on, so that a harness that dies leaves what
// there was, and no secret's value reaches the disk: each is replaced by
// [secret:NAME] on the way, which is also how a leak is found later.
//
//	w, err := recording.Create(dir, secrets)
//	go w.Stream("console.log", m.Console())
//	…
//	err = w.Close(recording.Manifest{Case: "delay-45s@trixie#1"})
package recording

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Format is the version of the directory format.
const Format = 1

// ManifestName is the file that makes a directory a recording. It is written
// last: a directory without it is a recording that was cut off.
const ManifestName = "manifest.json"

// Manifest describes a recording. Times are of CLOCK_MONOTONIC in nanoseconds
// where the name says mono.
type Manifest struct {
	Format        int               `json:"format"`
	Case          string            `json:"case"`
	BootZeroMono  int64             `json:"boot_zero_mono_ns"`
	BootRealtime  int64             `json:"boot_realtime_us"`
	EndMono       int64             `json:"end_mono_ns"`
	ContainerExit *int              `json:"container_exit"`
	Versions      map[string]string `json:"versions,omitempty"`
	Secrets       []string          `json:"secrets,omitempty"` // names, never values
	Files         map[string]File   `json:"files"`
	Missing       map[string]string `json:"missing,omitempty"` // file or source: why
}

// File is a file's size in bytes and its SHA-256 in hex.
type File struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Open reads the manifest of a recording and checks that every file is what it
// was when the recording was closed.
func Open(dir string) (fs.FS, Manifest, error) {
	var m Manifest
	data, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		return nil, m, fmt.Errorf("open recording %s: %w (a case that was cut off leaves no manifest)", dir, err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, m, fmt.Errorf("open recording %s: %s: %w", dir, ManifestName, err)
	}
	if m.Format != Format {
		return nil, m, fmt.Errorf("open recording %s: format %d, this program reads %d", dir, m.Format, Format)
	}
	for name, want := range m.Files {
		got, err := describe(filepath.Join(dir, name))
		if err != nil {
			return nil, m, fmt.Errorf("open recording %s: %w", dir, err)
		}
		if got != want {
			return nil, m, fmt.Errorf("open recording %s: %s was changed after it was recorded", dir, name)
		}
	}
	return os.DirFS(dir), m, nil
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
		if e.Name() == ManifestName || !e.Type().IsRegular() {
			continue
		}
		if m.Files[e.Name()], err = describe(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, ManifestName), append(data, '\n'), 0o644)
}
