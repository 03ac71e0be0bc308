package history

import (
	"fmt"
	"maps"
	"slices"

	"bootrace/results"
)

// InputChange is an input that was not the same on both sides, by the boots that
// were compared: a possible cause of what moved.
type InputChange struct {
	Input  string   `json:"input"`  // subject, vector, a name of results.Sample.Versions, or a base's control boot
	Before []string `json:"before"` // its values, sorted; empty: not known
	After  []string `json:"after"`
}

// InputSubject is the content of what is under test; a comparison is mostly made
// for its sake.
const InputSubject = "subject"

// inputChanges looks at the cases that both sides have: another selection of cases
// is no other input.
func inputChanges(groups []group) []InputChange {
	values := map[string]*sides[map[string]bool]{}
	control := map[string]*sides[[]float64]{} // by base
	for _, g := range groups {
		if len(g.boots[0]) == 0 || len(g.boots[1]) == 0 {
			continue
		}
		for side, boots := range g.boots {
			for _, s := range boots {
				for name, value := range inputs(s) {
					if values[name] == nil {
						values[name] = &sides[map[string]bool]{{}, {}}
					}
					values[name][side][value] = true
				}
				if v, ok := s.Measures[results.MeasureControl]; ok {
					if control[s.Base] == nil {
						control[s.Base] = &sides[[]float64]{}
					}
					control[s.Base][side] = append(control[s.Base][side], v)
				}
			}
		}
	}
	out := []InputChange{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if v := values[name]; !maps.Equal(v[0], v[1]) {
			out = append(out, InputChange{Input: name, Before: sortedKeys(v[0]), After: sortedKeys(v[1])})
		}
	}
	for _, base := range slices.Sorted(maps.Keys(control)) {
		if c, ok := controlChange(base, *control[base]); ok {
			out = append(out, c)
		}
	}
	return out
}

// inputs are what a boot was made of, by name.
func inputs(s results.Sample) map[string]string {
	out := maps.Clone(s.Versions)
	if out == nil {
		out = map[string]string{}
	}
	out["vector"], out[InputSubject] = s.Vector, s.Hash
	return out
}

// controlChange says that the same image without the subject was faster or slower
// as well: then it is the host or the base.
func controlChange(base string, seconds sides[[]float64]) (InputChange, bool) {
	if len(seconds[0]) == 0 || len(seconds[1]) == 0 {
		return InputChange{}, false
	}
	before, after := results.Median(seconds[0]), results.Median(seconds[1])
	if max(before, after)-min(before, after) < max(FloorShare*before, FloorTime) {
		return InputChange{}, false
	}
	return InputChange{Input: "control boot of " + base, Before: []string{fmt.Sprintf("%.2f s", before)}, After: []string{fmt.Sprintf("%.2f s", after)}}, true
}

func sortedKeys(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}
