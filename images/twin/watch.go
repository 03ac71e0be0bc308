package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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

// watch is inotify on one directory, and on those into which its links lead. fsnotify
// is not used here: it reports a created file and one moved into place alike, and
// whether a file was replaced whole or written in place is what the recording has to
// show.
type watch struct {
	fd  int
	dir string
	own int // the watch descriptor of dir
	// led has, for each directory into which a link leads, the link by the file there.
	led map[int]map[string]string
	// awaited has, for each directory in which the way to a link's target ends so far, the
	// link by what is missing there.
	awaited map[int]map[string]string
}

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
	w := &watch{fd: fd, dir: dir, led: map[int]map[string]string{}, awaited: map[int]map[string]string{}}
	if w.own, err = w.add(dir); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	return w, nil
}

func (w *watch) add(dir string) (int, error) {
	var mask uint32 = unix.IN_ONLYDIR
	for _, o := range inotifyOps {
		mask |= o.mask
	}
	return unix.InotifyAddWatch(w.fd, dir, mask)
}

// stepsAtMost bounds the search for a directory that can be watched.
const stepsAtMost = 64

// follow watches what a file leads to, if it is a link: it changes there.
func (w *watch) follow(name string) {
	// What it led to before is no longer it.
	for _, ways := range []map[int]map[string]string{w.led, w.awaited} {
		for _, way := range ways {
			maps.DeleteFunc(way, func(_, link string) bool { return link == name })
		}
	}
	target, err := os.Readlink(filepath.Join(w.dir, name))
	if err != nil {
		return // no link
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(w.dir, target)
	}
	// As far as there are directories: in a second boot a link into /run leads into nothing
	// until somebody makes the rest of its way.
	ways, rest := w.led, target
	for range stepsAtMost {
		dir := filepath.Dir(rest)
		if wd, err := w.add(dir); err == nil {
			if ways[wd] == nil {
				ways[wd] = map[string]string{}
			}
			ways[wd][filepath.Base(rest)] = name
			if info, err := os.Stat(rest); rest == target || err != nil || !info.IsDir() {
				return
			}
			ways, rest = w.led, target // it was made meanwhile
			continue
		}
		if dir == rest {
			return
		}
		ways, rest = w.awaited, dir
	}
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
		for _, ev := range parseEvents(buf[:n]) {
			for _, c := range w.changes(ev) {
				c.at = at
				if err := see(c); err != nil {
					return err
				}
			}
		}
	}
}

// changes are those that an event is, of the file and of the link that leads to it.
func (w *watch) changes(ev event) []change {
	var names []string
	if ev.wd == w.own {
		w.follow(ev.name)
		names = append(names, ev.name)
	}
	if link, ok := w.led[ev.wd][ev.name]; ok {
		names = append(names, link)
	}
	var out []change
	if link, ok := w.awaited[ev.wd][ev.name]; ok && ev.mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
		delete(w.awaited[ev.wd], ev.name)
		w.follow(link)
		// What came before there was a watch is seen now.
		if _, err := os.Stat(filepath.Join(w.dir, link)); err == nil {
			out = append(out, change{name: link, op: "create"})
		}
	}
	for _, name := range names {
		for _, o := range inotifyOps {
			if ev.mask&o.mask != 0 {
				out = append(out, change{name: name, op: o.op})
			}
		}
	}
	return out
}

// event is one of inotify(7)'s records.
type event struct {
	wd   int
	mask uint32
	name string
}

// parseEvents reads inotify(7)'s packed records.
func parseEvents(b []byte) []event {
	var out []event
	for len(b) >= unix.SizeofInotifyEvent {
		ev := *(*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		end := unix.SizeofInotifyEvent + int(ev.Len)
		if end > len(b) {
			return out
		}
		out = append(out, event{int(ev.Wd), ev.Mask, string(bytes.TrimRight(b[unix.SizeofInotifyEvent:end], "\x00"))})
		b = b[end:]
	}
	return out
}
