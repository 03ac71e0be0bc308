package fault

import (
	"slices"
	"sync"
	"time"
)

// Schedule is the faults of one cloud as they come due. It is safe for
// concurrent use.
type Schedule struct {
	now func() time.Duration

	mu     sync.Mutex
	faults []*scheduled
}

type scheduled struct {
	Fault
	layer Layer
	spans []span
	seen  int // of what matches
}

// NewSchedule returns the schedule of faults that [Validate] has nothing to say
// of. now is the time since the cloud's ready.
func NewSchedule(faults []Fault, now func() time.Duration) *Schedule {
	s := &Schedule{now: now}
	for _, f := range faults {
		row, _ := f.Kind.Row()
		list, _ := spans(f.Requests)
		s.faults = append(s.faults, &scheduled{Fault: f, layer: row.Layer, spans: list})
	}
	return s
}

// Next returns the fault that happens to the next request of t on a layer: of
// those in force the first in the scenario's order. All that match count it.
func (s *Schedule) Next(l Layer, t Target) (Fault, bool) {
	if s == nil {
		return Fault{}, false
	}
	at := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *scheduled
	for _, f := range s.faults {
		if f.layer != l || !f.matches(t) {
			continue
		}
		f.seen++
		in, _ := f.InForce(at)
		counted := len(f.spans) == 0 || slices.ContainsFunc(f.spans, func(r span) bool { return r.has(f.seen) })
		if in && counted && found == nil {
			found = f
		}
	}
	if found == nil {
		return Fault{}, false
	}
	return found.Fault, true
}

// Listening says whether a service takes connections now, and for how long that
// stays so; 0 is for ever.
func (s *Schedule) Listening(service string) (open bool, lasts time.Duration) {
	if s == nil {
		return true, 0
	}
	at := s.now()
	open = true
	for _, f := range s.faults {
		if f.layer != Connect || f.Service != service {
			continue
		}
		in, until := f.InForce(at)
		open = open && !in
		if until > 0 && (lasts == 0 || until-at < lasts) {
			lasts = until - at
		}
	}
	return open, lasts
}
