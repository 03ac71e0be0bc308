package subject

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/check"
	"bootrace/harness/look"
)

// write makes a subject directory of path and content.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mine")
	for path, text := range files {
		file := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

const wanted = "[Install]\nWantedBy=multi-user.target\n"

const unitDir = "rootfs/etc/systemd/system/"

func TestASubjectEnablesTheUnitsThatCanBe(t *testing.T) {
	s, err := Read(write(t, map[string]string{
		unitDir + "a.service":                        "[Service]\n[Install]\nWantedBy=multi-user.target\n",
		unitDir + "b.service":                        "[Service]\n",
		unitDir + "vector.service.d/drop-in.conf":    "[Service]\n",
		"rootfs/usr/lib/systemd/system/c.path":       wanted,
		"rootfs/usr/local/share/not-a-unit.service":  wanted,
		"rootfs/etc/systemd/system/README":           wanted,
		"rootfs/usr/local/bin/program":               "x",
		"rootfs/etc/systemd/system/x\\x2dy.service":  "[Service]\n",
		"rootfs/etc/systemd/system/t@.service":       "[Service]\n[Install]\nWantedBy=multi-user.target\n",
		"rootfs/etc/systemd/system/d.service.d/no":   "x",
		"rootfs/etc/systemd/system/not a unit.timer": wanted,
	}))
	require.NoError(t, err)
	assert.Equal(t, "mine", s.Name)
	assert.Equal(t, []string{"a.service", "c.path"}, s.Enable)
	assert.Equal(t, []string{"a.service", "b.service", "c.path", "t@.service", `x\x2dy.service`}, s.Units)
	assert.Contains(t, s.seal(), "systemctl enable 'a.service' 'c.path'\n")
}

func TestInstallIsReadAsSystemdReadsIt(t *testing.T) {
	for _, tt := range []struct {
		name, unit, text string
		want             bool
	}{
		{"a section that says something", "a.service", "[Service]\n[Install]\n WantedBy = multi-user.target \n", true},
		{"an empty one", "a.service", "[Service]\n[Install]\n", false},
		{"in a comment", "a.service", "[Service]\n#[Install]\n;[Install]\n# WantedBy=multi-user.target\n", false},
		{"in a line that goes on", "a.service", "[Service]\nExecStart=/bin/echo \\\n[Install] \\\nWantedBy=a.target\n", false},
		{"taken back", "a.service", "[Install]\nWantedBy=multi-user.target\nWantedBy=\n", false},
		{"taken back, and said again", "a.service", "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\n", true},
		{"of another case", "a.service", "[install]\nWantedBy=multi-user.target\n", false},
		{"of a template", "a@.service", "[Install]\nWantedBy=multi-user.target\n", false},
		{"of a template with an instance", "a@.service", "[Install]\nWantedBy=multi-user.target\nDefaultInstance=i\n", true},
		{"after a line that is none", "a.service", "[Service]\nnonsense\n[Install]\nWantedBy=multi-user.target\n", true},
		{"after a long line", "a.service", "[Service]\nExecStart=/bin/sh -c '" + strings.Repeat("x", 9000) + "'\n[Install]\nWantedBy=multi-user.target\n", true},
		{"with DOS line ends", "a.service", "[Service]\r\n[Install]\r\nWantedBy=multi-user.target\r\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Read(write(t, map[string]string{unitDir + tt.unit: tt.text}))
			require.NoError(t, err)
			assert.Equal(t, tt.want, len(s.Enable) == 1, s.Enable)
		})
	}
	s, err := Read(write(t, map[string]string{unitDir + "a.service": "[Service]\n", unitDir + "a.service.d/b.conf": wanted, unitDir + "b.service": wanted,
		unitDir + "b.service.d/none.conf": "[Install]\nWantedBy=\n", unitDir + "b.service.d/none.txt": wanted}))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.service"}, s.Enable, "drop-ins come after the file")
}

// link puts a symbolic link into a subject directory.
func link(t *testing.T, dir, target, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
}

func TestAUnitIsFoundWhereverSystemdFindsIt(t *testing.T) {
	for _, dir := range []string{"etc", "usr/local/lib", "usr/lib", "lib"} {
		s, err := Read(write(t, map[string]string{"rootfs/" + dir + "/systemd/system/a.service": wanted}))
		require.NoError(t, err, dir)
		assert.Equal(t, []string{"a.service"}, s.Enable, dir)
	}
}

