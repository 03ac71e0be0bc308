package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
)

var reload = []row{
	{name: "a SIGHUP with nothing changed", source: only56, want: both("alive, says so, [a b]"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") })
		p.signal(syscall.SIGHUP)
		l.until(func() bool { return p.log.has("Vector has reloaded.") })
		l.journal("b")
		l.until(func() bool { return l.axiom.took("b") })
		return fmt.Sprintf("%s, %s, %v", p.alive(), says(p.log.String(), "Vector has reloaded."), l.axiom.messages())
	}},
	{name: "a SIGHUP tells what it did", source: only56, want: both("says so"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		p := l.start()
		p.runs()
		p.signal(syscall.SIGHUP)
		l.until(func() bool { return p.log.has("Vector has reloaded.") })
		return says(p.log.String(), "New configuration loaded successfully.")
	}},
	{name: "a SIGHUP with another token", source: "documented: vector.dev/docs/administration/management, reloading", want: both("alive, Bearer one, Bearer two"), play: func(l *lab) string {
		l.config(pipeline{token: "one"}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") })
		l.config(pipeline{token: "two"}.String())
		p.signal(syscall.SIGHUP)
		l.until(func() bool { return p.log.has("Vector has reloaded.") })
		l.journal("b")
		l.until(func() bool { return l.axiom.took("b") })
		seen := p.alive()
		for _, r := range l.axiom.requests() {
			seen += ", " + r.headers.Get("Authorization")
		}
		return seen
	}},
	{name: "a SIGHUP with a configuration that is refused", source: "documented: vector.dev/docs/administration/management, reloading", want: both("alive, [a b]"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") })
		l.config("sources: [\n")
		p.signal(syscall.SIGHUP)
		l.until(func() bool { return p.log.has("ERROR") })
		l.journal("b")
		l.until(func() bool { return l.axiom.took("b") })
		return fmt.Sprintf("%s, %v", p.alive(), l.axiom.messages())
	}},
}

// storm is what is said of batches that are refused one after another.
func storm(l *lab) *process {
	l.axiom.answer(always(http.StatusUnauthorized))
	l.config(pipeline{}.String())
	p := l.start()
	p.runs()
	for i := range 4 {
		l.journal(fmt.Sprint("line ", i))
		if !l.until(func() bool { return len(l.axiom.requests()) == i+1 }) {
			return p
		}
	}
	l.until(func() bool { return p.log.has("Not retriable; dropping the request.] is being suppressed") })
	return p
}

var stamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z {1,2}(TRACE|DEBUG|INFO|WARN|ERROR) `)

// told are those of the phrases that the log has, in the order in which it has them.
func told(log string, phrases ...string) string {
	var seen []string
	for _, p := range phrases {
		if i := strings.Index(log, p); i >= 0 {
			seen, log = append(seen, p), log[i+len(p):]
		} else {
			seen = append(seen, "not: "+p)
		}
	}
	return strings.Join(seen, " | ")
}

// life is the log of a start and an end.
func life(phrases ...string) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") })
		p.stops()
		return told(p.log.String(), phrases...)
	}
}

var (
	begins = []string{"INFO vector::app: Log level is enabled. level=\"info\"", "INFO vector::app: Loading configs. paths=[\"", "INFO vector::topology::running: Running healthchecks.",
		"INFO vector: Vector has started. debug=\"false\" version=\"0."}
	follows = []string{"INFO source{component_kind=\"source\" component_id=j component_type=journald}: vector::sources::journald: Starting journalctl."}
	ends    = []string{"INFO vector::signal: Signal received. signal=\"SIGTERM\"", "INFO vector: Vector is stopping.", "INFO vector: Vector has stopped."}
	ends58  = []string{"Shutting down... Waiting on running components. remaining_components=\"", "INFO vector: Vector has stopped.", "INFO vector::app: All components shut down gracefully."}
)

var logs = []row{
	{name: "a start", source: measured, want: both(strings.Join(begins, " | ")), play: life(begins...)},
	{name: "journalctl", source: measured, want: both(strings.Join(follows, " | ")), play: life(follows...)},
	{name: "an end", source: measured, want: both(strings.Join(ends, " | ")), play: life(ends...)},
	{name: "an end, from 0.57", source: measured, want: want{v58: strings.Join(ends58, " | ")}, left: left{want{v58: strings.Join([]string{"not: " + ends58[0], ends58[1], "not: " + ends58[2]}, " | ")}, "it ends in the words of 0.56, and nothing reads these"}, play: life(ends58...)},
	{name: "each line begins with time and level", source: measured, want: both("each"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		p := l.start()
		p.runs()
		p.stops()
		for line := range strings.Lines(p.log.String()) {
			if !stamp.MatchString(line) {
				return line
			}
		}
		return "each"
	}},
	{name: "a batch that is dropped", source: measured, want: both("Not retriable; dropping the request. reason=\"Default retry strategy: Unauthorized\" | Service call failed. No retries or retries exhausted. error=None request_id=1 error_type=\"request_failed\" stage=\"sending\" | Events dropped intentional=false count=1 reason=\"Service call failed. No retries or retries exhausted.\""), play: func(l *lab) string {
		p := storm(l)
		return told(p.log.String(), "Not retriable; dropping the request. reason=\"Default retry strategy: Unauthorized\"",
			"Service call failed. No retries or retries exhausted. error=None request_id=1 error_type=\"request_failed\" stage=\"sending\"",
			"Events dropped intentional=false count=1 reason=\"Service call failed. No retries or retries exhausted.\"")
	}},
	{name: "a line that comes again is told once, and that it is left out", source: only56, want: both("told 1, left out 1"), play: func(l *lab) string {
		p := storm(l)
		return fmt.Sprintf("told %d, left out %d", p.log.count("Not retriable; dropping the request. reason="), p.log.count("Internal log [Not retriable; dropping the request.] is being suppressed to avoid flooding."))
	}},
	{name: "how often it was left out is told after ten seconds", source: only56, want: both("told, and the line again"), play: func(l *lab) string {
		p := storm(l)
		came := true
		for i := 0; came && !p.log.has("has been suppressed"); i++ {
			l.journal(fmt.Sprint("more ", i))
			came = l.until(func() bool { return len(l.axiom.requests()) == 5+i })
		}
		if !suppressed.MatchString(p.log.String()) {
			return "not told"
		}
		again := l.until(func() bool { return p.log.count("Not retriable; dropping the request. reason=") == 2 })
		return "told, " + yes(again, "and the line again")
	}},
	{name: "no secret", source: measured, want: both("not there"), play: func(l *lab) string {
		p := storm(l)
		return map[bool]string{true: "there", false: "not there"}[p.log.has("tok-0123456789")]
	}},
}

var suppressed = regexp.MustCompile(`Internal log \[Not retriable; dropping the request\.\] has been suppressed \d+ times\.`)
