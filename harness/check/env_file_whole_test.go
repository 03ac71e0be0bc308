package check_test

import (
	"strings"
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestWhatAFileHasEmptyItHasNotLost(t *testing.T) {
	emptied := strings.Replace(timelinetest.VaultVars, "ce110001", "-", 1)
	see := func(b *boot, at time.Duration) {
		b.EnvFile(at, timelinetest.VectorEnv, "rename", 100, "0600", emptied, true)
		b.EnvFileAtEnd("0600", emptied)
	}
	judged(t, "env-file-whole", []row{
		{name: "a value of the stub gives way to an empty one, though the vault has another", want: check.Pass, break_: func(b *boot) {
			see(b, timelinetest.RealAt+time.Millisecond)
			dropEnv(b, timelinetest.VaultVars)
		}},
		{name: "the vault's value gives way to an empty one", want: check.Fail, say: []string{"OPENCOMPUTER_CELL_ID (the vault's value replaced)"}, break_: func(b *boot) {
			see(b, 30*time.Second)
		}},
	})
}
