package timeline

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/journal"
)

// Timeline is the boot, as far as the log shows it. What it does not show stands in Missing.
func (b *BootLog) Timeline() Timeline {
	b.managers()
	b.statusWords()
	b.limits()
	b.said = slices.DeleteFunc(b.said, func(s spoken) bool {
		same := func(o spoken) bool { return !o.status && o.ev.Unit == s.ev.Unit && o.ev.Kind == s.ev.Kind }
		i := -1
		if s.status {
			i = slices.IndexFunc(b.said, same)
		}
		if i >= 0 { // before 236 the journal has the result in no word, and a line may be cut
			c := &b.said[i].ev.Change
			c.Result, c.ExitStatus = cmp.Or(c.Result, s.ev.Change.Result), cmp.Or(c.ExitStatus, s.ev.Change.ExitStatus)
		}
		return i >= 0
	})
	b.enteredFailed()
	ns := namesIn(b.said)
	for _, r := range b.log.Files {
		for what, unit := range r.Described {
			ns.learn(what, unit)
		}
	}
	services := map[string]bool{}
	for _, s := range b.said {
		if strings.HasSuffix(s.ev.Unit, ".service") {
			services[s.ev.Unit] = true
		}
	}
	for i := range b.said {
		s := &b.said[i]
		if s.what == "" || s.ev.Unit != "" {
			continue
		}
		if s.ev.Unit = ns.unit(s.what, s.ev.Kind == StartFailed && s.ev.Change.JobResult == "failed"); s.ev.Unit == "" {
			if s.ev.Unit = s.what; services[s.what+".service"] { // described by its name
				s.ev.Unit += ".service"
			}
		}
	}
	b.ownPIDFiles()
	end := b.clockOf()
	b.once()
	t := Timeline{Case: cmp.Or(b.log.Host, "boot"), Missing: map[string]string{}, Versions: map[string]string{}, Origin: &b.log, End: end}
	first := true
	for _, s := range b.said {
		t.Events = append(t.Events, s.ev)
		if s.ev.Untimed {
			continue
		}
		t.End = max(t.End, s.ev.At)
		if !s.ev.Manager {
			continue
		}
		if first {
			b.log.First, first = s.ev.At, false
		}
		b.log.Last = max(b.log.Last, s.ev.At)
	}
	slices.SortStableFunc(t.Events, func(x, y Event) int {
		return cmp.Or(b2i(y.Untimed)-b2i(x.Untimed), cmp.Compare(x.At, y.At))
	})
	t.Final = b.final()
	b.missing(&t)
	b.said, b.last, b.managed = nil, nil, nil
	return t
}

// limits: a status' word of a start limit is later than the failure that the journal below it has.
func (b *BootLog) limits() {
	for i := range b.said {
		s := &b.said[i]
		if s.status && s.ev.Kind == Failed && strings.HasPrefix(s.ev.Change.Result, "start-limit") && slices.ContainsFunc(b.said, func(o spoken) bool {
			return !o.status && o.ev.Unit == s.ev.Unit && o.ev.Kind == Failed && !strings.HasPrefix(o.ev.Change.Result, "start-limit")
		}) {
			s.ev.Kind, s.ev.Change = Refused, Change{}
		}
	}
}

// enteredFailed: a service of 229 to 232 that entered its failed state and whose result, said
// right after, is not in the log.
func (b *BootLog) enteredFailed() {
	results := map[string]bool{}
	for _, s := range b.said {
		if s.ev.Kind == Failed {
			results[s.ev.Unit] = true
		}
	}
	for i := range b.said {
		if s := &b.said[i]; s.ev.Kind == Log && s.ev.Manager && !results[s.ev.Unit] && strings.HasPrefix(s.ev.Text, s.ev.Unit+": Unit entered failed state") {
			s.ev.Kind = Failed
		}
	}
}

