package explain

import "regexp"

// mendsLogged are what would have to change, by what the headline says.
var mendsLogged = []struct {
	says   *regexp.Regexp
	change string
}{
	{regexp.MustCompile(`^the machine had crashed`), "see the core that kdump saved, and its vmcore-dmesg.txt"},
	{regexp.MustCompile(`^PID 1 crashed`), "see its core (coredumpctl, or /core) and whether a later systemd has it mended"},
	{regexp.MustCompile(`SELinux policy`), "have the policy where /etc/selinux/config says; enforcing=0 on the kernel's command line boots without"},
	{regexp.MustCompile(`^PID 1 (?:could not mount|gave up: Failed to mount API)`), "give the container what PID 1 mounts: tmpfs on /run and /run/lock and a control group to write to (--tmpfs /run --tmpfs /run/lock --cgroupns private), or the right to mount them"},
	{regexp.MustCompile(`^PID 1 (?:could not make|found no controllers for) its control group`), "give the container a control group of its own that it may write to (--cgroupns private, cgroup2 mounted in it)"},
	{regexp.MustCompile(`^the kernel could not unpack the initrd`), "have the initrd made anew (update-initramfs -u, dracut -f) and see that there was room for it: it is cut short or broken, or packed in a way that the kernel cannot read"},
	{regexp.MustCompile(`^the initrd found no swap device`), "take that device out of resume= or of what the initrd waits for (rd.lvm.lv=, /etc/initramfs-tools/conf.d/resume), or make the swap again"},
	{regexp.MustCompile(`^the kernel says that a (?:task|processor) is stuck`), "see what disk or file system does not answer, and whether the host has processors to spare"},
	{regexp.MustCompile(`ordering cycle`), "take away the After= or Before= that closes the cycle; a unit that is Before= something early needs DefaultDependencies=no"},
	{regexp.MustCompile(`EnvironmentFile=`), `have the file written before the unit starts (After= what writes it, RequiresMountsFor= where it lies), or let it be missing (EnvironmentFile=-/…) where the unit can do without`},
	{regexp.MustCompile(`^(?:dev-hugepages|dev-mqueue|sys-|proc-|tmp\.|run-)\S*mount `), "see whether the kernel, or the container that it runs in, lets it be mounted: it is on no device; where it is not wanted, mask it"},
	{regexp.MustCompile(`the boot waits for (?:\S*\.device|/dev/|dev-)`), "attach the device, or mend the line of fstab or crypttab that names it (nofail, x-systemd.device-timeout=)"},
	{regexp.MustCompile(`^dev-(?:tty|hvc|xvc|sclp)\S*\.device `), "see whether the machine has that serial port: console= on the kernel's command line has a login asked for there"},
	{regexp.MustCompile(`^systemd-cryptsetup@`), "see its own words (journalctl -u of it), and its line of crypttab: the device, the key file, which must be there before it starts, the passphrase or the token"},
	{regexp.MustCompile(`^dev-gpt\\x2dauto\\x2droot\.device `), "say root= on the kernel's command line, or systemd.gpt_auto=0: systemd-gpt-auto-generator waits for a root partition that is marked as one, which ZFS and the like have not"},
	{regexp.MustCompile(`\.mount \([^)]*\) failed \(start failed\); it is not there`), "see what it is called (systemctl list-unit-files), and that fstab, or the generator that makes it, has it"},
	{regexp.MustCompile(`wrong fs type|bad superblock|unknown filesystem type`), "the device is there: see what is on it (blkid, fsck), and that the kernel has that file system"},
	{regexp.MustCompile(`waiting for the device|\.mount (?:\([^)]*\) )?failed|\.swap failed`), "attach the device or mend its line of fstab; what a boot can do without has nofail there (systemd.mount(5)), and x-systemd.device-timeout= says how long to wait"},
	{regexp.MustCompile(`fsck must be run by hand|broken disk|took a file system out of use`), "run fsck on the unmounted device from a rescue system; then see why it broke"},
	{regexp.MustCompile(`^the initrd (?:could not mount \S+ \(No such|found no device)`), "see whether the machine has that device, and whether the initrd has the driver of the disk"},
	{regexp.MustCompile(`could not import the ZFS pool`), "import it in its shell (zpool import, which says why not) and exit; where the disks came late, ZFS_INITRD_PRE_MOUNTROOT_SLEEP= in /etc/default/zfs lets it wait"},
	{regexp.MustCompile(`No working init found|Attempted to kill init`), "see that init= and root= are what is meant, and that /sbin/init is there and runs: another architecture, or a library that is missing, ends it"},
	{regexp.MustCompile(`^GRUB did not`), "see in its shell (ls, set) whether the partition that it is set to is there, and have it installed anew from a rescue system (grub-install, grub-mkconfig)"},
	{regexp.MustCompile(`found no live medium`), "see that the firmware boots from the medium that the initrd looks for, and that it was written whole"},
	{regexp.MustCompile(`^the initrd could not mount|gives somebody its shell`), "see in its shell what is on the device (blkid, fsck), what the kernel says of it (dmesg), and that the initrd has that file system"},
	{regexp.MustCompile(`on the root file system$|^NixOS's stage 1 found`), "see that root= (and rootflags=, a btrfs' subvol=) is the system that is to start, and that it is whole"},
	{regexp.MustCompile(`found no root device|cannot mount the root|nable to mount root fs|initrd waited`), "see root= on the kernel's command line, and whether the initrd has the driver of the disk"},
	{regexp.MustCompile(`wait-online\.service`), "let network-online wait for the links that are needed only (RequiredForOnline=no, --any, --interface=, --timeout=), and let little come after network-online.target"},
	{regexp.MustCompile(`203/EXEC|cannot be found|cannot be run|EXEC: `), "put the program where ExecStart= says, executable, with its interpreter, before the unit starts"},
	{regexp.MustCompile(`(?:user|group).* does not exist|217`), "have the user made before the unit starts (sysusers.d, After= what makes it), or mend User="},
	{regexp.MustCompile(`Assert…=`), "have what it asserts there before it starts, or use a Condition…= where the unit may be left out"},
	{regexp.MustCompile(`(?i)env(?:ironment)? var(?:iable)?\b.*\b(?:missing|required|not set|not found|in config)|missing env(?:ironment)? var`), "have a file of its EnvironmentFile= (or Environment=) say that variable before it starts, or give it a default in the configuration"},
	{regexp.MustCompile(`78, CONFIG|[Cc]onfiguration error`), "mend what it refuses in its configuration: its own words name it; Vector's vector validate says the same without a boot"},
	{regexp.MustCompile(`NAMESPACE|mount namespacing`), "see which path of its ReadWritePaths=, ReadOnlyPaths=, InaccessiblePaths=, BindPaths= or RootDirectory= is not there when it starts (a - before one lets it be missing), and in a container whether it may mount at all"},
	{regexp.MustCompile(`200, CHDIR|step CHDIR`), "have its WorkingDirectory= there before it starts, or let it be missing (WorkingDirectory=-/…)"},
	{regexp.MustCompile(`243, CREDENTIALS|step CREDENTIALS`), "see LoadCredential= and its kin: what they name must be there before it starts; in a container, whether it may mount what credentials are kept in"},
	{regexp.MustCompile(`(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION)_DIRECTORY`), "see whether the directory can be made there (a read-only file system, a symbolic link, somebody else's directory)"},
	{regexp.MustCompile(`watchdog`), "see what keeps the program from sending WATCHDOG=1; a longer WatchdogSec= hides it only"},
	{regexp.MustCompile(`want of memory|OOM|pressure on its memory`), "give it more memory (MemoryMax=, the machine's), or see what takes it"},
	{regexp.MustCompile(`inotify`), "raise the limit that it names (sysctl.d), or see whose process holds so many (/proc/*/fdinfo)"},
	{regexp.MustCompile(`no space is left`), "make room on that file system, and see what filled it"},
	{regexp.MustCompile(`at its console`), "let no mount or unit that can be missing be required by local-fs.target or sysinit.target (nofail, Wants=)"},
	{regexp.MustCompile(`start took longer|waits for`), "see what the start waits for; what waits for something late belongs after READY (Type=notify), or into a unit that nothing of the boot is ordered after"},
	{regexp.MustCompile(`start limit|start of \S+ was refused`), "see why it ends, or what starts it so often, first; where it may have to wait for something, wait inside one start, or set RestartSec= and StartLimitIntervalSec= for how long that takes"},
	{regexp.MustCompile(`, which it wants, is masked|; it is masked\b`), "unmask it (systemctl unmask), or let nothing ask for it: a masked unit is never started"},
	{regexp.MustCompile(`Unit \S+ not found|which it triggers, is not there|what it triggers cannot be started`), "see what that unit is called (systemctl list-unit-files), and that it is in the image"},
	{regexp.MustCompile(`command not found|: \d+: \S+: not found`), "have that command in the image, or call one that is there"},
	{regexp.MustCompile(`exited with status 127, not found$`), "see what of it is not there: the command that a script of it calls, the interpreter, or a library (ldd); its own words name it"},
	{regexp.MustCompile(`no such file|not found|does not exist`), "see what should have written that file, and when: the unit fails until it is there"},
	{regexp.MustCompile(`cloud-init failed|^cloud-(?:init|config|final)\S*\.service `), "see cloud-init.log and cloud-init status --long; cloud-init schema --system checks the configuration"},
	{regexp.MustCompile(`has no unit of that name|its service \S+ is not there`), "see what it is called (systemctl list-unit-files), and that its package, or the generator that makes it, is in the image"},
	{regexp.MustCompile(`\.(?:socket|mount|swap|path|timer|automount|slice|scope) (?:\([^)]*\) )?failed \(resources\)`), "see the journal for what it could not have (journalctl -u of it): of a socket usually an address that is in use or not there yet, or a directory for it"},
	{regexp.MustCompile(`failed \(resources\)`), "see the journal for what it could not have: a file of its EnvironmentFile= that is not there is the usual one"},
	{regexp.MustCompile(`is inactive/dead at the end`), "see in its own log why it ended, and what starts it: enabled for a target that is reached, and Restart=always as Vector's package has it"},
	{regexp.MustCompile(`exited with|crashed|was killed`), "see the program's own words in its log: systemd only says how it ended"},
}

func mendLogged(headline string) string {
	for _, m := range mendsLogged {
		if m.says.MatchString(headline) {
			return m.change
		}
	}
	return ""
}
