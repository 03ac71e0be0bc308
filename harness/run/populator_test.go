package run

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/scenarios"
)

func TestWhatIsDoneToThePopulatorIsDoneToTheSubjectsOwn(t *testing.T) {
	killed, err := scenarios.Find("populator-killed")
	require.NoError(t, err)
	onVector, err := scenarios.Find("vector-restarted-on-stub")
	require.NoError(t, err)
	for _, tt := range []struct {
		name    string
		subject Subject
		want    string
	}{
		{"by the usual name", Subject{Units: []string{"other.service", boot.Populator}}, boot.Populator},
		{"by the name that it says", Subject{Units: []string{"vk-fetch.service"}, Populator: "vk-fetch.service"}, "vk-fetch.service"},
		{"by the name that it says, of two", Subject{Units: []string{boot.Populator, "vk-fetch.service"}, Populator: "vk-fetch.service"}, "vk-fetch.service"},
		{"which it does not say", Subject{Units: []string{"vk-fetch.service"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, why := tt.subject.fitted(onVector)
			require.Empty(t, why, "what is done to Vector applies to all")
			assert.Equal(t, onVector.During, got.During)
			assert.Equal(t, onVector.Expect.Starts, got.Expect.Starts)
			got, why = tt.subject.fitted(killed)
			if tt.want == "" {
				assert.Contains(t, why, "populator-killed does kill to the populator, and the subject brings no")
				return
			}
			require.Empty(t, why)
			assert.Equal(t, tt.want, got.During[0].Unit)
			assert.Equal(t, tt.want, got.Expect.AllowedFailed[0].Unit)
			assert.Equal(t, boot.Populator, killed.During[0].Unit, "the library's is as it was")
		})
	}
}
