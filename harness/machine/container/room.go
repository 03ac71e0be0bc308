package container

import (
	"context"
	"math"

	"bootrace/harness/recording"
)

// machineMB is what a machine and its cloud take at most while they run, with
// room for the moment at which Vector restarts (make bench measures it).
const machineMB = 120

// machinesPerCore is how many machines run at once without slowing each other: most
// of a boot is waiting. With 48 on two slow cores boots took a minute.
const machinesPerCore = 8

// Room is how many machines may run at once: what was asked for, within what the
// inotify limit of the engine's host carries (beyond it PID 1 hangs), else what its
// memory and processors hold too. With an error it is by the processors alone.
func (b *Backend) Room(ctx context.Context, cloudImage string, asked int) (int, error) {
	cores, err := b.Cores(ctx)
	if err != nil {
		return 1, err
	}
	f, err := b.facts(ctx, cloudImage)
	return within(asked, inotifyRoom(f), cores, freeMemory(f)), err
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

// unknown is more than any limit that counts.
const unknown = math.MaxInt32

// inotifyRoom is for how many machines at once the limit on inotify instances is
// enough. Beyond it PID 1 hangs or exits in a way that looks like a blocked boot.
func inotifyRoom(f recording.HostFacts) int {
	if f.InotifyInstances == 0 {
		return unknown
	}
	return max(1, (f.InotifyInstances-f.InotifyInUse)/inotifyPerMachine-controlRoom)
}

// freeMemory is what machines may take of it, in MB.
func freeMemory(f recording.HostFacts) int {
	if f.FreeMB == 0 {
		return unknown
	}
	return f.FreeMB
}
