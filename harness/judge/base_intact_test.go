package judge_test

import (
	"time"

	"bootrace/harness/timeline/timelinetest"
)

// The login prompt that the control boots have is stopped, and no unit has failed.
func init() {
	built["a login prompt is stopped"] = func() *timelinetest.Boot {
		b := timelinetest.Healthy()
		b.Stopped(2*time.Second, "console-getty.service")
		return b
	}
}
