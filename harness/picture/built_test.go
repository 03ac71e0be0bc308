package picture_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/picture"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/results"
)

func built(t *testing.T, b *timelinetest.Boot) results.Boot {
	t.Helper()
	tl, err := timeline.Read(b.FS())
	require.NoError(t, err)
	p := picture.Of(boot.Of(tl), boot.Setup{RoleEnv: boot.Late, SubjectUnits: []string{timelinetest.Subject}, EnvDigests: timelinetest.Digests(), LogToken: timelinetest.LogToken},
		boot.Control{MultiUser: time.Second})
	sound(t, p)
	return p
}

// spans writes a unit's spans and failures, as `lane from-to text` in seconds.
func spans(b results.Boot, unit string) []string {
	var out []string
	for _, e := range b.Events {
		if e.Name != unit {
			continue
		}
		s := fmt.Sprintf("%s %.2f", e.Lane, e.At.Seconds())
		if e.Until > 0 {
			s += fmt.Sprintf("-%.2f", e.Until.Seconds())
		}
		if e.Text != "" {
			s += " " + e.Text
		}
		out = append(out, s)
	}
	return out
}

func TestAUnitsCourse(t *testing.T) {
	t.Parallel()
	const unit = timelinetest.Vector
	for _, tt := range []struct {
		name   string
		break_ func(*timelinetest.Boot)
		unit   string
		want   []string
	}{
		{name: "waits, starts, is restarted", want: []string{
			"waiting 0.00-0.35", "start 0.35-0.50", "active 0.50-20.30", "stop 20.30-20.31", "start 20.40-20.90", "active 20.90-40.00"}},
		{name: "is killed and started again by systemd", want: []string{
			"waiting 0.00-0.35", "start 0.35-0.50", "active 0.50-20.30", "stop 20.30-20.31", "start 20.40-20.90", "active 20.90-30.00",
			"failed 30.00 failed: signal", "start 31.00-31.50 automatic restart 1", "active 31.50-40.00"},
			break_: func(b *timelinetest.Boot) {
				b.Failed(30*time.Second, unit, "signal")
				b.RestartScheduled(30500*time.Millisecond, unit, 1)
				b.Starting(31*time.Second, unit)
				b.Started(31500*time.Millisecond, unit)
			}},
		{name: "is refused a start after it failed", want: []string{
			"waiting 0.00-0.35", "start 0.35-0.50", "active 0.50-20.30", "stop 20.30-20.31", "start 20.40-20.90", "active 20.90-30.00",
			"failed 30.00 failed: exit-code", "failed 31.00 refused: vector.service: Start request repeated too quickly."},
			break_: func(b *timelinetest.Boot) {
				b.Failed(30*time.Second, unit, "exit-code")
				b.RestartScheduled(30500*time.Millisecond, unit, 5)
				b.TooQuickly(31*time.Second, unit)
				b.Prop(unit, "ActiveState", "failed")
			}},
		{name: "has a dependency that failed", unit: "dependent.service", want: []string{
			"waiting 0.00-2.00", "failed 2.00 the start job ended with dependency"},
			break_: func(b *timelinetest.Boot) {
				b.Prop("dependent.service", "WantedBy", timelinetest.MultiUser)
				b.StartFailed(2*time.Second, "dependent.service", "dependency")
			}},
		{name: "does its work and ends, as a oneshot does", unit: timelinetest.Subject, want: []string{
			"waiting 0.00-0.23", "start 0.23-0.31", "active 0.31-40.00", "start 41.00-42.00"},
			break_: func(b *timelinetest.Boot) {
				b.End = 60 * time.Second
				b.PID1(40*time.Second, "7ad2d189f7e94e70a38c781354912448", timelinetest.Subject, "Deactivated successfully.", nil)
				b.Starting(41*time.Second, timelinetest.Subject)
				b.PID1(42*time.Second, "7ad2d189f7e94e70a38c781354912448", timelinetest.Subject, "Deactivated successfully.", nil)
				b.Started(42*time.Second, timelinetest.Subject)
				b.Prop(timelinetest.Subject, "ActiveState", "inactive")
			}},
		{name: "still starts when the recording is taken", want: []string{
			"waiting 0.00-0.35", "start 0.35-0.50", "active 0.50-20.30", "stop 20.30-20.31", "start 20.40-20.90", "active 20.90-39.00",
			"failed 39.00 failed: exit-code", "start 39.50-40.00 automatic restart 1, still starts at the end"},
			break_: func(b *timelinetest.Boot) {
				b.Failed(39*time.Second, unit, "exit-code")
				b.RestartScheduled(39200*time.Millisecond, unit, 1)
				b.Starting(39500*time.Millisecond, unit)
				b.Prop(unit, "ActiveState", "activating")
			}},
		{name: "is to be restarted, and waits", unit: unit, want: []string{
			"waiting 0.00-0.35", "start 0.35-0.50", "active 0.50-20.30", "stop 20.30-20.31", "start 20.40-20.90", "active 20.90-40.00",
			"waiting 40.00 the restart job still waits at the end, for cloud-final.service"},
			break_: func(b *timelinetest.Boot) {
				b.Jobs = []string{"7 vector.service restart waiting", "8 cloud-final.service start running"}
				b.Prop(unit, "After", "cloud-final.service")
			}},
		{name: "ended without a word in the journal", unit: timelinetest.Worker, want: []string{
			"active 20.10 its end is not in the journal", "failed 40.00 signal, as the end shows"},
			break_: func(b *timelinetest.Boot) { b.Prop(timelinetest.Worker, "ActiveState", "failed", "Result", "signal") }},
		{name: "is not wanted by the boot, and waited for nothing before", unit: timelinetest.Worker, want: []string{"active 20.10-40.00"}},
		{name: "was skipped", unit: "skipped.service", want: []string{"waiting 0.00-3.00", "start 3.00 skipped: a condition was not met"},
			break_: func(b *timelinetest.Boot) {
				b.Prop("skipped.service", "WantedBy", timelinetest.MultiUser)
				b.ConditionUnmet(3*time.Second, "skipped.service")
				b.Jobs = []string{"9 skipped.service start running"}
			}},
		{name: "failed, of a start that the journal lacks, and is being restarted", unit: "flaky.service", want: []string{
			"waiting 0.00-3.00", "failed 3.00 failed: exit-code"},
			break_: func(b *timelinetest.Boot) {
				b.Prop("flaky.service", "WantedBy", timelinetest.MultiUser, "ActiveState", "activating",
					"InactiveExitTimestampMonotonic", timelinetest.Micros(5*time.Second)) // of the restart
				b.Failed(3*time.Second-time.Millisecond, "flaky.service", "exit-code")
			}},
		{name: "was up before journald", unit: "early.service", want: []string{"waiting 0.00-0.05", "start 0.05-0.15", "active 0.15-40.00"},
			break_: func(b *timelinetest.Boot) {
				b.Up("early.service", 50*time.Millisecond, 150*time.Millisecond)
				b.Prop("early.service", "RequiredBy", "sysinit.target")
				b.Prop("sysinit.target", "RequiredBy", "basic.target")
				b.Prop("basic.target", "RequiredBy", timelinetest.Vector)
				b.Prop(timelinetest.Vector, "After", "early.service")
				b.Prop(timelinetest.Subject, "After", "early.service")
				b.Prop(timelinetest.Logger, "After", "early.service")
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := timelinetest.Healthy()
			if tt.break_ != nil {
				tt.break_(b)
			}
			if tt.unit == "" {
				tt.unit = unit
			}
			assert.Equal(t, tt.want, spans(built(t, b), tt.unit))
		})
	}
}

