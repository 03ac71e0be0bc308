package run

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/machine"
	"bootrace/harness/recording"
	"bootrace/harness/verdict"
)

// spoiltBy tells a boot that is too late, and of which the host may be the cause: the check
// boot-unblocked says so at its end, and by then it is invalid. To wait for that takes minutes
// of a place, and the CPU that the others want.
func spoiltBy(ctl *control, budget time.Duration) func(context.Context, machine.Machine, time.Duration) string {
	return func(ctx context.Context, m machine.Machine, took time.Duration) string {
		if took <= budget {
			return ""
		}
		// Asked before the control boots are known, for it grows.
		text, err := question(ctx, m, recording.CollectRequest{CPULost: true}, recording.CPULostFile)
		lost, notNumber := strconv.ParseInt(string(text), 10, 64)
		if err != nil || notNumber != nil {
			return "" // it is judged by its recording
		}
		median, err := ctl.wait()
		if err != nil || median.MultiUser <= 0 || median.Spoilt() {
			return ""
		}
		f := check.Finding{At: took, Over: took - median.MultiUser - budget, Limit: budget}
		if f.Over <= 0 {
			return ""
		}
		why := verdict.Excuse(f, verdict.Disturbance{Measured: true, Booted: took, Control: median.Own(),
			CPU: []verdict.Loss{{At: took, Total: time.Duration(lost) * time.Microsecond}}}, verdict.Bounds{})
		if why == "" {
			return ""
		}
		return fmt.Sprintf("%s, which may be why %s was reached %s later than in the control boot, budget %s: ended there, to boot again",
			why, boot.MultiUser, boot.Round(f.Over+budget), budget)
	}
}