// pidFile is what PID 1 said of a service's PID file before 240, without the service's name.
var pidFile = regexp.MustCompile(`^(?:Failed to read PID from file (\S+): |PID file (\S+) not readable)`)

// ownPIDFiles gives such a sentence to the service that the file is called after.
func (b *BootLog) ownPIDFiles() {
	for i := range b.said {
		m := pidFile.FindStringSubmatch(b.said[i].ev.Text)
		if m == nil || b.said[i].ev.Unit != "" {
			continue
		}
		for _, s := range b.said {
			if name, ok := strings.CutSuffix(s.ev.Unit, ".service"); ok && strings.Contains(m[1]+m[2], "/"+name) {
				b.said[i].ev.Unit = s.ev.Unit
				break
			}
		}
	}
}

// twice is how far apart the same sentence is in two files of one boot: a console and a
// journal have PID 1's words both.
const twice = 2 * time.Second

// once leaves out what another file of the boot has as well.
func (b *BootLog) once() {
	if len(b.log.Files) < 2 {
		return
	}
	type word struct {
		src int
		at  time.Duration
	}
	said := map[string][]word{} // what is kept, with its time
	timed := map[string]bool{}  // by any file
	for _, s := range b.said {
		timed[sentence(s)] = timed[sentence(s)] || !s.ev.Untimed
	}
	b.said = slices.DeleteFunc(b.said, func(s spoken) bool {
		key := sentence(s)
		switch {
		case !s.ev.Manager:
			return false
		case s.ev.Untimed:
			return timed[key]
		}
		again := slices.ContainsFunc(said[key], func(w word) bool { return w.src != s.src && (w.at-s.ev.At).Abs() <= twice })
		if !again {
			said[key] = append(said[key], word{s.src, s.ev.At})
		}
		return again
	})
}

// sentence is what PID 1 says without the console's word in brackets.
func sentence(s spoken) string {
	if s.ev.Status != "" {
		return strings.TrimPrefix(s.ev.Text, "["+s.ev.Status+"] ")
	}
	return s.ev.Text
}

// managers tells PID 1 with a forwarder's PID from the managers of users, whose units are not
// the machine's.
func (b *BootLog) managers() {
	drop, users := map[int]bool{}, map[string][]spoken{}
	for _, m := range b.managed {
		if !m.user && (m.system || len(m.others) > 1) {
			b.log.Said += len(m.held)
			b.log.Relayed = true
			for _, i := range m.held {
				if b.said[i].ev.Kind == Finished {
					b.log.Finished = b.said[i].ev.Text
				}
			}
			continue
		}
		for _, i := range m.held {
			drop[i] = true
			users[b.said[i].ev.Unit] = append(users[b.said[i].ev.Unit], b.said[i])
			b.ofUser(b.said[i].ev.Text)
		}
		if len(b.log.Users) == 0 && len(m.held) > 0 {
			b.log.Users = append(b.log.Users, "")
		}
	}
	if len(drop) == 0 {
		return
	}
	for i, s := range b.said { // PID 1 has a unit of that name, too
		if !drop[i] && !s.child && s.ev.Manager {
			delete(users, s.ev.Unit)
		}
	}
	for i, s := range b.said { // a child of a user's manager
		drop[i] = drop[i] || s.child && slices.ContainsFunc(users[s.ev.Unit], func(u spoken) bool { return !far(s, u) })
	}
	var kept []spoken
	for i, s := range b.said {
		if !drop[i] {
			kept = append(kept, s)
		}
	}
	b.said = kept
}

