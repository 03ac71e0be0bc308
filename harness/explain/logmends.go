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
	{regexp.MustCompile(`^PID 1 could not make its control group`), "give the container a control group of its own that it may write to (--cgroupns private, cgroup2 mounted in it)"},
	{regexp.MustCompile(`^the kernel says that a (?:task|processor) is stuck`), "see what disk or file system does not answer, and whether the host has processors to spare"},
	{regexp.MustCompile(`ordering cycle`), "take away the After= or Before= that closes the cycle; a unit that is Before= something early needs DefaultDependencies=no"},
	{regexp.MustCompile(`EnvironmentFile=`), `have the file written before the unit starts (After= what writes it, RequiresMountsFor= where it lies), or let it be missing (EnvironmentFile=-/…) where the unit can do without`},
	{regexp.MustCompile(`waiting for the device|\.mount (?:\([^)]*\) )?failed|\.swap failed`), "attach the device or mend its line of fstab; what a boot can do without has nofail there (systemd.mount(5)), and x-systemd.device-timeout= says how long to wait"},
	{regexp.MustCompile(`fsck must be run by hand|broken disk`), "run fsck on the unmounted device from a rescue system; then see why it broke"},
	{regexp.MustCompile(`found no root device|cannot mount the root|initrd waited`), "see root= on the kernel's command line, and whether the initrd has the driver of the disk"},
	{regexp.MustCompile(`wait-online\.service`), "let network-online wait for the links that are needed only (RequiredForOnline=no, --any, --interface=, --timeout=), and let little come after network-online.target"},
	{regexp.MustCompile(`203/EXEC|cannot be found|cannot be run|EXEC: `), "put the program where ExecStart= says, executable, with its interpreter, before the unit starts"},
	{regexp.MustCompile(`(?:user|group).* does not exist|217`), "have the user made before the unit starts (sysusers.d, After= what makes it), or mend User="},
	{regexp.MustCompile(`Assert…=`), "have what it asserts there before it starts, or use a Condition…= where the unit may be left out"},
	{regexp.MustCompile(`watchdog`), "see what keeps the program from sending WATCHDOG=1; a longer WatchdogSec= hides it only"},
	{regexp.MustCompile(`want of memory|OOM`), "give it more memory (MemoryMax=, the machine's), or see what takes it"},
	{regexp.MustCompile(`inotify`), "raise the limit that it names (sysctl.d), or see whose process holds so many (/proc/*/fdinfo)"},
	{regexp.MustCompile(`no space is left`), "make room on that file system, and see what filled it"},
	{regexp.MustCompile(`start took longer|waits for`), "see what the start waits for; what waits for something late belongs after READY (Type=notify), not before it"},
	{regexp.MustCompile(`start limit|start of \S+ was refused`), "mend why it fails first; where it may have to wait for something, wait inside one start, or set RestartSec= and StartLimitIntervalSec= for how long that takes"},
	{regexp.MustCompile(`no such file|not found|does not exist`), "see what should have written that file, and when: the unit fails until it is there"},
	{regexp.MustCompile(`cloud-init failed`), "see cloud-init.log and cloud-init status --long; cloud-init schema --system checks the configuration"},
	{regexp.MustCompile(`at its console`), "let no mount or unit that can be missing be required by local-fs.target or sysinit.target (nofail, Wants=)"},
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
