package boot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/harness/boot"
	"bootrace/harness/check"
	"bootrace/harness/timeline"
	"bootrace/harness/timeline/timelinetest"
	"bootrace/results"
)

// healthy are the measures of timelinetest.Healthy, counted by hand there: all that
// there are, under the names that records keep them under.
func healthy() map[string]float64 {
	return map[string]float64{
		results.MeasureMultiUser:   0.9,
		results.MeasureControl:     0.85,
		results.MeasureCredentials: 0.41, // the process's start, 210 ms after the file's
		results.MeasureRestarts:    1,
		results.MeasureHeadroom:    4, // 5, less one: the two starts are 20 s apart
		results.MeasureLines:       80 + 36,
		results.MeasureDelivered:   76 + 36,
		results.MeasureRequests:    4,
	}
}

func late() boot.Setup {
	return boot.Setup{RoleEnv: boot.Late, SubjectUnits: []string{timelinetest.Subject}, EnvDigests: timelinetest.Digests(), LogToken: timelinetest.LogToken}
}

func control() boot.Control { return boot.Control{MultiUser: 850 * time.Millisecond} }

func TestMeasuresOfAHealthyBoot(t *testing.T) {
	t.Parallel()
	got := read(t, timelinetest.Healthy()).Measures(late(), control())
	assert.InDeltaMapValues(t, healthy(), got, 1e-9)
}

// What cannot be measured is absent, and nothing else goes with it.
func TestAMeasureIsAbsentWhereItCannotBeTaken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		break_ func(*timelinetest.Boot)
		setup  func(*boot.Setup)
		alone  bool // without a control boot
		absent []string
	}{
		{name: "multi-user.target was not reached", absent: []string{results.MeasureMultiUser},
			break_: func(b *timelinetest.Boot) {
				b.Journal = without(b.Journal, timelinetest.MultiUser)
				b.Prop(timelinetest.MultiUser, "ActiveState", "inactive", "ActiveEnterTimestampMonotonic", "0")
			}},
		{name: "there was no control boot", absent: []string{results.MeasureControl},
			alone: true},
		{name: "worker.env never comes", absent: []string{results.MeasureCredentials}, setup: func(s *boot.Setup) { s.RoleEnv = boot.Never }},
		{name: "the vault never gives them", absent: []string{results.MeasureCredentials},
			setup: func(s *boot.Setup) { s.NoCredentials = true }},
		{name: "the vault's values are not known", absent: []string{results.MeasureCredentials},
			setup: func(s *boot.Setup) { s.EnvDigests = nil }},
		{name: "Vector runs on the stub", absent: []string{results.MeasureCredentials},
			break_: func(b *timelinetest.Boot) { b.VectorProcess(400, timelinetest.RealAt, timelinetest.StubVars) }},
		{name: "Vector runs no more", absent: []string{results.MeasureCredentials},
			break_: func(b *timelinetest.Boot) { b.Prop(timelinetest.Vector, "MainPID", "0") }},
		{name: "Vector never started", absent: []string{results.MeasureRestarts},
			break_: func(b *timelinetest.Boot) { b.Journal = without(b.Journal, timelinetest.Vector) }},
		{name: "no unit has a start limit", absent: []string{results.MeasureHeadroom},
			break_: func(b *timelinetest.Boot) {
				b.Prop(timelinetest.Vector, "StartLimitIntervalUSec", "0")
				b.Prop(timelinetest.Subject, "StartLimitIntervalUSec", "0")
			}},
		{name: "the journal lost lines", absent: []string{results.MeasureLines, results.MeasureDelivered},
			break_: func(b *timelinetest.Boot) { b.Journal = without(b.Journal, `{"source":"boot-logger","seq":7,`) }},
		{name: "there is no journal", break_: func(b *timelinetest.Boot) { b.Drop = []string{timeline.Journal} },
			absent: []string{results.MeasureMultiUser, results.MeasureCredentials, results.MeasureRestarts, results.MeasureHeadroom, results.MeasureLines, results.MeasureDelivered}},
		{name: "there is no cloud's log", break_: func(b *timelinetest.Boot) { b.Drop = []string{timeline.Cloud} },
			absent: []string{results.MeasureCredentials, results.MeasureDelivered, results.MeasureRequests}},
		{name: "the units were not recorded", break_: func(b *timelinetest.Boot) { b.Drop = []string{timeline.Units} },
			absent: []string{results.MeasureMultiUser, results.MeasureCredentials, results.MeasureHeadroom}},
		{name: "there is no boot clock", break_: func(b *timelinetest.Boot) { b.Missing["boot clock"] = "no UserspaceTimestampMonotonic" },
			absent: []string{results.MeasureMultiUser, results.MeasureControl, results.MeasureCredentials, results.MeasureRestarts, results.MeasureHeadroom,
				results.MeasureLines, results.MeasureDelivered, results.MeasureRequests}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, s, c := timelinetest.Healthy(), late(), control()
			if tt.break_ != nil {
				tt.break_(b)
			}
			if tt.setup != nil {
				tt.setup(&s)
			}
			if tt.alone {
				c = boot.Control{}
			}
			got := read(t, b).Measures(s, c)
			for name := range healthy() {
				if _, have := got[name]; slices.Contains(tt.absent, name) {
					assert.False(t, have, "%s is %v, though %s", name, got[name], tt.name)
				} else {
					assert.True(t, have, "%s can be taken, though %s", name, tt.name)
				}
			}
		})
	}
}

