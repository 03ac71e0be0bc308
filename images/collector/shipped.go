package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootrace/images/inside/sightings"
)

// shipped is where an image's programs are, nine of ten of its files: to look at each
// would take longer than all else. A new one is seen by its directory; what is written
// into one that was there for all to read, by the boot logger.
const shipped = "/usr"

func isShipped(path string) bool { return strings.HasPrefix(path, shipped+"/") }

// shippedDirs has the names of the directories below shipped as they were a moment before
// the end, each with a zero byte after it.
const shippedDirs = sightings.Dir + "/directories"

// listShipped goes through the file system as the search will, and returns the directories
// below shipped.
func listShipped(ctx context.Context) ([]byte, error) {
	var out []byte
	err := filepath.WalkDir("/", func(path string, d fs.DirEntry, _ error) error {
		switch {
		case d == nil || !d.IsDir():
		case slices.Contains(skipped, path):
			return fs.SkipDir
		case path == shipped || isShipped(path):
			out = append(append(out, path...), 0)
		}
		return ctx.Err()
	})
	return out, err
}

// dirsOf are the directories of such a list.
func dirsOf(list []byte) map[string]bool {
	out := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		out[name] = true
	}
	delete(out, "") // of a list that is empty
	return out
}

// visitKnown visits what has come to the directories since, and those that are not among
// them whole. A directory to which nothing has come is not read: an overlay takes a hundred
// times as long to read one as to say when it was changed.
func visitKnown(dirs map[string]bool, since time.Time, skip func(dir string) bool, visit fs.WalkDirFunc) error {
	for dir := range dirs {
		info, err := os.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if skip(dir) || changed(info).Before(since) && dirs[filepath.Dir(dir)] { // the uppermost has names that nobody has looked at
			continue
		}
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if e.IsDir() && !dirs[path] {
				err = filepath.WalkDir(path, visit)
			} else {
				err = visit(path, e, nil)
			}
			if err != nil && !errors.Is(err, fs.SkipDir) {
				return err
			}
		}
	}
	return nil
}