// A storm must not make a picture large, nor hide what else happened.
func TestAStormIsBoundedAndHidesNothingElse(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	for i := range 3000 {
		at := 2*time.Second + time.Duration(i)*5*time.Millisecond
		b.Starting(at, "storm.service")
		b.Failed(at+2*time.Millisecond, "storm.service", "exit-code")
	}
	for i := range 2000 {
		status := 503 - 60*(i%2) // no two in a row are alike
		b.Call(2*time.Second+time.Duration(i)*5*time.Millisecond, "keyvault", "secrets.get", status, "secret", "shared-cell-id", "auth", "ok")
	}
	for i := range 200 {
		b.StartFailed(3*time.Second, fmt.Sprintf("broken-%d.service", i), "dependency")
		b.EnvFile(2*time.Second+time.Duration(i)*300*time.Millisecond, timelinetest.VectorEnv, "modify", i, "0600", timelinetest.StubVars, true)
	}
	b.Prop(timelinetest.Vector, "WantedBy", timelinetest.MultiUser)
	boot := built(t, b)
	assert.Greater(t, len(boot.Events), 200, "the places are used")
	assert.Len(t, find(boot, results.LaneActive, timelinetest.Vector), 2, "Vector's course is whole")
	assert.NotEmpty(t, find(boot, results.LaneMoment, "script"))
	storm := find(boot, results.LaneMoment, "storm.service")
	require.Len(t, storm, 1)
	assert.Regexp(t, `^59\d\d more, left out of the picture$`, storm[0].Text)
	all := slices.DeleteFunc(slices.Clone(boot.Events), func(e results.Event) bool { return e.Name != "storm.service" })
	assert.Equal(t, 2*time.Second, all[0].At, "its beginning is there")
	assert.Greater(t, all[len(all)-1].At, 16900*time.Millisecond, "and its end")
	data, err := json.Marshal(boot)
	require.NoError(t, err)
	assert.Less(t, len(data), 100<<10)
}

