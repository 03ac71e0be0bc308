package timeline

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// names learns which unit a description is of: up to 247 PID 1 says "Failed to start Foo
// Daemon." and no name, beside sentences that have the name and no description.
type names struct {
	known map[string]string
	votes map[string]map[string]int
}

func (ns *names) learn(description, unit string) {
	if description == "" || unit == "" {
		return
	}
	if ns.known == nil {
		ns.known = map[string]string{}
	}
	if len(ns.known) < 20_000 {
		ns.known[description] = unit
	}
}

// vote weighs that a sentence with a description stands beside one with a name.
func (ns *names) vote(description, unit string, weight int) {
	if alike(description, unit) {
		weight += 3
	}
	if ns.votes == nil {
		ns.votes = map[string]map[string]int{}
	}
	if ns.votes[description] == nil {
		ns.votes[description] = map[string]int{}
	}
	ns.votes[description][unit] += weight
}

// unit is the description's; empty: not known. Nothing of a target can fail by itself: what did
// is called alike.
func (ns *names) unit(description string, failed bool) string {
	if unit := ns.known[description]; unit != "" && !(failed && strings.HasSuffix(unit, ".target")) {
		return unit
	}
	best, most := "", 1
	for _, unit := range sortedKeys(ns.votes[description]) {
		if n := ns.votes[description][unit]; n > most {
			best, most = unit, n
		}
	}
	return best
}

