package run

import (
	"sync"
	"time"

	"bootrace/harness/boot"
)

// What else than its own milestones a boot is followed by: its machine, and the limits of
// the case.
const (
	machineStarted boot.Milestone = "started"
	settled        boot.Milestone = "settled"
	startStorm     boot.Milestone = "a unit starts again and again"
	windowOver     boot.Milestone = "window over"
	machineExited  boot.Milestone = "machine exited"
	streamEnded    boot.Milestone = "a stream ended"
	blocked        boot.Milestone = "blocked" // it is in no other boot's way
	cutShort       boot.Milestone = "ended early"
)

// sightings passes each milestone on once.
type sightings struct {
	mu   sync.Mutex
	seen map[boot.Milestone]bool
	c    chan boot.Milestone
}

func newSightings() *sightings {
	return &sightings{seen: map[boot.Milestone]bool{}, c: make(chan boot.Milestone, 16)} // more than there are milestones
}

func (s *sightings) add(ms boot.Milestone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[ms] {
		s.seen[ms] = true
		s.c <- ms
	}
}

// So many starts of one unit within that time are a storm: far more than any
// start-rate allows, and PID 1 does not show all of them on its console.
const (
	stormStarts = 20
	stormWithin = 10 * time.Second
)

// storms keeps the starts that the console shows, by unit.
func storms(starts map[string][]time.Time, line []byte, now time.Time) bool {
	unit, ok := boot.StartingOnConsole(line)
	if !ok {
		return false
	}
	recent := append(starts[unit], now)
	recent = recent[max(0, len(recent)-stormStarts):]
	starts[unit] = recent
	return len(recent) == stormStarts && now.Sub(recent[0]) <= stormWithin
}
