package page

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// laneNamed is the lane of the name; it must be there.
func laneNamed(t *testing.T, p picture, name string) lane {
	t.Helper()
	for _, l := range p.Lanes {
		if l.Name == name {
			return l
		}
	}
	require.Fail(t, "no lane "+name)
	return lane{}
}

func classes(shapes []shape) (out []string) {
	for _, s := range shapes {
		out = append(out, s.Class)
	}
	return out
}

func TestAPictureHasALaneForEachThing(t *testing.T) {
	c := booted("delay-45s", "pass", "pass", "", goodBoot(45*time.Second))
	p, others := draw(c, *c.Decided().Boot)
	vector := laneNamed(t, p, vectorUnit)
	assert.Equal(t, []string{"w", "s", "a", "p", "s", "a"}, classes(vector.Spans))
	assert.Equal(t, []string{"again"}, classes(vector.Marks), "its restart is marked, its first start is not")
	assert.Equal(t, []string{"file", "file", "file"}, classes(laneNamed(t, p, "worker.env").Marks))
	assert.Equal(t, []string{"r", "r", "r", "r", "r"}, classes(laneNamed(t, p, "keyvault").Spans))
	assert.Equal(t, []string{"bad"}, classes(laneNamed(t, p, "keyvault").Marks), "what was refused has a shape of its own")
	require.Len(t, p.Guides, 2)
	assert.Equal(t, []string{"multi-user.target", "worker.env complete"}, []string{p.Guides[0].Label, p.Guides[1].Label})
	assert.Contains(t, p.Desc, "multi-user.target was reached at 2.592 s.")
	assert.Contains(t, p.Desc, "Vector is started 2 times.")

	// Every unit is in one of the two pictures, and in one place.
	seen := map[string]int{}
	for _, l := range append(p.Lanes, others.Lanes...) {
		seen[l.Name]++
	}
	for _, e := range c.Decided().Boot.Events {
		name := e.Name
		if e.Lane == results.LaneMoment {
			name = "scenario"
		}
		assert.Equal(t, 1, seen[name], name)
	}
}

func TestWhatFailedIsInTheFirstPictureHoweverManyUnitsThereAre(t *testing.T) {
	b := stormBoot(300)
	for i := range 100 {
		b.Events = append(b.Events, results.Event{At: time.Second, Until: 50 * time.Second, Lane: results.LaneStart, Name: fmt.Sprintf("slow%d.service", i)})
	}
	b.Events = append(b.Events, results.Event{At: 2 * time.Second, Lane: results.LaneFailed, Name: "zz.service", Bad: true}, results.Event{At: 3 * time.Second, Until: b.End, Lane: results.LaneActive, Name: "found.service"})
	c := booted("imds-503", "pass", "fail", "", b, "no-start-limit")
	c.Attempts[0].Checks[5].Findings[0].Unit = "found.service"
	p, others := draw(c, *b)
	assert.Contains(t, classes(laneNamed(t, p, vectorUnit).Marks), "failed")
	laneNamed(t, p, "zz.service")
	laneNamed(t, p, "found.service")
	assert.NotNil(t, others)
	assert.LessOrEqual(t, len(p.Lanes), mostUnits+3)
}

func TestWhatWasLeftOutIsInTheLaneItWasLeftOutOf(t *testing.T) {
	b := goodBoot(0)
	b.Events = append(b.Events, results.Event{At: 3 * time.Second, Until: 9 * time.Second, Lane: results.LaneMoment, Name: vectorUnit, Text: "40 more, left out of the picture"})
	p, _ := draw(results.Case{}, *b)
	assert.Contains(t, classes(laneNamed(t, p, vectorUnit).Spans), "o")
	assert.NotContains(t, classes(laneNamed(t, p, "scenario").Spans), "o")
}

// A unit and a service of the same name are two things.
func TestNamesOfDifferentThingsDoNotMeet(t *testing.T) {
	p, _ := draw(results.Case{}, results.Boot{End: time.Second, Events: []results.Event{
		{Lane: results.LaneRequest, Name: "x", Until: 1}, {Lane: results.LaneFile, Name: "x"}, {Lane: results.LaneFailed, Name: "x"}, {Lane: results.LaneMoment, Name: "x"},
	}})
	assert.Len(t, p.Lanes, 4)
}

func TestTheCurveEndsWhereTheLinesDo(t *testing.T) {
	b := results.Boot{End: 60 * time.Second, Lines: []results.LineCount{{At: 0}, {At: 30 * time.Second, Logged: 50}, {At: 60 * time.Second, Logged: 100, Delivered: 80}}}
	p, _ := draw(results.Case{}, b)
	require.NotNil(t, p.Lines)
	assert.Equal(t, []int{100, 80}, []int{p.Lines.LoggedN, p.Lines.DeliveredN})
	assert.InDelta(t, p.Lines.Top, heights(t, p.Lines.Logged)[len(heights(t, p.Lines.Logged))-1], 0.06, "the most is at the top")
	assert.InDelta(t, p.Lines.Top+linesHeight*0.2, heights(t, p.Lines.Delivered)[len(heights(t, p.Lines.Delivered))-1], 0.06)
	assert.Greater(t, len(heights(t, p.Lines.Logged)), 3, "it bends where the clock's scale changes")

	p, _ = draw(results.Case{}, results.Boot{End: time.Second})
	assert.Nil(t, p.Lines, "lines that were not counted are no zero")
	assert.Contains(t, p.Desc, "multi-user.target was not seen to be reached.")
}

// heights are the ordinates of a path of M and L.
func heights(t *testing.T, path string) (out []float64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`[ML]\S+ ([\d.]+)`).FindAllStringSubmatch(path, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		out = append(out, v)
	}
	return out
}

func TestLongNamesAreCutInTheirMiddle(t *testing.T) {
	assert.Equal(t, "vector.service", middle("vector.service", mostLabel))
	got := middle(strings.Repeat("a", 50)+".service", mostLabel)
	assert.Len(t, []rune(got), mostLabel)
	assert.True(t, strings.HasPrefix(got, "aaa") && strings.HasSuffix(got, "….service") || strings.HasSuffix(got, "a.service"), got)
}

func TestTextsAreBoundedWithoutTouchingTheOriginal(t *testing.T) {
	long := strings.Repeat("x", 1000)
	p := Page{Run: results.Run{Started: began, Cases: []results.Case{{Reason: long, Attempts: []results.Attempt{{Versions: map[string]string{"k": long}, Boot: &results.Boot{Events: []results.Event{{Name: long}}}}}}}}}
	got := bounded(p)
	want := strings.Repeat("x", mostText) + "… (600 of 1000 characters)"
	c := got.Run.Cases[0]
	assert.Equal(t, []string{want, want, want}, []string{c.Reason, c.Attempts[0].Versions["k"], c.Attempts[0].Boot.Events[0].Name})
	assert.Equal(t, began, got.Run.Started)
	assert.Nil(t, got.Trends)
	assert.Equal(t, long, p.Run.Cases[0].Attempts[0].Boot.Events[0].Name)
	assert.Equal(t, long, p.Run.Cases[0].Reason)
}
