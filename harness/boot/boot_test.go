package boot_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
)

func read(t *testing.T, b *timelinetest.Boot) boot.Facts {
	t.Helper()
	tl, err := timeline.Read(b.FS())
	require.NoError(t, err)
	return boot.Of(tl)
}

func TestWhatWasSeenCountsAndWhatWasNotOnlyWhereItWasLookedFor(t *testing.T) {
	t.Parallel()
	const other = "other.service"
	whole := read(t, timelinetest.Healthy())
	b := timelinetest.Healthy()
	b.Drop = []string{timeline.Units}
	b.Failed(3*time.Second, timelinetest.Vector, "exit-code")
	damaged := read(t, b)

	assert.True(t, whole.Failures().Never())
	assert.True(t, whole.Refusals().Never())
	assert.True(t, whole.Cycles().Never())
	assert.True(t, whole.NeverStarted().Never())
	assert.True(t, whole.Reached(other).Never())
	assert.True(t, whole.Starts(other).Never())

	failed, ok := damaged.Failures().First()
	require.True(t, ok, "it was seen")
	assert.Equal(t, boot.Failure{Unit: timelinetest.Vector, At: failed.At, Result: "exit-code", Times: 1, Evidence: failed.Evidence}, failed)
	assert.NotEmpty(t, failed.Evidence)
	assert.False(t, damaged.Refusals().Never(), "nobody can say")
	assert.Contains(t, damaged.Refusals().Unknown, timeline.Units)
	assert.False(t, damaged.Reached(other).Never())
	assert.True(t, damaged.Starts(other).Never(), "the journal alone tells of starts")
	assert.True(t, damaged.Cycles().Never(), "journal and console alone tell of cycles")
	assert.Empty(t, boot.Facts{}.Starts(other).All, "the zero value has no fact")
}

func TestReached(t *testing.T) {
	t.Parallel()
	up, ok := read(t, timelinetest.Healthy()).Reached(boot.MultiUser).First()
	require.True(t, ok)
	assert.Equal(t, timelinetest.MultiAt, up.At)
	assert.NotEmpty(t, up.Evidence.File)
	b := timelinetest.Healthy()
	b.Up(timelinetest.MultiUser, 500*time.Millisecond, 700*time.Millisecond)
	up, _ = read(t, b).Reached(boot.MultiUser).First()
	assert.Equal(t, boot.Moment{At: 700 * time.Millisecond, Evidence: up.Evidence}, up, "the journal began later")
	assert.Equal(t, timeline.Units, up.Evidence.File)
}

func TestWhoAskedForAStart(t *testing.T) {
	t.Parallel()
	askers := func(b boot.Facts) (out []boot.Asker) {
		for _, s := range b.Starts(timelinetest.Vector).All {
			out = append(out, s.By)
		}
		return out
	}
	b := timelinetest.Healthy()
	b.RestartScheduled(30*time.Second, timelinetest.Vector, 1)
	b.Starting(30*time.Second, timelinetest.Vector)
	assert.Equal(t, []boot.Asker{boot.ByBoot, boot.ByOthers, boot.ByItself}, askers(read(t, b)))
	b.RestartScheduled(31*time.Second, timelinetest.Vector, 2)
	b.TooQuickly(31*time.Second, timelinetest.Vector)
	b.Starting(35*time.Second, timelinetest.Vector)
	assert.Equal(t, []boot.Asker{boot.ByBoot, boot.ByOthers, boot.ByItself, boot.ByOthers}, askers(read(t, b)), "a restart that was refused starts nothing")
	b.Prop(timelinetest.Vector, "WantedBy", "")
	assert.Equal(t, boot.ByOthers, askers(read(t, b))[0])
	b.Drop = []string{timeline.Units}
	assert.Equal(t, boot.NotKnown, askers(read(t, b))[0], "what the boot wants is not known")
}

func TestAVectorWhoseEnvironmentIsNotRecordedIsNotKnown(t *testing.T) {
	t.Parallel()
	v, runs := read(t, timelinetest.Healthy()).RunningVector().First()
	require.True(t, runs)
	assert.Equal(t, 400, v.PID)
	b := timelinetest.Healthy()
	b.Procs = nil
	unread := read(t, b).RunningVector()
	assert.Empty(t, unread.All)
	assert.False(t, unread.Never())
	b.Prop(timelinetest.Vector, "MainPID", "0")
	assert.True(t, read(t, b).RunningVector().Never(), "none runs")
}

func TestAJournalThatLostMessagesDoesNotTellWhatNeverStarted(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Up("unheard.target", 2*time.Second, 2*time.Second)
	never := read(t, b).NeverStarted()
	assert.False(t, never.Never())
	assert.Contains(t, never.Unknown, "no word of unheard.target")
}

func TestCriticalChain(t *testing.T) {
	t.Parallel()
	tl, err := timeline.Read(os.DirFS("../timeline/testdata/systemd257-cycle-startlimit"))
	require.NoError(t, err)
	chain := boot.Of(tl).CriticalChain(boot.MultiUser)
	var units []string
	for _, l := range chain {
		units = append(units, l.Unit)
		assert.LessOrEqual(t, l.Began, l.Ended, l.Unit)
	}
	assert.Equal(t, []string{"multi-user.target", "after.service", "slow.service", "systemd-journald.socket", "-.mount", "-.slice"}, units)
	slow := chain[2]
	assert.InDelta(t, 20.05, (slow.Ended - slow.Began).Seconds(), 0.01)

	blocked, err := timeline.Read(os.DirFS("../timeline/testdata/systemd257-boot-waits"))
	require.NoError(t, err)
	b := boot.Of(blocked)
	assert.Nil(t, b.CriticalChain(boot.MultiUser), "what was not reached has none")
	assert.Equal(t, []string{"slow.service"}, b.Blockers("after.service"))
	assert.Empty(t, b.Blockers("slow.service"), "its job runs")
	assert.Equal(t, []string{"multi-user.target", "after.service", "slow.service"}, b.Waits(boot.MultiUser))
}

func TestWhatKeepsSeveralSourcesAwayIsSaidOnce(t *testing.T) {
	t.Parallel()
	b := boot.Of(timeline.Timeline{Missing: map[string]string{
		timeline.Journal: "collection: the engine is gone", timeline.Units: "collection: the engine is gone", timeline.Jobs: "not in the recording",
	}})
	assert.Equal(t, "units.txt, journal.json.gz: collection: the engine is gone; jobs.txt: not in the recording",
		b.Unknown(timeline.Journal, timeline.Units, timeline.Jobs))
	assert.Empty(t, b.Unknown(timeline.Console))
}

// A start that failed ended when PID 1 said so, and journald wrote it down later.
func TestACriticalChainGoesThroughAStartThatFailed(t *testing.T) {
	t.Parallel()
	for late, want := range map[time.Duration][]string{
		20 * time.Millisecond:  {"multi-user.target", "poll.service", "slow.service"},
		900 * time.Millisecond: {"multi-user.target"}, // no start of the boot's
	} {
		b := timelinetest.New()
		b.Up("multi-user.target", 90*time.Second, 90*time.Second)
		b.Prop("multi-user.target", "After", "poll.service")
		b.Prop("poll.service", "After", "slow.service")
		b.Up("slow.service", time.Second, 89*time.Second)
		b.Starting(89500*time.Millisecond, "poll.service")
		b.StartFailed(90*time.Second+late, "poll.service", "failed")
		var units []string
		for _, l := range read(t, b).CriticalChain(boot.MultiUser) {
			units = append(units, l.Unit)
		}
		assert.Equal(t, want, units, late.String())
	}
}
