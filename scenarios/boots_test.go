package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const twoLives = good + `network: {after: 5s}
cloud:
  faults:
    - {service: imds, kind: refused, until: 8s}
boots:
  - {after: reboot, rotated: [shared-axiom-platform-ingest-token], during: [{at: 2s, do: kill, unit: vector.service}], look: {settle: 12s}}
  - {after: power-loss, new_vault: true}
`

func TestEachBootIsAScenarioOfOneBoot(t *testing.T) {
	t.Parallel()
	s, err := Parse("f.yaml", []byte(twoLives))
	require.NoError(t, err)
	boots := s.EachBoot()
	require.Len(t, boots, 3)
	assert.Nil(t, boots[0].Before)
	assert.Len(t, boots[0].Cloud.Faults, 1)
	for _, b := range boots {
		assert.Empty(t, b.Boots, "it has no further boots of its own")
		assert.Len(t, b.EachBoot(), 1)
	}
	second, third := boots[1], boots[2]
	assert.Equal(t, ByReboot, second.Before.After)
	assert.Equal(t, []string{"shared-axiom-platform-ingest-token"}, second.Before.Rotated)
	assert.Equal(t, BeforeBoot, second.WorkerEnv.When, "worker.env is there, as the first boot left it")
	assert.Zero(t, second.WorkerEnv.Delay)
	assert.Empty(t, second.Cloud.Faults, "faults are the first boot's")
	assert.Equal(t, 5*time.Second, boots[0].Network.After.Duration)
	assert.Zero(t, second.Network, "so is a late network")
	assert.Len(t, second.During, 1)
	assert.Empty(t, third.During)
	assert.Equal(t, 12*time.Second, second.Look.Settle.Duration)
	assert.Equal(t, defaultSettle, third.Look.Settle.Duration)
	assert.Greater(t, second.Look.Window.Duration, second.waits()+s.Expect.CredentialsWithin.Duration)
	assert.True(t, third.Before.NewVault)
	assert.Equal(t, (5+55+12+10)*time.Second, s.Waits())
}

func TestWorkerEnvMayComeInALaterBoot(t *testing.T) {
	t.Parallel()
	s, err := Find("reboot-while-waiting")
	require.NoError(t, err)
	boots := s.EachBoot()
	require.Len(t, boots, 2)
	assert.False(t, boots[0].Written())
	assert.False(t, boots[0].Expect.Registered)
	assert.True(t, boots[1].Expect.Registered, "the worker registers when worker.env is there")
	assert.True(t, boots[1].Delivers())
	assert.Equal(t, Edited, boots[1].WorkerEnv.Way)
}

func TestWhatIsWrongWithABootIsSaidWithItsPlace(t *testing.T) {
	t.Parallel()
	never := `version: 1
name: mine
description: a text
worker_env: {when: never}
look: {window: 15s}
expect: {registered: false}
boots:
  - `
	for _, tt := range []struct{ name, text, want string }{
		{"nobody has written worker.env", never + "{after: reboot}\n", "f.yaml:8:5: boots[0].worker_env is missing: no boot before it has written worker.env"},
		{"the one before has", never + "{after: reboot, worker_env: {when: after, delay: 1s}}\n  - {after: reboot}\n", ""},
		{"no delay", never + "{after: reboot, worker_env: {when: after}}\n", "boots[0].worker_env.delay is missing"},
		{"a delay of what is there", never + "{after: reboot, worker_env: {when: before-boot, delay: 1s}}\n", "delay and way go with when: after only"},
		{"it cannot go again", good + "boots: [{after: reboot, worker_env: {when: never}}]\n", "a boot before has written worker.env"},
		{"no such ending", good + "boots: [{after: halt}]\n", `boots[0].after: expected one of reboot, power-loss, found "halt"`},
		{"no ending", good + "boots: [{rotated: [shared-cell-id]}]\n", "boots[0].after is missing"},
		{"too short a look", good + "boots: [{after: reboot, look: {settle: 2s}}]\n", "boots[0].look.settle: at least 8s"},
		{"too late", good + "boots: [{after: reboot, during: [{at: 5s, do: kill, unit: vector.service}]}]\n", "boots[0].during[0].at: 5s is later than 8s before the boot ends"},
		{"a secret twice", good + "boots: [{after: reboot, rotated: [a, a]}]\n", "a secret is there twice"},
		{"another vault for nobody", never + "{after: reboot, new_vault: true, worker_env: {when: never}}\n", "boots[0].new_vault: goes with a worker.env that comes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("f.yaml", []byte(tt.text))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}