// without leaves out the entries that speak of it, as unit or in their text.
func without(journal []map[string]any, what string) []map[string]any {
	return slices.DeleteFunc(journal, func(e map[string]any) bool {
		return e["UNIT"] == what || strings.HasPrefix(fmt.Sprint(e["MESSAGE"]), what)
	})
}

// The note of a check and the measure are one figure.
func TestMeasuresAreWhatTheChecksSay(t *testing.T) {
	t.Parallel()
	fsys := os.DirFS("../judge/testdata/populator-delay-45s-trixie")
	tl, err := timeline.Read(fsys)
	require.NoError(t, err)
	s := late()
	s.EnvDigests = boot.Digests{}
	for _, p := range tl.Final.Processes {
		for _, name := range []string{"AXIOM_PLATFORM_TOKEN", "AXIOM_PLATFORM_DATASET"} {
			if p.Unit == boot.Vector {
				s.EnvDigests[name] = p.Vars[name]
			}
		}
	}
	b := boot.Of(tl)
	got := b.Measures(s, control())
	notes := map[string]string{}
	for _, r := range check.Judge(b, check.Expect{Setup: s, Control: control(), Limits: check.Limits{CredentialsWithin: 5 * time.Second, BootBudget: 2 * time.Second}}) {
		notes[r.Check] = r.Note
	}
	assert.Contains(t, notes["vector-credentialed"], "credentials 1.2s after")
	assert.InDelta(t, 1.2, got[results.MeasureCredentials], 0.01)
	assert.Contains(t, notes["boot-unblocked"], "multi-user.target at +2.592s")
	assert.InDelta(t, 2.592, got[results.MeasureMultiUser], 0.001)
	assert.Contains(t, notes["no-start-limit"], "vector.service used 1 of 5 starts")
	assert.Equal(t, 4.0, got[results.MeasureHeadroom])
	assert.Contains(t, notes["cloud-politeness"], "imds 1 requests, keyvault 6")
	assert.Equal(t, 7.0, got[results.MeasureRequests])
	assert.Equal(t, 1.0, got[results.MeasureRestarts])
	assert.Equal(t, 136.0, got[results.MeasureLines])
	assert.Equal(t, 132.0, got[results.MeasureDelivered])
}

func TestALineCountsOnceHoweverOftenItArrives(t *testing.T) {
	t.Parallel()
	b := timelinetest.Healthy()
	b.Ingest(timelinetest.EndAt-time.Second, 200, "1-76", "1-36")
	b.Ingest(timelinetest.EndAt-time.Second, 503, "77-80", "")
	got := read(t, b)
	assert.Equal(t, 112.0, got.Measures(late(), control())[results.MeasureDelivered])
	lines := got.Lines(late())
	require.Len(t, lines, 116)
	first := lines[0]
	assert.Equal(t, 250*time.Millisecond, first.Logged)
	assert.True(t, first.Arrived)
	assert.InDelta(t, (timelinetest.LoadedAt + time.Second).Seconds(), first.Delivered.Seconds(), 0.1, "when it arrived first")
	assert.False(t, lines[len(lines)-1].Arrived)
}

func TestTheDigestOfAnEmptyValueIsKnown(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "-", boot.DigestOf(""))
	assert.Equal(t, "2cf24dba", boot.DigestOf("hello"))
	var s boot.Setup
	require.NoError(t, json.Unmarshal([]byte(`{"env_digests":{"A":"e3b0c442","B":"2cf24dba"}}`), &s), "as older recordings have it")
	assert.Equal(t, boot.Digests{"A": "-", "B": "2cf24dba"}, s.EnvDigests)
	assert.Equal(t, []string{"B is unset"}, s.EnvDigests.Differing(nil))
}