// final is what systemd-analyze and systemctl say of units.
func (b *BootLog) final() Final {
	f := Final{Units: map[string]Unit{}}
	for _, r := range b.log.Files {
		for _, name := range sortedKeys(r.Units) {
			u := r.Units[name]
			ev := Evidence{File: r.Name, Line: u.Line, Text: name}
			if u.Took > 0 {
				b.log.Took = append(b.log.Took, Took{Unit: name, Up: u.Up, Took: u.Took, Evidence: Evidence{File: r.Name, Line: u.Line, Text: fmt.Sprintf("%s took %s", name, u.Took)}})
			}
			if u.Gap > 0 {
				b.log.Gaps = append(b.log.Gaps, Gap{name, u.Behind, u.Gap, Evidence{File: r.Name, Line: u.Line, Text: fmt.Sprintf("%s is up %s after %s", name, u.Gap, u.Behind)}})
			}
			if u.Active != "" {
				ev.Text = name + " " + u.Active + "/" + u.Sub
				of := Unit{ID: name, Load: u.Load, Active: u.Active, Sub: u.Sub, LogLevelMax: Debug, Evidence: ev}
				if u.Disabled {
					of.FileState = "disabled"
				}
				if u.Unmet != "" {
					of.Unmet = []string{u.Unmet}
				}
				if u.TriggeredBy != "" {
					of.TriggeredBy = []string{u.TriggeredBy}
				}
				f.Units[name] = of
			}
			if action, state, ok := strings.Cut(u.Job, " "); ok {
				ev.Text = name + " " + u.Job
				f.Jobs = append(f.Jobs, Job{Unit: name, Type: action, State: state, Evidence: ev})
			}
		}
	}
	return f
}

// missing says what a log does not show, by the source that a recording has it from.
func (b *BootLog) missing(t *Timeline) {
	l := &b.log
	maps.Copy(t.Missing, map[string]string{
		Units: "a log has not what the units were at the end", Jobs: "a log has not which jobs were queued at the end", Manager: "a log has not what PID 1 was told to log",
		Cloud: "a host's log has not what the cloud was asked and answered", Files: "a log has not what was in the files", Processes: "a log has not the programs that ran, with their environment",
		Leaks: "nobody searched the machine for secrets", Host: "a log has not how busy the host was",
	})
	for _, r := range l.Files {
		if r.AllUnits {
			delete(t.Missing, Units)
			delete(t.Missing, Jobs)
		}
	}
	var why []string
	for _, f := range l.Files {
		for _, fault := range f.Faults {
			if len(l.Files) > 1 {
				fault = f.Name + ": " + fault
			}
			why = append(why, fault)
		}
	}
	switch {
	case l.Said == 0 && len(l.Users) > 0:
		why = append(why, "no line of PID 1: what systemd says in it is a user's manager")
	case l.Said == 0 && len(l.Took) > 0:
		why = append(why, "no line of PID 1: how long starts took is all there is")
	case l.Said == 0:
		why = append(why, "no line of PID 1")
	case !l.Begins && l.Kernel && !l.NoClock && l.First > 0:
		why = append(why, fmt.Sprintf("no line of PID 1 before %s", Since(l.First)))
	case !l.Begins:
		why = append(why, "PID 1's first words are not in it, and nothing before them")
	}
	if l.Lost = b.lost; b.lost > 0 {
		why = append(why, fmt.Sprintf("%d lines of PID 1 more than the %d that are kept of a boot", b.lost, most))
	}
	if l.Finished == "" && l.Said > 0 {
		why = append(why, "it ends before PID 1 says that startup is finished")
	}
	for _, ev := range t.Of(Suppressed) {
		if ev.Unit == "init.scope" {
			why = append(why, "journald dropped messages of PID 1")
			break
		}
	}
	if l.Backwards {
		why = append(why, "the newest line is first: what is of one second may be in another order")
	}
	if len(why) > 0 {
		t.Missing[Journal] = strings.Join(why, "; ")
	}
	if !l.Begins && !b.onConsole() {
		t.Missing[Console] = "what PID 1 says before journald runs is not in it"
	}
	if l.NoClock {
		t.Missing[Manifest] = "its lines have no time"
	}
}

func (b *BootLog) onConsole() bool {
	return slices.ContainsFunc(b.log.Files, func(r journal.Report) bool { return r.Forms[journal.Console] > 0 && r.Forms[journal.Kernel] > 0 })
}
