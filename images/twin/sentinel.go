package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"bootrace/images/inside/envfile"
	"bootrace/images/inside/process"
	"bootrace/images/inside/sightings"
)

// sentinel is fanotify(7) on what does not last: the command lines of processes as they
// start, and files that others may read as they are closed. It knows no secret: what
// it saw is kept in memory for the collector, which knows them.
type sentinel struct {
	starts, files int    // two queues: a start waits for its answer, and not for a file to be read
	opening       uint64 // how starts are seen
	text          []byte // of the file that is looked at
	mu            sync.Mutex
	out           io.Writer
}

// loaderCache is what the dynamic loader opens first of all in each new process, when
// its arguments are there and nothing of it has run (ld.so(8)). A static program does
// not; it is seen at the end only.
const loaderCache = "/etc/ld.so.cache"

// watchedTrees are the file systems in which something is written during a boot.
var watchedTrees = []string{"/", "/run", "/run/lock", "/tmp", "/dev/shm"}

const asRead = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_LARGEFILE

func newSentinel(out io.Writer) (*sentinel, error) {
	files, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC, asRead)
	if err != nil {
		return nil, fmt.Errorf("fanotify: %w", err)
	}
	starts, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, asRead)
	if err != nil {
		_ = unix.Close(files)
		return nil, fmt.Errorf("fanotify: %w", err)
	}
	s := &sentinel{starts: starts, files: files, out: out}
	// Whole file systems: a service may have mounts of its own.
	for _, tree := range watchedTrees {
		err := unix.FanotifyMark(files, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, unix.FAN_CLOSE_WRITE, unix.AT_FDCWD, tree)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			s.close()
			return nil, fmt.Errorf("fanotify on %s: %w", tree, err)
		}
	}
	// Who opens it waits until it was looked at. A kernel without
	// CONFIG_FANOTIFY_ACCESS_PERMISSIONS only tells, and who is gone by then is not seen.
	for _, s.opening = range []uint64{unix.FAN_OPEN_PERM, unix.FAN_OPEN} {
		if err = s.watchStarts(loaderCache); !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		s.close()
		return nil, fmt.Errorf("fanotify on %s: %w", loaderCache, err)
	}
	return s, nil
}

func (s *sentinel) watchStarts(path string) error {
	return unix.FanotifyMark(s.starts, unix.FAN_MARK_ADD, s.opening, unix.AT_FDCWD, path)
}

// close lets go who waits.
func (s *sentinel) close() {
	_ = unix.Close(s.starts)
	_ = unix.Close(s.files)
}

// run notes what it sees until reading ends.
func (s *sentinel) run() error {
	ended := make(chan error, 2)
	go func() { ended <- read(s.starts, s.started) }()
	go func() { ended <- read(s.files, s.written) }()
	return <-ended
}

func (s *sentinel) note(kind, where string, text ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sightings.Write(s.out, kind, where, text...)
}

func read(fd int, see func(unix.FanotifyEventMetadata) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read fanotify events: %w", err)
		}
		for b := buf[:n]; len(b) >= unix.FAN_EVENT_METADATA_LEN; {
			var ev unix.FanotifyEventMetadata
			if err := binary.Read(bytes.NewReader(b), binary.NativeEndian, &ev); err != nil {
				return err
			}
			if int(ev.Event_len) < unix.FAN_EVENT_METADATA_LEN || int(ev.Event_len) > len(b) {
				return errors.New("read fanotify events: one of a size that cannot be")
			}
			b = b[ev.Event_len:]
			if err := see(ev); err != nil {
				return err
			}
		}
	}
}

// lost notes that the queue was full.
func (s *sentinel) lost() error { return s.note(sightings.Lost, "fanotify's queue was full") }

func (s *sentinel) started(ev unix.FanotifyEventMetadata) error {
	if ev.Fd < 0 {
		return s.lost()
	}
	defer unix.Close(int(ev.Fd))
	dir := fmt.Sprintf("/proc/%d", ev.Pid)
	arguments, unit := []byte(nil), ""
	if ev.Pid != 0 && int(ev.Pid) != os.Getpid() {
		arguments, _ = os.ReadFile(dir + "/cmdline") // of one that nobody holds, and that has ended, none
		unit = process.Unit(dir)
	}
	if s.opening == unix.FAN_OPEN_PERM {
		if err := s.allow(ev.Fd); err != nil {
			return err
		}
	}
	if len(arguments) == 0 {
		return nil
	}
	return s.note(sightings.Started, fmt.Sprintf("arguments of process %d (%s) as it started", ev.Pid, unit), string(arguments))
}

