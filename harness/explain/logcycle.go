package explain

import (
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/check"
)

// cycle is one item for all that was dropped.
func cycle(b boot.Facts, found []check.Finding) item {
	it := item{rank: ofCycle, at: found[0].At, unit: found[0].Unit, text: found[0].Summary, evidence: found[0].Evidence}
	if len(found) > 1 {
		var names []string
		for _, f := range found {
			names = append(names, f.Unit)
		}
		head, tail, _ := strings.Cut(found[0].Summary, found[0].Unit)
		it.text = head + strings.Join(names, ", ") + tail
	}
	if who := squeezed(b.CycleThrough()); who != "" {
		it.text += "; " + who
	}
	return it
}

// early are the targets that units come after by their default dependencies (bootup(7)).
var early = []string{"basic.target", "sysinit.target"}

// squeezed names the unit that is ordered before something early, and by its default
// dependencies after what comes later.
func squeezed(through []string) string {
	for i, unit := range through {
		if i == 0 || i+1 >= len(through) || !slices.Contains(early, through[i+1]) || !strings.HasSuffix(unit, ".service") {
			continue
		}
		return fmt.Sprintf("%s comes after %s (by default dependencies) and before %s", unit, through[i+1], through[i-1])
	}
	return ""
}
