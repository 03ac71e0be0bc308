package picture_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bootrace/harness/boot"
	"bootrace/harness/picture"
	"bootrace/harness/timeline"
)

// anyBoot is whatever a timeline can hold, likely or not.
func anyBoot(t *rapid.T) timeline.Timeline {
	end := time.Duration(rapid.Int64Range(int64(time.Second), int64(10*time.Minute)).Draw(t, "end"))
	moment := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(-int64(time.Second), int64(end)+int64(time.Second)).Draw(t, "at"))
	})
	unit := rapid.SampledFrom([]string{boot.Vector, boot.MultiUser, "populate.service", "other.service"})
	kind := rapid.SampledFrom([]timeline.Kind{timeline.Starting, timeline.Started, timeline.StartFailed, timeline.Stopping, timeline.Stopped,
		timeline.Failed, timeline.Succeeded, timeline.Skipped, timeline.Restart, timeline.Exit, timeline.Refused, timeline.Cycle,
		timeline.Finished, timeline.Line, timeline.EnvFile, timeline.Script, timeline.Suppressed, timeline.Request})
	event := rapid.Custom(func(t *rapid.T) timeline.Event {
		ev := timeline.Event{At: moment.Draw(t, "at"), Kind: kind.Draw(t, "kind"), Manager: true, Unit: unit.Draw(t, "unit"),
			Text: rapid.StringN(0, 300, -1).Draw(t, "text")}
		switch ev.Kind {
		case timeline.Line:
			ev.Line = &timeline.Numbered{Source: "boot-logger", Seq: rapid.IntRange(1, 50).Draw(t, "seq")}
		case timeline.EnvFile:
			ev.File = &timeline.FileChange{Path: boot.VectorEnv, Op: rapid.SampledFrom([]string{"create", "modify", "close", "remove"}).Draw(t, "op")}
		case timeline.Script:
			ev.Step = rapid.SampledFrom([]string{"start", "role-env-complete"}).Draw(t, "step")
		case timeline.Cycle:
			ev.Change.Dropped, ev.Untimed = rapid.SampledFrom([]string{"", boot.Vector}).Draw(t, "dropped"), rapid.Bool().Draw(t, "untimed")
		case timeline.Request:
			ev.Call = &timeline.Call{Service: rapid.SampledFrom([]string{"imds", "axiom", "controlplane", "dns"}).Draw(t, "service"),
				Op: rapid.SampledFrom([]string{"ingest", "token", "register", "ready"}).Draw(t, "op"), Status: rapid.SampledFrom([]int{0, 200, 503}).Draw(t, "status"),
				Duration:  time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "took")),
				TokenName: "shared-axiom-platform-ingest-token", Lines: map[string][]timeline.Range{"boot-logger": {{First: 1, Last: rapid.IntRange(1, 60).Draw(t, "last")}}}}
		}
		return ev
	})
	tl := timeline.Timeline{End: end, Missing: map[string]string{}, Events: rapid.SliceOfN(event, 0, 500).Draw(t, "events"),
		Final: timeline.Final{Units: map[string]timeline.Unit{}}}
	slices.SortStableFunc(tl.Events, func(a, b timeline.Event) int { return cmp.Compare(a.At, b.At) })
	for range rapid.IntRange(0, 4).Draw(t, "units") {
		id := unit.Draw(t, "unit")
		tl.Final.Units[id] = timeline.Unit{ID: id, Active: rapid.SampledFrom([]string{"active", "inactive", "failed", "activating"}).Draw(t, "active"),
			ActiveEnter: max(0, moment.Draw(t, "up")), InactiveExit: max(0, moment.Draw(t, "began")), WantedBy: []string{boot.MultiUser}}
		if rapid.Bool().Draw(t, "queued") {
			tl.Final.Jobs = append(tl.Final.Jobs, timeline.Job{Unit: id, Type: "start", State: rapid.SampledFrom([]string{"waiting", "running"}).Draw(t, "state")})
		}
	}
	return tl
}

func TestThePictureOfAnyBootIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sound(t, picture.Of(boot.Of(anyBoot(t)), boot.Setup{RoleEnv: boot.Late, SubjectUnits: []string{"populate.service"}}, boot.Control{}))
	})
}
