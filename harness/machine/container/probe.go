package container

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"

	"bootrace/harness/machine"
	"bootrace/images"
)

// need is something that a machine's kernel must give, as the probe's script
// prints it.
type need struct {
	name        string
	consequence string
	fix         string
	state       machine.State // when it lacks
}

var needs = []need{
	{"cgroup2", "a machine cannot mount its control groups, and systemd does not boot",
		"use an engine that grants CAP_SYS_ADMIN, and a kernel with cgroup2 (4.15 or newer)", machine.Fail},
	{"CAP_SYS_ADMIN", "systemd cannot mount what it needs", "use an engine that grants it: a rootful one, without a policy that takes it away", machine.Fail},
	{"CAP_SYS_PTRACE", "the collector cannot read Vector's environment on kernels up to 6.12 at least, and every case is invalid",
		"use an engine that grants it: a rootful one, without a policy that takes it away", machine.Fail},
	{"environ", "the environment of another user's process cannot be read: what Vector runs with is not known, and every case is invalid",
		"see that no security module or kernel lockdown keeps CAP_SYS_PTRACE from reading /proc/PID/environ", machine.Fail},
	{"inotify", "systemd gets no inotify object: PID 1 hangs or exits", "sysctl -w fs.inotify.max_user_instances=8192", machine.Fail},
	{"pressure", "what CPU others had of a boot is judged by scheduling delay alone", "boot Linux 5.13 or newer with psi=1", machine.Warn},
}

// needsScript prints the name of each need that is met. It runs as PID 1 of a
// container that is a machine but for systemd. Python is there for cloud-init.
const needsScript = `
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup && echo cgroup2
set=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
[ $(( 0x$set >> 21 & 1 )) = 0 ] || echo CAP_SYS_ADMIN
[ $(( 0x$set >> 19 & 1 )) = 0 ] || echo CAP_SYS_PTRACE
env -i BOOTRACE_PROBE=seen setpriv --reuid=65534 --regid=65534 --clear-groups sleep 60 &
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(cat /proc/$!/comm)" = sleep ] && break; sleep 0.1; done
tr '\0' '\n' </proc/$!/environ | grep -qx BOOTRACE_PROBE=seen && echo environ
kill $!
python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).inotify_init1(0) < 0)' && echo inotify
grep -qs '^full ' /sys/fs/cgroup/cpu.pressure && echo pressure
echo done
`

// probeWithin bounds the probe; it takes half a second.
const probeWithin = 30 * time.Second

// probeMachine asks in a container made as machines are, but without systemd, for
// what the collector and the checks need of the kernel. It asks the kernel itself:
// what an engine is told to grant is not always what a machine gets.
func probeMachine(ctx context.Context, b *Backend, _ view) machine.Finding {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	img, err := anyImage(ctx, b.Engine(), "worker", "base", "subject")
	if err != nil {
		return machine.Finding{State: machine.Warn, Detail: "not looked at: " + err.Error()}
	}
	if img == "" {
		return noImage
	}
	out, err := b.asPID1(ctx, img, needsScript)
	if err != nil {
		return machine.Finding{State: machine.Fail, Detail: "a container with a machine's privileges does not run: " + err.Error(),
			Fix: "let the engine grant " + strings.Join(machineCapabilities, " and ") + ", seccomp=unconfined and a private control group namespace"}
	}
	return judgeNeeds(out)
}

// judgeNeeds says what of the needs is not among what the script printed.
func judgeNeeds(printed string) machine.Finding {
	met := map[string]bool{}
	for _, name := range strings.Fields(printed) {
		met[name] = true
	}
	if !met["done"] {
		return machine.Finding{State: machine.Fail, Detail: "the probe in a machine ended early: " + strings.TrimSpace(printed), Fix: "docker logs and journalctl -u docker may say why"}
	}
	f := machine.Finding{State: machine.OK, Detail: "control groups, others' environments, inotify and pressure are there in a machine"}
	var lacks, fixes []string
	for _, n := range needs {
		if met[n.name] {
			continue
		}
		lacks = append(lacks, n.name+" is not there: "+n.consequence)
		if !slices.Contains(fixes, n.fix) {
			fixes = append(fixes, n.fix)
		}
		if f.State != machine.Fail {
			f.State = n.state
		}
	}
	if len(lacks) > 0 {
		f.Detail, f.Fix = strings.Join(lacks, "; "), strings.Join(fixes, "; ")
	}
	return f
}

// anyImage is an image of ours of the first of those kinds of which there is one, the
// newest; none is no error.
func anyImage(ctx context.Context, engine *client.Client, kinds ...string) (string, error) {
	for _, kind := range kinds {
		list, err := engine.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("label", images.LabelImage+"="+kind)})
		if err != nil {
			return "", fmt.Errorf("list our images: %w", err)
		}
		if len(list.Items) > 0 {
			return slices.MaxFunc(list.Items, func(a, b image.Summary) int { return cmp.Compare(a.Created, b.Created) }).ID, nil
		}
	}
	return "", nil
}

// asPID1 runs a shell script as PID 1 of a container that has what a machine has, and
// returns what it printed. Whatever happens the container is removed.
func (b *Backend) asPID1(ctx context.Context, image, script string) (said string, err error) {
	// In a control group namespace of its own, as machine-init.
	own := `unshare --cgroup true && exec unshare --cgroup /bin/sh -c "$0"; exec /bin/sh -c "$0"`
	id, _, err := b.bench(ctx, "doctor", image, []string{"/bin/sh", "-c", own, script}, nil)
	defer b.clear(ctx, id, &err)
	if err != nil {
		return "", err
	}
	_, said, _, err = images.ToItsEnd(ctx, b.Engine(), id, time.Time{})
	return said, err
}
