package lint

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What systemctl show prints of a populator that is all right, and of Vector.
const (
	good = `Type=notify
Restart=on-failure
RemainAfterExit=yes
TimeoutStartUSec=1s
StartLimitIntervalUSec=0
StartLimitBurst=5
Id=p.service
WantedBy=multi-user.target vector.service
Before=vector.service shutdown.target
LoadState=loaded
DefaultDependencies=no
`
	vectors = `Id=vector.service
Wants=p.service network-online.target
After=p.service basic.target
LoadState=loaded
`
)

func remarks(t *testing.T, verify, show string, units ...string) []string {
	t.Helper()
	got, err := Read([]byte(verify+between+"\n"+show+"\n"+vectors), units, "p.service")
	require.NoError(t, err)
	var out []string
	for _, r := range got {
		out = append(out, string(r.Level)+" "+r.Unit+": "+r.Text)
	}
	return out
}

func TestAGoodUnitGetsNoRemark(t *testing.T) {
	assert.Empty(t, remarks(t, "/usr/lib/systemd/system/other.service:7: Unknown key name 'X' in section 'Unit', ignoring.\n", good, "p.service"))
}

func TestEachRuleSeesItsCase(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"masked", "LoadState=loaded", "LoadState=masked", "problem p.service: it is masked"},
		{"nobody asks", "WantedBy=multi-user.target vector.service", "WantedBy=", "note p.service: nothing in the image wants"},
		{"waits for ever", "TimeoutStartUSec=1s", "TimeoutStartUSec=infinity", "note p.service: Type=notify, TimeoutStartSec=infinity"},
		{"waits long", "TimeoutStartUSec=1s", "TimeoutStartUSec=1min 30s", "note p.service: the boot waits up to 1min 30s"},
		{"waits a day and a half", "TimeoutStartUSec=1s", "TimeoutStartUSec=1d 12h", "note p.service: the boot waits up to 1d 12h"},
		{"waits for who knows how long", "TimeoutStartUSec=1s", "TimeoutStartUSec=soon", "note p.service: how long the boot waits"},
		{"success ends it", "Type=notify", "Type=oneshot", "note p.service: exit 0 ends it for good"},
		{"second trigger", "Before=", "TriggeredBy=p.path\nBefore=", "problem p.service: p.path triggers it once only"},
		{"burns its starts", "Type=notify\nRestart=on-failure\nRemainAfterExit=yes\nTimeoutStartUSec=1s\nStartLimitIntervalUSec=0",
			"Type=exec\nStartLimitIntervalUSec=2min", "note p.service: each restart of Vector asks for it"},
		{"kills its child", "Type=notify", "Type=forking", "note p.service: Type=forking without PIDFile="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, good, tt.old)
			got := remarks(t, "", strings.Replace(good, tt.old, tt.new, 1), "p.service")
			require.Len(t, got, 1)
			assert.True(t, strings.HasPrefix(got[0], tt.want), got[0])
		})
	}
}

func TestAPathUnitOnTheDirectoryTriggersItself(t *testing.T) {
	const path = "Id=p.path\nLoadState=loaded\nWantedBy=multi-user.target\nPaths=/etc/opensandbox (PathChanged)\nTriggers=p.service\n"
	assert.Contains(t, remarks(t, "", path+"\n"+good, "p.path")[0], "problem p.path: whatever lies in the directory starts p.service")
	assert.Contains(t, remarks(t, "", path+"\n"+strings.Replace(good, "IntervalUSec=0", "IntervalUSec=10s", 1), "p.path")[0], "note p.path: whatever is written")
	assert.Empty(t, remarks(t, "", strings.Replace(path, "/etc/opensandbox ", "/etc/opensandbox/worker.env ", 1)+"\n"+good, "p.path"))
}

func TestATriggerThatComesOnceIsEnoughForAUnitThatWaits(t *testing.T) {
	asked := strings.Replace(good, "Before=", "TriggeredBy=p.path\nBefore=", 1)
	alone := strings.Replace(asked, "WantedBy=multi-user.target vector.service", "WantedBy=", 1)
	said := func(kind, show, wants string) string {
		path := "Id=p.path\nLoadState=loaded\nWantedBy=multi-user.target\nPaths=/etc/opensandbox/worker.env (" + kind + ")\nTriggers=p.service\n\n"
		got, err := Read([]byte(between+"\n"+path+show+"\n"+strings.Replace(vectors, "Wants=p.service ", wants, 1)), []string{"p.service"}, "p.service")
		require.NoError(t, err)
		require.NotEmpty(t, got)
		return string(got[0].Level) + " " + got[0].Text
	}
	assert.Contains(t, said("PathExists", alone, "Wants="), "note p.path triggers it once only")
	assert.Contains(t, said("PathChanged", alone, "Wants="), "problem p.path triggers it once only")
	assert.Contains(t, said("PathExists", asked, "Wants="), "problem p.path triggers it once only", "it is active before")
	assert.Contains(t, said("PathExists", alone, "Wants=p.service "), "problem p.path triggers it once only", "Vector asks for it")
}

func TestAUnitThatAnotherUpholdsIsAsked(t *testing.T) {
	for _, by := range []string{"UpheldBy", "OnFailureOf", "OnSuccessOf"} {
		assert.Empty(t, remarks(t, "", strings.Replace(good, "WantedBy=multi-user.target vector.service", "WantedBy=\n"+by+"=multi-user.target", 1), "p.service"), by)
	}
}

