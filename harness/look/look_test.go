package look

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
)

// in runs the script with an image's files: its paths are put below a directory.
func in(t *testing.T, files map[string]string, links map[string]string) Seen {
	t.Helper()
	root := t.TempDir()
	put := func(name string) string {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		return file
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(put(name), []byte(text), 0o644))
	}
	for name, target := range links {
		require.NoError(t, os.Symlink(target, put(name)))
	}
	below := strings.NewReplacer(" /etc/", " "+root+"/etc/", "\"/etc/", "\""+root+"/etc/", " /var/", " "+root+"/var/", ":-/var/", ":-"+root+"/var/", " /usr/", " "+root+"/usr/", "'/usr/", "'"+root+"/usr/", " /sbin/", " "+root+"/sbin/", "'/sbin/", "'"+root+"/sbin/", `-qxF "$f"`, `-qxF "${f#`+root+`}"`, "\"/usr/local/", "\""+root+"/usr/local/",
		`-e "$stamp"`, `-e "`+root+`$stamp"`).Replace(Script())
	const systemctl = `systemctl() { printf '%s\n' 'mine.service disabled enabled' 'base.service disabled enabled' 'off.service disabled disabled' 'on.service enabled enabled'; }`
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-e", "-c", systemctl+"\n"+below).Output()
	require.NoError(t, err)
	return Read(strings.ReplaceAll(string(out), root, ""))
}

const systemd = "etc/systemd/system/"

func TestAGoldenImageHasNothingToSay(t *testing.T) {
	t.Parallel()
	s := in(t, map[string]string{"etc/machine-id": "", "etc/fstab": "# none\nLABEL=root / ext4 defaults 0 1\ntmpfs /tmp tmpfs defaults 0 0\n", "etc/modules": "# none\n", systemd + "a.service": "[Unit]\nConditionPathExists=!/var/lib/a/done\nConditionPathExists=!/run/a\n",
		"etc/vector/vector.yaml": "data_dir: /var/lib/vector\n", "etc/systemd/network/10-eth0.network": "[Match]\n", "etc/sysctl.d/a.conf": "# none\n"}, nil)
	assert.Equal(t, Seen{MachineID: "empty"}, s)
	assert.False(t, s.FirstBoot())
	assert.Empty(t, s.Kept(false))
}

func TestEachThingThatLiesInAnImageIsSeen(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef\n"
	for _, tt := range []struct {
		name, file, text, link string
		want                   Finding
	}{
		{"an identity", "etc/machine-id", id, "", Finding{"machine-id", Problem, "machine-id is filled: every machine of this image has the same (machine-id(5))"}},
		{"cloud-init's state", "var/lib/cloud/data/instance-id", "i-1", "", Finding{"cloud-init", Problem, "/var/lib/cloud/data/instance-id: cloud-init's state of the host that the image was built on"}},
		{"a role", "etc/opensandbox/worker.env", "A=b", "", Finding{"role-env", Problem, "/etc/opensandbox/worker.env is in the image: it is another host's role"}},
		{"a role by a link into nothing", "etc/opensandbox/server.env", "", "/usr/share/none", Finding{"role-env", Problem, "/etc/opensandbox/server.env is in the image: it is another host's role"}},
		{"a stub", "etc/opensandbox/vector.env", "A=b", "", Finding{"vector-env", Note, "/etc/opensandbox/vector.env is in the image: Vector starts on it"}},
		{"a checkpoint", "var/lib/vector/journal/checkpoint.txt", "s=1", "", Finding{"vector-data", Problem, "/var/lib/vector/journal/checkpoint.txt: Vector has run on the host that the image was built on, and goes on from there"}},
		{"a journal", "var/log/journal/" + id[:32] + "/system.journal", "x", "", Finding{"journal", Note, "/var/log/journal/" + id[:32] + "/system.journal: the journal of the host that the image was built on"}},
		{"a host key", "etc/ssh/ssh_host_ed25519_key", "x", "", Finding{"ssh-host-key", Problem, "/etc/ssh/ssh_host_ed25519_key: every machine of this image has the same host key"}},
		{"a mask", systemd + "cloud-final.service", "", "/dev/null", Finding{"masked", Note, "cloud-final.service is masked"}},
		{"presets", "etc/systemd/system-preset/00.preset", "disable *", "", Finding{"preset", Note, "/etc/systemd/system-preset/00.preset: the presets of a first boot"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files, links := map[string]string{"etc/machine-id": ""}, map[string]string{}
			if tt.link != "" {
				links[tt.file] = tt.link
			} else {
				files[tt.file] = tt.text
			}
			assert.Equal(t, []Finding{tt.want}, in(t, files, links).Findings)
		})
	}
	s := in(t, map[string]string{"etc/machine-id": "", systemd + "p.service.d/once.conf": "[Unit]\nConditionPathExists=!/var/lib/p/done\n", "var/lib/p/done": ""}, nil)
	assert.Equal(t, []Finding{{"ran-already", Problem, "p.service is skipped where /var/lib/p/done is, and it is in the image: it ran when the image was built"}}, s.Findings)
	s = in(t, map[string]string{"etc/machine-id": "", systemd + "p.timer": "", "var/lib/systemd/timers/stamp-p.timer": "", "var/lib/systemd/timers/stamp-base.timer": ""}, nil)
	assert.Equal(t, []Finding{{"timer-ran", Problem, "p.timer has elapsed when the image was built, and goes on from there (/var/lib/systemd/timers/stamp-p.timer)"}}, s.Findings)
	s = in(t, map[string]string{"etc/machine-id": "", "etc/vector/vector.toml": "data_dir = \"/var/spool/v\"\n"}, nil)
	assert.Empty(t, s.Findings)
}

