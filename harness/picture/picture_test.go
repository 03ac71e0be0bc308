package picture_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"bootrace/harness/boot"
	"bootrace/harness/judge"
	"bootrace/harness/picture"
	"bootrace/results"
)

// recordings are of real boots, good and broken; harness/judge says which.
const recordings = "../judge/testdata"

func recorded(t testing.TB, name string) (boot.Facts, boot.Setup, boot.Control) {
	t.Helper()
	j, err := judge.Recording(os.DirFS(filepath.Join(recordings, name)))
	require.NoError(t, err)
	return j.Boot, j.Expect.Setup, j.Expect.Control
}

func everyRecording(t testing.TB) []string {
	t.Helper()
	manifests, err := filepath.Glob(recordings + "/*/manifest.json")
	require.NoError(t, err)
	require.NotEmpty(t, manifests)
	var names []string
	for _, m := range manifests {
		names = append(names, filepath.Base(filepath.Dir(m)))
	}
	return names
}

// sound is what holds of every picture.
func sound(t assert.TestingT, b results.Boot) {
	assert.LessOrEqual(t, len(b.Events), 300)
	assert.True(t, slices.IsSortedFunc(b.Events, func(x, y results.Event) int { return int(x.At - y.At) }), "events by time")
	for _, e := range b.Events {
		assert.True(t, e.At >= 0 && e.At <= b.End && e.Until <= b.End, "%+v is within the boot", e)
		assert.True(t, e.Until == 0 || e.Until > e.At, "%+v ends after it begins", e)
		assert.NotEmpty(t, e.Lane)
		assert.NotEmpty(t, e.Name)
		assert.LessOrEqual(t, len([]rune(e.Text)), 201)
	}
	// One unit does one thing at a time, the shortest of spans aside.
	for unit, of := range byUnit(b) {
		for i := 1; i < len(of); i++ {
			assert.LessOrEqual(t, of[i-1].Until, of[i].At+1, "%s: %+v, then %+v", unit, of[i-1], of[i])
		}
	}
	assert.LessOrEqual(t, len(b.Lines), 60)
	for i, p := range b.Lines {
		assert.LessOrEqual(t, p.Delivered, p.Logged)
		if i > 0 {
			assert.Greater(t, p.At, b.Lines[i-1].At)
			assert.GreaterOrEqual(t, p.Logged, b.Lines[i-1].Logged)
			assert.GreaterOrEqual(t, p.Delivered, b.Lines[i-1].Delivered)
		}
	}
	if n := len(b.Lines); n > 0 {
		assert.Equal(t, b.End, b.Lines[n-1].At, "the last point is the end")
		if logged, measured := b.Measures[results.MeasureLines]; measured {
			assert.EqualValues(t, logged, b.Lines[n-1].Logged)
		}
		if arrived, measured := b.Measures[results.MeasureDelivered]; measured {
			assert.EqualValues(t, arrived, b.Lines[n-1].Delivered)
		}
	}
}

// byUnit are the spans of units.
func byUnit(b results.Boot) map[string][]results.Event {
	out := map[string][]results.Event{}
	for _, e := range b.Events {
		if e.Until > 0 && slices.Contains([]results.Lane{results.LaneWaiting, results.LaneStart, results.LaneActive, results.LaneStop}, e.Lane) {
			out[e.Name] = append(out[e.Name], e)
		}
	}
	return out
}

func find(b results.Boot, lane results.Lane, name string) []results.Event {
	return slices.DeleteFunc(slices.Clone(b.Events), func(e results.Event) bool { return e.Lane != lane || e.Name != name })
}

// text is a picture as goldens keep it.
func text(b results.Boot) string {
	var out strings.Builder
	at := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	for _, e := range b.Events {
		when, bad := at(e.At), ""
		if e.Until > 0 {
			when += "-" + at(e.Until)
		}
		if e.Bad {
			bad = "! "
		}
		fmt.Fprintln(&out, strings.TrimSpace(fmt.Sprintf("%s %s%s %s: %s", when, bad, e.Lane, e.Name, e.Text)))
	}
	for _, l := range b.Chain {
		fmt.Fprintf(&out, "chain %s %s-%s\n", l.Unit, at(l.Began), at(l.Ended))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Measures)) {
		fmt.Fprintf(&out, "%s %.3f\n", name, b.Measures[name])
	}
	for _, p := range b.Lines {
		fmt.Fprintf(&out, "lines %s %d %d\n", at(p.At), p.Logged, p.Delivered)
	}
	return out.String()
}