func TestRequestsWithTheSameAnswerAreDrawnTogetherWhereTheyAreMany(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	for i := range 238 {
		b.Ingest(21*time.Second+time.Duration(i)*50*time.Millisecond, 200, "1", "1")
	}
	axiom := find(built(t, b), results.LaneRequest, "axiom")
	assert.LessOrEqual(t, len(axiom), 25)
	assert.Equal(t, "ingest shared-axiom-platform-ingest-token 200 events=500 10 times", axiom[0].Text)
	assert.Greater(t, axiom[0].Until-axiom[0].At, 400*time.Millisecond)

	few := find(built(t, timelinetest.Healthy()), results.LaneRequest, "keyvault")
	require.Len(t, few, 3, "a few are drawn one by one, so that a retry is seen")
	assert.Equal(t, "secrets.get shared-axiom-platform-ingest-token 401 auth=none", few[0].Text)
	assert.False(t, few[0].Bad, "the vault's challenge is no failure")
	assert.False(t, few[1].Bad)
}

func TestAnAnswerOtherThan2xxIsBad(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Call(30*time.Second, "keyvault", "secrets.get", 403, "secret", "shared-cell-id", "auth", "ok", "error", "Forbidden")
	b.Call(31*time.Second, "imds", "token", 429, "retry_after_s", 2.0)
	b.Call(32*time.Second, "imds", "token", 0, "error", "reset")
	b.Call(33*time.Second, "keyvault", "secrets.get", 401, "auth", "bad", "error", "Unauthorized")
	b.Call(34*time.Second, "resolver", "a", 0, "host", "kv.vault.azure.net", "error", "SERVFAIL")
	b.Call(36*time.Second, "resolver", "aaaa", 0, "host", "kv.vault.azure.net")
	b.Call(37*time.Second, "azure", "network", 0)
	b.Call(-time.Second, "imds", "token", 500)
	b.Call(41*time.Second, "imds", "token", 500)
	b.Cloud = append(b.Cloud, map[string]any{"mono": timelinetest.Mono(35 * time.Second), "service": "controlplane", "op": "destroyed"})
	var bad []string
	for _, e := range built(t, b).Events {
		if e.Bad {
			bad = append(bad, e.Name+": "+e.Text)
		}
	}
	assert.Equal(t, []string{"keyvault: secrets.get shared-cell-id 403 Forbidden", "imds: token 429 retry-after=2s", "imds: token reset",
		"keyvault: secrets.get 401 Unauthorized auth=bad", "resolver: a kv.vault.azure.net SERVFAIL", "controlplane: destroyed the worker"}, bad,
		"and nothing of what is not in the boot")
}

func TestFilesAndMoments(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	const worker = "/etc/opensandbox/worker.env"
	at := timelinetest.CompleteAt - 40*time.Millisecond
	b.EnvFile(at, worker, "create", 0, "0644", "", false)
	b.EnvFile(at+10*time.Millisecond, worker, "modify", 279, "0644", "", true)
	b.EnvFile(at+11*time.Millisecond, worker, "close", 279, "0644", "", true)
	b.EnvFile(at+20*time.Millisecond, worker, "rename", 281, "0644", "", true)
	b.EnvFile(at+30*time.Millisecond, worker, "rename", 280, "0644", "", true)
	b.EnvFile(30*time.Second, worker, "close", 280, "0644", "", true)
	b.EnvFile(31*time.Second, worker, "remove", -1, "", "", false)
	b.Entry(timelinetest.CompleteAt, map[string]any{"_PID": "900", "MESSAGE": "x", "BOOTRACE_EVENT": "script",
		"BOOTRACE_STEP": "role-env-complete", "BOOTRACE_PATH": worker})
	code := 0
	b.Exited = &code
	boot := built(t, b)
	var texts []string
	for _, e := range find(boot, results.LaneFile, "worker.env") {
		texts = append(texts, e.Text)
	}
	assert.Equal(t, []string{"created, written, renamed into place, 4 changes: 280 bytes, mode 0644", "complete", "removed"}, texts)
	assert.Len(t, find(boot, results.LaneFile, "vector.env"), 2, "a stub, then the vault's values")
	assert.Len(t, find(boot, results.LaneMoment, "controlplane"), 1)
	assert.Equal(t, "PID 1 had ended with status 0", boot.Events[len(boot.Events)-1].Text)
}

func TestWithoutABootClockThereIsNoPicture(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Missing["boot clock"] = "no UserspaceTimestampMonotonic in manager.txt"
	assert.Empty(t, built(t, b))
}

func TestAPictureIsOfWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, gone := range []string{timeline.Journal, timeline.Console, timeline.Cloud, timeline.Units, timeline.Jobs} {
		b := timelinetest.Healthy()
		b.Drop = []string{gone}
		boot := built(t, b)
		assert.NotEmpty(t, boot.Events, "without %s", gone)
		if gone == timeline.Cloud {
			assert.Empty(t, find(boot, results.LaneRequest, "keyvault"))
			assert.NotContains(t, boot.Measures, results.MeasureDelivered)
		}
		if gone == timeline.Journal {
			assert.Empty(t, boot.Lines)
			assert.NotContains(t, boot.Measures, results.MeasureRestarts)
		}
	}
}
