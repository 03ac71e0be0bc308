package timeline_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

// A machine that boots again has the journal of the boots before; in a container they even
// have the same boot ID.
func TestWhatTheJournalHasOfAnEarlierBootIsNotThisOnes(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Failed(-40*time.Second, "of-the-first.service", "exit-code")
	b.Numbered(-30*time.Second, "boot-logger", 7, 0)
	failed := func(start int64) bool {
		fsys := b.FS()
		var m recording.Manifest
		require.NoError(t, json.Unmarshal(fsys[recording.ManifestFile].Data, &m))
		m.Boot, m.StartMono = 2, start
		text, err := json.Marshal(m)
		require.NoError(t, err)
		fsys[recording.ManifestFile].Data = text
		tl, err := timeline.Read(fsys)
		require.NoError(t, err)
		assert.Empty(t, tl.Missing)
		assert.Zero(t, tl.Removed, "nothing was removed from it")
		for _, ev := range tl.Events {
			if ev.Unit == "of-the-first.service" {
				return true
			}
		}
		return false
	}
	assert.True(t, failed(0), "of a machine that boots once all is this boot's")
	assert.False(t, failed(timelinetest.Mono(-time.Second)))
	assert.True(t, failed(timelinetest.Mono(-time.Minute)))
}

func TestWhatHeldTheRebootIsNamed(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	stopping := func(at time.Duration, unit string) {
		b.PID1(at, "de5b426a63be47a7b6ac3eaac82e2f6f", unit, "Stopping "+unit+"...", nil)
	}
	stopping(-95*time.Second, "quick.service")
	b.Stopped(-94*time.Second, "quick.service")
	stopping(-95*time.Second, "holds.service")
	stopping(5*time.Second, "of-this-boot.service")
	b.Down = 94 * time.Second
	tl, err := timeline.Read(b.FS())
	require.NoError(t, err)
	assert.Equal(t, "Stopping holds.service...", tl.Before.Evidence.Text[len("systemd: "):])
	tl.Before.Evidence = timeline.Evidence{}
	assert.Equal(t, timeline.Before{Down: 94 * time.Second, Held: "holds.service", For: 94 * time.Second}, tl.Before)
}