// alike: the unit's name has a word of the description.
func alike(description, unit string) bool {
	name := strings.ToLower(unit[:strings.LastIndexByte(unit, '.')])
	for _, word := range strings.FieldsFunc(strings.ToLower(description), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if len(word) > 2 && strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// wholly: the description has each part of the unit's name.
func wholly(description, unit string) bool {
	for _, part := range strings.FieldsFunc(strings.ToLower(unit[:strings.LastIndexByte(unit, '.')]), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if !strings.Contains(strings.ToLower(description), part) {
			return false
		}
	}
	return true
}

// inCommon is how many parts of the unit's name the description has; of a name of several, one
// is none.
func inCommon(description, unit string) int {
	n := 0
	parts := strings.FieldsFunc(strings.ToLower(unit[:strings.LastIndexByte(unit, '.')]), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	for _, part := range parts {
		if len(part) > 2 && strings.Contains(strings.ToLower(description), part) {
			n++
		}
	}
	if n == 1 && len(parts) > 1 {
		return 0
	}
	return n
}

// namesIn goes through what was said for sentences side by side.
func namesIn(said []spoken) *names {
	ns := &names{}
	for _, s := range said {
		ns.learn(s.what, s.ev.Unit)
	}
	ns.nested(said)
	wanting := map[string]bool{} // units that PID 1 names as not started for want of another
	for _, s := range said {
		if s.ev.Kind == StartFailed && s.ev.Change.JobResult == "dependency" && s.ev.Unit != "" && s.what == "" && strings.Contains(s.ev.Unit, ".") {
			wanting[s.ev.Unit] = true
		}
	}
	pointed := map[string]bool{} // units that a console says to ask systemctl status for
	for _, s := range said {
		if s.ev.Kind == OnConsole && strings.HasSuffix(s.ev.Text, ": see systemctl status") {
			pointed[s.ev.Unit] = true
		}
	}
	for i, s := range said {
		if s.what == "" || s.ev.Unit != "" {
			continue
		}
		switch s.ev.Kind {
		case StartFailed:
			for unit := range pointed {
				if n := inCommon(s.what, unit); n > 1 && s.ev.Change.JobResult == "failed" {
					ns.vote(s.what, unit, n)
				}
			}
			if s.ev.Change.JobResult == "dependency" { // names and descriptions are in two lists
				for unit := range wanting {
					if n := inCommon(s.what, unit); n > 0 {
						ns.vote(s.what, unit, n)
					}
				}
				continue
			}
			ns.beside(said, i, -1, map[Kind]int{Failed: 2, Refused: 2, Exit: 1, StartFailed: 1, Log: 1})
			ns.beside(said, i, 1, map[Kind]int{Failed: 2, StartFailed: 2, Refused: 1, OnConsole: 4})
		case Stopped, Started:
			ns.beside(said, i, -1, map[Kind]int{Restart: 2})
			ns.beside(said, i, 1, map[Kind]int{Refused: 2})
			if s.ev.Kind == Stopped && i > 0 && said[i-1].ev.Kind == Failed && strings.Contains(said[i-1].ev.Unit, ".") && wholly(s.what, said[i-1].ev.Unit) {
				ns.beside(said, i, -1, map[Kind]int{Failed: 2})
			}
			if i > 1 && said[i-1].what == s.what { // restart scheduled, stopped, started
				ns.beside(said, i-1, -1, map[Kind]int{Restart: 2})
			}
		}
	}
	return ns
}

// nested pairs descriptions with names: PID 1 says "Dependency failed for What." as it goes
// down from a unit to those that want it, and "a.service: Job a.service/start failed …" as it
// comes back, so that the last that was said is named first.
func (ns *names) nested(said []spoken) {
	var open []string
	whole := false // as many names follow as there were descriptions
	for i, s := range said {
		if s.ev.Kind != StartFailed || s.ev.Change.JobResult != "dependency" || !s.ev.Manager {
			continue
		}
		last := len(open) - 1
		if s.what != "" {
			whole = false
			if last < 0 || open[last] != s.what { // a console has it once more
				open = append(open, s.what)
			}
			if s.ev.Unit != "" {
				ns.learn(s.what, s.ev.Unit)
			}
			continue
		}
		if last < 0 || s.ev.Unit == "" {
			continue
		}
		if !whole {
			whole = namesFrom(said[i:]) == len(open)
		}
		what := open[last]
		open = open[:last]
		other := slices.ContainsFunc(open, func(o string) bool { return alike(o, s.ev.Unit) })
		switch unit := ns.known[what]; {
		case unit != "" && unit != s.ev.Unit, unit == "" && other && !alike(what, s.ev.Unit) && !whole:
			open = nil // lines are missing
		case unit == "":
			ns.learn(what, s.ev.Unit)
		}
	}
}

// namesFrom is how many units in a row are named as not started for want of another.
func namesFrom(said []spoken) (n int) {
	for _, s := range said {
		if s.ev.Kind != StartFailed || s.ev.Change.JobResult != "dependency" || s.what != "" {
			break
		}
		n++
	}
	return n
}

var besideFailed = regexp.MustCompile(`entered failed state|ailed to (?:run|spawn) '`)

// far: PID 1 says what is of one failure in a breath; a slow console takes longer.
func far(a, b spoken) bool {
	away := a.wall.Sub(b.wall)
	switch {
	case a.hasMono && b.hasMono:
		away = a.mono - b.mono
	case a.wall.IsZero() || b.wall.IsZero():
		return false
	}
	return away.Abs() > 3*time.Second
}

func (ns *names) beside(said []spoken, i, step int, weights map[Kind]int) {
	j := i + step
	if j < 0 || j >= len(said) || said[j].src != said[i].src || said[j].ev.Unit == "" || !strings.Contains(said[j].ev.Unit, ".") {
		return
	}
	if said[j].ev.Kind == StartFailed && said[j].ev.Change.JobResult == "dependency" { // what came of it
		return
	}
	if far(said[i], said[j]) && !alike(said[i].what, said[j].ev.Unit) || said[j].what != "" && said[j].what != said[i].what { // another failure
		return
	}
	w := weights[said[j].ev.Kind]
	if said[j].ev.Kind == Log && besideFailed.MatchString(said[j].ev.Text) { // nobody else's sentence
		w = 2
	}
	if w > 0 {
		ns.vote(said[i].what, said[j].ev.Unit, w)
	}
}
