package judge_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/harness/verdict"
)

// TestVectorUnderAnotherName: PID 1 speaks of logship.service, to which vector.service is a link.
func TestVectorUnderAnotherName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		known bool
	}{{"the collector says so", true}, {"nobody says so", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			for _, e := range b.Journal {
				for _, field := range []string{"UNIT", "_SYSTEMD_UNIT"} {
					if e[field] == timelinetest.Vector {
						e[field] = "logship.service"
					}
				}
			}
			b.Prop(timelinetest.MultiUser, "After", "logship.service")
			if tt.known {
				b.Prop(timelinetest.Vector, "Names", "logship.service")
			}
			tl, err := timeline.Read(b.FS())
			require.NoError(t, err)
			of := func(unit string) bool {
				return slices.ContainsFunc(tl.Events, func(ev timeline.Event) bool { return ev.Unit == unit })
			}
			assert.Equal(t, tt.known, of(timelinetest.Vector))
			assert.Equal(t, tt.known, !of("logship.service"))
			assert.Equal(t, tt.known, slices.Contains(tl.Final.Units[timelinetest.MultiUser].After, timelinetest.Vector))
			if tt.known {
				j := judged(t, b, withTuner())
				assert.Equal(t, verdict.Pass, j.Verdict, j.Reason)
			}
		})
	}
}
