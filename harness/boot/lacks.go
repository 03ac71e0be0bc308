package boot

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// Lack is something that a real machine has and a container has not, where a unit shows it.
type Lack struct {
	Unit string // empty: the image as a whole
	What string // a sentence
	// Needed: Vector or the populator needs the unit.
	Needed bool
	// Affected are the unit, and those that do not start without it.
	Affected []string
	Evidence timeline.Evidence
}

// Asked is what files of an image ask of the kernel or of hardware, and a container ignores
// without a word.
type Asked struct {
	What string `json:"what"` // a sentence
	// Mount is the directory that would be mounted, After the unit that does it: who needs
	// either needs this.
	Mount string `json:"mount,omitempty"`
	After string `json:"after,omitempty"`
	// Starts are the units that it would start, separated by blanks.
	Starts string `json:"starts,omitempty"`
	// Idle: it would be carried out on a machine of any kind by a program that the image has not.
	Idle bool `json:"idle,omitempty"`
	// Hint: it lacks nothing, and may be why nobody asked for credentials; Of whose that is,
	// empty: no unit's of the subject.
	Hint bool   `json:"hint,omitempty"`
	Of   string `json:"of,omitempty"`
	// Boot: a real boot does not get far without it.
	Boot bool `json:"boot,omitempty"`
}

// Lacks are those that a unit of the subject, Vector or the worker met.
func (b Facts) Lacks(s Setup) []Lack {
	theirs := append(slices.Clone(s.SubjectUnits), Vector, Worker+".service")
	chain := b.chain(s)
	var out []Lack
	add := func(l Lack, alone bool) {
		l.Affected = b.requiring(l.Unit)
		l.Needed = slices.ContainsFunc(l.Affected, func(u string) bool { return chain[u] })
		if alone && s.Populator == "" && !b.askedCloud() { // it may be the one that would
			l.Needed = true
		}
		out = append(out, l)
	}
	for _, id := range theirs {
		u, alone := b.Final.Units[id], id != Vector && slices.Contains([]string{".service", ".timer", ".path", ".socket"}, path.Ext(id))
		switch skipped := u.InactiveExit == 0 && u.Active != "active"; {
		case skipped && (u.Condition > 0 || u.Assert > 0) && NotHere(u.Unmet):
			how := "is skipped here"
			if u.Assert > 0 {
				how = "does not start here"
			}
			add(Lack{Unit: id, What: fmt.Sprintf("%s %s, for %s", id, how, strings.Join(u.Unmet, ", ")), Evidence: u.Evidence}, alone)
		case skipped && len(u.WantedBy) > 0 && all(u.WantedBy, isDevice):
			add(Lack{Unit: id, What: fmt.Sprintf("%s starts with %s, and there are no devices here", id, strings.Join(u.WantedBy, ", ")), Evidence: u.Evidence}, alone)
		case skipped && startedBy(s.Image, id) != "":
			add(Lack{Unit: id, What: fmt.Sprintf("%s does not start here: %s", id, startedBy(s.Image, id)), Evidence: u.Evidence}, alone)
		case u.Active == "active" && hereOnly(u.Held):
			add(Lack{Unit: id, What: fmt.Sprintf("%s runs here only, for %s", id, strings.Join(u.Held, ", ")), Evidence: u.Evidence}, false)
		}
	}
	for _, id := range theirs {
		if u := b.Final.Units[id]; u.MemoryUncounted > u.MemoryMax && u.MemoryMax > 0 {
			add(Lack{Unit: id, What: fmt.Sprintf("%s may have %d KiB of memory (MemoryMax=) and has %d, for which a real worker ends it: this host has no memory controller", id, u.MemoryMax>>10, u.MemoryUncounted>>10), Evidence: u.Evidence}, id != Vector)
		}
	}
	for _, ev := range b.Events {
		unsupported := ev.Kind == timeline.StartFailed && ev.Change.JobResult == Unsupported || ev.Kind == timeline.OnConsole && ev.Status == "UNSUPP"
		if unsupported && slices.Contains(theirs, ev.Unit) && !slices.ContainsFunc(out, func(l Lack) bool { return l.Unit == ev.Unit }) {
			add(Lack{Unit: ev.Unit, What: fmt.Sprintf("%s is of a kind that systemd does not start in a container", ev.Unit), Evidence: ev.Evidence}, false)
		}
	}
	for _, id := range theirs {
		if ev, ok := b.networked(id); ok {
			add(Lack{Unit: id, What: fmt.Sprintf("%s has the machine's network here, and none on a real worker: PrivateNetwork=yes is more than a container may do", id), Evidence: ev.Evidence}, false)
			if s.Populator == "" && b.ranAtRequest(id) { // it may be the one that fetches, as it can here
				out[len(out)-1].Needed = true
			}
		}
	}
	for _, id := range s.SubjectUnits {
		if what, ev, ok := b.azureOnly(id); ok {
			add(Lack{Unit: id, What: what, Evidence: ev.Evidence}, false)
			out[len(out)-1].Needed = true // nobody came to the vault
		}
	}
	for _, f := range b.Failures().All {
		if what := b.beyond(f); what != "" && slices.Contains(theirs, f.Unit) && !b.holdsBoot(f.Unit) {
			add(Lack{Unit: f.Unit, What: what, Evidence: f.Evidence[0]}, f.Unit != Vector)
			if s.Populator == "" && f.Unit != Vector && b.ranAtRequest(f.Unit) { // it is the one that fetches
				out[len(out)-1].Needed = true
			}
		}
	}
	return slices.Concat(out, b.devices(chain), b.asked(s, chain))
}

