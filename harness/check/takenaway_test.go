package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

// pending is pending.jsonl.
func pending(b *boot, lines ...string) {
	b.Extra[recording.PendingFile] = []byte(strings.Join(lines, "\n") + "\n")
}

func due(unit, how string, seen, at time.Duration, waited bool) string {
	mono := int64(0)
	if at > 0 {
		mono = timelinetest.Mono(at)
	}
	return fmt.Sprintf(`{"unit":%q,"how":%q,"seen_ns":%d,"due_ns":%d,"waited":%t}`, unit, how, timelinetest.Mono(seen), mono, waited)
}

func TestWhatWasRightAndWasUndone(t *testing.T) {
	const refresh = "refresh.service"
	at := timelinetest.LoadedAt + 8*time.Second
	stubAgain := func(b *boot) {
		b.EnvFile(at, timelinetest.VectorEnv, "rename", 120, "0600", timelinetest.StubVars, true)
		b.Stopped(at+100*time.Millisecond, timelinetest.Vector)
		b.Starting(at+200*time.Millisecond, timelinetest.Vector)
		b.Started(at+300*time.Millisecond, timelinetest.Vector)
		b.VectorProcess(500, at+210*time.Millisecond, timelinetest.StubVars)
	}
	of := func(units ...string) func(*expect) { return func(e *expect) { e.SubjectUnits = units } }
	judged(t, "vector-credentialed", []row{
		{name: "by a unit that runs all the time", want: check.Fail, say: []string{"what was right was overwritten", "values since +20.900s", "at +28.900s a refresh by " + timelinetest.Subject}, break_: stubAgain},
		{name: "by a oneshot that a timer starts", want: check.Fail, expect: of(timelinetest.Subject, refresh), say: []string{"a refresh by refresh.service took them out of vector.env"}, break_: func(b *boot) {
			b.Starting(at-200*time.Millisecond, refresh)
			stubAgain(b)
			b.Started(at+400*time.Millisecond, refresh)
		}},
		{name: "by what was due then", want: check.Fail, expect: of("oneshot.service"), say: []string{"a refresh by run-1.timer"}, break_: func(b *boot) {
			pending(b, due("run-1.timer", "elapses", at-5*time.Second, at-time.Second, true), due("run-2.timer", "elapses", at-5*time.Second, at-time.Second, false))
			stubAgain(b)
		}},
		{name: "by nobody that is known", want: check.Fail, expect: of("oneshot.service"), say: []string{"something that is no unit of the subject's"}, break_: stubAgain},
		{name: "before it is time to have the values at all", want: check.Fail, expect: func(e *expect) { e.CredentialsWithin = time.Minute }, say: []string{"was overwritten"}, break_: stubAgain},
		{name: "removed", want: check.Fail, say: []string{"was overwritten", "at +28.800s"}, break_: func(b *boot) {
			b.EnvFile(at-100*time.Millisecond, timelinetest.VectorEnv, "remove", -1, "", "", false)
			stubAgain(b)
		}},
		{name: "by an environment of the unit's own", want: check.Fail, say: []string{"what was right was undone", "was started at +29.110s"}, break_: func(b *boot) {
			b.VectorProcess(500, at+210*time.Millisecond, timelinetest.StubVars)
		}},
		{name: "written again, and right again", want: check.Pass, break_: func(b *boot) {
			stubAgain(b)
			b.EnvFile(at+500*time.Millisecond, timelinetest.VectorEnv, "rename", 160, "0600", timelinetest.VaultVars, true)
			b.VectorProcess(600, at+600*time.Millisecond, timelinetest.VaultVars)
		}},
		{name: "never right: that is another fault", want: check.Fail, say: []string{"has not the vault's values: AXIOM"}, boot: timelinetest.Never(), break_: func(b *boot) {
			b.Step(timelinetest.CompleteAt, "role-env-complete")
		}},
		{name: "refreshed with the same values", want: check.Pass, break_: func(b *boot) {
			b.EnvFile(at, timelinetest.VectorEnv, "rename", 160, "0600", timelinetest.VaultVars, true)
		}},
		{name: "what was not waited for is said", want: check.Pass, say: []string{"not waited for: refresh.timer, which elapses at +3600.000s; a.path, which waits for a change"}, break_: func(b *boot) {
			pending(b, due("early.timer", "elapses", 30*time.Second, 35*time.Second, false),
				due("refresh.timer", "elapses", 39*time.Second, time.Hour, false), due("a.path", "waits for a change", 39*time.Second, 0, false))
		}},
		{name: "what may still happen could not be asked", want: check.NoEvidence, say: []string{"no answer within 10s"}, break_: func(b *boot) {
			b.Missing[recording.PendingFile] = "no answer within 10s"
		}},
		{name: "garbage in what may still happen", want: check.NoEvidence, break_: func(b *boot) { pending(b, "{") }},
		{name: "the same, and Vector runs on the stub", want: check.Fail, break_: func(b *boot) {
			b.Missing[timeline.Pendings] = "no answer within 10s"
			stubAgain(b)
		}},
	})
}

