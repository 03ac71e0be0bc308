// Package subject reads what is under test and bakes it into a worker image.
//
// A subject is a directory:
//
//	SUBJECT/rootfs/…      copied to / as it is
//	SUBJECT/enable        unit names, one a line (optional; else: every unit in
//	                      rootfs/etc/systemd/system that has an [Install] section)
//
// It knows nothing of what the subject does. The default subject is the
// populator of this project, and is a subject like any other.
package subject

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"bootrace/images"
)

// Subject is what is under test, read.
type Subject struct {
	Name   string
	Rootfs images.Tree // what is copied to /
	Enable []string    // units to enable
	Units  []string    // all units it brings
}

// unitDirs are where a subject's units lie, relative to its root.
var unitDirs = []string{"etc/systemd/system", "usr/lib/systemd/system"}

var unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|path|timer|target|mount)$`)

// Read reads a subject directory.
func Read(dir string) (Subject, error) {
	s := Subject{Name: filepath.Base(filepath.Clean(dir)), Rootfs: images.Tree{}}
	if info, err := os.Stat(filepath.Join(dir, "rootfs")); err != nil || !info.IsDir() {
		return s, fmt.Errorf("subject %s: it has no directory rootfs, whose files are copied to / of the worker image (README.md, \"Your own subject\")", dir)
	}
	if err := s.Rootfs.Dir(filepath.Join(dir, "rootfs"), ""); err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	list, err := os.ReadFile(filepath.Join(dir, "enable"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	s.Enable = strings.Fields(string(list))
	if err := s.complete(len(list) > 0); err != nil {
		return s, fmt.Errorf("subject %s: %w", dir, err)
	}
	return s, nil
}

// Populator is the default subject: this project's own, built from source.
func Populator(ctx context.Context, b *images.Builder) (Subject, error) {
	s := Subject{Name: "populator", Rootfs: images.Tree{}}
	program, err := b.Program(ctx, "populator/cmd/populate-vector-env")
	if err != nil {
		return s, fmt.Errorf("subject populator: %w", err)
	}
	if err := s.Rootfs.Disk(program, "usr/local/bin/populate-vector-env", 0o755); err != nil {
		return s, fmt.Errorf("subject populator: %w", err)
	}
	if err := s.Rootfs.Dir(filepath.Join(b.Root, "populator", "systemd"), "etc/systemd/system"); err != nil {
		return s, fmt.Errorf("subject populator: %w", err)
	}
	return s, s.complete(false)
}

// complete fills in Units, and Enable where the subject does not say.
func (s *Subject) complete(named bool) error {
	for _, name := range slices.Sorted(maps.Keys(s.Rootfs)) {
		unit := path.Base(name)
		if !slices.Contains(unitDirs, path.Dir(name)) || !unitName.MatchString(unit) {
			continue
		}
		s.Units = append(s.Units, unit)
		if !named && bytes.Contains(s.Rootfs[name].Data, []byte("[Install]")) {
			s.Enable = append(s.Enable, unit)
		}
	}
	for _, unit := range s.Enable {
		if !unitName.MatchString(unit) {
			return fmt.Errorf("%q in its file enable is no unit name", unit)
		}
	}
	if len(s.Units) == 0 {
		return fmt.Errorf("it brings no unit: expected one in rootfs/%s", strings.Join(unitDirs, " or rootfs/"))
	}
	return nil
}

// Hash identifies what is under test: two subjects with one hash are the same.
func (s Subject) Hash() string { return s.tree().Hash() }

// tree is the build context: the files, and the Dockerfile that bakes them.
func (s Subject) tree() images.Tree {
	var df strings.Builder
	df.WriteString("ARG WORKER\nFROM ${WORKER}\nCOPY rootfs/ /\nRUN ")
	if len(s.Enable) > 0 {
		// Quoted: a unit's name may hold a backslash.
		fmt.Fprintf(&df, "systemctl enable '%s' && ", strings.Join(s.Enable, "' '"))
	}
	// As in images/worker/Dockerfile: nothing is to be rebuilt at the first boot.
	df.WriteString(": > /etc/machine-id && touch -r /usr /etc/.updated /var/.updated\n")
	t := images.Tree{"Dockerfile": {Mode: 0o644, Data: []byte(df.String())}}
	t.Merge(s.Rootfs, "rootfs")
	return t
}

// Bake returns the worker image with the subject in it.
func (s Subject) Bake(ctx context.Context, b *images.Builder, worker images.Image) (images.Image, error) {
	img, err := b.Make(ctx, images.Recipe{Kind: "subject", Tree: s.tree(), Args: map[string]string{"WORKER": worker.ID}})
	if err != nil {
		return img, fmt.Errorf("bake subject %s: %w", s.Name, err)
	}
	return img, nil
}
