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
)

// State is what a probe of the host found.
type State string

const (
	OK   State = "ok"
	Warn State = "warn" // works, but within limits that the detail names
	Fail State = "fail" // no machine will boot before it is mended
)

// Finding is one probe's result. Fix is a command or a sentence; empty when
// there is nothing to do.
type Finding struct {
	Probe  string `json:"probe"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// probe looks at one thing that machines need of their host.
type probe struct {
	name string
	look func(ctx context.Context, h Host) Finding
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

// Host is what the probes look at.
type Host struct {
	Backend    *Backend // nil when no engine answers
	ConnectErr error    // why it does not
	StateDir   string   // where recordings go
	Base       string   // the Debian that machines are made from
}

// Doctor looks at all that machines need of their host.
func Doctor(ctx context.Context, h Host) []Finding {
	out := make([]Finding, 0, len(probes))
	for _, p := range probes {
		var f Finding
		switch {
		case h.Backend == nil && p.name == "engine":
			f = Finding{State: Fail, Detail: h.ConnectErr.Error(), Fix: "start it (systemctl start docker), or set DOCKER_HOST to one that runs"}
		case h.Backend == nil && slices.Contains([]string{"machine", "debian", "leftovers"}, p.name):
			f = Finding{State: Warn, Detail: "not looked at: no engine answers"}
		default:
			f = p.look(ctx, h)
		}
		f.Probe = p.name
		out = append(out, f)
	}
	return out
}

func probeEngine(ctx context.Context, h Host) Finding {
	v, err := h.Backend.Engine().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Finding{State: Fail, Detail: err.Error(), Fix: "systemctl status docker"}
	}
	if v.Os != "linux" {
		return Finding{State: Fail, Detail: "the engine runs " + v.Os + " containers", Fix: "use a Linux engine"}
	}
	return Finding{State: OK, Detail: fmt.Sprintf("version %s, %s/%s", v.Version, v.Os, v.Arch)}
}

// probeCapabilities: systemd in a machine mounts its file systems itself.
func probeCapabilities(context.Context, Host) Finding {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Finding{State: Warn, Detail: "cannot read the bounding set: " + err.Error()}
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
				return Finding{State: Fail, Detail: name + " is not in this host's bounding set", Fix: "run on a host or runner that grants " + name + " to containers"}
			}
		}
		return Finding{State: OK, Detail: "CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_NET_ADMIN can be granted"}
	}
	return Finding{State: Warn, Detail: "no bounding set in /proc/self/status"}
}

func probeCgroups(context.Context, Host) Finding {
	data, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return Finding{State: Warn, Detail: err.Error()}
	}
	if !strings.Contains(string(data), "cgroup2") {
		return Finding{State: Fail, Detail: "the kernel has no cgroup2", Fix: "use a kernel with the unified control group hierarchy (4.15 or newer)"}
	}
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		return Finding{State: OK, Detail: "unified hierarchy"}
	}
	return Finding{State: OK, Detail: "hybrid or v1 hierarchy; each machine mounts cgroup2 of its own"}
}

// inotifyPerMachine is how many inotify instances a machine holds: systemd,
// journald, logind, dbus, the boot logger, journalctl and the populator, counted in
// /proc/*/fdinfo of a waiting machine and rounded up.
const inotifyPerMachine = 12

// controlRoom is for the control boots, which run beside the cases.
const controlRoom = 2

// InotifyRoom is for how many machines at once the limit on inotify instances is
// enough. Beyond it PID 1 hangs or exits in a way that looks like a blocked boot.
func InotifyRoom() int {
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

// wantedMachines is how many at once doctor finds comfortable.
const wantedMachines = 100

func probeInotify(context.Context, Host) Finding {
	limit, err := readInt("/proc/sys/fs/inotify/max_user_instances")
	if err != nil {
		return Finding{State: Warn, Detail: err.Error()}
	}
	f := Finding{State: OK, Detail: fmt.Sprintf("fs.inotify.max_user_instances = %d: room for %d machines at once", limit, InotifyRoom())}
	if InotifyRoom() < wantedMachines {
		f.State = Warn
		f.Fix = fmt.Sprintf("for %d at once: sysctl -w fs.inotify.max_user_instances=8192", wantedMachines)
	}
	return f
}

// FreeMemoryMB is what machines may take, without what caches would give back.
func FreeMemoryMB() (int, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("ask for the free memory: %w", err)
	}
	return int((uint64(info.Freeram) + uint64(info.Bufferram)) * uint64(info.Unit) >> 20), nil
}

func probeMemory(context.Context, Host) Finding {
	free, err := FreeMemoryMB()
	if err != nil {
		return Finding{State: Warn, Detail: err.Error()}
	}
	f := Finding{State: OK, Detail: fmt.Sprintf("%d MB free, without what caches would give back", free)}
	if free < 512 {
		f.State, f.Fix = Warn, "stop other programs, or run fewer at once: --parallel 2"
	}
	return f
}

// neededMB is what the images of one base and a run's recordings take.
const neededMB = 2048

func probeDisk(ctx context.Context, h Host) Finding {
	places := map[string]string{h.StateDir: "recordings"}
	if h.Backend != nil {
		if info, err := h.Backend.Engine().Info(ctx, client.InfoOptions{}); err == nil {
			places[info.Info.DockerRootDir] = "the engine's images"
		}
	}
	var detail []string
	f := Finding{State: OK}
	for dir, what := range places {
		free, err := freeMB(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // a remote engine's directory
		}
		if err != nil {
			return Finding{State: Warn, Detail: err.Error()}
		}
		detail = append(detail, fmt.Sprintf("%d MB free for %s", free, what))
		if free < neededMB {
			f.State, f.Fix = Fail, fmt.Sprintf("free %d MB below %s (bootrace clean --images removes our images)", neededMB-free, dir)
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

func probePressure(context.Context, Host) Finding {
	data, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil || !strings.Contains(string(data), "\nfull ") {
		return Finding{State: Warn, Detail: "/proc/pressure/cpu is not there or has no line full: what CPU others had of a boot is judged by scheduling delay alone",
			Fix: "boot Linux 5.13 or newer with psi=1"}
	}
	return Finding{State: OK, Detail: "/proc/pressure is there"}
}

func probeGo(ctx context.Context, _ Host) Finding {
	out, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		return Finding{State: Fail, Detail: "the go command does not run: " + err.Error(), Fix: "install the Go named in go.mod: what goes into the images is built from source"}
	}
	return Finding{State: OK, Detail: strings.TrimSpace(string(out))}
}

func probeDebian(ctx context.Context, h Host) Finding {
	if _, err := h.Backend.Engine().ImageInspect(ctx, "bootrace/debian:"+h.Base); err == nil {
		return Finding{State: OK, Detail: "the engine has debian " + h.Base}
	}
	if _, err := exec.LookPath("mmdebstrap"); err == nil {
		return Finding{State: OK, Detail: "will be pulled, or bootstrapped with mmdebstrap"}
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Geteuid() == 0 {
		return Finding{State: OK, Detail: "will be pulled; else mmdebstrap is installed and bootstraps it"}
	}
	return Finding{State: Warn, Detail: "works only if the engine can pull debian:" + h.Base, Fix: "else install mmdebstrap"}
}

func probeLeftovers(ctx context.Context, h Host) Finding {
	left, err := h.Backend.Leftovers(ctx)
	if err != nil {
		return Finding{State: Warn, Detail: err.Error()}
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
	f := Finding{State: OK, Detail: fmt.Sprintf("%d containers of dead runs, %d of kept machines", len(left)-kept-others, kept)}
	if others > 0 {
		f.Detail += fmt.Sprintf(", %d of other users", others)
	}
	if len(left) > kept+others {
		f.State, f.Fix = Warn, "bootrace clean (the next run does it, too)"
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
