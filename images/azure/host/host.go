// Package host looks at the host of the engine from a container there: whoever talks
// to the engine may be on another. It sees the host's own only where the container
// has the host's processes.
//
//	host.Watch(ctx, os.Stdout)
package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"bootrace/harness/recording"
)

// sampleEvery is how often the host is looked at.
const sampleEvery = time.Second

// Watch writes a sample a second, a line of JSON each, until ctx ends.
func Watch(ctx context.Context, w io.Writer) error {
	lines := json.NewEncoder(w)
	due := time.Now()
	for {
		s := recording.HostSample{
			Clock:     recording.Now(),
			CPUSomeUS: pressure("cpu", "some"),
			MemFullUS: pressure("memory", "full"),
			IOFullUS:  pressure("io", "full"),
			LateUS:    time.Since(due).Microseconds(),
		}
		if err := lines.Encode(s); err != nil {
			return fmt.Errorf("write a sample: %w", err)
		}
		due = due.Add(sampleEvery)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
	}
}

// pressure reads a total in microseconds, Documentation/accounting/psi.rst; a kernel
// without PSI gives 0.
func pressure(resource, kind string) int64 {
	for l := range strings.Lines(read("/proc/pressure/" + resource)) {
		fields := strings.Fields(l)
		if len(fields) == 5 && fields[0] == kind {
			n, _ := strconv.ParseInt(strings.TrimPrefix(fields[4], "total="), 10, 64)
			return n
		}
	}
	return 0
}

// Facts is what the host has for machines.
func Facts() recording.HostFacts {
	f := recording.HostFacts{
		Cgroup2:      strings.Contains(read("/proc/filesystems"), "cgroup2"),
		Pressure:     strings.Contains(read("/proc/pressure/cpu"), "\nfull "),
		InotifyInUse: inotifyInUse(),
	}
	f.InotifyInstances, _ = strconv.Atoi(strings.TrimSpace(read(inotifyLimit)))
	var memory unix.Sysinfo_t
	if unix.Sysinfo(&memory) == nil {
		f.FreeMB = int((uint64(memory.Freeram) + uint64(memory.Bufferram)) * uint64(memory.Unit) >> 20)
	}
	var fs unix.Statfs_t
	if unix.Statfs("/", &fs) == nil {
		f.FreeDiskMB = int(int64(fs.Bavail) * int64(fs.Bsize) >> 20)
	}
	if unix.Statfs("/sys/fs/cgroup", &fs) == nil {
		f.Unified = fs.Type == unix.CGROUP2_SUPER_MAGIC
	}
	for l := range strings.Lines(read("/proc/1/status")) {
		if set, ok := strings.CutPrefix(l, "CapBnd:"); ok {
			f.Capabilities, _ = strconv.ParseUint(strings.TrimSpace(set), 16, 64)
		}
	}
	return f
}

const inotifyLimit = "/proc/sys/fs/inotify/max_user_instances"

// RaiseInotify sets the host's limit on inotify instances to [recording.InotifyEnough], which
// takes a container that may write the kernel's parameters.
func RaiseInotify() error {
	if err := os.WriteFile(inotifyLimit, []byte(strconv.Itoa(recording.InotifyEnough)), 0); err != nil {
		return fmt.Errorf("raise fs.inotify.max_user_instances: %w", err)
	}
	return nil
}

// inotifyInUse counts the instances of root's processes; those that cannot be seen are none.
func inotifyInUse() int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	n := 0
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && target == "anon_inode:inotify" {
			n++
		}
	}
	return n
}

// read is a file of the kernel's; one that is not there says nothing.
func read(file string) string {
	data, _ := os.ReadFile(file)
	return string(data)
}