func TestAValueThatIsWrongAndThatNothingWillMendIsWrongBeforeItsTimeIsOver(t *testing.T) {
	empty := strings.Replace(timelinetest.VaultVars, "ce110001", "-", 1)
	long := func(e *expect) { e.CredentialsWithin = time.Minute }
	cell := func(b *boot, lines ...string) {
		b.VectorProcess(300, timelinetest.LoadedAt, empty)
		pending(b, lines...)
	}
	judged(t, "vector-credentialed", []row{
		{name: "nothing is left", want: check.Fail, expect: long, say: []string{"OPENCOMPUTER_CELL_ID is empty", "nothing of the subject is left to come"}, break_: func(b *boot) { cell(b) }},
		{name: "what is left waits for a change", want: check.Fail, expect: long, break_: func(b *boot) { cell(b, due("a.path", "waits for a change", 39*time.Second, 0, false)) }},
		{name: "what is left comes too late", want: check.Fail, expect: long, break_: func(b *boot) { cell(b, due("a.timer", "elapses", 39*time.Second, time.Hour, false)) }},
		{name: "something comes in time", want: check.NoEvidence, expect: long, break_: func(b *boot) {
			cell(b, due("a.path", "waits for a change", 39*time.Second, 0, false), due("a.timer", "elapses", 39*time.Second, 50*time.Second, false))
		}},
		{name: "a job is queued", want: check.NoEvidence, expect: long, break_: func(b *boot) {
			cell(b)
			b.Jobs = []string{"  5 vector.service restart waiting"}
		}},
		{name: "nobody asked", want: check.NoEvidence, expect: long, break_: func(b *boot) { b.VectorProcess(300, timelinetest.LoadedAt, empty) }},
	})
}

func TestAProcessThatNeverRestsStillWorks(t *testing.T) {
	const spins = 124
	look := func(pid int, at, rest time.Duration) string {
		line := due(timelinetest.Subject, fmt.Sprintf("goes on (process %d, dash)", pid), at, at+rest, at < 38*time.Second)
		return strings.Replace(line, "}", fmt.Sprintf(`,"process":%d}`, pid), 1)
	}
	judged(t, "quiescent", []row{
		{name: "awake at each look", want: check.Fail, say: []string{"goes on (process 124, dash)", "each of the 3 times that it was looked at from +22.000s on: it never rests"}, break_: func(b *boot) {
			pending(b, look(spins, 22*time.Second, time.Millisecond), look(spins, 30*time.Second, 70*time.Millisecond), look(spins, 39*time.Second, time.Millisecond))
		}},
		{name: "asleep once", want: check.Pass, break_: func(b *boot) {
			pending(b, look(spins, 22*time.Second, time.Millisecond), look(spins, 30*time.Second, 5*time.Second), look(spins, 39*time.Second, time.Millisecond))
		}},
		{name: "no process, but a timer that is due each time", want: check.Pass, break_: func(b *boot) {
			var lines []string
			for _, at := range []time.Duration{22, 30, 39} {
				lines = append(lines, due("a.timer", "elapses", at*time.Second, at*time.Second+time.Millisecond, true))
			}
			pending(b, lines...)
		}},
		{name: "done by the last look", want: check.Pass, break_: func(b *boot) {
			pending(b, look(spins, 20*time.Second, time.Millisecond), look(spins, 28*time.Second, time.Millisecond), look(spins, 36*time.Second, time.Millisecond),
				due("a.path", "waits for a change", 39*time.Second, 0, false))
		}},
		{name: "not looked at for long", want: check.Pass, break_: func(b *boot) {
			pending(b, look(spins, 36*time.Second, time.Millisecond), look(spins, 37*time.Second, time.Millisecond), look(spins, 39*time.Second, time.Millisecond))
		}},
		{name: "another one each time", want: check.Pass, break_: func(b *boot) {
			pending(b, look(1, 22*time.Second, time.Millisecond), look(2, 30*time.Second, time.Millisecond), look(3, 39*time.Second, time.Millisecond))
		}},
	})
}