func TestAFirstBootPresetsWhatTheBuildLeftDisabled(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{"missing": {}, "uninitialized": {"etc/machine-id": "uninitialized\n"}} {
		files[systemd+"mine.service"] = "[Install]\n"
		s := in(t, files, nil)
		assert.Equal(t, name, s.MachineID)
		require.True(t, s.FirstBoot())
		assert.Equal(t, []string{"/etc/machine-id"}, s.Kept(false))
		assert.Equal(t, []string{"mine.service"}, s.Presets)
		require.Len(t, s.Findings, 3)
		assert.Equal(t, Finding{"first-boot", Problem, "the first boot's presets enable mine.service, which the build left disabled"}, s.Findings[0])
		assert.Equal(t, Finding{"first-boot", Note, "the first boot's presets enable of the base base.service"}, s.Findings[2])
	}
}

func TestWhatOnlyARealMachineHasIsAskedFor(t *testing.T) {
	t.Parallel()
	s := in(t, map[string]string{
		"etc/machine-id": "", "etc/fstab": "UUID=1 /data ext4 defaults 0 2\n/dev/disk/azure/a /mnt auto defaults,nofail 0 2\nLABEL=EFI /boot/efi vfat defaults 0 1\n",
		"etc/modules-load.d/a.conf": "# why\nbr_netfilter\n", "etc/sysctl.d/a.conf": "vm.swappiness = 1\n", "etc/udev/rules.d/a.rules": "KERNEL==\"x\"\n",
		"etc/udev/rules.d/b.rules": "# SYSTEMD_WANTS=\"no.service\"\nKERNEL==\"x\", ENV{SYSTEMD_WANTS}+=\"a.service b.service\"\nENV{SYSTEMD_WANTS}=\"c@1.service\"\n",
	}, nil)
	assert.Empty(t, s.Findings)
	assert.Equal(t, []boot.Asked{
		{What: "UUID=1 on /data (/etc/fstab) is not mounted here", Mount: "/data", Boot: true},
		{What: "/dev/disk/azure/a on /mnt (/etc/fstab) is not mounted here", Mount: "/mnt"},
		{What: "kernel module br_netfilter (/etc/modules-load.d/a.conf) is not loaded here", After: "systemd-modules-load.service"},
		{What: "the kernel's settings of /etc/sysctl.d/a.conf are not made here", After: "systemd-sysctl.service"},
		{What: "no device comes here for the rules of /etc/udev/rules.d/a.rules"},
		{What: "no device comes here for the rules of /etc/udev/rules.d/b.rules", Starts: "a.service b.service c@1.service"},
	}, s.Asks)
}

