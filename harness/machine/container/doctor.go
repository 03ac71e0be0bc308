package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/images"
	"bootrace/images/kit"
)

// view is what probes look at: the directory where recordings go, which is here, and the
// engine's host, which may be elsewhere.
type view struct {
	state  string
	host   recording.HostFacts
	unseen *machine.Finding // why there are no facts of the host
}

// probe looks at one thing that machines need of their host.
type probe struct {
	name string
	look func(ctx context.Context, b *Backend, v view) machine.Finding
}

var probes = []probe{
	{"engine", probeEngine},
	{"capabilities", ofHost(probeCapabilities)},
	{"cgroups", ofHost(probeCgroups)},
	{"inotify", ofHost(probeInotify)},
	{"memory", ofHost(probeMemory)},
	{"disk", probeDisk},
	{"pressure", ofHost(probePressure)},
	{"machine", probeMachine},
	{"go", probeGo},
	{"debian", probeDebian},
	{"leftovers", probeLeftovers},
}

// Doctor looks at all that machines need of their host; recordings go below state.
func (b *Backend) Doctor(ctx context.Context, state string) []machine.Finding {
	out := make([]machine.Finding, 0, len(probes))
	v := view{state: state}
	v.host, v.unseen = b.look(ctx)
	for _, p := range probes {
		var f machine.Finding
		switch {
		case b.down != nil && p.name == "engine":
			f = machine.Finding{State: machine.Fail, Detail: b.down.Error(), Fix: "start it (systemctl start docker), or set DOCKER_HOST to one that runs"}
		case b.down != nil && slices.Contains([]string{"machine", "debian", "leftovers"}, p.name):
			f = noEngine
		default:
			f = p.look(ctx, b, v)
		}
		f.Probe = p.name
		out = append(out, f)
	}
	return out
}

var noEngine = machine.Finding{State: machine.Warn, Detail: "not looked at: no engine answers"}

// look asks a container on the engine's host for its facts, or says why there are none.
func (b *Backend) look(ctx context.Context) (recording.HostFacts, *machine.Finding) {
	if b.down != nil {
		return recording.HostFacts{}, &noEngine
	}
	image, err := anyImage(ctx, b.Engine(), "azure")
	if image == "" && err == nil {
		return recording.HostFacts{}, &noImage
	}
	var f recording.HostFacts
	if err == nil {
		f, err = b.facts(ctx, image)
	}
	if err != nil {
		return f, &machine.Finding{State: machine.Warn, Detail: "not known of the engine's host: " + err.Error()}
	}
	return f, nil
}

// noImage is no word of the host, good or bad.
var noImage = machine.Finding{State: machine.Warn, Detail: "not looked at: that takes an image of ours, and none is there yet", Fix: "ask again after the first run, which makes them: bootrace run pre"}

// ofHost is a probe that the facts are enough for.
func ofHost(judge func(recording.HostFacts) machine.Finding) func(context.Context, *Backend, view) machine.Finding {
	return func(_ context.Context, _ *Backend, v view) machine.Finding {
		if v.unseen != nil {
			return *v.unseen
		}
		return judge(v.host)
	}
}

func probeEngine(ctx context.Context, b *Backend, _ view) machine.Finding {
	v, err := b.Engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return machine.Finding{State: machine.Fail, Detail: err.Error(), Fix: "systemctl status docker"}
	}
	if v.Os != "linux" {
		return machine.Finding{State: machine.Fail, Detail: "the engine runs " + v.Os + " containers", Fix: "use a Linux engine"}
	}
	return machine.Finding{State: machine.OK, Detail: fmt.Sprintf("%s %s at %s, %s/%s", b.cli[0], v.Version, b.address, v.Os, v.Arch)}
}

// wantedCapabilities are bits of linux/capability.h, which a client on another system lacks.
var wantedCapabilities = map[string]int{"CAP_SYS_ADMIN": 21, "CAP_SYS_PTRACE": 19, "CAP_NET_ADMIN": 12}

// probeCapabilities: systemd in a machine mounts its file systems itself.
func probeCapabilities(host recording.HostFacts) machine.Finding {
	if host.Capabilities == 0 {
		return machine.Finding{State: machine.Warn, Detail: "the bounding set of the engine's host is not known"}
	}
	for name, bit := range wantedCapabilities {
		if host.Capabilities&(1<<bit) == 0 {
			return machine.Finding{State: machine.Fail, Detail: name + " is not in the bounding set of the engine's host", Fix: "run on a host or runner that grants " + name + " to containers"}
		}
	}
	return machine.Finding{State: machine.OK, Detail: "CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_NET_ADMIN can be granted"}
}

func probeCgroups(host recording.HostFacts) machine.Finding {
	switch {
	case !host.Cgroup2:
		return machine.Finding{State: machine.Fail, Detail: "the kernel has no cgroup2", Fix: "use a kernel with the unified control group hierarchy (4.15 or newer)"}
	case host.Unified:
		return machine.Finding{State: machine.OK, Detail: "unified hierarchy"}
	}
	return machine.Finding{State: machine.OK, Detail: "hybrid or v1 hierarchy; each machine mounts cgroup2 of its own"}
}

