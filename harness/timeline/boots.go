package timeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/journal"
)

// LogFile is a file to read, by the name it is told by.
type LogFile struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// ReadLogs reads the files of one host. What is of one boot is one, whatever file it is in;
// boots are in the files' order. An error is of a file in which there is no boot; the others
// are read all the same.
func ReadLogs(ctx context.Context, files []LogFile) ([]*BootLog, error) {
	var boots []*BootLog
	var errs []error
	for src, f := range files {
		found, err := readLog(ctx, src, f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		boots = joined(boots, found)
	}
	return boots, errors.Join(errs...)
}

func readLog(ctx context.Context, src int, f LogFile) ([]*BootLog, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s := newSplitter(src, f.Name)
	order := forwards{give: s.give}
	report, err := journal.Read(ctx, in, f.Name, order.add)
	if err != nil {
		return nil, err
	}
	backwards := !order.known && order.backwards()
	order.end()
	if order.lost > 0 {
		report.Faults = append(report.Faults, fmt.Sprintf("the newest line is first, and there are %d more than the %d that are turned round", order.lost, mostHeld))
	}
	report.Faults = append(report.Faults, order.twice...)
	boots := s.all()
	if s.tooMany {
		report.Faults = append(report.Faults, fmt.Sprintf("more than %d boots: the first are told apart, the rest is not", maxBoots))
	}
	if len(boots) == 0 {
		boots = []*BootLog{newBootLog()}
	}
	for i, b := range boots {
		r := report
		if i < len(boots)-1 {
			r.Units = nil // what the units are is of the last
		}
		b.note(r)
		b.log.Backwards = backwards
	}
	return boots, nil
}

// maxBoots bounds what a file of boot marks makes of memory.
const maxBoots = 2000

// splitter tells the boots of a file apart: by the boot's ID, by journalctl's own mark, by the
// kernel's first line, and by its clock that begins anew.
type splitter struct {
	src     int
	name    string
	boots   []*BootLog
	byID    map[string]*BootLog
	now     *BootLog
	id      string
	begun   bool   // now has entries
	booted  bool   // now has had words of PID 1 or of the kernel's start
	done    string // PID 1's last word, which was that startup is finished: the same with another time is another boot's
	over    bool   // PID 1 has begun to end the machine: its first words again are another boot's
	mono    time.Duration
	tooMany bool
	hosts   map[string]*splitter // of a file of several: each host's own
	host    *splitter            // who spoke last
}

func newSplitter(src int, name string) *splitter {
	return &splitter{src: src, name: name, byID: map[string]*BootLog{}, hosts: map[string]*splitter{}}
}

// give takes an entry; of several hosts each has boots of its own, and a line without a host
// is of whoever spoke last.
func (s *splitter) give(e journal.Entry, several bool) {
	if !several {
		s.add(e)
		return
	}
	host := hostOf(short(e.Host))
	if s.hosts[host] == nil && host != "" && namesHost(e) {
		s.hosts[host] = newSplitter(s.src, s.name)
	}
	if s.hosts[host] != nil {
		s.host = s.hosts[host]
	}
	if s.host != nil {
		s.host.add(e)
	}
}

// namesHost: a forwarder may have put its own name or a program's before others' lines.
func namesHost(e journal.Entry) bool {
	return e.Fields != nil || strings.HasPrefix(e.Ident, "systemd") || e.Ident == "kernel"
}

// all are the boots of the file, host by host.
func (s *splitter) all() []*BootLog {
	boots := s.boots
	for _, host := range sortedKeys(s.hosts) {
		boots = append(boots, s.hosts[host].boots...)
		s.tooMany = s.tooMany || s.hosts[host].tooMany
	}
	return boots
}

// begins: the kernel's first line.
func begins(e journal.Entry) bool {
	return strings.HasPrefix(e.Message, "Linux version ") && (e.Ident == "kernel" || e.Form == journal.Kernel)
}

// monoBack is how far the kernel's clock may step back within a boot: lines of several
// processors and of the console's buffer come out of order.
const monoBack = 30 * time.Second

func (s *splitter) add(e journal.Entry) {
	starts := begins(e)
	of1 := e.Ident == "systemd" && e.PID <= 1
	finished := of1 && finishes(e.Message) && (e.HasMono || !e.Wall.IsZero())
	switch {
	case e.NewBoot:
		s.next(e.Boot)
		return
	case e.Boot != "":
		if s.now == nil || e.Boot != s.id {
			s.of(e.Boot)
		}
	case s.now == nil,
		starts && s.booted,
		e.HasMono && s.mono-e.Mono > monoBack && s.booted,
		finished && s.done != "" && s.done != e.Message,
		s.over && of1 && systemMode.MatchString(e.Message):
		s.next("")
	}
	s.begun = true
	if e.HasMono {
		s.mono = e.Mono
	}
	if starts || e.Ident == "systemd" {
		s.booted = true
	}
	if of1 {
		if s.done = ""; finished {
			s.done = e.Message
		}
		s.over = s.over || ends(e.Message)
	}
	s.now.add(s.src, s.name, e)
}

func finishes(msg string) bool {
	return strings.HasPrefix(msg, "Startup finished in ") && strings.Contains(msg, "userspace")
}

func ends(msg string) bool {
	return strings.HasPrefix(msg, "Shutting down") || strings.HasPrefix(msg, "Reached target ") &&
		(strings.Contains(msg, "Shutdown") || strings.Contains(msg, "shutdown.target") || strings.Contains(msg, "reboot.target") || strings.Contains(msg, "poweroff.target"))
}

// of goes to the boot with that ID, which entries of another may be between.
func (s *splitter) of(id string) {
	if b := s.byID[id]; b != nil {
		s.now, s.id = b, id
		return
	}
	if s.now != nil && s.id == id {
		return
	}
	s.next(id)
}

func (s *splitter) next(id string) {
	if s.now != nil && !s.begun { // a mark and the kernel's first line after it are one beginning
		s.id, s.now.log.Boot = id, id
		if id != "" {
			s.byID[id] = s.now
		}
		return
	}
	if len(s.boots) >= maxBoots {
		s.tooMany = true
		s.now = s.boots[len(s.boots)-1]
		return
	}
	s.now, s.id, s.begun, s.booted, s.done, s.over, s.mono = newBootLog(), id, false, false, "", false, 0
	s.now.log.Boot = id
	s.boots = append(s.boots, s.now)
	if id != "" {
		s.byID[id] = s.now
	}
}

// joined adds what another file has: to the boot that it is of, else as a boot of its own.
func joined(boots, found []*BootLog) []*BootLog {
	for _, f := range found {
		i := slices.IndexFunc(boots, func(b *BootLog) bool { return b.same(f, len(found) == 1 && len(boots) == 1) })
		if i < 0 {
			boots = append(boots, f)
			continue
		}
		boots[i].join(f)
	}
	return boots
}

// apart is how far from each other files of one boot are at most, where nothing but their
// clocks tells.
const apart = 6 * time.Hour

// same: the other is of this boot. Files that say nothing of which boot they are of are of
// the one that there is.
func (b *BootLog) same(o *BootLog, only bool) bool {
	switch {
	case b.log.Boot != "" && o.log.Boot != "":
		return b.log.Boot == o.log.Boot
	case !only || b.log.Host != "" && o.log.Host != "" && short(b.log.Host) != short(o.log.Host):
		return false
	}
	first, last, ok := b.walls()
	oFirst, oLast, ok2 := o.walls()
	if !ok || !ok2 {
		return true
	}
	if first.Year() == 0 || oFirst.Year() == 0 {
		first, last, oFirst, oLast = yearless(first), yearless(last), yearless(oFirst), yearless(oLast)
	}
	return oFirst.Sub(last) < apart && first.Sub(oLast) < apart
}

func short(host string) string { s, _, _ := strings.Cut(host, "."); return s }

func yearless(t time.Time) time.Time {
	return time.Date(0, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// walls are the first and the last time by the machine's clock.
func (b *BootLog) walls() (first, last time.Time, ok bool) {
	for _, s := range b.said {
		if s.wall.IsZero() {
			continue
		}
		if !ok || s.wall.Before(first) {
			first = s.wall
		}
		if !ok || s.wall.After(last) {
			last = s.wall
		}
		ok = true
	}
	return first, last, ok
}

// join takes over what the other has.
func (b *BootLog) join(o *BootLog) {
	for key, m := range o.managed {
		for i := range m.held {
			m.held[i] += len(b.said)
		}
		b.managed[key] = m
	}
	b.said = append(b.said, o.said...)
	maps.Copy(b.ends, o.ends)
	l := &b.log
	l.Files = append(l.Files, o.log.Files...)
	if l.Host == "" {
		l.Host = o.log.Host
	}
	if l.Boot == "" {
		l.Boot = o.log.Boot
	}
	if l.Finished == "" {
		l.Finished = o.log.Finished
	}
	l.Backwards = l.Backwards || o.log.Backwards
	l.Begins, l.Kernel, l.Said = l.Begins || o.log.Begins, l.Kernel || o.log.Kernel, l.Said+o.log.Said
	l.Users = append(l.Users, o.log.Users...)
	b.lost += o.lost
}

// ID is the boot's, where the log has it.
func (b *BootLog) ID() string { return b.log.Boot }
