package timeline

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"

	"bootrace/harness/recording"
)

// maxFile bounds a file as it lies on disk, maxJournal the journal unpacked.
const (
	maxFile    = 256 << 20
	maxJournal = 1 << 30
)

// Read reads a recording directory. It returns an error only when there is no
// manifest to begin with; everything else that is wrong stands in Missing.
func Read(fsys fs.FS) (Timeline, error) {
	m, err := recording.ReadManifest(fsys)
	if err != nil {
		return Timeline{}, fmt.Errorf("recording: %w", err)
	}
	r := reader{fsys: fsys, m: m, zero: time.Duration(m.BootZeroMono), t: Timeline{
		Case: m.Case, End: time.Duration(m.EndMono - m.BootZeroMono), Missing: map[string]string{}, Versions: m.Versions,
		Secrets: m.Secrets, Exited: m.ContainerExit, Cut: m.Cut, StartedAt: time.UnixMicro(m.BootRealtime).UTC(),
	}}
	maps.Copy(r.t.Missing, m.Missing)
	r.spread()
	switch {
	case m.BootZeroMono <= 0 || m.EndMono <= m.BootZeroMono:
		r.t.NoClock = fmt.Sprintf("zero %d ns, end %d ns", m.BootZeroMono, m.EndMono)
		r.miss(Manifest, "no boot clock: "+r.t.NoClock)
	case m.ContainerExit == nil: // of one that has ended, the boot began when the engine started it
		r.t.NoClock = m.Missing[recording.MissingClock]
	}
	r.sources()
	r.t.rename()
	slices.SortStableFunc(r.t.Events, func(a, b Event) int {
		return cmp.Or(b2i(b.Untimed)-b2i(a.Untimed), cmp.Compare(a.At, b.At),
			cmp.Compare(rank[a.Evidence.File], rank[b.Evidence.File]), cmp.Compare(a.Evidence.Line, b.Evidence.Line))
	})
	return r.t, nil
}

// spread lays what the recorder missed on the files that suffer from it: it
// names steps and the collector's own files where those failed.
func (r *reader) spread() {
	collected := []string{Journal, Units, Jobs, Manager, Files, Processes, Leaks}
	for step, files := range map[string][]string{
		recording.MissingClock: {Manifest}, recording.CollectedJournal: {Journal}, recording.MissingSync: {Journal}, recording.MissingCollection: collected,
	} {
		for _, name := range files {
			if why, ok := r.m.Missing[step]; ok {
				r.miss(name, step+": "+why)
			}
		}
	}
}

// rank orders events of the same instant.
var rank = map[string]int{Console: 0, Journal: 1, Cloud: 2}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

type reader struct {
	fsys fs.FS
	m    recording.Manifest
	zero time.Duration
	t    Timeline
}

