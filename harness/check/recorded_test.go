package check_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	facts "bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
)

// Recordings of a real systemd 257, with units made to fail, to wait and to form
// a cycle: what is said of them is known.
func TestFindingsInRecordingsOfARealSystemd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		recording, check string
		want             []string
	}{
		{"systemd257-boot-waits", "boot-unblocked", []string{
			"multi-user.target not reached at +6.467s: it waits for slow.service (start job running since +0.181s, activating until it ends: Type=oneshot); " +
				"on the way: after.service; for multi-user.target itself wait graphical.target"}},
		{"systemd257-cycle-startlimit", "boot-unblocked", []string{
			"multi-user.target 19.38s later than in the control boot, budget 1s, most of it the start of slow.service, which took 20.05s: multi-user.target @20.23s <- after.service @20.23s <- " +
				"slow.service @20.23s +20.05s <- systemd-journald.socket @176ms <- -.mount @169ms <- -.slice @169ms"}},
		{"systemd257-cycle-startlimit", "no-ordering-cycle", []string{
			"systemd dropped the start of cyca.service to break an ordering cycle, and it was never started"}},
		{"systemd257-cycle-startlimit", "no-start-limit", []string{
			"a start of fail1.service was refused: fail1.service: Start request repeated too quickly.; its main process exited with status 78, CONFIG: its configuration is refused"}},
		{"systemd257-cycle-startlimit", "no-unit-failed", []string{"fail1.service failed (exit-code) 5 times, is failed at the end; its main process exited with status 78, CONFIG: its configuration is refused"}},
		{"systemd257-cycle-startlimit", "start-rate", nil},
	} {
		t.Run(tt.check+" in "+tt.recording, func(t *testing.T) {
			t.Parallel()
			tl, err := timeline.Read(os.DirFS("../timeline/testdata/" + tt.recording))
			require.NoError(t, err)
			results := check.Judge(facts.Of(tl), check.Expect{
				Setup:   facts.Setup{RoleEnv: facts.Never, SubjectUnits: []string{"slow.service"}},
				Control: facts.Control{MultiUser: 850 * time.Millisecond}, Limits: check.Limits{BootBudget: time.Second}, Checks: []string{tt.check}})
			require.Len(t, results, 1)
			var got []string
			for _, f := range results[0].Findings {
				got = append(got, f.Summary)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