// networked: the unit's program runs with the network that it was not to have. systemd says
// so and goes on, where it has no CAP_NET_ADMIN (its exec_invoke).
func (b Facts) networked(unit string) (timeline.Event, bool) {
	i := slices.IndexFunc(b.Events, func(ev timeline.Event) bool {
		return strings.HasPrefix(ev.Text, unit+": PrivateNetwork=yes is configured, but")
	})
	if i < 0 {
		return timeline.Event{}, false
	}
	return b.Events[i], true
}

// ranAtRequest: a program of the unit's ran when the cloud was asked for credentials.
func (b Facts) ranAtRequest(unit string) bool {
	runs := false
	for _, ev := range b.Events {
		switch {
		case ev.Kind == timeline.Request:
			if runs && ForCredentials(ev.Call) {
				return true
			}
		case ev.Unit != unit || ev.Untimed:
		case ev.Kind == timeline.Starting, ev.Kind == timeline.Started:
			runs = !strings.HasPrefix(ev.Text, "Finished ") // a oneshot is over then
		case slices.Contains([]timeline.Kind{timeline.Exit, timeline.Succeeded, timeline.Failed, timeline.Stopped}, ev.Kind):
			runs = false
		}
	}
	return false
}

func all(list []string, is func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !is(s) })
}

func isDevice(unit string) bool { return strings.HasSuffix(unit, ".device") }

// askedCloud: something fetched, or tried to.
func (b Facts) askedCloud() bool {
	return slices.ContainsFunc(b.Of(timeline.Request), func(ev timeline.Event) bool { return ForCredentials(ev.Call) })
}

// chain are the units without which credentials do not come to Vector: what it, the
// populator and the worker ask for, and what starts them, all the way. That one comes
// after another is an order, no need.
func (b Facts) chain(s Setup) map[string]bool {
	in := map[string]bool{Vector: true, Worker + ".service": true}
	if s.Populator != "" {
		in[s.Populator] = true
	}
	for grown := true; grown; {
		grown = false
		take := func(id string) {
			// Every unit asks for basic.target, which asks for half the machine.
			if !in[id] && (!strings.HasSuffix(id, ".target") || slices.Contains(s.SubjectUnits, id)) {
				in[id], grown = true, true
			}
		}
		for id, u := range b.Final.Units {
			for _, by := range slices.Concat(u.RequiredBy, u.WantedBy, u.BoundBy, u.UpheldBy) {
				if in[by] {
					take(id)
				}
			}
			if in[id] {
				for _, by := range u.TriggeredBy {
					take(by)
				}
			}
		}
	}
	return in
}

// requiring are a unit and those that do not start without it.
func (b Facts) requiring(unit string) []string {
	out := []string{unit}
	for i := 0; i < len(out); i++ {
		u := b.Final.Units[out[i]]
		more := slices.Concat(u.RequiredBy, u.BoundBy)
		for id, other := range b.Final.Units {
			if slices.Contains(other.TriggeredBy, out[i]) {
				more = append(more, id)
			}
		}
		slices.Sort(more)
		for _, id := range more {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// holdsBoot: without the unit the boot ends in emergency mode. That is a failure of its
// own, whoever has not brought the disk: a worker has none but its own.
func (b Facts) holdsBoot(unit string) bool {
	return slices.ContainsFunc(b.requiring(unit), func(u string) bool {
		return slices.Contains([]string{"local-fs.target", "sysinit.target", "basic.target"}, u)
	})
}

// devices are those that somebody waits for in vain.
func (b Facts) devices(chain map[string]bool) []Lack {
	var out []Lack
	for id, u := range b.Final.Units {
		affected := b.requiring(id)
		if !isDevice(id) || u.Active == "active" || len(affected) == 1 || b.holdsBoot(id) {
			continue
		}
		out = append(out, Lack{Unit: id, What: fmt.Sprintf("%s waits for %s, and there are no devices here", affected[1], id), Affected: affected,
			Needed: slices.ContainsFunc(affected, func(u string) bool { return chain[u] }), Evidence: u.Evidence})
	}
	slices.SortFunc(out, func(x, y Lack) int { return strings.Compare(x.Unit, y.Unit) })
	return out
}

// startedBy is what of the image would start the unit; empty: nothing.
func startedBy(image []Asked, unit string) string {
	for _, a := range image {
		if slices.Contains(strings.Fields(a.Starts), unit) {
			return a.What
		}
	}
	return ""
}

// asked are those of the image that somebody needs, and the others.
func (b Facts) asked(s Setup, chain map[string]bool) []Lack {
	var out []Lack
	for _, a := range s.Image {
		if a.Hint {
			continue
		}
		l := Lack{What: a.What, Needed: a.Boot}
		for id := range chain {
			u := b.Final.Units[id]
			onMount := a.Mount != "" && slices.ContainsFunc(u.MountsFor, func(dir string) bool { return dir == a.Mount || strings.HasPrefix(dir, a.Mount+"/") })
			if onMount || a.After != "" && slices.Contains(u.After, a.After) {
				l.Needed, l.What = true, a.What+", which "+id+" needs"
				break
			}
		}
		out = append(out, l)
	}
	return out
}
