package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/journal"
)

// Origin is what a timeline was read from that is of no recording: a boot as its host kept it.
type Origin struct {
	Files  []journal.Report
	Host   string
	Boot   string // _BOOT_ID
	Begins bool   // PID 1's first words are in it
	Kernel bool   // the kernel's first words are
	// Said is how many entries are PID 1's; First and Last are when the first and the last was.
	Said        int
	First, Last time.Duration
	Lost        int      // how many more of PID 1's there were than are kept of a boot
	NoClock     bool     // no line has a time
	Users       []string // what managers of users said of their own units that went wrong
	Steps       []string // of the clock
	Finished    string   // "Startup finished in …"
	Relayed     bool     // the PIDs are a forwarder's
	Backwards   bool     // the newest line is first (journalctl -r)
	Took        []Took   // of systemd-analyze
	Gaps        []Gap    // of its critical chain
}

// Gap is a time in the critical chain in which nothing of it started.
type Gap struct {
	Unit, Behind string
	For          time.Duration
	Evidence     Evidence
}

// Took is how long a unit's start took, as systemd-analyze has it.
type Took struct {
	Unit     string
	Up, Took time.Duration // Up is 0 where it is not said
	Evidence Evidence
}

// String names the boot.
func (l Origin) String() string {
	var forms []string
	lines := 0
	for _, f := range l.Files {
		lines += f.Lines
		for _, form := range sortedForms(f.Forms) {
			if !slices.Contains(forms, form) {
				forms = append(forms, form)
			}
		}
	}
	return fmt.Sprintf("%s, %d lines", strings.Join(forms, " and "), lines)
}

func sortedForms(m map[journal.Form]int) []string {
	var out []string
	for form := range m {
		out = append(out, string(form))
	}
	slices.SortFunc(out, func(x, y string) int {
		return cmp.Or(cmp.Compare(m[journal.Form(y)], m[journal.Form(x)]), cmp.Compare(x, y))
	})
	return out
}
