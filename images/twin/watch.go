package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"bootrace/images/inside/process"
)

// change is one event on a file of the watched directory.
type change struct {
	name string // empty: the directory itself
	op   string // create, modify, rename (moved to this name), close, remove, attrib
	at   time.Duration
}

// watch is inotify on one directory. fsnotify is not used here: it reports a
// created file and one moved into place alike, and whether a file was replaced
// whole or written in place is what the recording has to show.
type watch struct{ fd int }

var inotifyOps = []struct {
	mask uint32
	op   string
}{
	{unix.IN_CREATE, "create"},
	{unix.IN_MODIFY, "modify"},
	{unix.IN_MOVED_TO, "rename"},
	{unix.IN_CLOSE_WRITE, "close"},
	{unix.IN_DELETE, "remove"},
	{unix.IN_MOVED_FROM, "remove"},
	{unix.IN_ATTRIB, "attrib"},
}

func newWatch(dir string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w (the host's fs.inotify.max_user_instances may be used up)", err)
	}
	var mask uint32 = unix.IN_ONLYDIR
	for _, o := range inotifyOps {
		mask |= o.mask
	}
	if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	return &watch{fd: fd}, nil
}

func (w *watch) close() { _ = unix.Close(w.fd) }

// run hands every change to see until reading ends.
func (w *watch) run(see func(change) error) error {
	buf := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		n, err := unix.Read(w.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read inotify events: %w", err)
		}
		at := process.Monotonic()
		for _, c := range parseEvents(buf[:n]) {
			c.at = at
			if err := see(c); err != nil {
				return err
			}
		}
	}
}

// parseEvents reads inotify(7)'s packed records.
func parseEvents(b []byte) []change {
	var out []change
	for len(b) >= unix.SizeofInotifyEvent {
		ev := *(*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		end := unix.SizeofInotifyEvent + int(ev.Len)
		if end > len(b) {
			return out
		}
		name := string(bytes.TrimRight(b[unix.SizeofInotifyEvent:end], "\x00"))
		b = b[end:]
		for _, o := range inotifyOps {
			if ev.Mask&o.mask != 0 {
				out = append(out, change{name: name, op: o.op})
			}
		}
	}
	return out
}
