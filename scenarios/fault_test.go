package scenarios

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/images/azure/fault"
)

const faulty = `version: 1
name: mine
description: a text
size: gate
worker_env:
  when: after
  delay: 5s
  way: renamed
cloud:
  faults:
    - service: keyvault
      op: secrets.get
      secret: shared-cell-id
      kind: status
      status: 429
      retry_after: 7s
      requests: 1-3
during:
  - at: 3s
    do: restart
    unit: vector.service
look:
  window: 2m
expect:
  registered: true
  credentials_within: 20s
  missing: [shared-cell-id]
`

func TestFaultsWaysAndActionsAreRead(t *testing.T) {
	s, err := Parse("mine.yaml", []byte(faulty))
	require.NoError(t, err)
	assert.Equal(t, Gate, s.Size)
	assert.Equal(t, Renamed, s.WorkerEnv.Way)
	assert.True(t, s.Delivers())
	assert.Equal(t, []fault.Fault{{
		Service: "keyvault", Op: "secrets.get", Secret: "shared-cell-id", Kind: fault.Status, Status: 429,
		RetryAfter: Duration{Duration: 7 * time.Second}, Requests: "1-3",
	}}, s.Cloud.Faults)
	assert.Equal(t, []Action{{At: Duration{Duration: 3 * time.Second}, Do: Restart, Unit: "vector.service"}}, s.During)
	assert.Equal(t, []string{"shared-cell-id"}, s.Expect.Missing)
}

func TestWhatIsWrongWithAFaultIsSaidWithItsPlace(t *testing.T) {
	for _, tc := range []struct{ name, old, new, want string }{
		{"an unknown kind", "kind: status", "kind: statsu", `f.yaml:14:13: cloud.faults[0].kind: expected one of`},
		{"an unknown key", "retry_after: 7s", "retry: 7s", "f.yaml:16:7: unknown key cloud.faults[0].retry"},
		{"a key that does not go with the kind", "kind: status", "kind: hang", "f.yaml:16:7: cloud.faults[0].retry_after does not go with hang"},
		{"a status that is none", "status: 429", "status: 42", "f.yaml:15:7: cloud.faults[0].status 42: expected 200 to 599"},
		{"a status that is text", "status: 429", "status: many", "f.yaml:15:15: cloud.faults[0].status: expected a whole number, at least 1"},
		{"a kind of another service", "service: keyvault", "service: imds", "cloud.faults[0].op"},
		{"requests backwards", "1-3", "3-1", "f.yaml:17:7: cloud.faults[0].requests"},
		{"a way without a writing", "when: after\n  delay: 5s", "when: before-boot", "f.yaml:7:3: worker_env.way goes with when: after only"},
		{"an action that comes too late", "at: 3s", "at: 50s", "f.yaml:19:5: during[0].at: 50s is later than 8s before the case ends"},
		{"an action that is none", "do: restart", "do: reboot", "f.yaml:20:9: during[0].do: expected one of restart, stop-start, kill"},
		{"a fault that the window does not see", "requests: 1-3", "from: 3m", "f.yaml:17:7: cloud.faults[0].from: 3m0s is not within look.window, 2m0s"},
		{"missing secrets without credentials", "credentials_within: 20s", "credentials: false", "f.yaml:27:3: expect.missing has no meaning"},
		{"a size that is none", "size: gate", "size: huge", "f.yaml:4:7: size: expected one of smoke, gate, nightly"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Contains(t, faulty, tc.old)
			_, err := Parse("f.yaml", []byte(strings.Replace(faulty, tc.old, tc.new, 1)))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestScenariosAreChosenByNameAndBySize(t *testing.T) {
	smoke, err := Choose([]string{"smoke"})
	require.NoError(t, err)
	gate, err := Choose([]string{"gate"})
	require.NoError(t, err)
	all, err := Choose([]string{"nightly"})
	require.NoError(t, err)
	library, err := Library()
	require.NoError(t, err)
	assert.Less(t, len(smoke), len(gate))
	assert.Less(t, len(gate), len(all))
	assert.Len(t, all, len(library), "the largest has them all")
	for _, s := range smoke {
		assert.Equal(t, Smoke, s.Size)
	}

	two, err := Choose([]string{"pre", "never"})
	require.NoError(t, err)
	assert.Len(t, two, 2)
	_, err = Choose([]string{"smoke", "pre"})
	require.ErrorContains(t, err, "scenario pre is named twice")
	late, err := Choose([]string{"delay-*", "never"})
	require.NoError(t, err)
	for _, s := range late[:len(late)-1] {
		assert.True(t, strings.HasPrefix(s.Name, "delay-"), s.Name)
	}
	assert.GreaterOrEqual(t, len(late), 4)
	_, err = Choose([]string{"nothing-*"})
	assert.ErrorContains(t, err, `no scenario's name is like "nothing-*"`)
	_, err = Choose([]string{"delay-["})
	assert.ErrorIs(t, err, path.ErrBadPattern)
	_, err = Choose([]string{"nightley"})
	require.ErrorContains(t, err, "did you mean nightly?")
	none, err := Choose(nil)
	require.NoError(t, err)
	assert.Len(t, none, 5, "the delays")
}
