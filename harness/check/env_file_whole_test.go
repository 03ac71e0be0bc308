package check_test

import (
	"slices"
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

func TestEnvFileWhole(t *testing.T) {
	real := timelinetest.RealAt
	see := func(at time.Duration, op string, size int, vars string, whole bool) func(*boot) {
		return func(b *boot) { b.EnvFile(at, timelinetest.VectorEnv, op, size, "0600", vars, whole) }
	}
	judged(t, "env-file-whole", []row{
		{name: "replaced at once", want: check.Pass, say: []string{"seen 2 times"}},
		{name: "written in place", want: check.Fail, say: []string{"in place"}, break_: see(real-time.Millisecond, "modify", 160, timelinetest.VaultVars, true)},
		{name: "there and empty", want: check.Fail, say: []string{"there and empty"}, break_: see(real-time.Millisecond, "create", 0, "", false)},
		{name: "without the end of its last line", want: check.Fail, say: []string{"partial"}, break_: see(real-time.Millisecond, "rename", 20, timelinetest.StubVars, false)},
		{name: "the vault's values replaced by the stub's", want: check.Fail, say: []string{"AXIOM_PLATFORM_TOKEN (the vault's value replaced)"}, break_: func(b *boot) {
			see(30*time.Second, "rename", 120, timelinetest.StubVars, true)(b)
			b.EnvFileAtEnd("0600", timelinetest.StubVars)
		}},
		{name: "replaced by the stub for a moment", want: check.Fail, break_: func(b *boot) {
			see(30*time.Second, "rename", 120, timelinetest.StubVars, true)(b)
			see(31*time.Second, "rename", 160, timelinetest.VaultVars, true)(b)
		}},
		{name: "a variable of the role gone", want: check.Fail, say: []string{"lost values it had: OPENSANDBOX_REGION"}, break_: func(b *boot) {
			see(30*time.Second, "rename", 160, "OPENSANDBOX_REGION=abcd0001,"+timelinetest.VaultVars, true)(b)
			see(31*time.Second, "rename", 160, timelinetest.VaultVars, true)(b)
		}},
		{name: "what only the stub needed goes when the vault's values come", want: check.Pass, break_: func(b *boot) {
			see(10*time.Second, "rename", 160, "AXIOM_PLATFORM_URL=abcd0001,"+timelinetest.StubVars, true)(b)
		}},
		{name: "the same of the vault's that the configuration does not read", want: check.Pass, break_: func(b *boot) {
			configuration(t, strings.Replace(workerOnly, "${OPENCOMPUTER_CELL_ID}", "x", 1))(b)
			see(10*time.Second, "rename", 160, withoutVar(timelinetest.StubVars, "OPENCOMPUTER_CELL_ID"), true)(b)
		}},
		{name: "the same of one that it reads", want: check.Fail, say: []string{"lost values it had: AXIOM_PLATFORM_DATASET"}, break_: func(b *boot) {
			configuration(t, workerOnly)(b)
			see(10*time.Second, "rename", 160, withoutVar(timelinetest.StubVars, "AXIOM_PLATFORM_DATASET"), true)(b)
		}},
		{name: "removed", want: check.Fail, say: []string{"was removed while it held"}, break_: see(real-time.Millisecond, "remove", -1, "", false)},
		{name: "replaced again before the boot logger could look", want: check.Pass, break_: see(real-time.Millisecond, "rename", -1, "", false)},
		{name: "an optional value of the stub gives way to the vault's empty one", want: check.Pass, expect: func(e *expect) {
			e.EnvDigests["OPENCOMPUTER_CELL_ID"] = "-"
		}, break_: func(b *boot) {
			vars := strings.Replace(timelinetest.VaultVars, "ce110001", "-", 1)
			see(real+time.Millisecond, "rename", 100, vars, true)(b)
			b.EnvFileAtEnd("0600", vars)
			dropEnv(b, timelinetest.VaultVars)
		}},
		{name: "a temporary file beside it", want: check.Pass, break_: func(b *boot) {
			b.EnvFile(real-time.Millisecond, "/etc/opensandbox/.vector.env123", "modify", 20, "0600", "", false)
		}},
		{name: "the watch missed the last write", want: check.NoEvidence, say: []string{"is not as the boot logger saw it last"}, break_: func(b *boot) { dropEnv(b, timelinetest.VaultVars) }},
		{name: "never written", want: check.Pass, say: []string{"never existed"}, break_: func(b *boot) {
			dropEnv(b, timelinetest.VaultVars)
			dropEnv(b, timelinetest.StubVars)
			b.Files = nil
		}},
		{name: "written on what the subject has mounted there", want: check.NotJudged, say: []string{"etc-opensandbox.mount is mounted over what the boot logger watches of /etc/opensandbox/vector.env"}, break_: func(b *boot) {
			dropEnv(b, timelinetest.VaultVars)
			dropEnv(b, timelinetest.StubVars)
			b.Up("etc-opensandbox.mount", time.Second, time.Second)
		}},
		{name: "written below what is mounted over /etc", want: check.NotJudged, break_: func(b *boot) {
			dropEnv(b, timelinetest.VaultVars)
			dropEnv(b, timelinetest.StubVars)
			b.Up("etc.mount", time.Second, time.Second)
		}},
		{name: "written unseen, and a mount is elsewhere", want: check.NoEvidence, break_: func(b *boot) {
			dropEnv(b, timelinetest.VaultVars)
			dropEnv(b, timelinetest.StubVars)
			b.Up("etc-other.mount", time.Second, time.Second)
		}},
		{name: "written unseen", want: check.NoEvidence, break_: func(b *boot) {
			dropEnv(b, timelinetest.VaultVars)
			dropEnv(b, timelinetest.StubVars)
		}},
	})
}

func dropEnv(b *boot, vars string) {
	kept := b.Journal[:0]
	for _, e := range b.Journal {
		if e["BOOTRACE_VARS"] != vars {
			kept = append(kept, e)
		}
	}
	b.Journal = kept
}

// withoutVar takes a variable out of a list of NAME=digest.
func withoutVar(vars, name string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(vars, ","), func(v string) bool { return strings.HasPrefix(v, name+"=") }), ",")
}