func TestEveryRecordingHasASoundPicture(t *testing.T) {
	t.Parallel()
	for _, name := range everyRecording(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, setup, control := recorded(t, name)
			b := picture.Of(facts, setup, control)
			sound(t, b)
			if facts.Unknown() != "" {
				assert.Empty(t, b, "there is no clock to draw on")
				return
			}
			assert.NotEmpty(t, b.Events)
			assert.False(t, b.Zero.IsZero())
			if at, measured := b.Measures[results.MeasureMultiUser]; measured {
				require.NotEmpty(t, b.Chain)
				assert.Equal(t, boot.MultiUser, b.Chain[0].Unit)
				assert.InDelta(t, at, b.Chain[0].Ended.Seconds(), 1e-9)
			}
			data, err := json.Marshal(b)
			require.NoError(t, err)
			t.Logf("%d events, %d bytes", len(b.Events), len(data))
			assert.Less(t, len(data), 40<<10, "a boot is small enough to keep with each case")
		})
	}
}

// -update writes the goldens anew; read the difference before it is committed.
func TestPicturesOfGoodAndBrokenBoots(t *testing.T) {
	require.False(t, golden.FlagUpdate() && os.Getenv("CI") != "", "goldens are not made anew in CI")
	for _, name := range []string{"populator-delay-45s-trixie", "populator-pre-bookworm", "exit-1-delay-45s-trixie",
		"poll-600s-delay-0s-trixie", "cycle-delay-0s-trixie"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden.Assert(t, text(picture.Of(recorded(t, name))), name+".picture")
		})
	}
}

func TestVectorIsActiveOnceMoreThanItWasRestarted(t *testing.T) {
	t.Parallel()
	for _, name := range everyRecording(t) {
		if !strings.HasPrefix(name, "populator-") {
			continue
		}
		b := picture.Of(recorded(t, name))
		active := find(b, results.LaneActive, boot.Vector)
		assert.EqualValues(t, b.Measures[results.MeasureRestarts]+1, len(active), name)
		assert.Equal(t, b.End, active[len(active)-1].Until, "%s: it is active at the end", name)
		if multiUser := find(b, results.LaneActive, boot.MultiUser); assert.Len(t, multiUser, 1, name) {
			assert.LessOrEqual(t, active[0].At, multiUser[0].At, "%s: multi-user.target comes after Vector", name)
			assert.GreaterOrEqual(t, active[0].Until, multiUser[0].At, "%s: which still runs on the stub then", name)
		}
	}
}

func TestAPictureShowsWhatBlocksTheBoot(t *testing.T) {
	t.Parallel()
	b := picture.Of(recorded(t, "poll-600s-delay-0s-trixie"))
	for unit, waitsFor := range map[string]string{
		boot.Vector:    "populate-vector-env.service",
		boot.MultiUser: boot.Vector,
	} {
		waits := find(b, results.LaneWaiting, unit)
		require.Len(t, waits, 1, unit)
		assert.Equal(t, results.Event{At: 0, Until: b.End, Lane: results.LaneWaiting, Name: unit,
			Text: "the start job still waits at the end, for " + waitsFor}, waits[0])
	}
	starting := find(b, results.LaneStart, "populate-vector-env.service")
	require.Len(t, starting, 1, "its start began before journald did")
	assert.Equal(t, b.End, starting[0].Until)
	assert.Equal(t, "still starts at the end", starting[0].Text)
	assert.Empty(t, b.Chain)
	assert.NotContains(t, b.Measures, results.MeasureMultiUser)
	assert.NotContains(t, b.Measures, results.MeasureRestarts)
}

func TestAPictureHoldsNoSecretsValueAndNoPath(t *testing.T) {
	t.Parallel()
	for _, name := range everyRecording(t) {
		b := picture.Of(recorded(t, name))
		for _, e := range b.Events {
			assert.NotContains(t, e.Text, "[secret:", "%s: not even where one stood", name)
			assert.NotContains(t, e.Text, "api-version", name)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	facts, setup, control := recorded(b, "populator-delay-45s-trixie")
	for b.Loop() {
		picture.Of(facts, setup, control)
	}
}