func TestTablesOfCronWhereThereIsNone(t *testing.T) {
	t.Parallel()
	files := map[string]string{"etc/machine-id": "", "etc/cron.d/fetch": "* * * * * root fetch\n", "etc/cron.daily/dpkg": "#!/bin/sh\n", "var/spool/cron/crontabs/root": "@reboot fetch\n",
		"var/lib/dpkg/info/dpkg.list": "/etc/cron.daily\n/etc/cron.daily/dpkg\n"}
	assert.Equal(t, []boot.Asked{
		{What: "nothing carries out /etc/cron.d/fetch: the image has no cron", Idle: true},
		{What: "nothing carries out /var/spool/cron/crontabs/root: the image has no cron", Idle: true},
	}, in(t, files, nil).Asks)
	assert.Empty(t, in(t, files, map[string]string{"usr/sbin/cron": "/bin/true"}).Asks)
}

func TestHooksOfProgramsThatTheImageHasNot(t *testing.T) {
	t.Parallel()
	files := map[string]string{"etc/machine-id": "", "etc/networkd-dispatcher/routable.d/50-fetch": "#!/bin/sh\n", "etc/supervisor/conf.d/fetch.conf": "[program:fetch]\n",
		"etc/network/if-up.d/ethtool": "#!/bin/sh\n", "var/lib/dpkg/info/ethtool.list": "/etc/network/if-up.d/ethtool\n"}
	assert.Equal(t, []boot.Asked{
		{What: "nothing carries out /etc/networkd-dispatcher/routable.d/50-fetch: the image has no networkd-dispatcher", Idle: true},
		{What: "nothing carries out /etc/supervisor/conf.d/fetch.conf: the image has no supervisord", Idle: true},
	}, in(t, files, nil).Asks)
	assert.Empty(t, in(t, files, map[string]string{"usr/bin/networkd-dispatcher": "/bin/true", "usr/local/bin/supervisord": "/bin/true"}).Asks)
}

func TestWhatKeepsAServiceFromTheNetworkOrItsRole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"RestrictAddressFamilies=AF_UNIX":                                           "keeps it from the network",
		"RestrictAddressFamilies=none":                                              "keeps it from the network",
		"RestrictAddressFamilies=~AF_INET AF_INET6":                                 "keeps it from the network",
		"RestrictAddressFamilies=AF_UNIX AF_INET":                                   "",
		"RestrictAddressFamilies=AF_INET":                                           "",
		"RestrictAddressFamilies=AF_UNIX\nRestrictAddressFamilies=AF_INET AF_INET6": "",
		"RestrictAddressFamilies=~AF_PACKET":                                        "",
		"SystemCallFilter=~@network-io":                                             "keeps it from the network",
		"SystemCallFilter=~@privileged @resources":                                  "",
		"PrivateNetwork=yes":                                                        "keeps it from the network",
		"PrivateNetwork=no":                                                         "",
		"IPAddressDeny=any\nIPAddressAllow=localhost":                               "keeps it from the network",
		"IPAddressDeny=any\nIPAddressAllow=169.254.169.254 203.0.113.0/24":          "",
		"TemporaryFileSystem=/etc/opensandbox":                                      "hides the role env",
		"TemporaryFileSystem=/etc:ro":                                               "hides the role env",
		"InaccessiblePaths=-/etc/opensandbox /root":                                 "hides the role env",
		"InaccessiblePaths=/etc/shadow":                                             "",
		"TemporaryFileSystem=/etc\nBindReadOnlyPaths=/etc/opensandbox":              "",
		"PrivateTmp=yes":                                                            "",
	} {
		setting, _, _ := strings.Cut(text, "\n")
		asks := in(t, map[string]string{"etc/machine-id": "", systemd + "fetch.service": "[Service]\nExecStart=/bin/fetch\n", systemd + "fetch.service.d/a.conf": "[Service]\n" + text + "\n"}, nil).Asks
		if want == "" {
			assert.Empty(t, asks, text)
		} else if assert.Len(t, asks, 1, text) {
			assert.True(t, asks[0].Hint)
			assert.Equal(t, "fetch.service", asks[0].Of)
			assert.Contains(t, asks[0].What, "fetch.service has "+setting+", which "+want)
		}
	}
}

