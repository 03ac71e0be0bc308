package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
)

// notFor answers so as often, and then 200.
func notFor(n, status int) func(request, int) int {
	return func(_ request, times int) int {
		if times < n {
			return status
		}
		return http.StatusOK
	}
}

var retries = []row{
	{name: "for as long as it takes", source: only56, want: both("a [503 503 503 503 200], one at a time, the same each time"), play: func(l *lab) string {
		l.axiom.answer(notFor(4, http.StatusServiceUnavailable))
		l.config(pipeline{}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		requests := l.axiom.requests()
		same := !slices.ContainsFunc(requests, func(r request) bool { return r.body != requests[0].body })
		return fmt.Sprintf("a %v, %s, %s", l.axiom.fates()["a"], yes(l.axiom.most == 1, "one at a time"), yes(same, "the same each time"))
	}},
	{name: "Retry-After is not looked at", source: only56, want: both("a [429 200]"), play: func(l *lab) string {
		l.axiom.headers["Retry-After"] = "3600"
		l.axiom.answer(notFor(1, http.StatusTooManyRequests))
		l.config(pipeline{}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		return fmt.Sprintf("a %v", l.axiom.fates()["a"])
	}},
	{name: "so many attempts and no more", source: reference("configuration/sinks/axiom"), want: both("a [503 503], b [200]"), play: func(l *lab) string {
		l.axiom.answer(func(r request, _ int) int {
			if strings.Contains(r.body, `"message":"a"`) {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		l.config(pipeline{sink: "    request: {retry_attempts: 1}\n"}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return p.log.has("dropping the request.") })
		l.journal("b")
		l.until(func() bool { return l.axiom.took("b") })
		return fmt.Sprintf("a %v, b %v", l.axiom.fates()["a"], l.axiom.fates()["b"])
	}},
	{name: "nobody listens", source: only56, want: both("alive, retrying, says so"), play: unreachable(refusing, "Connection refused (os error 111)")},
	{name: "what was tried while nobody listened arrives when somebody does", source: only56, want: both("alive, retrying, then [a b c d]"), play: func(l *lab) string {
		address, hear := l.deaf()
		l.config(pipeline{url: "http://" + address, sink: disk}.String())
		l.journal("a", "b", "c", "d")
		p := l.start()
		l.until(func() bool { return p.log.has("Retrying after error.") })
		seen := fmt.Sprintf("%s, %s", p.alive(), yes(p.log.has("Retrying after error."), "retrying"))
		late := unstarted()
		_ = late.Listener.Close()
		late.Listener = hear()
		late.Start()
		l.t.Cleanup(late.stop)
		l.until(func() bool { return len(late.messages()) >= 4 })
		return fmt.Sprintf("%s, then %v", seen, late.messages())
	}},
	{name: "a name that does not resolve", source: only56, want: both("alive, retrying, says so"), play: unreachable("https://nosuch.invalid", "dns error: failed to lookup address information")},
	{name: "a request that is not answered is given up and sent again", source: "measured: slow of behaviours.py, told in FINDINGS.md", want: both("a [0 200]"),
		slow: "it is given up after 60 s", play: func(l *lab) string {
			l.axiom.answer(notFor(1, hang))
			l.config(pipeline{}.String())
			l.journal("a")
			l.start()
			for range 4 { // patience is for what takes no time
				if l.until(func() bool { return l.axiom.took("a") }) {
					break
				}
			}
			return fmt.Sprintf("a %v", l.axiom.fates()["a"])
		}},
	{name: "a request that is not answered in the time that is set", source: reference("configuration/sinks/axiom"), want: both("a [0 200]"), play: func(l *lab) string {
		l.axiom.answer(notFor(1, hang))
		l.config(pipeline{sink: "    request: {timeout_secs: 1}\n"}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		return fmt.Sprintf("a %v", l.axiom.fates()["a"])
	}},
	{name: "a connection that breaks off is tried again", source: "documented: vector.dev/docs/reference/configuration/sinks/axiom, request: connection errors are retried", want: both("a [-1 200]"), play: func(l *lab) string {
		l.axiom.answer(notFor(1, breakOff))
		l.config(pipeline{}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		return fmt.Sprintf("a %v", l.axiom.fates()["a"])
	}},
}

// unreachable is what it says of an endpoint that cannot be reached.
func unreachable(url, phrase string) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{url: url}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return p.log.has("Retrying after error.") })
		return fmt.Sprintf("%s, %s, %s", p.alive(), yes(p.log.has("Retrying after error."), "retrying"), says(p.log.String(), phrase))
	}
}

// quick is the shortest time to drain.
const quick = "--graceful-shutdown-limit-secs=1"

// refusedThen starts on an endpoint that refuses, ends it so, and tells what arrives once it is started on one that answers.
func refusedThen(sink string, end func(*lab, *process) string, args ...string) func(*lab) string {
	return func(l *lab) string {
		l.config(pipeline{url: refusing, sink: sink}.String())
		l.journal("a", "b", "c", "d")
		p := l.start(args...)
		l.until(func() bool { return l.checkpoint() == "s=1;i=3\n" && p.log.has("Retrying after error.") })
		ended := end(l, p)
		l.config(pipeline{sink: sink}.String())
		l.start()
		l.until(func() bool { return len(l.arguments()) == 2 })
		l.journal("new")
		l.until(func() bool { return l.axiom.took("new") })
		arguments := l.arguments()
		from := arguments[len(arguments)-1]
		return fmt.Sprintf("%s; %v, %s", ended, sorted(l.axiom.messages()), from[strings.LastIndex(from, " ")+1:])
	}
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func terminated(_ *lab, p *process) string { return p.stops() }

func killed(_ *lab, p *process) string {
	p.kill()
	return "killed"
}

var restarts = []row{
	{name: "a disk buffer outlives a SIGTERM", source: measured, want: both("exit 0; [a b c d new], --after-cursor=s=1;i=3"), play: refusedThen(disk, terminated, quick)},
	{name: "a memory buffer does not", source: measured, want: both("exit 0; [new], --after-cursor=s=1;i=3"), play: refusedThen("", terminated, quick)},
	{name: "a disk buffer outlives a SIGKILL", source: only56, want: both("killed; [a b c d new], --after-cursor=s=1;i=3"), play: refusedThen(disk, killed)},
	{name: "a dead endpoint costs the whole time to drain", source: measured, want: both("exit 0, after 60 s"), slow: "it takes 60 s", play: func(l *lab) string {
		l.config(pipeline{url: refusing}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return p.log.has("Retrying after error.") })
		told := time.Now()
		seen := p.stops()
		if took := time.Since(told); took < time.Minute-time.Second {
			return fmt.Sprintf("%s, after %s", seen, took)
		}
		return seen + ", after 60 s"
	}},
	{name: "a second signal does not wait", source: reference("cli"), want: both("exit 0"), play: func(l *lab) string {
		l.config(pipeline{url: refusing}.String())
		l.journal("a")
		p := l.start("--no-graceful-shutdown-limit")
		l.until(func() bool { return p.log.has("Retrying after error.") })
		p.signal(syscall.SIGTERM)
		l.until(func() bool { return p.log.has("Vector is stopping.") || p.log.has("Vector has stopped.") })
		return p.stops()
	}},
	{name: "with nothing to drain a SIGTERM ends it", source: measured, want: both("exit 0"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start("--no-graceful-shutdown-limit")
		l.until(func() bool { return l.axiom.took("a") })
		return p.stops()
	}},
	{name: "a SIGINT as well", source: reference("cli"), want: both("exit 0"), play: func(l *lab) string {
		l.config(pipeline{}.String())
		p := l.start("--no-graceful-shutdown-limit")
		p.runs()
		p.signal(syscall.SIGINT)
		return p.ends()
	}},
	{name: "what is not yet sent is sent before the end", source: reference("cli"), want: both("exit 0, [a]"), play: func(l *lab) string {
		l.config(pipeline{batch: "    batch: {timeout_secs: 3600}\n", sink: disk}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.checkpoint() != "" })
		return fmt.Sprintf("%s, %v", p.stops(), l.axiom.messages())
	}},
	{name: "nothing comes twice after a SIGTERM", source: measured, want: both("[a b]"), play: func(l *lab) string {
		l.config(pipeline{sink: disk}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") && l.checkpoint() != "" })
		p.stops()
		l.journal("b")
		l.start()
		l.until(func() bool { return l.axiom.took("b") })
		return fmt.Sprint(l.axiom.messages())
	}},
	{name: "a full memory buffer holds the source back", source: reference("configuration/sinks/axiom"), want: both("all 1200, each once"), play: func(l *lab) string {
		l.axiom.answer(notFor(1, http.StatusServiceUnavailable))
		l.config(pipeline{batch: "    batch: {max_events: 400, timeout_secs: 0.1}\n", sink: "    buffer: {type: memory, max_events: 500, when_full: block}\n"}.String())
		var want []string
		for i := range 1200 {
			want = append(want, fmt.Sprintf("%04d", i))
		}
		l.journal(want...)
		l.start()
		l.until(func() bool { return len(l.axiom.messages()) >= len(want) })
		if got := l.axiom.messages(); !slices.Equal(sorted(got), want) {
			return fmt.Sprintf("%d, not all", len(got))
		}
		return "all 1200, each once"
	}},
}
