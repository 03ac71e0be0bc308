package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/recording"
)

// Text is the timeline as goldens keep it: one event a line, then what the
// machine was like at the end. Plain log lines are left out, numbered ones are
// summed up: they are hundreds and show nothing of the boot's course.
func (t Timeline) Text() string {
	var b strings.Builder
	seqs := map[string][]int{}
	for _, e := range t.Events {
		switch {
		case e.Kind == Line:
			seqs[e.Line.Source] = append(seqs[e.Line.Source], e.Line.Seq)
		case (e.Kind == Log || e.Kind == OnConsole && (e.Status == "" || e.Status == "OK")) && len(e.Secrets) == 0:
		default:
			fmt.Fprintf(&b, "%s %s %s %s%s\n", e.stamp(), cmp.Or(e.Unit, "-"), e.Kind, clip(e.Text), leaked(e.Secrets))
		}
	}
	fmt.Fprintf(&b, "end %s %s\n", Since(t.End), cmp.Or(t.Final.SystemState, "-"))
	for _, source := range sortedKeys(seqs) {
		fmt.Fprintf(&b, "lines %s %s\n", source, Ranges(seqs[source]))
	}
	for _, id := range sortedKeys(t.Final.Units) {
		if u := t.Final.Units[id]; u.Active != "active" && u.Active != "inactive" {
			fmt.Fprintf(&b, "unit %s\n", u.Evidence.Text)
		}
	}
	for _, j := range t.Final.Jobs {
		fmt.Fprintf(&b, "job %s\n", j.Evidence.Text)
	}
	for _, f := range t.Final.Files {
		fmt.Fprintf(&b, "file %s\n", f.Evidence.Text)
	}
	for _, l := range t.Final.Leaks {
		fmt.Fprintf(&b, "leak %s\n", l.Evidence.Text)
	}
	for _, source := range sortedKeys(t.Missing) {
		fmt.Fprintf(&b, "missing %s: %s\n", source, t.Missing[source])
	}
	return b.String()
}

func (e Event) stamp() string {
	if e.Untimed {
		return "+?"
	}
	return Since(e.At)
}

func leaked(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " secrets=" + strings.Join(names, ",")
}

// Since writes a moment of the boot clock: +45.012s.
func Since(at time.Duration) string { return fmt.Sprintf("%+.3fs", at.Seconds()) }

// Ranges sums up sequence numbers, in any order and with repetitions: 1-20,22.
func Ranges(seqs []int) string {
	s := slices.Clone(seqs)
	slices.Sort(s)
	var out []Range
	for _, n := range s {
		if last := len(out) - 1; last >= 0 && n <= out[last].Last+1 {
			out[last].Last = n
		} else {
			out = append(out, Range{First: n, Last: n})
		}
	}
	return recording.RangesText(out)
}
