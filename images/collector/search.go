package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
)

// searched are the trees in which a subject could leave a secret: what an image
// does not ship, on tmpfs or on disk. The journal's own files are not among
// them: they are judged as journal.json.
var searched = []string{"/etc", "/run", "/tmp", "/var", "/root", "/home", "/opt", "/srv", "/dev/shm", "/usr/local"}

// skipped are big, and written only when the image is built.
var skipped = map[string]bool{
	"/var/lib/dpkg": true, "/var/lib/apt": true, "/var/cache/apt": true,
	"/var/log/journal": true, "/run/log/journal": true,
	"/run/systemd/units": true, "/etc/ssl/certs": true,
	// Vector's own: what it was given is in its hands.
	"/var/lib/vector": true,
}

// vectorEnv is the one file that may hold secrets.
const vectorEnv = envfile.Dir + "/vector.env"

// maxSearched bounds what is read of one file.
const maxSearched = 16 << 20

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
		fmt.Fprintf(&out, "%s\t%04o\t%d\t%d\t%d\t%d.%09d\t%s\t%s\n", path, st.Mode, st.UID, st.GID, st.Size,
			st.Mtime/1e9, st.Mtime%1e9, st.Sum, st.Vars)
	}
	return out.Bytes()
}

// forms are the ways a value may have been written.
func forms(value string) [][]byte {
	if value == "" {
		return nil
	}
	return [][]byte{
		[]byte(value),
		[]byte(url.QueryEscape(value)),
		[]byte(base64.StdEncoding.EncodeToString([]byte(value))),
	}
}

func leaked(data []byte, secrets map[string]string) []string {
	var names []string
	for name, value := range secrets {
		for _, f := range forms(value) {
			if bytes.Contains(data, f) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// searchFiles looks for the secrets in every file below the roots that was
// changed after since: they are new in each case, so an older file has none.
func searchFiles(roots []string, since time.Time, secrets map[string]string) ([]string, error) {
	var found []string
	var errs []error
	unread := unreadable{what: "files"}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return err
			}
			if skipped[path] {
				return filepath.SkipDir
			}
			if !d.Type().IsRegular() || path == vectorEnv {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				unread.add(path, err)
				return nil
			}
			if changed(info).Before(since) {
				return nil
			}
			if info.Size() > maxSearched {
				errs = append(errs, fmt.Errorf("search %s: it has %d bytes, more than are read", path, info.Size()))
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				unread.add(path, err)
				return nil
			}
			for _, name := range leaked(data, secrets) {
				found = append(found, fileLeak(name, path))
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("search %s: %w", root, err))
		}
	}
	return found, errors.Join(append(errs, unread.err())...)
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
