package explain

import (
	"fmt"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// cloudWords are cloud-init's own, of a unit of it that failed.
func cloudWords(b boot.Facts, unit string) string {
	troubles := b.CloudInit()
	if len(troubles) == 0 || !strings.HasPrefix(unit, "cloud-") || unit == "cloud-init" {
		return ""
	}
	return "; cloud-init says: " + troubles[0].Text
}

func gaveUp(it item) bool { return strings.HasPrefix(it.text, "PID 1 gave up") }

// restarts says how often systemd counts that the unit was started again.
func restarts(b boot.Facts, unit string) string {
	n := 0
	for _, ev := range b.Of(timeline.Restart) {
		if ev.Unit == unit {
			n = max(n, ev.Change.Count)
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "; it was started again once so far (its restart counter)"
	}
	return fmt.Sprintf("; it was started again %d times so far (its restart counter)", n)
}

func took(b boot.Facts, unit string) string {
	for _, w := range b.LongStarts(longStart) {
		if w.Unit == unit && !w.Ongoing {
			return fmt.Sprintf("; its start took %s", boot.Round(w.Took))
		}
	}
	return ""
}
