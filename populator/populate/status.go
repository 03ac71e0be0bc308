package populate

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"bootrace/populator/roleenv"
	"bootrace/populator/vectorenv"
)

// said is what was told last, so that nothing is told twice.
type said struct{ status, log string }

// report tells the service manager and the journal what has changed.
func (l *loop) report() {
	if !l.ready {
		return
	}
	if status := l.status(); status != l.said.status {
		l.said.status = status
		if err := l.Notify.Status(status); err != nil {
			l.Log.Error("the service manager cannot be told", "error", err)
		}
	}
	if l.state == roleenv.HalfWritten && time.Since(l.unchanged) < l.Timing.Role.Settled {
		return // a script between two writes is no news
	}
	// The journal gets what happens, not when the next try is.
	if line, level := l.line(); line != l.said.log {
		l.said.log = line
		l.Log.Log(context.Background(), level, line)
	}
}

// status is the one line of systemctl status: what is in vector.env, and what
// is being waited for since when.
func (l *loop) status() string {
	line, _ := l.line()
	if next := l.nextTry(); !next.IsZero() {
		line += ", next try " + clock(next)
	}
	return line
}

func (l *loop) line() (string, slog.Level) {
	parts := []string{l.holds()}
	level := slog.LevelInfo
	if l.writeErr != nil {
		parts, level = append(parts, "vector.env cannot be written: "+l.writeErr.Error()), slog.LevelWarn
	}
	if trouble := l.trouble(); trouble != "" {
		parts, level = append(parts, "since "+clock(l.fetch.since)+": "+trouble), slog.LevelWarn
	}
	switch {
	case l.state == roleenv.NoVault:
		parts = append(parts, "there is no vault: "+l.role.Path+" names none; vector.env is left alone")
	case l.want.Vault == "" && l.state == roleenv.Absent:
		parts = append(parts, fmt.Sprintf("waiting since %s for %s or %s in %s", clock(l.seen), roleenv.WorkerEnv, roleenv.ServerEnv, l.Dir))
	case l.state == roleenv.HalfWritten:
		parts = append(parts, fmt.Sprintf("waiting since %s for %s: %s", clock(l.seen), l.role.Path, l.why))
	}
	switch r := l.reload; {
	case r.err != nil && r.owed:
		parts, level = append(parts, "since "+clock(r.since)+": "+r.err.Error()), slog.LevelWarn
	case r.done != "" && !r.owed:
		parts = append(parts, r.done+" "+clock(r.doneAt))
	}
	return strings.Join(parts, "; "), level
}

// holds says what vector.env is good for now.
func (l *loop) holds() string {
	switch {
	case l.current.Kind == vectorenv.Real && !l.delivered.IsZero():
		return fmt.Sprintf("vector.env has the secrets of key vault %s since %s", l.want.Vault, clock(l.delivered))
	case l.current.Kind == vectorenv.Real:
		return "vector.env has credentials from before"
	case l.current.Kind == vectorenv.Placeholder:
		return "vector.env is a stub"
	}
	return "there is no usable vector.env"
}

// trouble is why secrets are missing: each error once, secrets in the table's
// order, optional ones that are simply not there left out.
func (l *loop) trouble() string {
	var all []string
	last := ""
	for _, s := range vectorenv.Secrets() {
		err := l.fetch.errs[s.Name]
		if err == nil || !s.Required && missing(err) {
			continue
		}
		if text := err.Error(); text != last {
			all = append(all, text)
			last = text
		}
	}
	return strings.Join(all, "; ")
}

func (l *loop) nextTry() time.Time {
	if len(l.fetch.names) > 0 && !l.fetch.running && !l.fetch.since.IsZero() {
		return l.fetch.next
	}
	if l.reload.owed && !l.reload.running && l.reload.err != nil {
		return l.reload.next
	}
	return time.Time{}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