func TestWhatSystemdAnalyzeSaysIsKeptIfItConcernsTheSubjectOrTheOrder(t *testing.T) {
	got := remarks(t, "/etc/systemd/system/p.service:3: Unknown key name 'Tpye' in section 'Service', ignoring.\n"+
		"vector.service: Found ordering cycle on q.service/start\nsomething of another unit\n", good, "p.service")
	assert.Equal(t, []string{
		"problem p.service: systemd-analyze: /etc/systemd/system/p.service:3: Unknown key name 'Tpye' in section 'Service', ignoring.",
		"problem vector.service: systemd-analyze: vector.service: Found ordering cycle on q.service/start",
	}, got)
}

func TestAnotherUnitsNameIsNotTheSubjects(t *testing.T) {
	unit := func(id string) string { return strings.ReplaceAll(good, "p.service", id) }
	assert.Empty(t, remarks(t, "/usr/lib/systemd/system/cloud-p.service:7: Unknown key name 'X' in section 'Unit', ignoring.\nUnit p.service-old is odd\n", good, "p.service"))
	for _, line := range []string{"p.service: Command /opt/p is not executable: No such file or directory", "Unit p.service not found.", "/etc/systemd/system/p.service.d/x.conf:1: odd"} {
		assert.Len(t, remarks(t, line+"\n", good, "p.service"), 1, line)
	}
	assert.Len(t, remarks(t, "t@i.service: Command /opt/t is not executable\n", unit("t@.service"), "t@.service"), 1)
}

func TestAMistakeInADropInIsSeen(t *testing.T) {
	got := remarks(t, "/etc/systemd/system/vector.service.d/20-mine.conf:3: Unknown key name 'Aftre' in section 'Unit', ignoring.\n", good, "p.service")
	assert.Equal(t, []string{"problem vector.service: systemd-analyze: /etc/systemd/system/vector.service.d/20-mine.conf:3: Unknown key name 'Aftre' in section 'Unit', ignoring."}, got)
}

func TestWhatVectorRequiresItAsksForAsWell(t *testing.T) {
	show := strings.NewReplacer("Type=notify", "Type=exec", "StartLimitIntervalUSec=0", "StartLimitIntervalUSec=2min").Replace(good)
	out := []byte(between + "\n" + show + "\n" + strings.Replace(vectors, "Wants=p.service", "Requires=p.service", 1))
	got, err := Read(out, []string{"p.service"}, "p.service")
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Contains(t, got[0].Text, "each restart of Vector asks for it")

	got, err = Read(bytes.ReplaceAll(bytes.Replace(out, []byte("Type=exec\n"), nil, 1), []byte("p.service"), []byte("p.target")), []string{"p.target"}, "p.service")
	require.NoError(t, err)
	assert.Empty(t, got, "a target cannot fail")
}

func TestATemplateIsVerifiedAndNotShown(t *testing.T) {
	// What is run is the script itself, with systemd's two programs replaced.
	script := Script([]string{`x\x2dy.service`, "t@.service", "t@i.service"})
	script[2] = strings.NewReplacer("systemd-analyze", "echo", "systemctl", "printf '%s '").Replace(script[2])
	out, err := exec.CommandContext(t.Context(), script[0], script[1:]...).Output()
	require.NoError(t, err)
	verified, shown, _ := strings.Cut(string(out), between)
	assert.Contains(t, verified, `multi-user.target x\x2dy.service t@.service t@i.service vector.service`)
	shown, cat, _ := strings.Cut(shown, files)
	assert.True(t, strings.HasSuffix(strings.TrimSpace(shown), ` x\x2dy.service t@i.service vector.service`), shown)
	assert.Contains(t, cat, `t@.service`, "its file has been written all the same")
}

func TestNoOutputIsNoPass(t *testing.T) {
	for _, text := range []string{"", "sh: systemd-analyze: not found\n", between + "\n" + vectors} {
		_, err := Read([]byte(text), []string{"p.service"}, "p.service")
		require.Error(t, err, text)
	}
}

func TestAVectorThatNothingStartsAgainIsAProblem(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		want       bool
	}{
		{"never", "Restart=no\n", true},
		{"when it ends well", "Restart=on-success\n", true},
		{"always", "Restart=always\n", false},
		{"when it crashes", "Restart=on-abnormal\n", false},
		{"never", "LoadState=masked\nRestart=no\n", true},
		{"by a unit that is started for it", "Restart=no\nOnFailure=mine.service\n", false},
		{"by a unit that upholds it", "Restart=no\nUpheldBy=multi-user.target\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read([]byte(between+"\n"+good+"\n"+vectors+tt.says), []string{"p.service"}, "p.service")
			require.NoError(t, err)
			if !tt.want {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, Problem, got[0].Level)
			assert.Equal(t, vector, got[0].Unit)
			assert.Contains(t, got[0].Text, "ends log shipping for good")
		})
	}
}

func TestAVectorThatMayNotRunForLongFails(t *testing.T) {
	for limit, want := range map[string]int{"25s": 1, "infinity": 0} {
		got, err := Read([]byte(between+"\n"+good+"\n"+vectors+"RuntimeMaxUSec="+limit+"\n"), []string{"p.service"}, "p.service")
		require.NoError(t, err)
		require.Len(t, got, want, limit)
	}
	got, err := Read([]byte(between+"\n"+vectors+"\n"+good+"RuntimeMaxUSec=25s\n"), []string{"p.service"}, "p.service")
	require.NoError(t, err)
	assert.Empty(t, got, "of another unit it says nothing")
}