// allow answers who waits: fanotify(7), Dealing with permission events.
func (s *sentinel) allow(fd int32) error {
	var answer bytes.Buffer
	if err := binary.Write(&answer, binary.NativeEndian, unix.FanotifyResponse{Fd: fd, Response: unix.FAN_ALLOW}); err != nil {
		return err
	}
	// Who was killed meanwhile waits for none.
	if _, err := unix.Write(s.starts, answer.Bytes()); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("answer fanotify: %w", err)
	}
	return nil
}

func (s *sentinel) written(ev unix.FanotifyEventMetadata) error {
	if ev.Fd < 0 {
		return s.lost()
	}
	defer unix.Close(int(ev.Fd))
	if int(ev.Pid) == os.Getpid() || ev.Pid == 0 {
		return nil
	}
	return s.closed(int(ev.Fd))
}

// maxClosed bounds what is read of a file; those with a secret have a few lines.
const maxClosed = 1 << 20

// tokens have the form of Axiom's and of those that the cloud issues to an identity.
var (
	tokens     = regexp.MustCompile(`xaat-[0-9a-f-]{36}|bootrace-imds-[0-9a-f]{32}`)
	tokenHeads = [][]byte{[]byte("xaat-"), []byte("bootrace-imds-")}
)

// tokensIn are the tokens in the first part of a file, a few of them.
func (s *sentinel) tokensIn(fd int) [][]byte {
	if s.text == nil {
		s.text = make([]byte, maxClosed)
	}
	n, _ := unix.Pread(fd, s.text, 0)
	text := s.text[:max(0, n)]
	// The expression alone goes through a file in fifty times the time.
	if !slices.ContainsFunc(tokenHeads, func(head []byte) bool { return bytes.Contains(text, head) }) {
		return nil
	}
	return tokens.FindAll(text, 8)
}

// closed looks at a file that somebody has written, if others may read it. Environment
// files of the role's directory are the watch's.
func (s *sentinel) closed(fd int) error {
	self := fmt.Sprintf("/proc/self/fd/%d", fd)
	path, err := os.Readlink(self)
	path = strings.TrimSuffix(path, " (deleted)") // proc(5)

	if path == loaderCache || path == loaderCache+"~" { // ldconfig(8) writes that one and renames it
		if err := s.watchStarts(self); err != nil {
			return s.note(sightings.Lost, fmt.Sprintf("%s is a new file now: fanotify: %s", loaderCache, err))
		}
		return nil
	}
	if err != nil || strings.HasPrefix(path, sightings.Dir) {
		return nil
	}
	found := s.tokensIn(fd) // hardly any file has one, and who may read it takes longest to know
	if found == nil {
		return nil
	}
	who := envfile.Others(self)
	if envfile.Contained(who) || !reachable(path) || elsewhere(fd, path) {
		return nil
	}
	if filepath.Dir(path) == envfile.Dir && envfile.Inspect(self).Vars != "" {
		return nil
	}
	return s.note(sightings.Closed, fmt.Sprintf("%s while it lasted, which %s could read", path, who), string(bytes.Join(found, []byte(" "))))
}

// reachable: nobody but root goes through a directory that is not for others. One that
// is gone by now is not known to have been.
func reachable(path string) bool {
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
	}
	return true
}

// elsewhere: the file was written in a unit's own mounts (PrivateTmp=, DynamicUser=),
// where its path is not what others find under that name.
func elsewhere(fd int, path string) bool {
	if known(mountOf(fd)) {
		return false
	}
	var file, there unix.Stat_t
	return unix.Fstat(fd, &file) != nil || unix.Stat(path, &there) != nil || file.Dev != there.Dev || file.Ino != there.Ino
}

// mountOf is a file's mnt_id, proc_pid_fdinfo(5).
func mountOf(fd int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	_, rest, _ := strings.Cut(string(text), "mnt_id:")
	id, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(id)
}

// known: the mount is one of this process's namespace, proc_pid_mountinfo(5).
func known(mount string) bool {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		if id, _, _ := strings.Cut(line, " "); id == mount {
			return true
		}
	}
	return false
}

// rootless: this is no root of the host's, user_namespaces(7). Who is and may not watch was
// kept from it, and that is no engine's doing.
func rootless() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}

// watchWhatDoesNotLast runs a sentinel until reading ends; where there can be none the
// collector is told why.
func watchWhatDoesNotLast() error {
	f, err := sightings.Create()
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := newSentinel(f)
	if errors.Is(err, unix.EPERM) && rootless() {
		return sightings.Write(f, sightings.Refused, err.Error())
	}
	if err != nil {
		return sightings.Write(f, sightings.Lost, err.Error())
	}
	defer s.close()
	// The end of its looking is no failure of the boot logger, as long as it is told.
	return sightings.Write(f, sightings.Lost, s.run().Error())
}
