package boot

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/timeline"
)

func TestWordsOfWhatAContainerMayNot(t *testing.T) {
	t.Parallel()
	const none = ""
	for said, want := range map[string]string{
		"RTNETLINK answers: Operation not permitted": "network",
		"netlink error: Operation not permitted":     "network",
		"iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)": "network",
		"internal:0:0-0: Error: Could not process rule: Operation not permitted":                                     none, // of whom, it does not say
		"nft: Could not process rule: Operation not permitted":                                                       "network",
		"modprobe: FATAL: Module wireguard not found in directory /lib/modules/6.12.1":                               "kernel modules",
		"insmod: ERROR: could not insert module x.ko: Operation not permitted":                                       "kernel modules",
		"x.service: Unable to locate executable '/sbin/modprobe': No such file or directory":                         "has it not",
		"x.service: Unable to locate executable '/usr/local/bin/fetch': No such file or directory":                   none,
		"/usr/local/bin/tune: 3: nft: not found":                                                                     "has it not",
		"/usr/local/bin/tune: 3: jq: not found":                                                                      none,
		"mount: /data: special device /dev/sdb1 does not exist.":                                                     "no disks",
		"mount: /data: fsconfig() failed: /dev/disk/by-label/data: Can't lookup blockdev.":                           "no disks",
		"mount: /data: mount point does not exist.":                                                                  none,
		"losetup: cannot find an unused loop device: No such file or directory":                                      "no disks",
		`sysctl: setting key "vm.swappiness": Read-only file system`:                                                 "kernel's settings",
		"sh: 1: cannot create /proc/sys/net/ipv4/ip_forward: Read-only file system":                                  "kernel's settings",
		"sh: 1: cannot create /usr/share/x: Read-only file system":                                                   none,
		"open /dev/net/tun: no such file or directory":                                                               "no such device",
		"cat: /sys/firmware/dmi/tables/DMI: No such file or directory":                                               "no such device",
		"open /dev/shm/ready: no such file or directory":                                                             none,
		"TPM device not usable as it does not support the required functionality (SHA256).":                          "no TPM",
		"No TPM2 device found.":                                                              "no TPM",
		"TPM measurement was not written":                                                    none,
		"hwclock: Cannot access the Hardware Clock via any known method.":                    "clock",
		"chrt: failed to set pid 0's policy: Operation not permitted":                        "priorities",
		"rm: cannot remove '/etc/x': Operation not permitted":                                none,
		"curl: (7) Failed to connect to kv.vault.azure.net port 443: Network is unreachable": none,
		"connect: permission denied":                                                         none,
	} {
		got := none
		for _, w := range refusedWords {
			if w.text.MatchString(said) {
				got = w.what
				break
			}
		}
		if want == none {
			assert.Empty(t, got, said)
		} else {
			assert.Contains(t, got, want, said)
		}
	}
}

func TestConditionsAreOfTheContainerOrOfTheSubject(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		"ConditionVirtualization=!container": true, "ConditionVirtualization=vm": true, "ConditionVirtualization=microsoft": true, "ConditionVirtualization=!docker": true,
		"ConditionVirtualization=no": false, "ConditionVirtualization=kvm": false, "AssertVirtualization=|!container": true,
		"ConditionCapability=CAP_NET_ADMIN": true, "ConditionCapability=!CAP_SYS_ADMIN": false, "ConditionControlGroupController=memory": true,
		"ConditionKernelModuleLoaded=br_netfilter": true, "ConditionSecurity=apparmor": true, "ConditionPathExists=/dev/kvm": true,
		"ConditionPathIsReadWrite=/sys": true, "ConditionPathExists=/dev/shm/x": false, "ConditionPathExists=!/dev/kvm": false, "ConditionPathExists=!/.dockerenv": true,
		"ConditionPathExists=/etc/opensandbox/worker.env": false, "ConditionPathExists=/devices": false, "ConditionFileNotEmpty=/proc/sys/kernel/x": true,
		"ConditionFirstBoot=yes": false, "ConditionHost=worker": false,
	} {
		assert.Equal(t, want, ofContainer(condition), condition)
	}
}

func TestHowAProcessEndedIsSaidByWhatItIs(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]timeline.Change{
		"its main process exited with status 1":                                    {Command: "ExecStart", ExitCode: "exited", ExitStatus: "1"},
		"ExecStartPre exited with status 78, CONFIG: its configuration is refused": {Command: "ExecStartPre", ExitCode: "exited", ExitStatus: "78"},
		"its process exited with status 32, as mount(8) does that could not mount": {Command: "n/a", ExitCode: "exited", ExitStatus: "32"},
		"its process was killed by signal KILL":                                    {ExitCode: "killed", ExitStatus: "KILL"},
		"its main process ended":                                                   {Command: "ExecStart"},
	} {
		assert.Equal(t, want, exited(c))
	}
}
