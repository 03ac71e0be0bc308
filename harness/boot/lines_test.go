package boot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
	"bootrace/harness/timeline/timelinetest"
)

func TestTheLinesOfALaterBootHaveNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	for seq, first := range map[int]int{1: 1, recording.LinesPerBoot: 1, recording.LinesPerBoot + 1: recording.LinesPerBoot + 1, 3*recording.LinesPerBoot - 1: 2*recording.LinesPerBoot + 1} {
		assert.Equal(t, first, recording.FirstOfBoot(seq), "%d", seq)
	}
	second := func(lost ...int) boot.Facts {
		b := timelinetest.New()
		b.End = 11 * time.Second
		for n := 1; n <= 20; n++ {
			if len(lost) == 0 || lost[0] != n {
				b.Numbered(time.Duration(n)*500*time.Millisecond, "boot-logger", recording.LinesPerBoot+n, 0)
			}
		}
		b.Up(timelinetest.Logger, 0, 0)
		return read(t, b)
	}
	assert.Empty(t, second().LinesLost())
	assert.Contains(t, second(7).LinesLost(), "the journal itself lost boot-logger 100007")
	assert.Contains(t, second(1).LinesLost(), "100001", "the first of the boot is one of them")
}
