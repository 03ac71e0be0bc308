package populate

import (
	"maps"
	"time"

	"bootrace/populator/vectorenv"
)

// writeReal writes vector.env for the role that is wanted, once every required
// secret is there.
func (l *loop) writeReal(now time.Time) {
	if !l.stale {
		return
	}
	values, ok := l.real()
	if !ok {
		l.stale = false // takeAnswers says when there is more to write
		return
	}
	if now.Before(l.writeNext) {
		l.at(l.writeNext)
		return
	}
	if l.write(values) {
		l.stale = false
		l.delivered = now
		return
	}
	l.at(l.writeNext)
}

// real is what vector.env is to be, if the required secrets are known. What
// this time could not be found out stays as it was.
func (l *loop) real() (map[string]string, bool) {
	values := map[string]string{}
	keep := func(name string) {
		old := l.current.Values[name]
		if l.current.Kind == vectorenv.Real && old != "" && old != vectorenv.Unknown {
			values[name] = old
		}
	}
	for _, s := range vectorenv.Secrets() {
		value, known := l.fetch.values[s.Name]
		switch {
		case known:
			values[s.Variable] = value
		case s.Required:
			return nil, false
		case !l.foreign && !lost(l.fetch.errs[s.Name]):
			keep(s.Variable)
		}
	}
	if values[vectorenv.CellID] == "" {
		delete(values, vectorenv.CellID)
		if l.want.CellID != "" {
			values[vectorenv.CellID] = l.want.CellID
		}
	}
	if l.want.Region != "" {
		values[vectorenv.Region] = l.want.Region
	}
	if ip := l.HostIP(); ip != "" {
		values[vectorenv.HostIP] = ip
	} else {
		keep(vectorenv.HostIP)
	}
	return vectorenv.Complete(values), true
}

// write replaces vector.env and notes that Vector does not have it yet.
func (l *loop) write(values map[string]string) bool {
	data, err := vectorenv.Render(values)
	if err == nil {
		// Before the file: if this process dies in between, the next one
		// reloads once too often, not once too seldom.
		changed := !maps.Equal(values, l.current.Values)
		if changed && l.ready {
			l.owe()
		}
		if _, err = l.File.Write(data); err == nil && changed {
			l.reload.owed = true
			l.reload.round++
			l.reload.next = time.Time{}
		}
	}
	if err != nil {
		l.writeErr = err
		l.writeNext = time.Now().Add(l.Timing.WriteAgain)
		return false
	}
	l.writeErr = nil
	l.current = l.File.Read()
	return true
}

// owe leaves a note for a process after this one.
func (l *loop) owe() {
	if err := l.Owed.Set(); err != nil {
		l.Log.Warn("no note for a restart of this unit can be left", "error", err)
	}
}
