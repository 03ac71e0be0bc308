package boot

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// Lack is something that a real machine has and a container has not, where a unit shows it.
type Lack struct {
	Unit string // empty: the image as a whole
	What string // a sentence
	// Needed: Vector or the populator needs the unit.
	Needed bool
	// Affected are the unit, and those that do not start without it.
	Affected []string
	Evidence timeline.Evidence
}

// Asked is what files of an image ask of the kernel or of hardware, and a container ignores
// without a word.
type Asked struct {
	What string `json:"what"` // a sentence
	// Mount is the directory that would be mounted, After the unit that does it: who needs
	// either needs this.
	Mount string `json:"mount,omitempty"`
	After string `json:"after,omitempty"`
	// Boot: a real boot does not get far without it.
	Boot bool `json:"boot,omitempty"`
}

// Lacks are those that a unit of the subject, Vector or the worker met.
func (b Facts) Lacks(s Setup) []Lack {
	theirs := append(slices.Clone(s.SubjectUnits), Vector, Worker+".service")
	chain := b.chain(s)
	var out []Lack
	add := func(l Lack, alone bool) {
		l.Affected = b.requiring(l.Unit)
		l.Needed = slices.ContainsFunc(l.Affected, func(u string) bool { return chain[u] })
		if alone && s.Populator == "" && !b.askedCloud() { // it may be the one that would
			l.Needed = true
		}
		out = append(out, l)
	}
	for _, id := range theirs {
		u, alone := b.Final.Units[id], id != Vector && slices.Contains([]string{".service", ".timer", ".path", ".socket"}, path.Ext(id))
		switch skipped := u.InactiveExit == 0 && u.Active != "active"; {
		case skipped && (u.Condition > 0 || u.Assert > 0) && NotHere(u.Unmet):
			how := "is skipped here"
			if u.Assert > 0 {
				how = "does not start here"
			}
			add(Lack{Unit: id, What: fmt.Sprintf("%s %s, for %s", id, how, strings.Join(u.Unmet, ", ")), Evidence: u.Evidence}, alone)
		case skipped && len(u.WantedBy) > 0 && all(u.WantedBy, isDevice):
			add(Lack{Unit: id, What: fmt.Sprintf("%s starts with %s, and there are no devices here", id, strings.Join(u.WantedBy, ", ")), Evidence: u.Evidence}, alone)
		case u.Active == "active" && hereOnly(u.Held):
			add(Lack{Unit: id, What: fmt.Sprintf("%s runs here only, for %s", id, strings.Join(u.Held, ", ")), Evidence: u.Evidence}, false)
		}
	}
	for _, f := range b.Failures().All {
		if what := b.beyond(f); what != "" && slices.Contains(theirs, f.Unit) && !b.holdsBoot(f.Unit) {
			add(Lack{Unit: f.Unit, What: what, Evidence: f.Evidence[0]}, f.Unit != Vector)
		}
	}
	return slices.Concat(out, b.devices(chain), b.asked(s, chain))
}

func all(list []string, is func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !is(s) })
}

func isDevice(unit string) bool { return strings.HasSuffix(unit, ".device") }

// askedCloud: something fetched, or tried to.
func (b Facts) askedCloud() bool {
	return slices.ContainsFunc(b.Of(timeline.Request), func(ev timeline.Event) bool { return ev.Call.Service == IMDS || ev.Call.Service == KeyVault })
}

// chain are the units without which credentials do not come to Vector: what it, the
// populator and the worker ask for, and what starts them, all the way. That one comes
// after another is an order, no need.
func (b Facts) chain(s Setup) map[string]bool {
	in := map[string]bool{Vector: true, Worker + ".service": true}
	if s.Populator != "" {
		in[s.Populator] = true
	}
	for grown := true; grown; {
		grown = false
		take := func(id string) {
			// Every unit asks for basic.target, which asks for half the machine.
			if !in[id] && (!strings.HasSuffix(id, ".target") || slices.Contains(s.SubjectUnits, id)) {
				in[id], grown = true, true
			}
		}
		for id, u := range b.Final.Units {
			for _, by := range slices.Concat(u.RequiredBy, u.WantedBy, u.BoundBy, u.UpheldBy) {
				if in[by] {
					take(id)
				}
			}
			if in[id] {
				for _, by := range u.TriggeredBy {
					take(by)
				}
			}
		}
	}
	return in
}

