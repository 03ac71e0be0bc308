package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// mostRuns is how many runs a trend goes back.
const mostRuns = 60

// trended are the measures that have a trend.
var trended = []struct{ Name, Title, Unit string }{
	{results.MeasureMultiUser, "multi-user.target", "s"},
	{results.MeasureCredentials, "credentials", "s"},
	{results.MeasureRestarts, "restarts of Vector", ""},
	{results.MeasureHeadroom, "start headroom", ""},
}

// trend is the history of one kind of case: a scenario on a base.
type trend struct {
	Name   string
	Runs   []past
	Charts []chart
	Older  int // runs that are left out
}

// past is a run of a trend: the median of its cases.
type past struct {
	Run      string
	Started  time.Time
	Verdicts string
	Bad      bool
	Here     bool // the run that is reported
	Values   []string
	values   []float64 // NaN: not measured
}

// chart is one measure over the runs.
type chart struct {
	Title, Desc   string
	Width, Height float64
	PlotTo        float64 // where the axis' labels begin
	Line, Dots    string
	Bad           []point // runs with a case not as expected
	Here          *point  // this run; nil: not measured
	Top           string  // the axis' upper end
	Now           string  // this run's value
}

type point struct{ X, Y float64 }

// kindOfCase is what a trend is a trend of.
type kindOfCase struct{ scenario, base, subject, backend string }

// trends are those of the run's cases, of which there is history.
func (p Page) trends() []trend {
	samples := map[kindOfCase][]results.Sample{}
	var order []kindOfCase
	for _, c := range p.Run.Cases {
		k := kindOfCase{c.Scenario, c.Base, c.Subject, c.Backend}
		if _, seen := samples[k]; !seen {
			order = append(order, k)
		}
		s := results.Sample{Run: p.Run.ID, Case: c.ID, Started: c.Started, Expected: c.Expected, Verdict: c.Verdict}
		if b := c.Decided().Boot; b != nil {
			s.Measures = b.Measures
		}
		samples[k] = append(samples[k], s)
	}
	for _, s := range p.Trends {
		k := kindOfCase{s.Scenario, s.Base, s.Subject, s.Backend}
		if _, ours := samples[k]; ours && s.Run != p.Run.ID {
			samples[k] = append(samples[k], s)
		}
	}
	slices.SortFunc(order, func(a, b kindOfCase) int {
		return cmp.Or(strings.Compare(a.scenario, b.scenario), strings.Compare(a.base, b.base), strings.Compare(a.subject, b.subject))
	})
	var out []trend
	for _, k := range order {
		runs := pasts(samples[k], p.Run.ID)
		if len(runs) < 2 {
			continue
		}
		t := trend{Name: k.scenario + " on " + k.base, Older: max(0, len(runs)-mostRuns)}
		if k.subject != p.Run.Subject {
			t.Name += ", subject " + k.subject
		}
		t.Runs = runs[t.Older:]
		for i := range trended {
			t.Charts = append(t.Charts, t.chart(i))
		}
		out = append(out, t)
	}
	return out
}

// pasts are the runs of samples, the oldest first.
func pasts(samples []results.Sample, here string) []past {
	byRun := map[string][]results.Sample{}
	for _, s := range samples {
		byRun[s.Run] = append(byRun[s.Run], s)
	}
	var out []past
	for run, of := range byRun {
		r := past{Run: run, Started: of[0].Started, Here: run == here}
		var verdicts []string
		for _, s := range of {
			if s.Started.Before(r.Started) {
				r.Started = s.Started
			}
			r.Bad = r.Bad || s.Verdict != s.Expected
			verdicts = append(verdicts, s.Verdict)
		}
		slices.Sort(verdicts)
		r.Verdicts = strings.Join(slices.Compact(verdicts), ", ")
		for _, m := range trended {
			v := median(of, m.Name)
			r.values, r.Values = append(r.values, v), append(r.Values, measured(v, m.Unit))
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b past) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Run, b.Run))
	})
	return out
}

// median is that of the samples that have the measure; NaN if none has.
func median(samples []results.Sample, name string) float64 {
	var all []float64
	for _, s := range samples {
		if v, ok := s.Measures[name]; ok {
			all = append(all, v)
		}
	}
	return results.Median(all)
}

// notMeasured stands where there is no value, which is never zero.
const notMeasured = "not measured"

func measured(v float64, unit string) string {
	if math.IsNaN(v) {
		return notMeasured
	}
	return strings.TrimSpace(number(v) + " " + unit)
}

// chart draws the i-th measure. Its axis begins at zero: half as high is half as
// much.
func (t trend) chart(i int) chart {
	const width, height, edge, labels = 220.0, 56.0, 6.0, 46.0
	c := chart{Title: trended[i].Title, Width: width, Height: height, PlotTo: width - labels}
	top := 0.0
	for _, r := range t.Runs {
		if v := r.values[i]; !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	if top == 0 {
		top = 1
	}
	var line, dots strings.Builder
	var known []float64
	gap, missing := true, 0
	for n, r := range t.Runs {
		v := r.values[i]
		if math.IsNaN(v) {
			missing++
			gap = true
			continue
		}
		known = append(known, v)
		x := edge + (width-labels-2*edge)*float64(n)/float64(len(t.Runs)-1)
		y := height - edge - (height-2*edge)*max(0, v)/top
		fmt.Fprintf(&line, "%s%s %s", map[bool]string{true: "M", false: "L"}[gap], place(x), place(y))
		gap = false
		switch {
		case r.Here:
			c.Here, c.Now = &point{x, y}, measured(v, trended[i].Unit)
		case r.Bad:
			c.Bad = append(c.Bad, point{x, y})
		default:
			fmt.Fprintf(&dots, "M%s %sh0", place(x), place(y)) // with round ends a dot
		}
	}
	c.Now = cmp.Or(c.Now, notMeasured)
	c.Line, c.Dots, c.Top = line.String(), dots.String(), measured(top, trended[i].Unit)
	if len(known) == 0 {
		c.Top, c.Desc = "", "Not measured in any of these runs."
		return c
	}
	c.Desc = fmt.Sprintf("%s to %s over %s; in this run %s. Not measured in %d of them.", number(slices.Min(known)), measured(slices.Max(known), trended[i].Unit), plural(len(t.Runs), "run"), c.Now, missing)
	return c
}