// wantedMachines is how many at once doctor finds comfortable.
const wantedMachines = 100

func probeInotify(host recording.HostFacts) machine.Finding {
	if host.InotifyInstances == 0 {
		return machine.Finding{State: machine.Warn, Detail: "fs.inotify.max_user_instances of the engine's host is not known"}
	}
	room := inotifyRoom(host)
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("fs.inotify.max_user_instances = %d: room for %d machines at once", host.InotifyInstances, room)}
	if room < wantedMachines {
		f.State = machine.Warn
		f.Fix = fmt.Sprintf("for %d at once: sysctl -w fs.inotify.max_user_instances=8192", wantedMachines)
	}
	return f
}

func probeMemory(host recording.HostFacts) machine.Finding {
	if host.FreeMB == 0 {
		return machine.Finding{State: machine.Warn, Detail: "the memory of the engine's host is not known"}
	}
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("%d MB free, without what caches would give back", host.FreeMB)}
	if host.FreeMB < 512 {
		f.State, f.Fix = machine.Warn, "stop other programs, or run fewer at once: --parallel 2"
	}
	return f
}

// neededMB is what the images of one base and a run's recordings take.
const neededMB = 2048

func probeDisk(_ context.Context, _ *Backend, v view) machine.Finding {
	free, err := freeMB(v.state)
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: err.Error()}
	}
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("%d MB free for recordings", free)}
	lacks := func(free int64, where string) {
		if free < neededMB {
			f.State, f.Fix = machine.Fail, fmt.Sprintf("free %d MB %s (bootrace clean --images removes our images)", neededMB-free, where)
		}
	}
	lacks(free, "below "+v.state)
	if v.unseen != nil || v.host.FreeDiskMB == 0 {
		f.Detail += "; for the engine's images it is not known"
		return f
	}
	lacks(int64(v.host.FreeDiskMB), "where the engine keeps containers")
	f.Detail += fmt.Sprintf(", %d MB for the engine's images", v.host.FreeDiskMB)
	return f
}

// freeMB is what an ordinary user may still write at dir or where it would be.
func freeMB(dir string) (int64, error) {
	for d := dir; ; d = filepath.Dir(d) {
		var st unix.Statfs_t
		err := unix.Statfs(d, &st)
		if err == nil {
			return int64(st.Bavail) * int64(st.Bsize) >> 20, nil
		}
		if !errors.Is(err, os.ErrNotExist) || d == filepath.Dir(d) || d == "." {
			return 0, fmt.Errorf("free space at %s: %w", dir, err)
		}
	}
}

func probePressure(host recording.HostFacts) machine.Finding {
	if !host.Pressure {
		return machine.Finding{State: machine.Warn, Detail: "/proc/pressure/cpu is not there or has no line full: what CPU others had of a boot is judged by scheduling delay alone",
			Fix: "boot Linux 5.13 or newer with psi=1"}
	}
	return machine.Finding{State: machine.OK, Detail: "/proc/pressure is there"}
}

func probeGo(ctx context.Context, _ *Backend, _ view) machine.Finding {
	if kit.Carried() {
		return machine.Finding{State: machine.OK, Detail: "not needed: this command carries what goes into the images"}
	}
	out, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		return machine.Finding{State: machine.Fail, Detail: "the go command does not run: " + err.Error(), Fix: "install the Go named in go.mod: what goes into the images is built from source; a release of bootrace needs none"}
	}
	return machine.Finding{State: machine.OK, Detail: strings.TrimSpace(string(out))}
}

func probeDebian(ctx context.Context, b *Backend, _ view) machine.Finding {
	if _, err := b.Engine().ImageInspect(ctx, "bootrace/debian:"+images.Suites()[0]); err == nil {
		return machine.Finding{State: machine.OK, Detail: "the engine has debian " + images.Suites()[0]}
	}
	if _, err := exec.LookPath("mmdebstrap"); err == nil {
		return machine.Finding{State: machine.OK, Detail: "will be pulled, or bootstrapped with mmdebstrap"}
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		return machine.Finding{State: machine.OK, Detail: "will be pulled; else mmdebstrap is installed and bootstraps it"}
	}
	return machine.Finding{State: machine.Warn, Detail: "works only if the engine can pull debian:" + images.Suites()[0], Fix: "else install mmdebstrap"}
}

func probeLeftovers(ctx context.Context, b *Backend, _ view) machine.Finding {
	left, err := b.Leftovers(ctx)
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: err.Error()}
	}
	kept, others := 0, 0
	for _, l := range left {
		switch {
		case l.Foreign:
			others++
		case l.Kept:
			kept++
		}
	}
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("%d containers of dead runs, %d of kept machines", len(left)-kept-others, kept)}
	if others > 0 {
		f.Detail += fmt.Sprintf(", %d of other users", others)
	}
	if len(left) > kept+others {
		f.State, f.Fix = machine.Warn, "bootrace clean (the next run does it, too)"
	}
	return f
}
