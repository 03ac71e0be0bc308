package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bootrace/harness/recording"
	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
	"bootrace/images/inside/sightings"
)

// searched are the roots of the search. A canary is planted in each; from / it goes
// everywhere.
var searched = []string{"/", "/etc", "/run", "/tmp", "/var", "/root", "/home", "/opt", "/srv", "/dev/shm", "/usr/local", "/var/lib/vector"}

// skipped are the kernel's own trees, and what is held against something else.
var skipped = []string{"/proc", "/sys", "/dev/pts",
	sightings.Dir,
	// Only the unit can read there what it was given by LoadCredential= (systemd.exec(5)).
	"/run/credentials",
}

// listFiles is files.txt: what is in the directory, without the values.
func listFiles(dir string) []byte {
	var out bytes.Buffer
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		st := envfile.Inspect(path)
		fmt.Fprintf(&out, "%s\t%04o\t%d\t%d\t%d\t%d.%09d\t%s\t%s\t%s\n", path, st.Mode, st.UID, st.GID, st.Size,
			st.Mtime/1e9, st.Mtime%1e9, st.Sum, st.Vars, st.Others)
	}
	return out.Bytes()
}

// ownJournal is where the journal's files are that are judged as journal.json. Those
// of other namespaces (systemd.exec(5), LogNamespace=) are searched as any file is.
func ownJournal() []string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(bytes.TrimSpace(id)) == 0 {
		return nil
	}
	return []string{"/run/log/journal/" + string(bytes.TrimSpace(id)), "/var/log/journal/" + string(bytes.TrimSpace(id))}
}

// searchFiles looks for secrets in every file below the roots that was changed after
// since, but for those that may hold some: they are new in each case, so an older file
// has none.
func searchFiles(roots []string, since time.Time, wanted recording.Redactor, may []string) ([]string, error) {
	var found []string
	var errs []error
	unread := unreadable{what: "files"}
	pass := slices.Concat(skipped, ownJournal(), may)
	list, _ := os.ReadFile(shippedDirs) // without it each is read
	known := dirsOf(list)
	others := slices.Concat(pass, roots)
	elsewhere := func(dir string) bool { // it is not searched, or from another root
		return slices.ContainsFunc(others, func(p string) bool { return p != "/" && (dir == p || strings.HasPrefix(dir, p+"/")) })
	}
	asShipped := map[string]bool{} // directories of the image to which nothing has come
	for _, root := range roots {
		var visit fs.WalkDirFunc
		visit = func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case d.IsDir() && (slices.Contains(pass, path) || path != root && slices.Contains(roots, path)):
				return filepath.SkipDir
			case asShipped[filepath.Dir(path)] && !d.IsDir(): // nor has it a new name
				return nil
			}
			for _, name := range wanted.Find([]byte(d.Name())) {
				found = append(found, fileLeak(name, "the name of "+path))
			}
			switch {
			case d.IsDir() && root == "/" && path == shipped && len(known) > 0:
				return cmp.Or(visitKnown(known, since, elsewhere, visit), fs.SkipDir)
			case d.IsDir() && root == "/" && isShipped(path):
				if info, err := d.Info(); err == nil {
					asShipped[path] = changed(info).Before(since)
				}
				return nil
			case d.Type() == fs.ModeSymlink: // everybody may read where a link leads
				if target, err := os.Readlink(path); err == nil {
					for _, name := range wanted.Find([]byte(target)) {
						found = append(found, fileLeak(name, "the target of the link "+path))
					}
				}
				return nil
			case !d.Type().IsRegular() || slices.Contains(pass, path):
				return nil
			}
			info, err := d.Info()
			// A device that is mounted on a file, as a container's console is, looks like one.
			if err == nil && (!info.Mode().IsRegular() || changed(info).Before(since)) {
				return nil
			}
			var names []string
			if err == nil {
				names, err = searchFile(path, wanted)
			}
			if err != nil {
				unread.add(path, err)
			}
			where := path
			if len(names) > 0 {
				if who := envfile.Others(path); !envfile.Contained(who) {
					where += ", for " + who + " to read or change"
				}
			}
			for _, name := range names {
				found = append(found, fileLeak(name, where))
			}
			for _, name := range wanted.Find(attributes(path)) {
				found = append(found, fileLeak(name, "an extended attribute of "+path))
			}
			return nil
		}
		if err := filepath.WalkDir(root, visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("search %s: %w", root, err))
		}
	}
	return found, errors.Join(append(errs, unread.err())...)
}

// A file is searched in parts of that many bytes, which have overlap in common.
const (
	part    = 16 << 20
	overlap = 64 << 10
)

func searchFile(path string, wanted recording.Redactor) (names []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data []byte
	for {
		n, err := io.Copy((*appender)(&data), io.LimitReader(f, part))
		if err != nil {
			return names, err
		}
		names = append(names, wanted.Find(data)...)
		if n < part {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
		data = append(data[:0], data[len(data)-overlap:]...)
	}
}

// attributes are the values of a file's extended attributes (xattr(7)).
func attributes(path string) []byte {
	names := make([]byte, 4<<10)
	n, err := unix.Llistxattr(path, names)
	if err != nil || n == 0 { // most have none
		return nil
	}
	var out []byte
	value := make([]byte, 64<<10) // XATTR_SIZE_MAX
	for name := range bytes.SplitSeq(bytes.TrimRight(names[:n], "\x00"), []byte{0}) {
		if n, err := unix.Lgetxattr(path, string(name), value); err == nil {
			out = append(append(out, value[:n]...), '\n')
		}
	}
	return out
}

// appender is a slice that can be written to.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// The lines of leaks.txt: a secret's name and where its value is.
func fileLeak(name, path string) string { return name + "\t" + path + "\n" }

func processLeak(name string, pid int, where, unit string) string {
	return fmt.Sprintf("%s\tprocess %d %s (%s)\n", name, pid, where, unit)
}

// changed is a file's ctime, which unlike mtime no program can set back.
func changed(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}

// bootTime is when PID 1 was started, with a second to spare for coarse clocks.
func bootTime() time.Time {
	return time.Now().Add(process.Start("/proc/1") - process.Boottime() - time.Second)
}
