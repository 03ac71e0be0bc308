package explain

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestMendsGoWhereTheFaultIs has headlines, a word of the mend, and one that would send
// somebody the wrong way.
func TestMendsGoWhereTheFaultIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ headline, want, never string }{
		{"a.service failed (exit-code); its main process exited with status 226, NAMESPACE: its mounts could not be set up", "ReadWritePaths=", "the program's own words"},
		{"a.service failed (exit-code); its main process exited with status 203, EXEC: its program could not be run", "ExecStart=", "ReadWritePaths="},
		{"vector.service failed (exit-code); a control process exited with status 78, CONFIG: its configuration is refused; its starts were used up, and a further start was refused (start limit)", "vector validate", "StartLimitIntervalSec="},
		{"a.service failed (exit-code); its main process exited with status 1; its starts were used up, and a further start was refused (start limit)", "StartLimitIntervalSec=", "vector validate"},
		{`vector.service failed; its main process exited with status 78, CONFIG: its configuration is refused; it said last: Missing environment variable in config. name = "X"`, "EnvironmentFile=", "vector validate"},
		{"dev-hugepages.mount (/dev/hugepages) failed (start failed)", "mask it", "fstab"},
		{"srv-data.mount (/srv/data) failed (exit-code)", "fstab", "mask it"},
		{"the boot waits for dev-sdb1.device, for 1m0s so far", "fstab or crypttab", "READY"},
		{"the boot waits for a.service, for 1m0s so far", "READY", "crypttab"},
		{"a.service failed (start failed); it is not there: systemd has no unit of that name", "list-unit-files", ""},
		{"a.service failed (resources)", "EnvironmentFile=", ""},
		{"PID 1 could not mount tmpfs on /run (Operation not permitted)", "--tmpfs /run", "fstab"},
		{"the initrd could not mount /dev/sda1 (Invalid argument)", "blkid", "nofail"},
		{"the initrd found no device /dev/silo/root", "driver of the disk", "root="},
		{`dev-gpt\x2dauto\x2droot.device did not appear: systemd timed out waiting for the device`, "systemd.gpt_auto=0", "fstab"},
		{"boot.mount (/boot) failed (start failed); it is not there: systemd has no unit of that name", "list-unit-files", "nofail"},
		{"gauge.service failed (exit-code); its main process exited with status 127, not found", "ldd", "written that file"},
		{`the kernel gave up: Kernel panic - not syncing: VFS: Unable to mount root fs on "/dev/ram0"`, "root=", ""},
		{"systemd-cryptsetup@silo.service failed (exit-code); its main process exited with status 1; for want of it dev-mapper-silo.device did not appear", "crypttab", "nofail"},
		{"the initrd could not import the ZFS pool silo (no such pool available)", "zpool import", "root="},
		{"the kernel gave up: Kernel panic - not syncing: Attempted to kill init! exitcode=0x00007f00", "/sbin/init", ""},
		{"cloud-init.service failed (start failed)", "cloud-init.log", ""},
	} {
		mend := mendLogged(tt.headline)
		assert.Contains(t, mend, tt.want, tt.headline)
		if tt.never != "" {
			assert.NotContains(t, mend, tt.never, tt.headline)
		}
	}
}
