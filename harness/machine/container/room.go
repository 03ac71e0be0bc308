package container

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// machineMB is what a machine and its cloud take at most while they run, with
// room for the moment at which Vector restarts (make bench measures it).
const machineMB = 120

// machinesPerCore is how many machines run at once without slowing each other: most
// of a boot is waiting. With 48 on two slow cores boots took a minute.
const machinesPerCore = 8

// Room is how many machines may run at once: what was asked for, within what
// the host's inotify limit carries (beyond it PID 1 hangs), else what memory and
// the processors hold too.
func (b *Backend) Room(asked int) int {
	free, err := freeMemoryMB()
	if err != nil {
		free = math.MaxInt // not known
	}
	return within(asked, inotifyRoom(), runtime.NumCPU(), free)
}

func within(asked, inotify, cores, freeMB int) int {
	if asked > 0 {
		return min(asked, inotify)
	}
	return min(inotify, machinesPerCore*cores, max(1, freeMB/machineMB))
}

// inotifyPerMachine is how many inotify instances a machine holds: systemd,
// journald, logind, dbus, the boot logger, journalctl and the populator, counted in
// /proc/*/fdinfo of a waiting machine and rounded up.
const inotifyPerMachine = 12

// controlRoom is for the control boots, which run beside the cases.
const controlRoom = 2

// inotifyRoom is for how many machines at once the limit on inotify instances is
// enough. Beyond it PID 1 hangs or exits in a way that looks like a blocked boot.
func inotifyRoom() int {
	limit, err := readInt("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return 1 << 20 // not a host that has the limit
	}
	return max(1, (limit-inotifyInUse())/inotifyPerMachine-controlRoom)
}

// inotifyInUse counts root's instances; 0 when that cannot be seen.
func inotifyInUse() int {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0
	}
	n := 0
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && target == "anon_inode:inotify" {
			n++
		}
	}
	return n
}

// freeMemoryMB is what machines may take, without what caches would give back.
func freeMemoryMB() (int, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("ask for the free memory: %w", err)
	}
	return int((uint64(info.Freeram) + uint64(info.Bufferram)) * uint64(info.Unit) >> 20), nil
}
