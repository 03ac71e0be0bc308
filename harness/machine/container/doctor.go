package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"bootrace/harness/machine"
	"bootrace/images"
)

// probe looks at one thing that machines need of their host.
type probe struct {
	name string
	look func(ctx context.Context, b *Backend, state string) machine.Finding
}

var probes = []probe{
	{"engine", probeEngine},
	{"capabilities", probeCapabilities},
	{"cgroups", probeCgroups},
	{"inotify", probeInotify},
	{"memory", probeMemory},
	{"disk", probeDisk},
	{"pressure", probePressure},
	{"machine", probeMachine},
	{"go", probeGo},
	{"debian", probeDebian},
	{"leftovers", probeLeftovers},
}

// Doctor looks at all that machines need of their host; recordings go below state.
func (b *Backend) Doctor(ctx context.Context, state string) []machine.Finding {
	out := make([]machine.Finding, 0, len(probes))
	for _, p := range probes {
		var f machine.Finding
		switch {
		case b.down != nil && p.name == "engine":
			f = machine.Finding{State: machine.Fail, Detail: b.down.Error(), Fix: "start it (systemctl start docker), or set DOCKER_HOST to one that runs"}
		case b.down != nil && slices.Contains([]string{"machine", "debian", "leftovers"}, p.name):
			f = machine.Finding{State: machine.Warn, Detail: "not looked at: no engine answers"}
		default:
			f = p.look(ctx, b, state)
		}
		f.Probe = p.name
		out = append(out, f)
	}
	return out
}

func probeEngine(ctx context.Context, b *Backend, _ string) machine.Finding {
	v, err := b.Engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return machine.Finding{State: machine.Fail, Detail: err.Error(), Fix: "systemctl status docker"}
	}
	if v.Os != "linux" {
		return machine.Finding{State: machine.Fail, Detail: "the engine runs " + v.Os + " containers", Fix: "use a Linux engine"}
	}
	return machine.Finding{State: machine.OK, Detail: fmt.Sprintf("version %s, %s/%s", v.Version, v.Os, v.Arch)}
}

// probeCapabilities: systemd in a machine mounts its file systems itself.
func probeCapabilities(context.Context, *Backend, string) machine.Finding {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: "cannot read the bounding set: " + err.Error()}
	}
	for l := range strings.Lines(string(data)) {
		rest, ok := strings.CutPrefix(l, "CapBnd:")
		if !ok {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
		if err != nil {
			break
		}
		for name, bit := range map[string]int{"CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN} {
			if set&(1<<bit) == 0 {
				return machine.Finding{State: machine.Fail, Detail: name + " is not in this host's bounding set", Fix: "run on a host or runner that grants " + name + " to containers"}
			}
		}
		return machine.Finding{State: machine.OK, Detail: "CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_NET_ADMIN can be granted"}
	}
	return machine.Finding{State: machine.Warn, Detail: "no bounding set in /proc/self/status"}
}

func probeCgroups(context.Context, *Backend, string) machine.Finding {
	data, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: err.Error()}
	}
	if !strings.Contains(string(data), "cgroup2") {
		return machine.Finding{State: machine.Fail, Detail: "the kernel has no cgroup2", Fix: "use a kernel with the unified control group hierarchy (4.15 or newer)"}
	}
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		return machine.Finding{State: machine.OK, Detail: "unified hierarchy"}
	}
	return machine.Finding{State: machine.OK, Detail: "hybrid or v1 hierarchy; each machine mounts cgroup2 of its own"}
}

// wantedMachines is how many at once doctor finds comfortable.
const wantedMachines = 100

func probeInotify(context.Context, *Backend, string) machine.Finding {
	limit, err := readInt("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: err.Error()}
	}
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("fs.inotify.max_user_instances = %d: room for %d machines at once", limit, inotifyRoom())}
	if inotifyRoom() < wantedMachines {
		f.State = machine.Warn
		f.Fix = fmt.Sprintf("for %d at once: sysctl -w fs.inotify.max_user_instances=8192", wantedMachines)
	}
	return f
}

func probeMemory(context.Context, *Backend, string) machine.Finding {
	free, err := freeMemoryMB()
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: err.Error()}
	}
	f := machine.Finding{State: machine.OK, Detail: fmt.Sprintf("%d MB free, without what caches would give back", free)}
	if free < 512 {
		f.State, f.Fix = machine.Warn, "stop other programs, or run fewer at once: --parallel 2"
	}
	return f
}

// neededMB is what the images of one base and a run's recordings take.
const neededMB = 2048

func probeDisk(ctx context.Context, b *Backend, state string) machine.Finding {
	places := map[string]string{state: "recordings"}
	if b.down == nil {
		if info, err := b.Engine().Info(ctx, client.InfoOptions{}); err == nil {
			places[info.Info.DockerRootDir] = "the engine's images"
		}
	}
	var detail []string
	f := machine.Finding{State: machine.OK}
	for dir, what := range places {
		free, err := freeMB(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // a remote engine's directory
		}
		if err != nil {
			return machine.Finding{State: machine.Warn, Detail: err.Error()}
		}
		detail = append(detail, fmt.Sprintf("%d MB free for %s", free, what))
		if free < neededMB {
			f.State, f.Fix = machine.Fail, fmt.Sprintf("free %d MB below %s (bootrace clean --images removes our images)", neededMB-free, dir)
		}
	}
	f.Detail = strings.Join(detail, ", ")
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

func probePressure(context.Context, *Backend, string) machine.Finding {
	data, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil || !strings.Contains(string(data), "\nfull ") {
		return machine.Finding{State: machine.Warn, Detail: "/proc/pressure/cpu is not there or has no line full: what CPU others had of a boot is judged by scheduling delay alone",
			Fix: "boot Linux 5.13 or newer with psi=1"}
	}
	return machine.Finding{State: machine.OK, Detail: "/proc/pressure is there"}
}

func probeGo(ctx context.Context, _ *Backend, _ string) machine.Finding {
	out, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		return machine.Finding{State: machine.Fail, Detail: "the go command does not run: " + err.Error(), Fix: "install the Go named in go.mod: what goes into the images is built from source"}
	}
	return machine.Finding{State: machine.OK, Detail: strings.TrimSpace(string(out))}
}

func probeDebian(ctx context.Context, b *Backend, _ string) machine.Finding {
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

func probeLeftovers(ctx context.Context, b *Backend, _ string) machine.Finding {
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

func readInt(file string) (int, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return n, nil
}
