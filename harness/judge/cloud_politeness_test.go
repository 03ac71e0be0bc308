package judge_test

import (
	"time"

	"bootrace/harness/timeline/timelinetest"
)

// A secret that is refused is asked for ten times a second.
func init() {
	built["asks for ever"] = func() *timelinetest.Boot {
		b := timelinetest.Healthy()
		for i := range 100 {
			b.Call(timelinetest.RealAt+time.Duration(i)*100*time.Millisecond, "keyvault", "secrets.get", 403, "secret", "shared-cell-id", "auth", "ok", "error", "Forbidden")
		}
		return b
	}
}
