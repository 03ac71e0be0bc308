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

func TestWhatIsWrittenBeforeVectorMayStartNobodyReadsHalf(t *testing.T) {
	const before, after = 150 * time.Millisecond, 210 * time.Millisecond // sysinit.target, reached at 200 ms
	ordered := func(b *boot) { b.Prop(timelinetest.Vector, "After", timelinetest.Subject+" sysinit.target") }
	created := func(b *boot, at time.Duration) {
		b.EnvFile(at, timelinetest.VectorEnv, "create", 0, "0600", "", false)
	}
	written := func(b *boot, at time.Duration, whole bool) {
		b.EnvFile(at, timelinetest.VectorEnv, "modify", 60, "0600", timelinetest.StubVars, whole)
	}
	judged(t, "env-file-whole", []row{
		{name: "tmpfiles.d writes a stub", want: check.Pass, break_: func(b *boot) {
			ordered(b)
			created(b, before)
			written(b, before+time.Millisecond, true)
		}},
		{name: "but Vector has no default dependencies", want: check.Fail, say: []string{"there and empty", "written in place"}, break_: func(b *boot) {
			created(b, before)
			written(b, before+time.Millisecond, true)
		}},
		{name: "but it is not done by then", want: check.Fail, say: []string{"there and empty", "written in place"}, break_: func(b *boot) {
			ordered(b)
			created(b, before)
			written(b, after, true)
		}},
		{name: "but it has no end by then", want: check.Fail, say: []string{"written in place"}, break_: func(b *boot) {
			ordered(b)
			written(b, before, false)
		}},
		{name: "later", want: check.Fail, say: []string{"written in place"}, break_: func(b *boot) {
			ordered(b)
			written(b, after, true)
		}},
		{name: "over what the vault gave", want: check.Fail, say: []string{"lost values it had"}, break_: func(b *boot) {
			ordered(b)
			b.EnvFile(before, timelinetest.VectorEnv, "present", 200, "0600", timelinetest.VaultVars, true)
			written(b, before+time.Millisecond, true)
		}},
	})
}
