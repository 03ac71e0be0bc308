package history

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/results"
)

// Series is a measure of a case, run by run.
type Series struct {
	Key
	Measure string  `json:"measure"`
	Points  []Point `json:"points"` // the oldest run first
}

// Point is a measure in one run. A run in which no boot that was judged has the
// measure has no point: no data is not zero.
type Point struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"` // of the case's first boot in it
	Boots   int       `json:"boots"`
	Median  float64   `json:"median"`
	Min     float64   `json:"min"`
	Max     float64   `json:"max"`
}

// Trends are the series of every measure that the samples have, by case and then
// by the measure's name. Boots that were not judged are left out.
func Trends(samples []results.Sample) []Series {
	type id struct {
		key     Key
		measure string
	}
	type open struct {
		series *Series
		values []float64 // of the last point
	}
	end := func(o *open) {
		if len(o.values) == 0 {
			return
		}
		slices.Sort(o.values)
		p := &o.series.Points[len(o.series.Points)-1]
		p.Boots, p.Median, p.Min, p.Max = len(o.values), results.Median(o.values), o.values[0], o.values[len(o.values)-1]
		o.values = o.values[:0]
	}
	all := map[id]*open{}
	for _, s := range byRun(samples) {
		if unfit(s) != "" {
			continue
		}
		key := keyOf(s)
		for name, value := range s.Measures {
			o := all[id{key, name}]
			if o == nil {
				o = &open{series: &Series{Key: key, Measure: name}}
				all[id{key, name}] = o
			}
			if n := len(o.series.Points); n == 0 || o.series.Points[n-1].Run != s.Run {
				end(o)
				o.series.Points = append(o.series.Points, Point{Run: s.Run, Started: s.Started})
			}
			o.values = append(o.values, value)
		}
	}
	out := []Series{}
	for _, o := range all {
		end(o)
		out = append(out, *o.series)
	}
	slices.SortFunc(out, func(a, b Series) int {
		return cmp.Or(compareKeys(a.Key, b.Key), strings.Compare(a.Measure, b.Measure))
	})
	return out
}

// byRun orders samples by their runs' beginnings, so that two runs that overlap do
// not alternate, and within a run by time.
func byRun(samples []results.Sample) []results.Sample {
	out := ordered(samples)
	began := map[string]time.Time{}
	for _, s := range out {
		if _, ok := began[s.Run]; !ok {
			began[s.Run] = s.Started
		}
	}
	slices.SortStableFunc(out, func(a, b results.Sample) int {
		return cmp.Or(began[a.Run].Compare(began[b.Run]), strings.Compare(a.Run, b.Run))
	})
	return out
}

// RecentBoots is how many boots Recent wants on the side after: enough to find a
// shift of AimShare in boot times that scatter by a tenth.
const RecentBoots = 30

// Recent splits a history into what Compare takes, so that it answers whether a
// case moved lately: of each case the newest runs that together have RecentBoots
// boots, but no more than half of its runs, against all the earlier ones. Of a case
// that has one run there is nothing before. Boots with another kind of Vector than
// its newest ones had are left out on both sides.
func Recent(samples []results.Sample) (before, after []results.Sample) {
	cases := map[Key][]results.Sample{}
	for _, s := range byRun(samples) {
		k := keyOf(s).recurring()
		cases[k] = append(cases[k], s)
	}
	for _, k := range slices.SortedFunc(maps.Keys(cases), compareKeys) {
		list := newestVector(cases[k])
		var begins []int // of each run in the list
		for i := range list {
			if i == 0 || list[i].Run != list[i-1].Run {
				begins = append(begins, i)
			}
		}
		boots, at := 0, len(list)
		for n := len(begins) - 1; n >= len(begins)-max(1, len(begins)/2) && boots < RecentBoots; n-- {
			for _, s := range list[begins[n]:at] {
				if unfit(s) == "" {
					boots++
				}
			}
			at = begins[n]
		}
		before, after = append(before, list[:at]...), append(after, list[at:]...)
	}
	return before, after
}

// newestVector leaves out the boots with another kind of Vector than the newest
// that is known.
func newestVector(list []results.Sample) []results.Sample {
	kind := vectorUnknown
	for i := len(list) - 1; i >= 0 && kind == vectorUnknown; i-- {
		kind = vectorKind(list[i])
	}
	return slices.DeleteFunc(slices.Clone(list), func(s results.Sample) bool {
		k := vectorKind(s)
		return k != kind && k != vectorUnknown
	})
}
