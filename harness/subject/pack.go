package subject

import (
	"fmt"
	"path/filepath"
	"strings"

	"bootrace/images"
)

// Pack returns all that a subject's directory is made of, its layers included, as they
// lie to each other, and where among them the subject is: put down elsewhere it is
// read as the same subject.
func Pack(dir string) (files images.Tree, at string, err error) {
	own, err := filepath.Abs(dir)
	if err != nil {
		return nil, "", fmt.Errorf("pack subject %s: %w", dir, err)
	}
	m, err := readManifest(filepath.Join(own, "subject.yaml"))
	if err != nil {
		return nil, "", fmt.Errorf("pack subject %s: %w", dir, err)
	}
	dirs, above := []string{own}, filepath.Dir(own)
	for _, layer := range m.Layers {
		layer = filepath.Join(own, layer)
		dirs = append(dirs, layer)
		for above != layer && !strings.HasPrefix(layer, strings.TrimSuffix(above, "/")+"/") {
			above = filepath.Dir(above)
		}
	}
	files = images.Tree{}
	for _, d := range dirs {
		rel, err := filepath.Rel(above, d)
		if err == nil {
			err = files.Dir(d, filepath.ToSlash(rel))
		}
		if err != nil {
			return nil, "", fmt.Errorf("pack subject %s: %w", dir, err)
		}
	}
	at, err = filepath.Rel(above, own)
	return files, filepath.ToSlash(at), err
}

// Whole is a subject that has no directory of its own, as one: this project's.
func (s Subject) Whole() images.Tree {
	files := images.Tree{}
	files.Merge(s.Rootfs, "rootfs")
	return files
}