func TestWhatIsRunWithoutAUnitOfItsOwnIsASubject(t *testing.T) {
	for file, units := range map[string][]string{
		"etc/systemd/system-generators/mine":         nil,
		"lib/systemd/system-generators/mine":         nil,
		"etc/init.d/mine":                            nil,
		"etc/rc.local":                               {"rc-local.service"},
		"etc/cloud/cloud.cfg.d/50.cfg":               {"cloud-final.service"},
		"var/lib/cloud/scripts/per-boot/10-mine":     {"cloud-final.service"},
		"etc/systemd/system/vector.service.d/a.conf": {"vector.service"},
	} {
		s, err := Read(write(t, map[string]string{"rootfs/" + file: "#!/bin/sh\n"}))
		require.NoError(t, err, file)
		assert.Equal(t, units, s.Units, file)
		assert.Equal(t, units == nil, s.generatesWith(""), file)

		s, err = Read(write(t, map[string]string{"install.sh": "#!/bin/sh\n"}))
		require.NoError(t, err)
		assert.Contains(t, s.seal(), "/etc/systemd/system-generators ", "an installer may bring one")
		sealed := starter + "/" + file + "\nlook\tstarter\n"
		if strings.HasSuffix(file, ".conf") {
			sealed = "vector.service.d/a.conf\t\n"
		}
		assert.Equal(t, units, s.unitsWith(sealed), file)
		assert.Equal(t, units == nil, s.generatesWith(sealed), file)
		assert.Equal(t, []string{"a.service"}, s.unitsWith("a.service\t\n"+sealed), "its own go first")
	}
	_, err := Read(write(t, map[string]string{"rootfs/etc/cloud.cfg": ""}))
	require.ErrorContains(t, err, "brings no unit")
}

func TestALinkIsAUnitUnderItsOwnNameOnly(t *testing.T) {
	dir := write(t, map[string]string{unitDir + "a.service": "[Service]\n", "rootfs/opt/mine/linked.service": wanted})
	link(t, dir, "/dev/null", unitDir+"masked.timer")
	link(t, dir, "a.service", unitDir+"alias.service")
	link(t, dir, "/opt/mine/linked.service", unitDir+"linked.service")
	s, err := Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"a.service", "linked.service"}, s.Units)
	assert.Equal(t, []string{"linked.service"}, s.Enable)
	assert.Equal(t, []string{"a.service", "b.service", "linked.service"}, s.unitsWith("b.service\t\nmulti-user.target.wants/b.service\t/etc/systemd/system/b.service\n"+
		"dbus-b.service\t/etc/systemd/system/b.service\nvector.service.d/b.conf\t\ncron.service\t/dev/null\n"), "and so with an installer's")
}

func TestASubjectOfDropInsIsTheUnitsTheyChange(t *testing.T) {
	s, err := Read(write(t, map[string]string{unitDir + "vector.service.d/fetch.conf": "[Service]\n", unitDir + "service.d/all.conf": "[Service]\n"}))
	require.NoError(t, err)
	assert.Equal(t, []string{"vector.service"}, s.Units)
	assert.Empty(t, s.Enable)
}

func TestAnInstallerNeedNotBeExecutable(t *testing.T) {
	s, err := Read(write(t, map[string]string{"install.sh": "#!/bin/sh\n"}))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), s.installer["install.sh"].Mode)
}

func TestASubjectHasTheNameOfItsDirectory(t *testing.T) {
	t.Chdir(write(t, map[string]string{unitDir + "a.service": ""}))
	s, err := Read(".")
	require.NoError(t, err)
	assert.Equal(t, "mine", s.Name)
}

func TestAnInstallersOutputIsShownInLinesThatDoNothingToATerminal(t *testing.T) {
	binary := "\x1b[2Jbegun\x00\xff\r 10 %\r100 %\n" + strings.Repeat("x", 5000)
	text := InstallError{Command: "install.sh", Output: binary, Err: errors.New("it exited 1")}.Error()
	assert.True(t, strings.HasPrefix(text, "install.sh: it exited 1; it printed:\n    [2Jbegun\uFFFD\n     10 %\n    100 %\n    xxx"), "%q", text)
	assert.Less(t, len(text), 1000)
	assert.Contains(t, InstallError{Output: strings.Repeat("line\n", 100), Err: errors.New("")}.Error(), "it printed:\n    (more before)\n    line\n")
}

func TestASubjectMayNameWhatToEnable(t *testing.T) {
	s, err := Read(write(t, map[string]string{unitDir + "a.service": wanted, unitDir + "b.timer": wanted, "subject.yaml": "enable: [b.timer]\n"}))
	require.NoError(t, err)
	assert.Equal(t, []string{"b.timer"}, s.Enable)
}

func TestWhatIsNoSubjectIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no rootfs", map[string]string{"a.service": ""}, "mine/rootfs, whose files are copied"},
		{"no unit", map[string]string{"rootfs/usr/bin/x": ""}, "brings no unit"},
		{"a shell command for a unit", map[string]string{unitDir + "a.service": "", "subject.yaml": "enable: ['a.service;reboot']"}, "subject.yaml:1:10: enable[0]: expected a unit's full name"},
		{"an unknown key", map[string]string{unitDir + "a.service": "", "subject.yaml": "enabled: [a.service]"}, "subject.yaml:1:1: unknown key enabled: expected credentials_within, enable, install, layers, may_fail, not_judged, populator, writes (did you mean enable?)"},
		{"no unit's name for the populator", map[string]string{unitDir + "a.service": "", "subject.yaml": "populator: fetch"}, "subject.yaml:1:12: populator: expected a unit's full name"},
		{"a version, which it has not", map[string]string{unitDir + "a.service": "", "subject.yaml": "version: 1"}, "subject.yaml:1:1: unknown key version: expected credentials_within,"},
		{"no time for the credentials", map[string]string{unitDir + "a.service": "", "subject.yaml": "credentials_within: {default: 0s}"}, "subject.yaml:1:22: credentials_within.default: expected more than 0s"},
		{"a layer that is not there", map[string]string{unitDir + "a.service": "", "subject.yaml": "layers: [../none]"}, "none/rootfs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(write(t, tt.files))
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := Read(filepath.Join(t.TempDir(), "absent"))
	require.Error(t, err)
}

func TestALayerLiesBelowTheSubjectsOwnFiles(t *testing.T) {
	dir := write(t, map[string]string{
		"common/rootfs/usr/bin/a": "theirs", "common/rootfs/usr/bin/b": "theirs",
		"one/" + unitDir + "a.service": wanted, "one/rootfs/usr/bin/b": "own", "one/subject.yaml": "layers: [../common]\n",
	})
	s, err := Read(filepath.Join(dir, "one"))
	require.NoError(t, err)
	assert.Equal(t, "theirs", string(s.Rootfs["usr/bin/a"].Data))
	assert.Equal(t, "own", string(s.Rootfs["usr/bin/b"].Data))
}

