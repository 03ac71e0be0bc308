package run

import (
	"fmt"
	"slices"

	"bootrace/harness/boot"
	"bootrace/scenarios"
)

// fitted is a scenario whose populator is called as the subject calls it, and not by its usual name. One that
// does something to the populator does not apply where there is none to do it to.
func (s Subject) fitted(sc scenarios.Scenario) (_ scenarios.Scenario, inapplicable string) {
	name := s.PopulatorUnit()
	theirs := func(unit string) string {
		if unit == boot.Populator && name != "" {
			return name
		}
		return unit
	}
	sc.During = slices.Clone(sc.During)
	for i, a := range sc.During {
		if a.Unit == boot.Populator && name == "" {
			return sc, fmt.Sprintf("%s does %s to the populator, and the subject brings no %s: say in its subject.yaml which of its units that is (populator: UNIT)",
				sc.Name, a.Do, boot.Populator)
		}
		sc.During[i].Unit = theirs(a.Unit)
	}
	sc.Expect.AllowedFailed = slices.Clone(sc.Expect.AllowedFailed)
	for i, a := range sc.Expect.AllowedFailed {
		sc.Expect.AllowedFailed[i].Unit = theirs(a.Unit)
	}
	starts := map[string]int{}
	for unit, n := range sc.Expect.Starts {
		starts[theirs(unit)] = n
	}
	sc.Expect.Starts = starts
	return sc, ""
}

// PopulatorUnit is the subject's unit that fetches the credentials; empty: it is not known.
func (s Subject) PopulatorUnit() string {
	if s.Populator == "" && slices.Contains(s.Units, boot.Populator) {
		return boot.Populator
	}
	return s.Populator
}