// requiring are a unit and those that do not start without it.
func (b Facts) requiring(unit string) []string {
	out := []string{unit}
	for i := 0; i < len(out); i++ {
		u := b.Final.Units[out[i]]
		more := slices.Concat(u.RequiredBy, u.BoundBy)
		for id, other := range b.Final.Units {
			if slices.Contains(other.TriggeredBy, out[i]) {
				more = append(more, id)
			}
		}
		slices.Sort(more)
		for _, id := range more {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// holdsBoot: without the unit the boot ends in emergency mode. That is a failure of its
// own, whoever has not brought the disk: a worker has none but its own.
func (b Facts) holdsBoot(unit string) bool {
	return slices.ContainsFunc(b.requiring(unit), func(u string) bool {
		return slices.Contains([]string{"local-fs.target", "sysinit.target", "basic.target"}, u)
	})
}

// devices are those that somebody waits for in vain.
func (b Facts) devices(chain map[string]bool) []Lack {
	var out []Lack
	for id, u := range b.Final.Units {
		affected := b.requiring(id)
		if !isDevice(id) || u.Active == "active" || len(affected) == 1 || b.holdsBoot(id) {
			continue
		}
		out = append(out, Lack{Unit: id, What: fmt.Sprintf("%s waits for %s, and there are no devices here", affected[1], id), Affected: affected,
			Needed: slices.ContainsFunc(affected, func(u string) bool { return chain[u] }), Evidence: u.Evidence})
	}
	slices.SortFunc(out, func(x, y Lack) int { return strings.Compare(x.Unit, y.Unit) })
	return out
}

// asked are those of the image that somebody needs, and the others.
func (b Facts) asked(s Setup, chain map[string]bool) []Lack {
	var out []Lack
	for _, a := range s.Image {
		l := Lack{What: a.What, Needed: a.Boot}
		for id := range chain {
			u := b.Final.Units[id]
			onMount := a.Mount != "" && slices.ContainsFunc(u.MountsFor, func(dir string) bool { return dir == a.Mount || strings.HasPrefix(dir, a.Mount+"/") })
			if onMount || a.After != "" && slices.Contains(u.After, a.After) {
				l.Needed, l.What = true, a.What+", which "+id+" needs"
				break
			}
		}
		out = append(out, l)
	}
	return out
}

// NotHere: what kept a unit from its start holds on a real machine. Of conditions that
// trigger, one is enough.
func NotHere(unmet []string) bool {
	triggers, triggered := false, false
	for _, c := range unmet {
		ours := ofContainer(c)
		if strings.Contains(c, "=|") {
			triggers, triggered = true, triggered || ours
		} else if !ours {
			return false
		}
	}
	return len(unmet) > 0 && (!triggers || triggered)
}

// Virtualization is what such a condition says of a container, and of a real machine.
func Virtualization(condition string) (here, real bool) {
	_, parameter, negated := parted(condition)
	here = slices.Contains([]string{"yes", "true", "1", "on", "container", "docker", "podman"}, parameter)
	return here != negated, realMachine(parameter) != negated
}

// hereOnly: a unit runs by a condition that holds of a container and not of a real machine.
func hereOnly(held []string) bool {
	return slices.ContainsFunc(held, func(c string) bool {
		_, real := Virtualization(c) // it held, so it says yes of this one
		return !real && !strings.Contains(c, "=|")
	})
}

// parted is a condition or an assert without its prefix (systemd.unit(5)).
func parted(condition string) (kind, parameter string, negated bool) {
	kind, parameter, _ = strings.Cut(condition, "=")
	kind = strings.TrimPrefix(strings.TrimPrefix(kind, "Condition"), "Assert")
	parameter, negated = strings.CutPrefix(strings.TrimPrefix(parameter, "|"), "!")
	return kind, parameter, negated
}

// realMachine is what ConditionVirtualization= says of a worker in Azure, which is a
// virtual machine of Hyper-V.
func realMachine(parameter string) bool {
	return slices.Contains([]string{"yes", "true", "1", "on", "vm", "microsoft"}, parameter)
}

// kernels are the kinds of conditions about what the kernel, its capabilities and the
// firmware are: a container has less of each.
var kernels = []string{"Capability", "ControlGroupController", "KernelModuleLoaded", "KernelCommandLine", "Security", "Firmware", "KernelVersion"}

// hardware is where the kernel shows devices, modules and settings, and a container has
// few of them, or may not write.
var hardware = []string{"/dev", "/sys", "/proc/sys", "/lib/modules", "/usr/lib/modules", "/boot"}

// ordinary are those below them that a container has as any machine does.
var ordinary = []string{"/dev/shm", "/dev/mqueue", "/dev/log", "/dev/pts"}

// containers are the files by which programs know one.
var containers = []string{"/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/run/host"}

// ofContainer: a condition does not hold here for the machine's being a container.
func ofContainer(condition string) bool {
	kind, parameter, negated := parted(condition)
	under := func(dir string) bool { return parameter == dir || strings.HasPrefix(parameter, dir+"/") }
	switch {
	case kind == "Virtualization":
		return realMachine(parameter) != negated
	case slices.Contains(kernels, kind):
		return !negated
	case strings.HasPrefix(kind, "Path") || strings.HasSuffix(kind, "NotEmpty"):
		return !negated && slices.ContainsFunc(hardware, under) && !slices.ContainsFunc(ordinary, under) || negated && slices.ContainsFunc(containers, under)
	}
	return false
}

// Capabilities by number (linux/capability.h).
const (
	netAdmin  = 12
	sysModule = 16
	sysAdmin  = 21
	sysNice   = 23
	sysTime   = 25
)

// tools are programs that do nothing but what a container may not.
const tools = `(?:modprobe|insmod|kmod|nft|ip6?tables(?:-restore|-legacy|-nft)?|ethtool|losetup|hwclock|sysctl|mdadm|cryptsetup|udevadm)`

// refusedWords are what programs print when the kernel refuses a container what it grants
// root, with the capability by which it is granted.
var refusedWords = []struct {
	text       *regexp.Regexp
	capability int // 0: none would do
	what       string
	forgone    string // the setting by which a unit forgoes it everywhere
}{
	{regexp.MustCompile(`(?i)^(RTNETLINK answers|netlink error|nl80211.*|SIOC\w+|Cannot .*(device|interface|link) .*|.*ioctl.*SIOC.*|Unable to modify interface): Operation not permitted|` +
		`(ip6?|eb|arp)tables.*(Permission denied|Operation not permitted|must be root)|\bnft\b.*Operation not permitted|^ipset.*Operation not permitted`),
		netAdmin, "may not change the network (CAP_NET_ADMIN)", ""},
	{regexp.MustCompile(`(?i)modprobe: (FATAL|ERROR)|insmod: (ERROR|can't)|could not insert '.*'|Module \S+ not found in directory`), sysModule, "has no kernel modules", "ProtectKernelModules"},
	{regexp.MustCompile(`(?i)(locate executable|spawning) '?(/usr)?/s?bin/` + tools + `\b|\b` + tools + `: (command )?not found`), 0, "may not do what that program does, and has it not", ""},
	{regexp.MustCompile(`(?i)(mount|losetup): .*(loop|special device /dev/|/dev/\S+ .*does not exist|failed: /dev/|permission denied|Operation not permitted)|` +
		`losetup: cannot find an unused loop device|swapon: .*swapon failed`), sysAdmin, "has no disks and no loop devices", "PrivateDevices"},
	{regexp.MustCompile(`(?i)sysctl: .*(Read-only file system|permission denied|cannot stat /proc/sys)|/(proc/sys|sys)/\S*: (Read-only file system|Permission denied)`),
		sysAdmin, "may not change the kernel's settings", "ProtectKernelTunables"},
	{regexp.MustCompile(`(?i)/dev/(kvm|fuse|net/tun|loop|disk/|sd[a-z]|nvme|sr0|ptp|rtc|watchdog|mapper/|tpm|vfio|nvidia|mem\b|vmbus)\S*.*(No such file|not found|does not exist|Operation not permitted|Permission denied|Cannot open)|` +
		`/sys/(firmware|class/dmi|bus/vmbus)/\S*: No such file`), 0, "has no such device", "PrivateDevices"},
	{regexp.MustCompile(`(?i)(settimeofday|adjtimex|clock_settime|hwclock|date: cannot set date).*(Operation not permitted|Cannot access)|Cannot access the Hardware Clock`), sysTime, "may not set the clock", "ProtectClock"},
	{regexp.MustCompile(`(?i)(sched_setscheduler|setpriority|failed to set pid .* policy|chrt|renice|nice: cannot set).*(Operation not permitted|Permission denied)`), sysNice, "may not raise priorities", ""},
}

// exits are the statuses with which systemd gives a start up before the program runs, for
// what root may do on a real machine (systemd.exec(5), process exit codes).
var exits = map[string]string{
	"201": "may not raise its priority (Nice=)", "213": "may not raise its priority (IOSchedulingClass=)", "214": "may not be scheduled in real time (CPUSchedulingPolicy=)",
	"215": "has not the processors that it asks for (CPUAffinity=)", "218": "has not the capabilities that it asks for",
}

// beyond says what of a real machine a unit failed for want of; empty: nothing that shows.
func (b Facts) beyond(f Failure) string {
	u, known := b.Final.Units[f.Unit]
	if !known || u.User != "" && u.User != "root" && u.User != "0" {
		return ""
	}
	// What= is among them (systemd.mount(5)).
	if strings.HasSuffix(f.Unit, ".mount") && slices.ContainsFunc(u.MountsFor, func(dir string) bool { return strings.HasPrefix(dir, "/dev/") }) {
		return fmt.Sprintf("%s mounts %s, and there are no disks here", f.Unit, u.MountsFor[0])
	}
	end := b.lastRun(f.Unit)
	if why := exits[statusNumber(end.Change.ExitStatus)]; why != "" {
		return fmt.Sprintf("%s %s here (status=%s)", f.Unit, why, end.Change.ExitStatus)
	}
	words := lastSaid(end.Words)
	for _, w := range refusedWords {
		for _, said := range words {
			if w.text.MatchString(said) && !slices.Contains(u.Forgoes, w.forgone) && (w.capability == 0 || u.Bounding&(1<<w.capability) != 0) {
				return fmt.Sprintf("%s failed on a machine that %s: %q", f.Unit, w.what, said)
			}
		}
	}
	return ""
}

// lastRun is how the unit's last run ended; of one of which PID 1 does not tell, as of a
// mount's, what it said.
func (b Facts) lastRun(unit string) End {
	if ends := b.Ends(unit).All; len(ends) > 0 {
		return ends[len(ends)-1]
	}
	var end End
	for _, ev := range b.Of(timeline.Log) {
		if ev.Unit == unit && !ev.Manager {
			end.Words = append(end.Words, ev.Text)
		}
	}
	return end
}

// lastSaid are the last few lines of a run: why it ended.
func lastSaid(words []string) []string { return words[max(0, len(words)-3):] }

func statusNumber(status string) string {
	n, _, _ := strings.Cut(status, "/")
	return cmp.Or(n, status)
}