func TestUnitsOfUsersManagersWhereNobodyLogsIn(t *testing.T) {
	t.Parallel()
	files := map[string]string{"etc/machine-id": "", "etc/systemd/user/fetch.service": "[Service]\n"}
	links := map[string]string{"etc/systemd/user/default.target.wants/fetch.service": "../fetch.service"}
	assert.Equal(t, []boot.Asked{{What: "nothing starts /etc/systemd/user/fetch.service: it is a unit of users' managers, and nobody logs in or lingers here", Idle: true}}, in(t, files, links).Asks)
	files["var/lib/systemd/linger/shipper"] = ""
	assert.Empty(t, in(t, files, links).Asks)
}

func TestWhereCloudInitLooksOnAzure(t *testing.T) {
	t.Parallel()
	const dir = "etc/cloud/cloud.cfg.d/"
	for name, tt := range map[string]struct {
		files map[string]string
		says  string // the file; empty: nothing
	}{
		"nobody says":             {map[string]string{}, ""},
		"Azure among others":      {map[string]string{dir + "90_dpkg.cfg": "datasource_list: [ NoCloud, Azure, None ]\n"}, ""},
		"as a block":              {map[string]string{dir + "90.cfg": "datasource_list:\n  - Azure\nmanage_etc_hosts: true\n"}, ""},
		"none":                    {map[string]string{dir + "95.cfg": "datasource_list: [None]\n"}, "/" + dir + "95.cfg"},
		"Azure is of another key": {map[string]string{dir + "95.cfg": "datasource_list:\n- Ec2\ndatasource:\n  Azure: {}\n"}, "/" + dir + "95.cfg"},
		"the last one counts":     {map[string]string{dir + "10.cfg": "datasource_list: [None]\n", dir + "91.cfg": "datasource_list: [Azure]\n"}, ""},
		"ours is none":            {map[string]string{dir + "zz-bootrace.cfg": "datasource_list: [NoCloud]\n"}, ""},
		"of bookworm's own file":  {map[string]string{"etc/cloud/cloud.cfg": "users: [default]\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.files["etc/machine-id"] = ""
			asks := in(t, tt.files, nil).Asks
			if tt.says == "" {
				assert.Empty(t, asks)
				return
			}
			require.Len(t, asks, 1)
			assert.True(t, asks[0].Boot)
			assert.Contains(t, asks[0].What, tt.says+" keeps cloud-init from looking for Azure")
		})
	}
}

func TestWhatTheEngineCoversIsAskedFor(t *testing.T) {
	t.Parallel()
	s := Read("look\tcovered\t/etc/hosts\t\nlook\tcovered\t/etc/resolv.conf\tdecides\n")
	assert.Equal(t, []boot.Asked{
		{What: "/etc/hosts of the image, over which the engine puts its own"},
		{What: "/etc/resolv.conf of the image, over which the engine puts its own", Boot: true},
	}, s.Asks)
}

func TestWhatWasSeenIsReadBackFromTheImagesLabel(t *testing.T) {
	t.Parallel()
	_, ok := Of(map[string]string{})
	assert.False(t, ok, "it was not looked at")
	s, ok := Of(map[string]string{Label: Encode("look\tmachine-id\tfilled\t\na.service\t\nlook\tenabled\ta.service\tbefore install.sh ran\n")})
	require.True(t, ok)
	assert.Equal(t, "filled", s.MachineID)
	assert.Equal(t, []Finding{
		{"machine-id", Problem, "machine-id is filled: every machine of this image has the same (machine-id(5))"},
		{"enabled", Note, "a.service was enabled by bootrace, before install.sh ran"},
	}, s.Findings)
	assert.Contains(t, s.Repaired().Findings[0].Text, "it boots without")
	assert.Equal(t, []string{"/etc/machine-id", "/var/lib/cloud", "/var/log/journal"}, s.Kept(true))
}