func TestASubjectMayBeOfLayersAlone(t *testing.T) {
	dir := write(t, map[string]string{
		"program/rootfs/usr/bin/a": "x", "units/" + unitDir + "a.service": wanted,
		"one/subject.yaml": "layers: [../program, ../units]\npopulator: a.service\n", "none/subject.yaml": "enable: [a.service]\n",
	})
	s, err := Read(filepath.Join(dir, "one"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.service"}, s.Units)
	assert.Equal(t, "a.service", s.Populator)
	assert.Contains(t, s.Rootfs, "usr/bin/a")
	_, err = Read(filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "none/rootfs, whose files are copied")
}

func TestAnInstallerMayComeFromALayerAndTakesTheSubjectsFiles(t *testing.T) {
	dir := write(t, map[string]string{
		"common/install.sh": "#!/bin/sh\n", "common/files/a": "theirs", "common/files/b": "theirs", "common/rootfs/usr/bin/c": "theirs",
		"plain/rootfs/usr/bin/d": "plain", "plain/notes": "not for the installer",
		"one/files/b": "own", "one/subject.yaml": "layers: [../plain, ../common]\ninstall: {args: [worker]}\n",
	})
	s, err := Read(filepath.Join(dir, "one"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), s.installer["install.sh"].Mode)
	assert.Equal(t, "theirs", string(s.installer["files/a"].Data))
	assert.Equal(t, "own", string(s.installer["files/b"].Data))
	assert.NotContains(t, s.installer, "rootfs/usr/bin/c", "it is copied to / already")
	assert.NotContains(t, s.installer, "notes", "that layer has no installer")
	assert.Equal(t, "plain", string(s.Rootfs["usr/bin/d"].Data))
	assert.Equal(t, "theirs", string(s.Rootfs["usr/bin/c"].Data))
}

func TestTheHashIsThatOfTheContent(t *testing.T) {
	read := func(text string) string {
		s, err := Read(write(t, map[string]string{unitDir + "a.service": text}))
		require.NoError(t, err)
		return s.Hash()
	}
	assert.Equal(t, read("[Service]\n"), read("[Service]\n"))
	assert.NotEqual(t, read("[Service]\n"), read("[Service]\nType=notify\n"))
}

var update = flag.Bool("update", false, "write subject.schema.json anew")

func TestTheSchemaIsThatOfTheType(t *testing.T) {
	want, err := Schema()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("subject.schema.json", want, 0o600))
	}
	got, err := os.ReadFile("subject.schema.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "subject.schema.json is not what the types say; run: go test ./harness/subject -run Schema -update, and look at its diff")
}

func TestAnInstallerHasTheLastWordOnWhatIsEnabled(t *testing.T) {
	s, err := Read(write(t, map[string]string{unitDir + "a.service": wanted, "install.sh": "#!/bin/sh\n", "subject.yaml": "enable: [a.service, theirs.service]\n"}))
	require.NoError(t, err)
	assert.Contains(t, s.begin(), "systemctl enable 'a.service'\n", "before it runs")
	assert.Contains(t, s.seal(), "systemctl enable 'theirs.service'\n", "it is not there sooner")
	seen := look.Read(printedBy(t, s.seal()))
	assert.Contains(t, seen.Findings, look.Finding{Name: "enabled", Level: look.Note, Text: "a.service was enabled by bootrace, before install.sh ran"})
	assert.Contains(t, seen.Findings, look.Finding{Name: "enabled", Level: look.Note, Text: "theirs.service was enabled by bootrace, as subject.yaml says, after install.sh ran"})

	s, err = Read(write(t, map[string]string{unitDir + "a.service": wanted}))
	require.NoError(t, err)
	assert.Contains(t, look.Read(printedBy(t, s.seal())).Findings, look.Finding{Name: "enabled", Level: look.Note, Text: "a.service was enabled by bootrace, and no install.sh had a word after it"})
}

// printedBy runs what of a seal only prints.
func printedBy(t *testing.T, seal string) string {
	t.Helper()
	var prints strings.Builder
	for line := range strings.Lines(seal) {
		if strings.HasPrefix(line, "printf 'look") {
			prints.WriteString(line)
		}
	}
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-e", "-c", prints.String()).Output()
	require.NoError(t, err)
	return string(out)
}

func TestTheSealRepairsWhatItsOwnBootLeftAndNoMore(t *testing.T) {
	s, err := Read(write(t, map[string]string{"install.sh": "#!/bin/sh\n"}))
	require.NoError(t, err)
	const repairs = `[ "$(cat /etc/machine-id 2>&1)" = "$(cat /.bootrace-machine-id)" ]; then : > /etc/machine-id; fi`
	assert.Contains(t, s.begin(), "cp /etc/machine-id /.bootrace-machine-id")
	assert.Contains(t, s.seal(), repairs)
	assert.NotContains(t, s.seal(), "/var/lib/cloud/*", "what an installer left there stays")
	as := s
	as.AsIs = true
	assert.NotContains(t, as.seal(), repairs)
	assert.NotContains(t, as.seal(), "/var/log/journal/*")
	assert.NotEqual(t, s.Hash(), as.Hash(), "it is another image")

	s, err = Read(write(t, map[string]string{"install.sh": "#!/bin/sh\n", "rootfs/etc/machine-id": "uninitialized\n"}))
	require.NoError(t, err)
	assert.NotContains(t, s.begin(), "machine-id", "the subject brings its own")
}

func TestASubjectSaysWhatItWritesWhatMayFailAndWhatIsNotJudged(t *testing.T) {
	s, err := Read(write(t, map[string]string{unitDir + "a.service": wanted, "subject.yaml": `populator: a.service
writes: [{file: /run/a/cache, reason: a restart needs no vault}]
may_fail: [{unit: b.service, reason: it is optional}]
not_judged: [{check: cloud-politeness, reason: the vault is ours alone}]
`}))
	require.NoError(t, err)
	assert.Equal(t, "a.service", s.Populator)
	assert.Equal(t, check.Declared{
		Writes:    []check.Written{{File: "/run/a/cache", Reason: "a restart needs no vault"}},
		MayFail:   []check.Allowed{{Unit: "b.service", Reason: "it is optional"}},
		NotJudged: []check.Unjudged{{Check: "cloud-politeness", Reason: "the vault is ours alone"}},
	}, s.Declared)
	for want, text := range map[string]string{
		"writes[0].reason is missing":                   "writes: [{file: /a}]",
		"writes[0].file: expected an absolute path":     "writes: [{file: a, reason: b}]",
		"may_fail[0].reason is missing":                 "may_fail: [{unit: b.service}]",
		"not_judged[0].reason is missing":               "not_judged: [{check: registered}]",
		"not_judged[0].check: expected one of":          "not_judged: [{check: politeness, reason: b}]",
		"may_fail[0].unit: expected a unit's full name": "may_fail: [{unit: b, reason: c}]",
	} {
		_, err := Read(write(t, map[string]string{unitDir + "a.service": wanted, "subject.yaml": text + "\n"}))
		require.ErrorContains(t, err, want)
	}
}

func TestWhatTheEngineWillCoverIsTold(t *testing.T) {
	t.Parallel()
	for text, decides := range map[string]bool{"127.0.0.1 localhost\n": false, "203.0.113.9 api.axiom.co\n": true} {
		s, err := Read(write(t, map[string]string{unitDir + "a.service": wanted, "rootfs/etc/hosts": text}))
		require.NoError(t, err)
		asks := look.Read(printedBy(t, s.seal())).Asks
		require.Len(t, asks, 1, text)
		assert.Equal(t, decides, asks[0].Boot, text)
		assert.Contains(t, asks[0].What, "/etc/hosts of the image, over which")
	}
}
