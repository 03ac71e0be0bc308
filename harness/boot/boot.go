package boot

import (
	"fmt"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Units and files that a boot is about.
const (
	Vector    = "vector.service"
	Populator = "populate-vector-env.service" // fetches the credentials on production's workers; a subject may call its own otherwise
	MultiUser = "multi-user.target"
	VectorEnv = "/etc/opensandbox/vector.env"
)

// Facts is what one boot was, beside the timeline that it was made from.
type Facts struct {
	timeline.Timeline
	Logged map[string]map[int]timeline.Event // numbered lines in the journal, by source and number

	starts map[string][]Start
	atBoot map[string]bool // units that the boot's own transaction starts
	order  order
}

// Of makes the facts of a timeline.
func Of(tl timeline.Timeline) Facts {
	b := Facts{Timeline: tl, atBoot: bootTransaction(tl.Final.Units), order: orderOf(tl), Logged: numbered(tl)}
	b.starts = b.startsOf()
	return b
}

// roomEnough is more than anything in a boot wants of the disk at once, in bytes.
const roomEnough = 64 << 20

// DiskHasRoom reports whether the machine's disk is known to have room at the end.
func (b Facts) DiskHasRoom() bool { return b.Final.Room["/"] >= roomEnough }

// Moment is when something happened, and where that stands.
type Moment struct {
	At       time.Duration
	Evidence timeline.Evidence
}

// When is the moment itself.
func (m Moment) When() time.Duration { return m.At }

// Seen is what a recording shows of one kind of fact. What was seen counts always; that
// there was no more does only where nothing is Unknown.
type Seen[T any] struct {
	All     []T
	Unknown string // which source is not whole, and why; empty: there was no more
}

// First is the first that was seen, if any was.
func (s Seen[T]) First() (first T, ok bool) {
	if len(s.All) == 0 {
		return first, false
	}
	return s.All[0], true
}

// Never reports whether it is known that there was none.
func (s Seen[T]) Never() bool { return len(s.All) == 0 && s.Unknown == "" }

// seen is all that there is to see in those sources.
func seen[T any](b Facts, all []T, sources ...string) Seen[T] {
	return Seen[T]{All: all, Unknown: b.Unknown(sources...)}
}

// Unknown says which of those sources, and of the boot clock, are not whole, and why;
// empty: they are.
func (b Facts) Unknown(sources ...string) string {
	var out []string
	said := map[string]int{} // what keeps several away is said once
	for _, source := range append([]string{timeline.Manifest}, sources...) {
		why, gone := b.Missing[source]
		if !gone {
			continue
		}
		if i, ok := said[why]; ok {
			out[i] = source + ", " + out[i]
			continue
		}
		said[why] = len(out)
		out = append(out, fmt.Sprintf("%s: %s", source, why))
	}
	return strings.Join(out, "; ")
}

// Reached is when unit's first start job was done. The journal and the unit's own
// timestamp both say so: the earlier one holds, since the journal starts after PID 1
// and the timestamp is overwritten by a second start.
func (b Facts) Reached(unit string) Seen[Moment] {
	var up []Moment
	for _, ev := range b.Events { // a console's, which has no time, counts where there is no other
		if ev.Kind == timeline.Started && ev.Unit == unit {
			if up = []Moment{{ev.At, ev.Evidence}}; !ev.Untimed {
				break
			}
		}
	}
	if u := b.Final.Units[unit]; u.ActiveEnter > 0 && (len(up) == 0 || u.ActiveEnter < up[0].At) {
		up = []Moment{{u.ActiveEnter, u.Evidence}}
	}
	return seen(b, up, timeline.Journal, timeline.Units)
}
