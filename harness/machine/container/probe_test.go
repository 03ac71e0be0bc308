package container

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/machine"
)

func TestWhatAMachineLacksIsNamedWithItsConsequenceAndItsMend(t *testing.T) {
	t.Parallel()
	const all = "cgroup2\nCAP_SYS_ADMIN\nCAP_SYS_PTRACE\nenviron\ninotify\npressure\ndone\n"
	tests := map[string]struct {
		printed string
		state   machine.State
		says    []string
		fix     string
	}{
		"all is there": {all, machine.OK, []string{"are there"}, ""},
		"no capability and so no environment": {"cgroup2\nCAP_SYS_ADMIN\ninotify\npressure\ndone\n", machine.Fail,
			[]string{"CAP_SYS_PTRACE is not there", "environ is not there", "every case is invalid"}, "grants it"},
		"no pressure is a limit, no failure": {"cgroup2\nCAP_SYS_ADMIN\nCAP_SYS_PTRACE\nenviron\ninotify\ndone\n", machine.Warn,
			[]string{"pressure is not there", "scheduling delay alone"}, "psi=1"},
		"a failure before a limit":  {"cgroup2\nCAP_SYS_ADMIN\nCAP_SYS_PTRACE\nenviron\ndone\n", machine.Fail, []string{"inotify is not there"}, "max_user_instances"},
		"a script that ended early": {"cgroup2\n", machine.Fail, []string{"ended early"}, "docker"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := judgeNeeds(tt.printed)
			assert.Equal(t, tt.state, f.State)
			for _, s := range tt.says {
				assert.Contains(t, f.Detail, s)
			}
			assert.Contains(t, f.Fix, tt.fix)
			assert.Equal(t, tt.state == machine.OK, f.Fix == "", f.Fix)
		})
	}
}

func TestAMachineIsAskedForWhatItsKernelGives(t *testing.T) {
	l := newLab(t)
	given := probeMachine(t.Context(), l.backend, view{})
	assert.NotEqual(t, machine.Fail, given.State, given.Detail)
	assert.NotContains(t, given.Detail, "not looked at")

	poor := *l.backend
	poor.grant = []string{"SYS_ADMIN"}
	without := probeMachine(t.Context(), &poor, view{})
	assert.Equal(t, machine.Fail, without.State)
	assert.Contains(t, without.Detail, "CAP_SYS_PTRACE is not there")
	assert.NotContains(t, without.Detail, "cgroup2 is not there")

	poor.grant = nil
	without = probeMachine(t.Context(), &poor, view{})
	assert.Equal(t, machine.Fail, without.State)
	assert.Contains(t, without.Detail, "cgroup2 is not there")
	assert.Contains(t, without.Detail, "environ is not there")
	left, err := l.running(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left, "the probe leaves nothing behind")
}
