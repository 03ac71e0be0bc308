package boot

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
	"bootrace/harness/timespan"
)

// Wait is a start that took long, or that the end of the log finds under way.
type Wait struct {
	Moment
	Unit    string
	Took    time.Duration
	Limit   string // as the console says it: "1min 30s", "no limit"
	Ongoing bool   // its end is not in the log
}

// running is a console's word on a job that has run for a while (systemd's manager.c).
var running = regexp.MustCompile(`(?:A start job is running for ?(.+?)|Job (\S+?…?)/?(?:s?t)?art running) \(([^()/]+) / ([^()]+)\)`)

// Waits are the starts that took at least that long, the longest first.
func (b Facts) LongStarts(least time.Duration) []Wait {
	var out []Wait
	begun := map[string]timeline.Event{}
	over := map[string]bool{}  // its process has ended, whatever the log has of that
	shown := map[string]bool{} // by systemctl: it failed, when is not said
	under := map[string]int{}  // of out, by what the console calls it
	for _, ev := range b.Events {
		switch ev.Kind {
		case timeline.Starting:
			over[ev.Unit] = false
			if _, have := begun[ev.Unit]; !have {
				begun[ev.Unit] = ev
			}
		case timeline.Started, timeline.StartFailed, timeline.Failed:
			if from, ok := begun[ev.Unit]; ok && !ev.Untimed && !from.Untimed && ev.At-from.At >= least {
				out = append(out, Wait{Moment: Moment{from.At, from.Evidence}, Unit: ev.Unit, Took: ev.At - from.At})
			}
			delete(begun, ev.Unit)
			shown[ev.Unit] = shown[ev.Unit] || ev.Untimed && ev.Kind == timeline.Failed
			for name, i := range under {
				if name == ev.Unit || shows(name, ev.Text) || foundAs(name, ev) {
					out[i].Ongoing, out[i].Unit = false, ev.Unit
				}
			}
		case timeline.Stopped:
			delete(begun, ev.Unit)
			for name, i := range under {
				out[i].Ongoing = out[i].Ongoing && name != ev.Unit && !shows(name, ev.Text)
			}
		case timeline.Finished: // no job is left
			clear(begun)
		case timeline.Log:
			if ev.Manager && strings.HasPrefix(ev.Text, "Switching root") { // the initrd's are over
				clear(begun)
			}
		case timeline.Exit:
			if ev.Change.Command == "ExecStart" && ev.Change.ExitStatus != "0" { // the start is over, whatever became of it
				over[ev.Unit] = true
			}
		case timeline.OnConsole:
			m := running.FindStringSubmatch(ev.Text)
			if m == nil {
				continue
			}
			name := m[1] + m[2]
			took, err := timespan.Parse(m[3])
			if err != nil {
				continue
			}
			i, have := known(under, name)
			if !have {
				i = len(out)
				out = append(out, Wait{Unit: whole(begun, name), Ongoing: true})
				under[name] = i
			}
			out[i].Moment, out[i].Took, out[i].Limit = Moment{ev.At, ev.Evidence}, max(took, out[i].Took), m[4]
		}
	}
	if b.Origin != nil && !b.Origin.NoClock {
		for unit, from := range begun {
			if left := b.End - from.At; !from.Untimed && !over[unit] && !shown[unit] && left >= least && !slices.ContainsFunc(out, func(w Wait) bool { return w.Unit == unit }) {
				out = append(out, Wait{Moment: Moment{from.At, from.Evidence}, Unit: unit, Took: left, Ongoing: true})
			}
		}
	}
	if b.Origin != nil {
		for _, t := range b.Origin.Took {
			if !slices.ContainsFunc(out, func(w Wait) bool { return w.Unit == t.Unit }) {
				out = append(out, Wait{Moment: Moment{max(0, t.Up-t.Took), t.Evidence}, Unit: t.Unit, Took: t.Took})
			}
		}
	}
	out = slices.DeleteFunc(out, func(w Wait) bool { return w.Took < least || strings.HasSuffix(w.Unit, ".device") && !w.Ongoing })
	slices.SortStableFunc(out, func(x, y Wait) int { return int(y.Took - x.Took) })
	return out
}

// makers are services that devices of a mapper, of an array or of a network come of.
var makers = regexp.MustCompile(`^(?:lvm2?-|lvm2-pvscan@|systemd-cryptsetup@|multipathd|mdadm|mdmonitor|iscsi|open-iscsi|dmraid|stratis|vdo|zfs-import)`)

// Makes: the device can come of the unit's start.
func (b Facts) Makes(unit, device string) bool {
	return strings.HasSuffix(device, ".device") && makers.MatchString(unit)
}

// Opens: the device is what the unit of systemd-cryptsetup@.service makes: it is called after it, and
// systemd-gpt-auto-generator(8) calls what is in its root partition by another name, too.
func Opens(unit, device string) bool {
	volume, ok := strings.CutPrefix(strings.TrimSuffix(unit, ".service"), "systemd-cryptsetup@")
	return ok && (device == "dev-mapper-"+volume+".device" || volume == "root" && device == `dev-gpt\x2dauto\x2droot.device`)
}

// foundAs: the device that a console calls so was found under another of its names, or under its
// model's and its label's.
func foundAs(name string, ev timeline.Event) bool {
	dev := name
	if strings.HasSuffix(name, ".device") {
		dev = pathOf(name)
	}
	if strings.HasSuffix(ev.Unit, ".device") {
		return pathOf(ev.Unit) == dev
	}
	return strings.Contains(ev.Text, "Found device ") && strings.HasPrefix(dev, "/dev/") && strings.HasSuffix(strings.TrimRight(ev.Text, "."), " "+path.Base(dev))
}

// pathOf is the path that a device's unit is called after.
func pathOf(device string) string {
	return "/" + strings.NewReplacer(`\x2d`, "-", "-", "/").Replace(strings.TrimSuffix(device, ".device"))
}

// halves of a description that a console has shortened in the middle; "?" is what is left of its
// ellipsis where the console knows no such character.
func halves(name string) (head, tail string, short bool) {
	return strings.Cut(strings.Replace(strings.Replace(name, "?", "…", 1), "...", "…", 1), "…") // "...": before 244
}

// shows: the sentence is about what the console calls so.
func shows(name, text string) bool {
	head, tail, short := halves(name)
	if !short {
		return strings.Contains(text, name)
	}
	if strings.Contains(text, name) {
		return true
	}
	return len(tail) > 5 && strings.Contains(text, head) && strings.HasSuffix(strings.TrimRight(text, ".… "), tail)
}

// known finds what was seen by another shortening of the same description.
func known(under map[string]int, name string) (i int, ok bool) {
	if i, ok = under[name]; ok {
		return i, true
	}
	head, tail, short := halves(name)
	for other, at := range under {
		h, t, s := halves(other)
		if short && s && len(h) > 3 && len(t) > 5 && len(tail) > 5 && (strings.HasPrefix(h, head) || strings.HasPrefix(head, h)) && (strings.HasSuffix(t, tail) || strings.HasSuffix(tail, t)) {
			return at, true
		}
	}
	return 0, false
}

// whole is the unit that is starting and that the console calls so, if there is one.
func whole(begun map[string]timeline.Event, name string) string {
	for unit, ev := range begun {
		if _, _, short := halves(name); short && shows(name, ev.Text) {
			return unit
		}
	}
	return name
}
