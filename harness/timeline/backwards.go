package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bootrace/harness/journal"
)

// forwards gives a file's entries on, the oldest first: journalctl -r and most log stores have
// the newest first, and nobody after this can tell a boot's beginning from its end. What it
// has seen by then tells as well whether the file is of several hosts.
type forwards struct {
	give     func(e journal.Entry, several bool)
	several  bool
	held     []journal.Entry
	up, down int
	fell     bool // a step back is none of lines that come out of order
	set      bool // somebody says that the clock was set, which a step back is as well
	wall     time.Time
	mono     time.Duration
	known    bool // that the oldest is first
	lost     int
	shown    string
	twice    []string // the lines that were there before, word for word
}

// How many entries tell, and how many are held of a file that has the newest first.
const (
	telling   = 1000
	mostHeld  = 300_000
	atLeast   = 2         // steps back
	isSet     = time.Hour // what falls further is a clock that is set
	manyTimes = 4         // as many steps back as forth: clocks are set, and boots follow each other
)

func (o *forwards) add(e journal.Entry) {
	if o.known {
		o.give(e, o.several)
		return
	}
	step := 0
	switch {
	case e.NewBoot, e.Shown != o.shown: // statuses of units stand as they were asked for
		o.wall, o.mono = time.Time{}, 0
	case !e.Wall.IsZero() && !o.wall.IsZero():
		step = e.Wall.Compare(o.wall)
	case e.Wall.IsZero() && e.HasMono && o.mono > 0:
		step = cmp.Compare(e.Mono, o.mono)
	}
	switch {
	case step > 0:
		o.up++
	case step < 0:
		o.down++
		fall := o.wall.Sub(e.Wall)
		o.fell = o.fell || !e.Wall.IsZero() && fall > disorder && fall < isSet
	}
	o.shown = e.Shown
	o.set = o.set || setsClock(e.Message)
	if !e.Wall.IsZero() {
		o.wall = e.Wall
	}
	if e.HasMono {
		o.mono = e.Mono
	}
	if len(o.held) == mostHeld {
		o.lost++
		return
	}
	if o.held = append(o.held, e); len(o.held) == telling && !o.backwards() {
		o.end()
		o.known = true
	}
}

func (o *forwards) backwards() bool {
	return o.fell && o.up == 0 && !o.set || o.down >= atLeast && o.down >= manyTimes*o.up
}

// end gives what is held. Before each boot is journalctl's mark, whichever way the entries go.
func (o *forwards) end() {
	o.held = byTime(o.held)
	if o.backwards() {
		var turned []journal.Entry
		for at := len(o.held); at > 0; {
			from := at - 1
			for from > 0 && !o.held[from].NewBoot {
				from--
			}
			boot := o.held[from:at]
			if boot[0].NewBoot {
				turned, boot = append(turned, boot[0]), boot[1:]
			} else {
				turned = append(turned, journal.Entry{NewBoot: true})
			}
			turned, at = append(turned, boot...), from
			slices.Reverse(turned[len(turned)-len(boot):])
		}
		o.held = turned
	}
	o.held, o.twice = once(o.held)
	o.several = severalHosts(o.held)
	for _, e := range o.held {
		o.give(e, o.several)
	}
	o.held = nil
}

// severalHosts: hosts take turns, as in a central syslog. A host that is given its name as it
// boots has two, one after the other.
func severalHosts(entries []journal.Entry) bool {
	last, seen, turns := "", map[string]bool{}, 0
	for _, e := range entries {
		host := hostOf(short(e.Host))
		if e.NewBoot || begins(e) {
			seen = map[string]bool{}
		}
		if host == "" || host == last || !namesHost(e) {
			continue
		}
		if seen[host] {
			turns++
		}
		last, seen[host] = host, true
	}
	return turns > 2
}

// byTime brings the statuses of several units into one order: each has its oldest line first,
// and they stand as they were asked for.
func byTime(entries []journal.Entry) []journal.Entry {
	var parts [][]journal.Entry
	var at []int // of parts: those that are a status'
	for i, e := range entries {
		if i == 0 || e.Shown != entries[i-1].Shown {
			parts = append(parts, nil)
			if e.Shown != "" {
				at = append(at, len(parts)-1)
			}
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], e)
	}
	var shown [][]journal.Entry
	for _, i := range at {
		lines := slices.DeleteFunc(slices.Clone(parts[i]), func(e journal.Entry) bool { return e.Wall.IsZero() })
		if !slices.IsSortedFunc(lines, func(a, b journal.Entry) int { return a.Wall.Compare(b.Wall) }) {
			return entries // it is more than statuses
		}
		if len(lines) > 0 {
			shown = append(shown, parts[i])
		}
	}
	if len(shown) < 2 || len(shown) < len(at) {
		return entries
	}
	slices.SortStableFunc(shown, func(a, b []journal.Entry) int { return firstWall(a).Compare(firstWall(b)) })
	for i, to := range at {
		parts[to] = shown[i]
	}
	return slices.Concat(parts...)
}

func firstWall(entries []journal.Entry) time.Time {
	for _, e := range entries {
		if !e.Wall.IsZero() {
			return e.Wall
		}
	}
	return time.Time{}
}

// pasted is how many lines make it no chance that they were there before; people paste no more
// than pastedMost twice.
const (
	pasted     = 3
	pastedMost = 5000
)

// once leaves out what was pasted twice: lines at a step back, or beside a status that shows them
// too, that are those of before, word for word. Said is which they are.
func once(entries []journal.Entry) (kept []journal.Entry, said []string) {
	if len(entries) > pastedMost {
		return entries, nil
	}
	for i := 0; i < len(entries); {
		n := 0
		if len(kept) > 0 && (before(entries[i], kept[len(kept)-1]) || entries[i].Shown != kept[len(kept)-1].Shown) {
			n = again(kept, entries[i:])
		}
		if n < pasted {
			kept = append(kept, entries[i])
			i++
			continue
		}
		said = append(said, fmt.Sprintf("lines %d to %d are there twice: counted once", entries[i].Line, entries[i+n-1].Line))
		i += n
	}
	return kept, said
}

func before(e, last journal.Entry) bool {
	if !e.Wall.IsZero() && !last.Wall.IsZero() {
		return e.Wall.Before(last.Wall)
	}
	return e.HasMono && last.HasMono && e.Mono < last.Mono
}

// again is how many of the entries are a run of those before. A boot's beginning is another
// boot's: two may say the same.
func again(kept, entries []journal.Entry) (most int) {
	for i := range kept {
		n := 0
		for n < len(entries) && i+n < len(kept) && same(kept[i+n], entries[n]) {
			if begins(entries[n]) || systemMode.MatchString(entries[n].Message) {
				return 0
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

func same(a, b journal.Entry) bool {
	return a.Ident == b.Ident && a.Host == b.Host && a.PID == b.PID && a.Wall.Equal(b.Wall) && a.Mono == b.Mono && a.Message == b.Message && a.NewBoot == b.NewBoot
}