func (r *reader) sources() {
	t := &r.t
	r.source(Journal, func(in io.Reader, d *damage) {
		zr, err := gzip.NewReader(in)
		if err != nil {
			d.say(fmt.Sprintf("not gzip: %v", err))
			return
		}
		lim := &io.LimitedReader{R: zr, N: maxJournal}
		events, removed := readJournal(lim, r.zero, d)
		if start := time.Duration(r.m.StartMono - r.m.BootZeroMono); r.m.StartMono > 0 {
			n := slices.IndexFunc(events, func(ev Event) bool { return ev.At >= start })
			if n < 0 {
				n = len(events)
			}
			if r.m.Down > 0 {
				t.Before = slowestStop(events[:n], start)
				t.Before.Down = r.m.Down
			}
			events = slices.DeleteFunc(events[n:], func(ev Event) bool { return ev.At < start })
		}
		t.Events, t.Removed = append(t.Events, events...), removed
		if lim.N == 0 {
			d.say(fmt.Sprintf("more than %d bytes unpacked", maxJournal))
		}
	})
	r.source(Console, func(in io.Reader, d *damage) { t.Events = append(t.Events, readConsole(in, d)...) })
	r.source(Cloud, func(in io.Reader, d *damage) { t.Events = append(t.Events, readCloud(in, r.zero, d)...) })
	r.source(Units, func(in io.Reader, d *damage) { t.Final.Units = readUnits(in, r.zero, d) })
	r.source(Jobs, func(in io.Reader, d *damage) { t.Final.Jobs = readJobs(in, d) })
	r.source(Manager, func(in io.Reader, d *damage) {
		m := readManager(in, d)
		t.Final.SystemState, t.Final.LogLevel, t.Final.LogTarget = m["SystemState"], levelNamed(m["LogLevel"]), m["LogTarget"]
		t.Final.Generators = stamp(m["GeneratorsFinishTimestampMonotonic"], r.zero) - stamp(m["GeneratorsStartTimestampMonotonic"], r.zero)
	})
	r.source(Files, func(in io.Reader, d *damage) { t.Final.Files = readFiles(in, d) })
	r.source(Processes, func(in io.Reader, d *damage) { t.Final.Processes = readProcesses(in, r.zero, d) })
	r.source(Leaks, func(in io.Reader, d *damage) { t.Final.Leaks, t.Final.Unwatched = readLeaks(in, d) })
	r.listed(Room, func(in io.Reader, d *damage) { t.Final.Room = readRoom(in, d) })
	r.listed(Journald, func(in io.Reader, d *damage) { t.Final.Journald = readJournald(in, d) })
	r.listed(Config, func(in io.Reader, d *damage) { t.Final.Pipeline, t.Final.Unread = readConfig(in, d) })
	r.listed(Pendings, func(in io.Reader, d *damage) { t.Final.Pending, t.Final.Asked = readPending(in, r.zero, d), true })
	// A manager that says warnings only has nothing to say of a boot in which all is well.
	if t.Missing[Journal] == noManager && t.Final.LogLevel >= Warning && t.Final.LogLevel < Info {
		delete(t.Missing, Journal)
	}
	r.source(Host, func(in io.Reader, d *damage) { t.Host = readHost(in, r.zero, d) })
}

// listed is a source that older recordings have not.
func (r *reader) listed(name string, parse func(io.Reader, *damage)) {
	if _, listed := r.m.Files[name]; listed {
		r.source(name, parse)
	}
}

func (r *reader) source(name string, parse func(io.Reader, *damage)) {
	data, err := readFile(r.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.t.Missing[name] == "" { // else the recorder said why
			r.miss(name, "not in the recording")
		}
		return
	case err != nil:
		r.miss(name, err.Error())
		return
	}
	want, listed := r.m.Files[name]
	switch sum := sha256.Sum256(data); {
	case !listed:
		r.miss(name, "not listed in the manifest")
	case int64(len(data)) != want.Size:
		r.miss(name, fmt.Sprintf("%d bytes where the manifest has %d", len(data), want.Size))
	case hex.EncodeToString(sum[:]) != want.SHA256:
		r.miss(name, "not the bytes the manifest was made for")
	}
	var d damage
	parse(bytes.NewReader(data), &d)
	if d.cut && name != Console { // a console ends with a prompt
		d.say("ends in the middle of a line")
	}
	if s := d.String(); s != "" {
		r.miss(name, s)
	}
}

// miss keeps the recorder's own reason in front: it was there.
func (r *reader) miss(name, why string) {
	if have := r.t.Missing[name]; have != "" {
		why = have + "; " + why
	}
	r.t.Missing[name] = why
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read %s: larger than %d bytes", name, maxFile)
	}
	return data, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// slowestStop is the unit that took the longest of those that were stopped. One that never
// was stopped did so until the end.
func slowestStop(events []Event, end time.Duration) Before {
	slowest := Before{Evidence: Evidence{File: Manifest, Line: 1, Text: "down_ns"}}
	began := map[string]Event{}
	note := func(id string, at time.Duration) {
		if from, ok := began[id]; ok && at-from.At > slowest.For {
			slowest = Before{Held: id, For: at - from.At, Evidence: from.Evidence}
		}
		delete(began, id)
	}
	for _, ev := range events {
		switch ev.Kind {
		case Stopping:
			began[ev.Unit] = ev
		case Stopped, Failed, Starting:
			note(ev.Unit, ev.At)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(began)) {
		note(id, end)
	}
	return slowest
}
