package lint

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
)

func TestWhatAContainerCannotShowIsRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, populator, cat, given string
		want                        []string
	}{
		{"nothing", "p.service", "# /etc/systemd/system/p.service\n[Service]\nExecStart=/bin/true\n", "", nil},
		{"the populator is skipped", "p.service", "# /etc/systemd/system/p.service\n[Unit]\nConditionVirtualization=!container\n", "",
			[]string{"untestable p.service: ConditionVirtualization=!container: it is skipped in a container, and runs on a real worker"}},
		{"by a drop-in", "p.service", "# /etc/systemd/system/p.service.d/a.conf\n[Unit]\nConditionVirtualization=vm\n", "",
			[]string{"untestable p.service: ConditionVirtualization=vm: it is skipped in a container, and runs on a real worker"}},
		{"taken back", "p.service", "# /etc/systemd/system/p.service\nConditionVirtualization=vm\n# /etc/systemd/system/p.service.d/a.conf\nConditionVirtualization=\n", "", nil},
		{"in a comment", "p.service", "# /etc/systemd/system/p.service\n#ConditionVirtualization=vm\n", "", nil},
		{"in a line that goes on", "p.service", "# /etc/systemd/system/p.service\nExecStart=/bin/echo \\\nConditionVirtualization=vm\n", "", nil},
		{"another unit is skipped", "other.service", "# /etc/systemd/system/p.service\nConditionVirtualization=vm\n", "",
			[]string{"note p.service: ConditionVirtualization=vm: it is skipped in a container, and runs on a real worker"}},
		{"it may be the populator", "", "# /etc/systemd/system/p.service\nConditionVirtualization=vm\n", "",
			[]string{"untestable p.service: ConditionVirtualization=vm: it is skipped in a container, and runs on a real worker"}},
		{"it runs here only", "p.service", "# /etc/systemd/system/p.service\nConditionVirtualization=container\n", "",
			[]string{"untestable p.service: ConditionVirtualization=container: it runs in a container, and on no real worker"}},
		{"of both", "p.service", "# /etc/systemd/system/p.service\nConditionVirtualization=yes\n", "", nil},
		{"a module", "p.service", "# /etc/systemd/system/p.service\nExecStartPre=-/sbin/modprobe wireguard\n", "",
			[]string{"note p.service: ExecStartPre=-/sbin/modprobe wireguard: a container may not; what becomes of it a boot here cannot show"}},
		{"a populator without a network", "p.service", "# /etc/systemd/system/p.service\nPrivateNetwork=yes\n", "",
			[]string{"untestable p.service: PrivateNetwork=yes: in a container systemd may leave it the machine's network (257 does, 252 does not); on a real worker it has none"}},
		{"a unit without a network", "", "# /etc/systemd/system/p.service\nPrivateNetwork=true\n", "",
			[]string{"note p.service: PrivateNetwork=true: in a container systemd may leave it the machine's network (257 does, 252 does not); on a real worker it has none"}},
		{"with one", "p.service", "# /etc/systemd/system/p.service\nPrivateNetwork=no\n", "", nil},
		{"a look at the network", "p.service", "# /etc/systemd/system/p.service\nExecStartPre=/usr/sbin/ip -j address show\n", "", nil},
		{"a limit without its controller", "p.service", "# /etc/systemd/system/p.service\nMemoryMax=64M\nCPUQuota=20%\n", "cpu pids\n",
			[]string{"note p.service: MemoryMax=64M is not kept here: machines on this host have no memory controller"}},
		{"of a unit of others", "p.service", "# /etc/systemd/system/q.service\nConditionVirtualization=vm\n", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var given []byte
			if tt.given != "" {
				given = []byte(tt.given)
			}
			all := map[string]unit{"p.service": {"WantedBy": "multi-user.target"}}
			var got []string
			for _, r := range beyond([]byte(tt.cat), given, []string{"p.service"}, all, tt.populator) {
				got = append(got, string(r.Level)+" "+r.Unit+": "+r.Text)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatTheFilesAskForIsUntestableWhereABootNeedsIt(t *testing.T) {
	t.Parallel()
	got := Asked([]boot.Asked{{What: "a", Boot: true}, {What: "b"}})
	require.Len(t, got, 2)
	assert.Equal(t, Remark{Untestable, "image", "a"}, got[0])
	assert.Equal(t, Remark{Note, "image", "b"}, got[1])
}
