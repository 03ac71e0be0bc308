package process

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Wakes is when a process goes on by itself at the latest, by CLOCK_MONOTONIC. Not ok:
// it waits for something that must come (a change, a connection, a child's end), or
// cannot be looked at. dir is its directory in /proc.
func Wakes(dir string) (at time.Duration, ok bool) {
	now := Monotonic()
	add := func(t time.Duration) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	tasks, err := os.ReadDir(dir + "/task")
	if err != nil {
		return 0, false
	}
	for _, t := range tasks {
		text, err := os.ReadFile(filepath.Join(dir, "task", t.Name(), "syscall"))
		if err != nil {
			continue
		}
		main := t.Name() == filepath.Base(dir)
		if wait, asleep := asleepFor(string(text), main, func(address uint64) (unix.Timespec, bool) { return timespecAt(dir, address) }, now); asleep {
			add(now + wait)
		}
	}
	for _, left := range timers(dir) {
		add(now + left)
	}
	// sleep(1) counts from its start: what is left of it is known.
	if name, arguments := commandOf(dir); name == "sleep" && ok {
		suspended := Boottime() - now
		if ends := Start(dir) - suspended + sleepTime(arguments); ends > now && ends < at {
			at = ends
		}
	}
	return at, ok
}

// absolute is TIMER_ABSTIME, clock_nanosleep(2).
const absolute = 1

// Operations of futex(2).
const (
	futexWait       = 0
	futexWaitBitset = 9
	futexCommand    = 127
	futexRealtime   = 256
)

// asleepFor reads /proc/PID/task/TID/syscall (proc(5)): for how long at most the thread
// sleeps, if it does and will wake by itself. A futex with a timeout counts of the main
// thread alone: the runtimes of Go and others have threads that look after the rest so.
func asleepFor(text string, main bool, timespec func(address uint64) (unix.Timespec, bool), now time.Duration) (time.Duration, bool) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0, false
	}
	if fields[0] == "running" {
		return 0, main
	}
	nr, err := strconv.Atoi(fields[0])
	if err != nil || nr < 0 || len(fields) < 7 {
		return 0, false
	}
	var args [6]uint64
	for i := range args {
		if args[i], err = strconv.ParseUint(strings.TrimPrefix(fields[i+1], "0x"), 16, 64); err != nil {
			return 0, false
		}
	}
	relative := func(address uint64) (time.Duration, bool) {
		ts, ok := timespec(address)
		return time.Duration(ts.Nano()), ok && address != 0
	}
	until := func(address uint64, realtime bool) (time.Duration, bool) {
		ts, ok := timespec(address)
		at := time.Duration(ts.Nano())
		if realtime {
			at -= time.Duration(time.Now().UnixNano()) - now
		}
		return max(0, at-now), ok && address != 0
	}
	milliseconds := func(n uint64) (time.Duration, bool) {
		if int32(n) < 0 {
			return 0, false // for ever
		}
		return time.Duration(int32(n)) * time.Millisecond, true
	}
	switch nr {
	case unix.SYS_NANOSLEEP:
		return relative(args[0])
	case unix.SYS_CLOCK_NANOSLEEP:
		if args[1]&absolute == 0 {
			return relative(args[2])
		}
		return until(args[2], args[0] == unix.CLOCK_REALTIME)
	case unix.SYS_PPOLL:
		return relative(args[2])
	case unix.SYS_PSELECT6:
		return relative(args[4])
	case unix.SYS_EPOLL_PWAIT:
		return milliseconds(args[3])
	case unix.SYS_EPOLL_PWAIT2:
		return relative(args[3])
	case sysPoll:
		return milliseconds(args[2])
	case sysEpollWait:
		return milliseconds(args[3])
	case sysSelect: // a timeval: microseconds where a timespec has nanoseconds
		ts, ok := timespec(args[4])
		return time.Duration(ts.Sec)*time.Second + time.Duration(ts.Nsec)*time.Microsecond, ok && args[4] != 0
	case unix.SYS_FUTEX:
		switch op := args[1] & futexCommand; {
		case !main:
		case op == futexWait:
			return relative(args[3])
		case op == futexWaitBitset:
			return until(args[3], args[1]&futexRealtime != 0)
		}
	}
	return 0, false
}

// timespecAt reads a struct timespec in a process's memory, as 64-bit programs have it.
func timespecAt(dir string, address uint64) (ts unix.Timespec, ok bool) {
	f, err := os.Open(dir + "/mem")
	if err != nil {
		return ts, false
	}
	defer f.Close()
	var b [16]byte
	if _, err := f.ReadAt(b[:], int64(address)); err != nil {
		return ts, false
	}
	ts.Sec, ts.Nsec = int64(binary.NativeEndian.Uint64(b[:])), int64(binary.NativeEndian.Uint64(b[8:]))
	return ts, ts.Sec >= 0 && ts.Nsec >= 0
}

// timerLeft is the it_value of a timerfd, proc_pid_fdinfo(5): seconds and nanoseconds.
var timerLeft = regexp.MustCompile(`(?m)^it_value: \((\d+), (\d+)\)`)

// timers are what is left of the process's timerfds that are set.
func timers(dir string) []time.Duration {
	var out []time.Duration
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return nil
	}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(dir, "fd", fd.Name())); err != nil || target != "anon_inode:[timerfd]" {
			continue
		}
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", fd.Name()))
		m := timerLeft.FindSubmatch(info)
		if err != nil || m == nil {
			continue
		}
		var sec, nsec int64
		if _, err := fmt.Sscan(string(m[1])+" "+string(m[2]), &sec, &nsec); err == nil && sec+nsec > 0 {
			out = append(out, time.Duration(sec)*time.Second+time.Duration(nsec))
		}
	}
	return out
}

// commandOf is the name of a process's program, and its arguments.
func commandOf(dir string) (name string, arguments []string) {
	data, err := os.ReadFile(dir + "/cmdline")
	words := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	if err != nil || words[0] == "" {
		return "", nil
	}
	return filepath.Base(words[0]), words[1:]
}

// sleepTime is what sleep(1) sleeps: the sum of its arguments, in seconds or with a suffix.
func sleepTime(arguments []string) (sum time.Duration) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	for _, a := range arguments {
		unit := time.Second
		if a != "" && units[a[len(a)-1]] != 0 {
			unit, a = units[a[len(a)-1]], a[:len(a)-1]
		}
		n, err := strconv.ParseFloat(a, 64)
		if err != nil || n < 0 || n > 1e6 { // "infinity" is one
			return 0
		}
		sum += time.Duration(n * float64(unit))
	}
	return sum
}
