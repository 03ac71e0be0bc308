package container

import (
	"context"
	"fmt"
	"math"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
)

// machineMB is what a machine and its cloud take at most while they run, with
// room for the moment at which Vector restarts (make bench measures it).
const machineMB = 120

// machinesPerCore is how many machines run at once without slowing each other on any host:
// most of a boot is waiting. With 48 on two slow cores boots took a minute.
const machinesPerCore = 8

// Room implements wire.Backend.
func (b *Backend) Room(ctx context.Context, cloudImage string, asked, wanted int) (machine.Room, error) {
	cores, err := b.Cores(ctx)
	if err != nil {
		return machine.Room{AtOnce: 1, Ever: 1}, err
	}
	if wanted == 1 || asked == 1 { // one there is always room for, and to look takes a second
		return machine.Room{AtOnce: 1, Ever: 1}, nil
	}
	f, err := b.facts(ctx, cloudImage)
	note := ""
	if want := min(wanted, within(asked, unknown, cores, freeMemory(f)).Ever); err == nil && inotifyRoom(f) < want {
		f, note = b.raised(ctx, cloudImage, f, want)
	}
	room := within(asked, inotifyRoom(f), cores, freeMemory(f))
	room.Note = note
	return room, err
}

// raised is the host with a higher limit on inotify instances, where a container may raise it,
// and what there is to say of that.
func (b *Backend) raised(ctx context.Context, image string, f recording.HostFacts, want int) (recording.HostFacts, string) {
	was := f.InotifyInstances
	if _, err := b.asked(ctx, image, raiseLimit); err != nil {
		return f, fmt.Sprintf("fs.inotify.max_user_instances of the engine's host is %d, which is enough for %d machines at once, not for %d (sysctl -w fs.inotify.max_user_instances=%d): %v",
			was, inotifyRoom(f), want, recording.InotifyEnough, err)
	}
	f.InotifyInstances = recording.InotifyEnough
	return f, fmt.Sprintf("fs.inotify.max_user_instances of the engine's host was %d, enough for %d machines at once, and is %d until the host boots again", was, inotifyRoom(recording.HostFacts{InotifyInstances: was, InotifyInUse: f.InotifyInUse}), f.InotifyInstances)
}

func within(asked, inotify, cores, freeMB int) machine.Room {
	if asked > 0 {
		n := min(asked, inotify)
		return machine.Room{AtOnce: n, Ever: n}
	}
	ever := min(inotify, max(1, freeMB/machineMB))
	return machine.Room{AtOnce: min(ever, machinesPerCore*cores), Ever: ever}
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
