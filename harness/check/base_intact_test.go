package check_test

import (
	"testing"
	"time"

	"bootrace/harness/check"
	"bootrace/harness/timeline/timelinetest"
)

func TestBaseIntact(t *testing.T) {
	const getty, bus = "console-getty.service", "dbus.socket"
	active := func(e *expect) { e.Active = []string{timelinetest.Logger, getty, bus, timelinetest.Vector} }
	// up is a boot that has them all.
	up := func(break_ func(*boot)) func(*boot) {
		return func(b *boot) {
			for _, unit := range []string{getty, bus} {
				b.Up(unit, 300*time.Millisecond, 400*time.Millisecond)
				b.Prop(unit, "WantedBy", timelinetest.MultiUser)
			}
			if break_ != nil {
				break_(b)
			}
		}
	}
	gone := func(b *boot, unit string) {
		b.Prop(unit, "ActiveState", "inactive", "InactiveExitTimestampMonotonic", "0", "ActiveEnterTimestampMonotonic", "0")
	}
	judged(t, "base-intact", []row{
		{name: "all are there", want: check.Pass, expect: active, break_: up(nil), say: []string{"4 units of the control boot"}},
		{name: "no control boot said", want: check.NotJudged, expect: func(e *expect) { e.Active = nil }},
		{name: "one was stopped", want: check.Fail, expect: active, unit: getty, say: []string{"console-getty.service, which is active without the subject, was stopped at +2.000s and not started again"}, break_: up(func(b *boot) {
			b.Stopped(2*time.Second, getty)
			b.Prop(getty, "ActiveState", "inactive")
		})},
		{name: "one was stopped and PID 1 has forgotten it", want: check.Fail, expect: active, unit: getty, break_: up(func(b *boot) {
			b.Stopped(2*time.Second, getty)
			delete(b.Units, getty)
		})},
		{name: "one was restarted", want: check.Pass, expect: active, break_: up(func(b *boot) {
			b.Stopped(2*time.Second, getty)
			b.Started(3*time.Second, getty)
		})},
		{name: "one never got its job", want: check.Fail, expect: active, unit: bus, say: []string{"was never started, although multi-user.target wants it"}, break_: up(func(b *boot) { gone(b, bus) })},
		{name: "one is masked in the image", want: check.Pass, expect: active, break_: up(func(b *boot) {
			gone(b, bus)
			b.Prop(bus, "LoadState", "masked")
		})},
		{name: "one is not enabled in the image", want: check.Pass, expect: active, break_: up(func(b *boot) { delete(b.Units, bus) })},
		{name: "one was skipped for a condition", want: check.Pass, expect: active, break_: up(func(b *boot) {
			gone(b, bus)
			b.Prop(bus, "ConditionResult", "no", "ConditionTimestampMonotonic", timelinetest.Micros(time.Second))
		})},
		{name: "one failed, which another check tells", want: check.Pass, expect: active, break_: up(func(b *boot) {
			b.Failed(2*time.Second, getty, "exit-code")
			b.Prop(getty, "ActiveState", "failed")
		})},
		{name: "one ended by itself", want: check.Pass, expect: active, break_: up(func(b *boot) { b.Prop(getty, "ActiveState", "inactive") })},
		{name: "the units at the end are not known", want: check.NoEvidence, expect: active, break_: up(func(b *boot) { b.Units = nil })},
	})
}
