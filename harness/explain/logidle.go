package explain

import (
	"maps"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// notRunning names the services of which somebody has asked systemctl, and which do not run; of a
// boot that is in the log it is a note.
func notRunning(b boot.Facts) string {
	if booting(b) || b.Up() != "" {
		return ""
	}
	var out []string
	for _, u := range askedIdle(b) {
		if !strings.HasSuffix(u.ID, ".service") || slices.ContainsFunc(b.Of(timeline.Started), func(ev timeline.Event) bool {
			return ev.Unit == u.ID && strings.HasPrefix(ev.Text, "Finished ") // a oneshot, which is through
		}) || len(u.TriggeredBy) > 0 && len(u.Unmet) == 0 { // what triggers it is up
			continue
		}
		out = append(out, idleWords(u)+whyIdle(u))
	}
	return strings.Join(out, "; ")
}

// whyIdle is why systemctl's own words have it that a unit does not run.
func whyIdle(u timeline.Unit) string {
	switch {
	case u.Load == notFound:
		return "; systemd has no unit of that name"
	case len(u.Unmet) > 0:
		return "; its last start was skipped, for " + strings.Join(u.Unmet, ", ") + " was not met"
	case u.FileState == "disabled":
		return "; it is disabled, so that no target starts it at boot"
	}
	return ""
}

// notFound is LoadState= of a unit that has no file.
const notFound = "not-found"

// mostAsked is how many units somebody asks for at most; more are a list of all.
const mostAsked = 3

// askedIdle are the units that somebody asked for, and that are inactive, by name.
func askedIdle(b boot.Facts) []timeline.Unit {
	var out []timeline.Unit
	for _, name := range slices.Sorted(maps.Keys(b.Final.Units)) {
		if u := b.Final.Units[name]; u.Active == "inactive" && len(b.Final.Units) <= mostAsked {
			out = append(out, u)
		}
	}
	return out
}

func idleWords(u timeline.Unit) string {
	if u.Load == notFound {
		return u.ID + " is not there, as systemctl has it"
	}
	return u.ID + " is " + u.Active + "/" + u.Sub + ", as systemctl has it"
}
