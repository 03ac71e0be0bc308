package run

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"

	"bootrace/harness/recording"
)

// milestone is a moment of a boot that the harness can see from outside, without
// touching the machine: on PID 1's console or in the cloud's log.
type milestone string

const (
	machineStarted milestone = "started"
	multiUser      milestone = "multi-user.target reached"
	cloudFinal     milestone = "cloud-final started"
	registered     milestone = "worker registered"
	delivered      milestone = "logs delivered"
	settled        milestone = "settled"
	startStorm     milestone = "a unit starts again and again"
	windowOver     milestone = "window over"
	machineExited  milestone = "machine exited"
	streamEnded    milestone = "a stream ended"
)

// sightings passes each milestone on once.
type sightings struct {
	mu   sync.Mutex
	seen map[milestone]bool
	c    chan milestone
}

func newSightings() *sightings {
	return &sightings{seen: map[milestone]bool{}, c: make(chan milestone, 16)} // more than there are milestones
}

func (s *sightings) add(ms milestone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[ms] {
		s.seen[ms] = true
		s.c <- ms
	}
}

// escapes are the colour codes of PID 1's console.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]")

// onConsole knows the lines by unit name and, as systemd before 256 prints them
// in images that ask for it, by description. systemd cuts the middle out of a
// line that is longer than the console is wide, so names may lack their end.
func onConsole(line []byte) milestone {
	text := string(escapes.ReplaceAll(line, nil))
	switch {
	case strings.Contains(text, "Reached target multi-user.target"), strings.Contains(text, "Reached target Multi-User System"):
		return multiUser
	case strings.Contains(text, "Starting cloud-final.s"), strings.Contains(text, "Starting Execute cloud user/final scripts"):
		return cloudFinal
	}
	return ""
}

// So many starts of one unit within that time are a storm: far more than any
// start-rate allows, and PID 1 does not show all of them on its console.
const (
	stormStarts = 20
	stormWithin = 10 * time.Second
)

// storms keeps the starts that the console shows, by unit.
func storms(starts map[string][]time.Time, line []byte, now time.Time) bool {
	_, unit, ok := strings.Cut(string(escapes.ReplaceAll(line, nil)), "  Starting ")
	if !ok {
		return false
	}
	recent := append(starts[unit], now)
	recent = recent[max(0, len(recent)-stormStarts):]
	starts[unit] = recent
	return len(recent) == stormStarts && now.Sub(recent[0]) <= stormWithin
}

func onCloud(line []byte) milestone {
	var l recording.Request
	switch {
	case json.Unmarshal(line, &l) != nil || l.Status != 200:
		return ""
	case l.Service == "controlplane" && l.Op == "register":
		return registered
	case l.Service == "axiom" && l.Op == "ingest" && l.TokenName == secretToken:
		return delivered
	}
	return ""
}
