package timeline

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/journal"
)

// words keeps what the programs of a unit said last, now that one has ended; where none has
// its name, the line right before, of whoever says that something went wrong.
func (b *BootLog) words(ended spoken) {
	unit := ended.ev.Unit
	if unit == "" || b.heard >= mostHeard {
		return
	}
	found := false
	for who, spoke := range b.last {
		if who != unit && !speaksFor(who, unit) || who == usersManager && ended.ev.Change.ExitCode != "exited" { // one that runs was killed
			continue
		}
		for _, s := range spoke.last() {
			b.says(s, unit, "")
			found = true
		}
		delete(b.last, who)
	}
	s := b.before
	ident := s.ev.Evidence.Text
	apart := ended.ev.Evidence.Line - s.ev.Evidence.Line
	near := s.src == ended.src && max(apart, -apart) <= 2 && !s.wall.Before(ended.wall.Add(-2*time.Second))
	if !found && near && ended.ev.Kind == Exit && (ended.ev.Change.Command == commands["main"] || ended.ev.Change.Command == commands["control"] && max(apart, -apart) == 1 && !b.ended[unit]) && !slices.Contains(neverOurs, ident) && !strings.HasPrefix(ident, "systemd") && s.ev.Unit == "" && !b.ofAnother(ident, unit) {
		said := []spoken{s}
		if spoke := b.last[ident]; spoke != nil && !wentWrong.MatchString(s.ev.Text) { // an error that is explained has its words above
			said = spoke.last()
		}
		for _, s := range said {
			if wentWrong.MatchString(s.ev.Text) && !s.wall.Before(ended.wall.Add(-longAgo)) {
				b.says(s, unit, "("+ident+", right before) ")
			}
		}
	}
	b.before = spoken{src: -1}
}

// ofAnother: who speaks so has a unit of his own, of which PID 1 has spoken.
func (b *BootLog) ofAnother(ident, unit string) bool {
	for name := range b.named {
		if name != unit && strings.HasSuffix(name, ".service") && speaksFor(ident, name) {
			return true
		}
	}
	return false
}

// speaker has what a program said last, in a ring: what of it counts is looked at when one
// has ended, for most never do.
type speaker struct {
	lines []spoken
	next  int // the oldest, once there are stillLast
}

func (p *speaker) speak(s spoken) {
	if len(p.lines) < stillLast {
		p.lines = append(p.lines, s)
		return
	}
	p.lines[p.next] = s
	p.next = (p.next + 1) % stillLast
}

// last are its last lines, and before them those that say what went wrong, for an error that
// is explained has its words above the explanation.
func (p *speaker) last() []spoken {
	all := slices.Concat(p.lines[p.next:], p.lines[:p.next])
	older := max(0, len(all)-lastSaid)
	wrong := slices.DeleteFunc(slices.Clone(all[:older]), func(s spoken) bool { return !wentWrong.MatchString(s.ev.Text) })
	return append(wrong[max(0, len(wrong)-complains):], all[older:]...)
}

// statusWords are the words that follow on what systemctl status says of a unit that failed:
// its own lines stand below the state.
func (b *BootLog) statusWords() {
	n := len(b.said)
	for _, s := range slices.Clone(b.said) {
		if s.status && s.ev.Kind == Failed {
			b.words(s)
		}
	}
	for i := n; i < len(b.said); i++ { // they stand after what was later
		b.said[i].wall, b.said[i].hasMono = time.Time{}, false
	}
}

// longAgo: what was said so long before a unit ended is not of it.
const longAgo = 10 * time.Second

func (b *BootLog) says(s spoken, unit, by string) {
	ident := s.ev.Evidence.Text
	s.ev.Unit, s.ev.Kind, s.ev.Text, s.quoted = unit, Log, by+s.ev.Text, true
	b.heard++
	b.keep(s, ident)
}

var (
	// neverOurs speak at any time, of anything.
	neverOurs = []string{"", "kernel", "audit", "auditd", "dbus-daemon", "cron", "CRON", "crond", "sshd", "sudo", "su", "login", "rsyslogd", "NetworkManager", "dhclient", "dhcpcd", "polkitd", "chronyd", "ntpd", "vector"}
	wentWrong = regexp.MustCompile(`(?i)\b(error|fatal|panic|failed|failure|cannot|can't|could not|unable|refused|denied|invalid|no such|not found|does not exist|not supported|not permitted|missing|undefined|exception)\b`)
)

// StatusSays is before what a program told PID 1 of how it is, where systemctl status has it.
const StatusSays = journal.StatusSays

// usersManager is under what a user's manager is heard, which has systemd's name.
const usersManager = "user@"

// managerEnds is what a user's manager says that cannot begin, of which PID 1 says that
// user@.service failed.
var managerEnds = regexp.MustCompile(`^Failed to (?:allocate manager object|determine supported controllers|create \S+ control group|realize cgroup)|^Trying to run as user instance, but`)

// speaksFor: a program of that name is the unit's, as far as names go.
func speaksFor(ident, unit string) bool {
	dot := strings.LastIndexByte(unit, '.')
	if dot < 0 {
		return false
	}
	name, kind := unit[:dot], unit[dot+1:]
	name, _, _ = strings.Cut(name, "@")
	switch {
	case len(ident) < 3 || name == "" || ident == "systemd" || ident == "sudo":
		return false
	case kind == "mount":
		return ident == "mount"
	case kind == "swap":
		return ident == "swapon"
	}
	return ident == name || ident == name+"d" || len(name) > 3 && strings.HasPrefix(ident, name) || len(ident) > 3 && strings.HasPrefix(name, ident+"-") || strings.HasPrefix(ident, name+"-") || len(ident) == 15 && strings.HasPrefix(name, ident) // the kernel cuts comm
}
