package timeline

import (
	"slices"
	"strings"
)

// What others than PID 1 say that is worth keeping has one of these in it: of the kernel, of cloud-init,
// of anybody. What is read of them stands in harness/boot.
var (
	ofKernel = []string{"Kernel panic", "ut of memory", "oom-kill", "Killed process", "VFS: ", "I/O error", "EXT4-fs error", "error loading journal", "JBD2: recovery failed", "XFS (", "BTRFS error", "BTRFS critical", "BTRFS: error", "o space left", "blocked for more than", "res=failed", "BUG: ", "Oops: ", "Unable to handle kernel", "soft lockup", "detected stall", "unable to mount", "Unable to mount", "mount root", "Waiting for root", "inotify", "ommand line: ", "nitramfs", "RAMDISK: ", "PANIC at ", "Remounting filesystem read-only", "hutting down filesystem", "lesystem has been shut down", "forced readonly"}
	ofCloud  = []string{"recoverable: ", "status: degraded", "FAIL", "[WARNING]", "[ERROR]", "[CRITICAL]", "Traceback", "FAIL", "Cloud-init v.", "status: error", "DataSourceNone", "ailed", "rror", "Likely bad things", "Rebooting after", "Job for ", "instance/scripts/", "E: "}
	ofMany   = []string{"inotify", "directory watch", "startup-script exit status", "-script\" failed with", "/initqueue/", "dracut-initqueue: timeout", "o space left", "quota exceeded", "UNEXPECTED INCONSISTENCY", "Suppressed ", "xaat-", "[secret:", "bootrace-imds-", "does not exist", "Dropping to a shell", "Gave up waiting", "timeout scripts", "Could not boot", "Ignition failed: ", "find specified OSTree root", "Activation script snippet", "error occurred during the file system check", "fsck failed with", "Failed to resolve server", "unknown filesystem type", "rovisioning failed", "No journal files were opened", "ERROR sink{", "ERROR source{", "ERROR transform{", "ERROR vector", "ERROR journald-server", "no hostkeys available", "dracut FATAL", "dracut: FATAL", "SELinux policy load failed", "saving vmcore", "dumped core", "Aborting", "system-generators/", "/var/crash/", "systemctl isolate ", "systemctl rescue", "systemctl emergency", "systemctl start rescue", "systemctl start emergency", "/init 1", "/telinit 1", "emergency mode", "root account is locked", "Http status: ", "vector.env", "worker.env", "server.env"}
)

// clockWords are said right before or after the machine's clock is set, by systemd's timesyncd,
// PID 1, chronyd and ntpd.
var clockWords = []string{"System clock time unset or jumped backwards, restoring", "Time has been changed", "System clock wrong by ", "System clock was stepped by ",
	"ntpd: time set", "ntpd: time slew", "RTC configured in localtime, applying delta", "Initial synchronization to ", "Initial clock synchronization to "}

func setsClock(message string) bool {
	return slices.ContainsFunc(clockWords, func(begins string) bool { return strings.HasPrefix(message, begins) })
}

func containsAny(s string, of []string) bool {
	return slices.ContainsFunc(of, func(part string) bool { return strings.Contains(s, part) })
}
