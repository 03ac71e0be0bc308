package boot

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

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
	{regexp.MustCompile(`(?i)\btpm2?\b.*\bnot (usable|supported|available|found|present)\b|\bno (usable )?tpm2?\b`), 0, "has no TPM", ""},
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
