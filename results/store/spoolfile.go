package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"bootrace/results"
)

// entry is a line of a spool file: a run's record, or a case of a run.
type entry struct {
	Run  *results.Run  `json:"run,omitempty"`
	Of   string        `json:"of,omitempty"` // the case's run
	Case *results.Case `json:"case,omitempty"`
}

func (e entry) put(ctx context.Context, s *Store) error {
	switch {
	case e.Run != nil:
		return s.putRun(ctx, *e.Run)
	case e.Case != nil:
		return s.PutCase(ctx, e.Of, *e.Case)
	}
	return errors.New("neither a run nor a case")
}

// spoolSuffix ends the name of a spool file: a file a run, entries in the order
// in which they were made, each synced before it counts.
const spoolSuffix = ".jsonl"

// spoolDir is where the spool files for a database are below dir. Its name has
// nothing of the password, which may be another one tomorrow.
func spoolDir(dir, where string) (_ string, err error) {
	if isURL(where) {
		where, err = withoutPassword(where)
	} else {
		where, err = filepath.Abs(where) // a name may be another file's elsewhere
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(where))
	return filepath.Join(dir, hex.EncodeToString(sum[:8])), nil
}

func spoolFile(dir, run string) string { return filepath.Join(dir, url.PathEscape(run)+spoolSuffix) }

// spoolLock bounds the wait for another process that sends the file.
const spoolLock = 5 * time.Minute

// appendEntry writes an entry to the end of the file and onto the disk.
func appendEntry(ctx context.Context, path string, e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := lockSpool(ctx, path, os.O_CREATE)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := whole(f)
	if err != nil {
		return err
	}
	// What a crash left of a line was never said to be safe.
	if err := f.Truncate(end); err != nil {
		return err
	}
	if _, err := f.WriteAt(append(line, '\n'), end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// tries is how the entries of a file reach the database.
type tries func(context.Context, func(context.Context, *Store) error) error

// spooled lists the spool files in a database's directory.
func spooled(dir string) ([]string, error) { return filepath.Glob(filepath.Join(dir, "*"+spoolSuffix)) }

// deliver sends all files, and goes on after one that cannot be sent.
func deliver(ctx context.Context, dir string, try tries) error {
	files, err := spooled(dir)
	errs := []error{err}
	for _, path := range files {
		errs = append(errs, send(ctx, path, try))
	}
	return errors.Join(errs...)
}

// send puts the entries of a file, all of them again if a former try did not come
// to its end: each replaces what is there. Then it removes the file.
func send(ctx context.Context, path string, try tries) error {
	f, err := lockSpool(ctx, path, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process has sent it
	}
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := whole(f)
	if err != nil {
		return err
	}
	lines := bytes.NewBuffer(make([]byte, 0, end))
	if _, err := io.Copy(lines, io.NewSectionReader(f, 0, end)); err != nil {
		return err
	}
	for n := 1; lines.Len() > 0; n++ {
		line, _ := lines.ReadBytes('\n')
		var e entry
		err := json.Unmarshal(line, &e)
		if err == nil {
			err = try(ctx, e.put)
		}
		if err != nil {
			return fmt.Errorf("send what waits, %s:%d: %w", path, n, err)
		}
	}
	return os.Remove(path)
}

// lockSpool opens the file and locks it. Who had it before may have sent and
// removed it: then it is another file by now, or none.
func lockSpool(ctx context.Context, path string, flag int) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|flag, 0o600)
		if err != nil {
			return nil, err
		}
		if err := exclusive(ctx, f, spoolLock); err != nil {
			_ = f.Close()
			return nil, err
		}
		mine, err := f.Stat()
		if err == nil {
			var there fs.FileInfo
			if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
				return f, nil
			}
		}
		_ = f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// whole is the length of a file's whole lines.
func whole(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const step = 64 << 10
	buf := make([]byte, step)
	for end := info.Size(); end > 0; end -= step {
		from := max(0, end-step)
		n, err := f.ReadAt(buf[:end-from], from)
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
	}
	return 0, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
