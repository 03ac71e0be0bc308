package buffer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// recover finds where reading goes on and where writing does: after the last whole record of the last file. What
// follows it was torn when the process was killed; its source was never told that it had been taken.
func (d *Disk) recover(stored position) error {
	files, err := d.files()
	if err != nil {
		return err
	}
	d.sizes = map[uint64]int64{}
	d.at, d.end = stored, stored
	for _, file := range files {
		if file < stored.file {
			d.remove(file) // acknowledged, but we were killed before it was removed
			continue
		}
		from := position{file: file, next: d.end.next}
		if file == stored.file {
			from.offset = stored.offset
		}
		if d.end, err = d.scan(from); err != nil {
			return err
		}
		d.sizes[file] = d.end.offset
		if file == stored.file && d.end.offset < stored.offset {
			// The ledger outlived the data, which only a crash of the machine can do.
			d.at.offset = d.end.offset
		}
		d.held += d.end.offset - from.offset
	}
	if len(d.sizes) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(d.sizes)))
		if first > d.at.file {
			d.at.file, d.at.offset = first, 0
		}
	} else {
		d.end.offset, d.at.offset = 0, 0
		d.sizes[d.end.file] = 0
	}
	d.held = max(d.held, 0)
	d.acked = d.at
	return nil
}

// scan reads a file from a position to its last whole record and cuts off the rest.
func (d *Disk) scan(from position) (position, error) {
	f, err := os.OpenFile(d.path(from.file), os.O_RDWR, 0)
	if err != nil {
		return from, fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return from, fmt.Errorf("look at data file: %w", err)
	}
	if from.offset > info.Size() {
		from.offset = info.Size()
		return from, nil
	}
	if _, err := f.Seek(from.offset, io.SeekStart); err != nil {
		return from, fmt.Errorf("scan data file: %w", err)
	}
	r := bufio.NewReaderSize(f, 64<<10)
	for at := from; ; {
		id, line, err := readRecord(r, info.Size()-at.offset)
		switch {
		case err == nil:
			at.offset += headerSize + int64(len(line))
			at.next = id + 1
			continue
		case errors.Is(err, io.EOF):
			return at, nil
		case !errors.Is(err, errTorn):
			return at, fmt.Errorf("scan data file: %w", err)
		}
		d.log.Warn("Last written record was torn; cutting it off.", "error", err, "data_file", f.Name(), "bytes", info.Size()-at.offset)
		if err := f.Truncate(at.offset); err != nil {
			return at, fmt.Errorf("cut off torn record: %w", err)
		}
		return at, nil
	}
}

func (d *Disk) files() ([]uint64, error) {
	names, err := filepath.Glob(filepath.Join(d.dir, "buffer-data-*.dat"))
	if err != nil {
		return nil, fmt.Errorf("list data files: %w", err)
	}
	var files []uint64
	for _, name := range names {
		number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "buffer-data-"), ".dat")
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			files = append(files, n)
		}
	}
	slices.Sort(files)
	return files, nil
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open buffer.lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("failed to lock buffer.lock; is another Vector process running and using this buffer? %w", err)
	}
	return f, nil
}

// unlockFile lets go of the lock before it closes the file: a child between its fork and its exec still has the file
// open, and with it the lock (flock(2)).
func unlockFile(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}
