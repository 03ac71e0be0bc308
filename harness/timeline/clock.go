package timeline

import (
	"fmt"
	"time"
)

// clockOf gives each entry its moment on the boot's clock. The kernel's clock is the best;
// a machine's own is taken by how it goes on, since it is set while the machine boots.
func (b *BootLog) clockOf() (end time.Duration) {
	zero, has := b.zero()
	var offset time.Duration // of the wall clock of those that have both, at zero
	var both time.Time
	for _, s := range b.said {
		if s.hasMono && !s.wall.IsZero() {
			both, offset = s.wall, s.mono-zero
			break
		}
	}
	walls := map[int]*wallClock{}
	any := false
	for i := range b.said {
		s := &b.said[i]
		switch {
		case s.hasMono && has:
			s.ev.At, any = s.mono-zero, true
		case !s.wall.IsZero():
			w := walls[s.src]
			if w == nil {
				w = &wallClock{last: s.wall, at: b.begins(s.wall, both, offset)}
				walls[s.src] = w
			}
			if s.quoted {
				s.ev.At, any = w.earlier(s.wall), true
				break
			}
			if s.set {
				w.set(s.wall)
			}
			s.ev.At, any = w.take(s.wall, s.ev.Evidence, &b.log), true
		default:
			s.ev.Untimed = true
		}
	}
	for src, last := range b.ends {
		switch {
		case last.hasMono && has:
			end = max(end, last.mono-zero)
		case walls[src] != nil:
			end = max(end, walls[src].take(last.wall, Evidence{File: "the last line"}, &b.log))
		}
	}
	b.log.NoClock = !any && len(b.said) > 0
	if !has { // the zero of a machine's own clock is PID 1's first line
		first, found := time.Duration(0), false
		for _, s := range b.said {
			if !s.ev.Untimed && s.ev.Manager {
				first, found = s.ev.At, true
				break
			}
		}
		for i := range b.said {
			if found && !b.said[i].ev.Untimed {
				b.said[i].ev.At -= first
			}
		}
		end -= first
	}
	return end
}

// begins is where a file begins that has the machine's own clock only, beside others that
// have the kernel's.
func (b *BootLog) begins(first, both time.Time, offset time.Duration) time.Duration {
	if both.IsZero() {
		return 0
	}
	if first.Year() == 0 || both.Year() == 0 {
		first, both = yearless(first), yearless(both)
	}
	d := first.Sub(both)
	const quarter = 15 * time.Minute
	if zones := d.Round(quarter); zones != 0 && zones.Abs() <= 15*time.Hour { // another zone's time
		d -= zones
	}
	if d.Abs() > apart {
		d = 0
	}
	return d + offset
}

// zero is the kernel's clock at the boot clock's zero: PID 1's first words; where they are
// missing and the kernel's are there, the kernel's start; else PID 1's first line.
func (b *BootLog) zero() (time.Duration, bool) {
	var first time.Duration
	has := false
	for _, s := range b.said {
		if !s.hasMono || !s.ev.Manager {
			continue
		}
		if systemMode.MatchString(s.ev.Text) {
			return s.mono, true
		}
		if !has {
			first, has = s.mono, true
		}
	}
	if b.log.Kernel {
		return 0, true
	}
	if !has {
		for _, s := range b.said {
			if s.hasMono {
				return s.mono, true
			}
		}
	}
	return first, has
}

// wallClock follows the machine's clock of one file.
type wallClock struct {
	last time.Time
	at   time.Duration
}

// set: the clock says that since it was set, and was still a moment ago.
func (w *wallClock) set(now time.Time) {
	if d := now.Sub(w.last).Abs(); d > disorder {
		w.last = now
	}
}

// earlier is when something was said that stands after what was said later.
func (w *wallClock) earlier(at time.Time) time.Duration {
	if d := at.Sub(w.last); d < 0 && d >= -silence {
		return w.at + d
	}
	return w.at
}

// What a machine's clock does within a boot without having been set: nothing is said for a
// day at most, and lines of different sources come out of order by a little.
const (
	silence  = 72 * time.Hour
	disorder = 2 * time.Second
)

func (w *wallClock) take(now time.Time, ev Evidence, log *Origin) time.Duration {
	d := now.Sub(w.last)
	if now.Year() == 0 && d < -300*24*time.Hour { // the year is over
		d += 366 * 24 * time.Hour // the year 0 is a leap year
	}
	switch {
	case (now.Year() == 0) != (w.last.Year() == 0): // forms with a year and without it: nothing is to be known
		w.last = now
	case d >= 0 && d <= silence:
		w.at, w.last = w.at+d, now
	case d < 0 && d >= -disorder:
		return w.at
	default:
		if len(log.Steps) < 5 {
			at := ev.File
			if ev.Line > 0 {
				at = fmt.Sprintf("%s:%d", ev.File, ev.Line)
			}
			log.Steps = append(log.Steps, fmt.Sprintf("the clock steps by %s at %s: what is after it counts from there", d.Round(time.Second), at))
		}
		w.last = now
	}
	return w.at
}
