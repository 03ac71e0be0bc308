package boot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

func TestUnitsThatOnlyTheBootShowsAreTheSubjects(t *testing.T) {
	t.Parallel()
	with := timelinetest.Healthy()
	up := func(unit, file string) {
		with.Up(unit, time.Second, 2*time.Second)
		with.Prop(unit, "FragmentPath", file)
	}
	up("fetch@a.service", "/etc/systemd/system/fetch@.service")
	up("other@a.service", "/usr/lib/systemd/system/other@.service")
	up("made.service", "/run/systemd/generator/made.service")
	up("haveged.service", "/run/systemd/generator.late/haveged.service")
	up("late.timer", "/run/systemd/generator.late/late.timer")
	up("data.mount", "/run/systemd/generator/data.mount")
	up("systemd-cryptsetup@data.service", "/run/systemd/generator/systemd-cryptsetup@data.service")
	up("run-u1.service", "/run/systemd/transient/run-u1.service")
	tl, err := timeline.Read(with.FS())
	require.NoError(t, err)
	s := boot.Setup{SubjectUnits: []string{"fetch@.service"}}.In(boot.Of(tl), boot.Control{Active: []string{"haveged.service"}})
	assert.Equal(t, []string{"fetch@.service", "fetch@a.service", "late.timer", "made.service"}, s.SubjectUnits)
}
