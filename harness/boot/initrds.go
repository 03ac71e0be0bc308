package boot

import (
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// initrdTroubles are rows of what initrds say that do not get to the system: dracut's, and those of
// initramfs-tools (Debian, Ubuntu; casper's and ZFS' scripts in it), of mkinitcpio (Arch), of
// mkinitfs (Alpine) and of NixOS's stage 1, which are shell scripts, without systemd; and GRUB's.
var initrdTroubles = []machineTrouble{
	{regexp.MustCompile(`^mount: mounting (\S+) on (?:/root|/mnt-root\S*) failed: (.*)`), "the initrd could not mount $1 ($2)", byScript, false, true},
	{regexp.MustCompile(`^ERROR: (?:[Dd]evice|Unable to find root device) (?:'([^']+)'|([^' ]\S*?))\.?(?: not found\. Skipping fsck.*)?$`), noRoot + "$1$2", byScript, false, true},
	{regexp.MustCompile(`^(?:ERROR: )?Failed to mount '?([^' ]+)'? (?:on real root|as root file system)`), "the initrd could not mount $1", byScript, false, true},
	{regexp.MustCompile(`^ERROR: Root device mounted successfully, but (\S+) does not exist|^Target filesystem doesn't have requested (\S+?)\.?$`), "the initrd found no $1$2 on the root file system", byScript, false, true},
	{regexp.MustCompile(`^No init found\. Try passing init= bootarg`), "the initrd found no init to start on the root file system", byScript, false, true},
	{regexp.MustCompile(`^You are (?:now )?being dropped (?:into an emergency|to a recovery) shell`), inShell, byScript, false, true},
	{regexp.MustCompile(`^The root filesystem on (\S+) requires a manual fsck`), "the file system on $1 is broken: fsck must be run by hand", byScript, false, true},
	{regexp.MustCompile(`^Timed out waiting for device (\S+), trying to mount anyway`), "the initrd found no device $1", byScript, false, true},
	{regexp.MustCompile(`^Message: cannot import '([^']+)' ?: (.*?)\.?$`), noPool + "$1 ($2)", byScript, false, true},
	{regexp.MustCompile(`^Failed to import pool '([^']+)'`), noPool + "$1", byScript, false, true},
	{regexp.MustCompile(`(?i)^(?:\(initramfs\) )?unable to find a (?:live )?medium containing a live file system`), "the initrd found no live medium to start", byScript, false, true},
	{regexp.MustCompile(`^grub rescue>|^error: you need to load the kernel first`), "GRUB did not get to a kernel", byScript, false, true},
	{regexp.MustCompile(`^stage 2 init script \((\S+)\) not found`), "NixOS's stage 1 found no system to start ($1)", byScript, false, true},
	{regexp.MustCompile(`^An error occurred in stage 1 of the boot process|^initramfs emergency recovery shell launched|^(?:/bin/)?[Ss]h: can't access tty; job control turned off`), inShell, byScript, false, true},
	{regexp.MustCompile(`(?:Gave up waiting for root (?:file system )?device|ALERT! +(\S+) does not exist|[Ww]arning: +(/dev/\S+) does not exist)`), "the initrd found no root device $1$2", systemSays, false, false},
	{regexp.MustCompile(`/initqueue/finished/devexists-(\S+?)\.sh`), "the initrd waited in vain for what it boots from (dracut-initqueue timed out): $1 did not appear", anybody, false, false},
	{regexp.MustCompile(`dracut-initqueue.*(?:timeout|Could not boot)`), inVain, anybody, false, false},
	{regexp.MustCompile(`Initial SELinux policy load failed`), "the initrd could not load the SELinux policy, which is enforced", anybody, false, false},
	{regexp.MustCompile(`dracut:? FATAL: (.*)`), "the initrd gave up: $1", anybody, false, false},
	{regexp.MustCompile(`ostree-prepare-root: (Couldn't find specified OSTree root '[^']*'?)`), "the initrd found no deployment to boot: $1", anybody, false, false},
	{regexp.MustCompile(`(?:dracut:? |^)Warning: +Could not boot\b`), notBooted, dracutSays, true, false},
}

// byScript: nobody's name is before it, as scripts have none that write to the console.
func byScript(ev timeline.Event) bool { return ev.Kind == timeline.OnConsole }

// dracutSays: dracut, or one of its services.
func dracutSays(ev timeline.Event) bool {
	return strings.Contains(ev.Text, "dracut") || strings.HasPrefix(ev.Evidence.Text, "dracut")
}

const noPool = "the initrd could not import the ZFS pool "

// notBooted is dracut's last word, which has no reason.
const notBooted = "the initrd could not boot the system (dracut)"

// inShell is what is left to say of an initrd that gives somebody a shell, and no reason.
const inShell = "the initrd did not get to the system, and gives somebody its shell"

// goesOn is the last of the events in which systemd speaks of units, as it does where the initrd
// has found the system; -1: it never does.
func (b Facts) goesOn() int {
	for i, ev := range slices.Backward(b.Events) {
		if ev.Status != "" || ev.Manager && ev.Unit != "" || goneOn.MatchString(ev.Text) {
			return i
		}
	}
	return -1
}

var goneOn = regexp.MustCompile(`\bsystemd \S+ running in system mode|^Welcome to (?:your|[A-Z]).+!$|NixOS Stage 2|VFS: Mounted root`)

// rootWait is the kernel's, which looks for its root by itself.
var rootWait = regexp.MustCompile(`^Waiting for root device (\S+?)\.\.\.`)
