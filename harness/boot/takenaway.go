package boot

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// TakenAway is that Vector ran with the vault's values, and then they were taken from it.
type TakenAway struct {
	Moment               // when vector.env lost them, or where it did not, Vector was started without them
	InFile bool          // vector.env lost them
	Loaded time.Duration // since when Vector had them
	By     string        // the subject's unit that did so, as far as can be seen
}

// TakenAway is the last time that what was right was undone. Not ok: Vector has the values at
// the end, or never had them.
func (b Facts) TakenAway(s Setup) (u TakenAway, ok bool) {
	v, runs := b.RunningVector().First()
	wanted := b.Wanted(s)
	if !runs || len(wanted) == 0 || len(wanted.Differing(v.Vars)) == 0 {
		return u, false
	}
	isReal, loading, loaded, sent := false, false, false, false
	for _, ev := range b.Events {
		if ev.Untimed || ev.At > v.Start {
			continue
		}
		switch {
		case ev.Kind == timeline.EnvFile && ev.File.Path == VectorEnv:
			if ev.File.Size < 0 && ev.File.Op != "remove" {
				continue // gone before it could be looked at
			}
			was := isReal
			isReal = ev.File.Op != "remove" && len(wanted.Differing(ev.File.Vars)) == 0
			if was && !isReal && loaded {
				u.Moment, u.InFile = Moment{ev.At, ev.Evidence}, true
			}
		case ev.Kind == timeline.Request:
			if ingested(ev.Call) && s.WithToken(ev.Call) {
				sent = true
				if !loaded && isReal {
					loaded, u.Loaded = true, ev.At
				}
			}
		case ev.Unit != Vector:
		case ev.Kind == timeline.Starting:
			loading = isReal
		case ev.Kind == timeline.Started && loading && !loaded:
			loaded, u.Loaded = true, ev.At
		}
	}
	// Without a change of the file only what Vector sent shows that it had the values.
	if !loaded || !u.InFile && !sent {
		return TakenAway{}, false
	}
	if !u.InFile {
		u.Moment = Moment{v.Start, v.Evidence}
	}
	u.By = b.doer(s.SubjectUnits, u.At)
	return u, true
}

// Stale are the variables in which a process has what the vault had in the boot before, and
// has no longer.
func (b Facts) Stale(s Setup, p timeline.Process) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(b.Wanted(s))) {
		if had, ok := s.EnvBefore[name]; ok && had != s.EnvDigests[name] && p.Vars[name] == had {
			out = append(out, name)
		}
	}
	return out
}

// aboutThen is how far the moment at which something was due may be from the one at which
// it was seen to have happened.
const aboutThen = 3 * time.Second

// doer is the unit that did something to vector.env or Vector at that moment: the subject's
// that ran then and began last, else one that was due then.
func (b Facts) doer(subject []string, at time.Duration) string {
	var running []string
	for _, ev := range b.Events {
		if ev.Untimed || ev.At > at || !slices.Contains(subject, ev.Unit) {
			continue
		}
		switch ev.Kind {
		case timeline.Starting, timeline.Started:
			running = slices.DeleteFunc(running, func(u string) bool { return u == ev.Unit })
			if !strings.HasPrefix(ev.Text, "Finished ") { // a oneshot is over then
				running = append(running, ev.Unit)
			}
		case timeline.Succeeded, timeline.Failed, timeline.Stopped, timeline.StartFailed:
			running = slices.DeleteFunc(running, func(u string) bool { return u == ev.Unit })
		}
	}
	due := ""
	for _, p := range b.Final.Pending {
		if p.Waited && p.Due > 0 && p.Due-at < aboutThen && at-p.Due < aboutThen {
			due = p.Unit
		}
	}
	services := slices.DeleteFunc(running, func(u string) bool { return !strings.HasSuffix(u, ".service") })
	if slices.Contains(services, due) || len(services) == 0 {
		return cmp.Or(due, last(services))
	}
	return last(services)
}

func last(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}

// StillToCome are the things of the subject that may still have happened after the end of
// the case, each once: those that wait for a change, and those that were due too late.
func (b Facts) StillToCome() []timeline.Pending {
	var out []timeline.Pending
	latest := b.lastAsked()
	for _, p := range b.Final.Pending {
		if !p.Waited && p.Seen == latest && !slices.ContainsFunc(out, func(o timeline.Pending) bool { return o.Unit == p.Unit }) {
			out = append(out, p)
		}
	}
	return out
}

// NothingToCome reports whether the subject, and with it PID 1, has nothing left to do by itself
// before that moment.
func (b Facts) NothingToCome(before time.Duration) bool {
	return b.Final.Asked && b.Missing[timeline.Pendings] == "" && len(b.Final.Jobs) == 0 &&
		!slices.ContainsFunc(b.Final.Pending, func(p timeline.Pending) bool {
			return !p.Waited && p.Seen == b.lastAsked() && p.Due > 0 && p.Due < before
		})
}

// lastAsked is when the machine was asked for the last time what may still happen.
func (b Facts) lastAsked() (last time.Duration) {
	for _, p := range b.Final.Pending {
		last = max(last, p.Seen)
	}
	return last
}

// restlessFor is for how long a process must have been awake whenever it was looked at to be one
// that never rests, and awake how soon it goes on by itself then.
const restlessFor, awake = 15 * time.Second, 100 * time.Millisecond

// Restless are the processes that were at work whenever the machine was asked after the delivery,
// to the last: each as it was then, with the first moment and how often it was looked at.
func (b Facts) Restless() (out []Restless) {
	seen := map[int]*Restless{}
	var order []*Restless
	for _, p := range b.Final.Pending {
		if p.Process == 0 {
			continue
		}
		r := seen[p.Process]
		if r == nil {
			r = &Restless{Since: p.Seen}
			seen[p.Process], order = r, append(order, r)
		}
		r.Unit, r.How = p.Unit, p.How
		r.rests = r.rests || p.Due == 0 || p.Due-p.Seen > awake
		r.Until, r.Looks = p.Seen, r.Looks+1
	}
	for _, r := range order {
		if !r.rests && r.Until == b.lastAsked() && r.Looks > 2 && r.Until-r.Since >= restlessFor {
			out = append(out, *r)
		}
	}
	return out
}

// Restless is a process that was never seen to rest.
type Restless struct {
	Unit, How    string
	Since, Until time.Duration
	Looks        int

	rests bool
}
