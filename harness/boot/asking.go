package boot

import (
	"path"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// cloudMain is where cloud-init's stages run since 24.3, whichever unit waits for one of them.
const cloudMain = "cloud-init-main.service"

// Asking is a systemctl in the unit's start that waits for the job of another unit: nothing
// says so but its arguments.
func (b Facts) Asking(unit string) (p timeline.Process, awaited string, ok bool) {
	in := []string{unit}
	if strings.HasPrefix(unit, "cloud-") {
		in = append(in, cloudMain)
	}
	for _, p := range b.Final.Processes {
		words := strings.Fields(p.Cmdline)
		if len(words) < 3 || path.Base(words[0]) != "systemctl" || !slices.Contains(in, p.Unit) || slices.Contains(words, "--no-block") {
			continue
		}
		for _, name := range words[2:] {
			if !strings.Contains(name, ".") {
				name += ".service"
			}
			if _, queued := b.Job(name); queued && name != unit {
				return p, name, true
			}
		}
	}
	return p, "", false
}
