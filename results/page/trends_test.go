package page

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bootrace/results"
)

// history is a page of one case with measures, and a run before it for each of
// the others; nil: not measured.
func history(now map[string]float64, before ...map[string]float64) Page {
	boot := &results.Boot{Measures: now}
	p := Page{Run: results.Run{ID: "now", Subject: "populator", Cases: []results.Case{booted("delay-0s", "pass", "pass", "", boot)}}}
	for i, m := range before {
		c := p.Run.Cases[0]
		p.Trends = append(p.Trends, results.Sample{Run: fmt.Sprintf("before-%03d", i), Started: began.AddDate(0, 0, i-len(before)), Scenario: c.Scenario, Base: c.Base, Subject: c.Subject,
			Backend: c.Backend, Expected: "pass", Verdict: "pass", Measures: m})
	}
	return p
}

func reachedAt(v float64) map[string]float64 {
	return map[string]float64{results.MeasureMultiUser: v}
}

func TestATrendIsOfItsKindOfCaseAndMarksThisRun(t *testing.T) {
	p := history(reachedAt(4), reachedAt(2), reachedAt(3))
	p.Trends[1].Verdict = "fail"
	other := p.Trends[0]
	other.Base = "bookworm"
	mine := p.Trends[0]
	mine.Run, mine.Measures = "now", reachedAt(99)
	p.Trends = append(p.Trends, other, mine)
	all := p.trends()
	require.Len(t, all, 1)
	tr := all[0]
	require.Len(t, tr.Runs, 3, "this run once, and no other base's")
	assert.Equal(t, []string{"before-000", "before-001", "now"}, []string{tr.Runs[0].Run, tr.Runs[1].Run, tr.Runs[2].Run})
	assert.Equal(t, "4 s", tr.Runs[2].Values[0], "from the run itself")
	assert.True(t, tr.Runs[2].Here)
	assert.True(t, tr.Runs[1].Bad)
	c := tr.Charts[0]
	assert.Equal(t, "4 s", c.Now)
	assert.Equal(t, "4 s", c.Top)
	assert.Len(t, c.Bad, 1)
	require.NotNil(t, c.Here)
	assert.Less(t, c.Here.Y, 10.0, "the largest is at the top")
	assert.Equal(t, "2 to 4 s over 3 runs; in this run 4 s. Not measured in 0 of them.", c.Desc)
}

func TestWhatWasNotMeasuredIsAGapAndNoZero(t *testing.T) {
	tr := history(nil, reachedAt(2), nil, reachedAt(3)).trends()[0]
	c := tr.Charts[0]
	assert.Equal(t, "not measured", c.Now)
	assert.Nil(t, c.Here)
	assert.Contains(t, c.Desc, "Not measured in 2 of them.")
	assert.Regexp(t, `^M[^ML]*M[^ML]*$`, c.Line, "two points without a line between them")
	assert.Equal(t, []string{"not measured", "not measured", "not measured", "not measured"}, tr.Runs[1].Values)
	assert.Equal(t, "Not measured in any of these runs.", tr.Charts[1].Desc)
	assert.Empty(t, tr.Charts[1].Line)

	zero := history(reachedAt(0), reachedAt(0)).trends()[0].Charts[0]
	assert.Equal(t, "0 s", zero.Now, "a measured zero is one")
	assert.NotNil(t, zero.Here)
}

func TestTrendsAreBoundedAndNeedHistory(t *testing.T) {
	var before []map[string]float64
	for i := range 1000 {
		before = append(before, reachedAt(float64(i)))
	}
	tr := history(reachedAt(1), before...).trends()[0]
	assert.Len(t, tr.Runs, mostRuns)
	assert.Equal(t, 1001-mostRuns, tr.Older)
	assert.Equal(t, "now", tr.Runs[mostRuns-1].Run)
	assert.Empty(t, history(reachedAt(1)).trends(), "one run is no history")
}

func TestMedian(t *testing.T) {
	of := func(values ...float64) (out []results.Sample) {
		for _, v := range values {
			out = append(out, results.Sample{Measures: reachedAt(v)})
		}
		return out
	}
	assert.Equal(t, 2.0, median(of(3, 1, 2), results.MeasureMultiUser))
	assert.Equal(t, 2.5, median(of(4, 3, 1, 2), results.MeasureMultiUser))
	assert.Equal(t, 1.0, median(append(of(1), results.Sample{}), results.MeasureMultiUser), "of those that have it")
	assert.True(t, math.IsNaN(median(of(1), results.MeasureRestarts)))
}
