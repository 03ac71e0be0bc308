package check

import (
	"fmt"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// elsewhere says what it means that the worker's lines do not come to Axiom: what goes
// where nobody can look, or that they are promised to nobody.
func elsewhere(b boot.Facts, owed boot.Owed) (unjudged []string, wrong []Finding) {
	if owed.Elsewhere == nil {
		return nil, nil
	}
	const unit = boot.Worker + ".service"
	nothing := func(why string) []Finding {
		return []Finding{{Unit: boot.Vector, Intrinsic: true, Evidence: configEvidence(), Summary: "Vector's configuration ships nothing of the worker: " + why}}
	}
	d, others := *owed.Elsewhere, b.Final.Pipeline.OtherLogs()
	switch {
	case len(d.Other) > 0:
		return []string{fmt.Sprintf("lines of %s go to %s, where nobody looked", unit, d.Other)}, nil
	case len(others) > 0 && len(d.Sources) == 0:
		return []string{fmt.Sprintf("lines of %s may come by %s, which is not followed", unit, others)}, nil
	case len(d.Sources) == 0:
		return nil, nothing("no journald source takes the lines of " + unit)
	case len(d.Nowhere) > 0:
		return nil, nothing(fmt.Sprintf("%s reads the lines of %s, and they go to %s", d.Sources, unit, d.Nowhere))
	}
	return nil, nothing(fmt.Sprintf("%s reads the lines of %s, and no sink takes them", d.Sources, unit))
}

func configEvidence() []timeline.Evidence {
	return []timeline.Evidence{{File: timeline.Config, Line: 1, Text: "what Vector was made to read"}}
}
