package boot_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/timeline/timelinetest"
)

func TestWhatCloudInitRuns(t *testing.T) {
	t.Parallel()
	own := []string{"/usr/bin/python3 /usr/bin/cloud-init --all-stages", "/bin/sh -c tee -a /var/log/cloud-init-output.log", "tee -a /var/log/cloud-init-output.log",
		`sh -c echo "start" | nc -Uu -W1 /run/cloud-init/share/network.sock -s /run/cloud-init/share/network-return.sock | sh`, "nc -Uu -W1 /run/cloud-init/share/network.sock", "sh"}
	for name, tt := range map[string]struct {
		unit, cmdline, want string
	}{
		"a script":      {"cloud-final.service", "/bin/sh /usr/local/bin/fetch", "/bin/sh /usr/local/bin/fetch"},
		"bootcmd":       {"cloud-init-network.service", "/bin/sh /run/cloud-init/tmp/tmp45st9s4o.sh", "bootcmd"},
		"nothing":       {"cloud-final.service", "", ""},
		"no cloud-init": {"fetch.service", "/bin/sh /usr/local/bin/fetch", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			all := own
			if tt.cmdline != "" {
				all = append(slices.Clone(own), tt.cmdline, "sleep 1")
			}
			for i, cmdline := range all {
				b.Procs = append(b.Procs, fmt.Sprintf("%d\tcloud-init-main.service\t1\t\t%s\t/x", 80+i, cmdline))
			}
			assert.Equal(t, tt.want, read(t, b).CloudRuns(tt.unit))
		})
	}
}

func TestWhatASystemctlWaitsFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, unit, of, cmdline, job, want string }{
		{"a start", "a.service", "a.service", "systemctl start b.service", "b.service", "b.service"},
		{"without the suffix", "a.service", "a.service", "/usr/bin/systemctl restart -q b", "b.service", "b.service"},
		{"in cloud-init's one process", "cloud-final.service", "cloud-init-main.service", "systemctl start b", "b.service", "b.service"},
		{"in another unit", "a.service", "c.service", "systemctl start b", "b.service", ""},
		{"--no-block", "a.service", "a.service", "systemctl start --no-block b", "b.service", ""},
		{"its job is done", "a.service", "a.service", "systemctl start b", "c.service", ""},
		{"another program", "a.service", "a.service", "echo start b.service", "b.service", ""},
		{"systemd-run, by name", "a.service", "a.service", "systemd-run -q --unit=b /bin/wait", "b.service", "b.service"},
		{"systemd-run, by name in two words", "a.service", "a.service", "/usr/bin/systemd-run --unit b.service /bin/wait", "b.service", "b.service"},
		{"systemd-run, of no name", "a.service", "a.service", "systemd-run --collect /bin/wait", "run-p80-i81.service", "run-p80-i81.service"},
		{"systemd-run, of no name, before 254", "a.service", "a.service", "systemd-run /bin/wait", "run-u3.service", "run-u3.service"},
		{"systemd-run, of no name, and another's job", "a.service", "a.service", "systemd-run /bin/wait", "b.service", ""},
		{"systemd-run --no-block", "a.service", "a.service", "systemd-run --no-block --unit=b /bin/wait", "b.service", ""},
		{"itself", "a.service", "a.service", "systemctl start a.service", "a.service", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			b.Jobs = []string{"7 " + tt.job + " start running"}
			b.Procs = append(b.Procs, "80\t"+tt.of+"\t1\t\t"+tt.cmdline+"\t/usr/bin/systemctl")
			_, awaited, ok := read(t, b).Asking(tt.unit)
			assert.Equal(t, tt.want, awaited)
			assert.Equal(t, tt.want != "", ok)
		})
	}
}
