package conformance

import (
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// first is what a row says of the first request, once a line has arrived.
func first(p pipeline, tell func(*lab, request) string) func(*lab) string {
	return func(l *lab) string {
		l.config(p.String())
		l.journal("line 0")
		run := l.start()
		if !l.until(func() bool { return l.axiom.took("line 0") || run.ended() }) || run.ended() {
			return "nothing arrives: " + run.alive()
		}
		return tell(l, l.axiom.request(0))
	}
}

func header(name string) func(*lab, request) string {
	return func(_ *lab, r request) string { return r.headers.Get(name) }
}

// shape is the event of one journal entry, byte for byte.
const shape = `{"PRIORITY":"6","SYSLOG_IDENTIFIER":"worker","_BOOT_ID":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","_PID":"42",` +
	`"_SOURCE_REALTIME_TIMESTAMP":"1795748320194806","_SYSTEMD_UNIT":"opensandbox-worker.service","__MONOTONIC_TIMESTAMP":"1000000",` +
	`"__REALTIME_TIMESTAMP":"1795748320194806","host":"w1","message":"line 0","source_type":"journald","timestamp":"2026-11-27T02:58:40.194806Z"}`

var delivery = []row{
	{name: "the path", source: measured, want: both("/v1/datasets/plat/ingest"), play: first(pipeline{}, func(_ *lab, r request) string { return r.path })},
	{name: "a url with a path is used as it is", source: reference("configuration/sinks/axiom"), want: both("/elsewhere"), play: first(pipeline{url: "@axiom@/elsewhere"}, func(_ *lab, r request) string { return r.path })},
	{name: "a url that ends in a slash has no path", source: reference("configuration/sinks/axiom"), want: both("/v1/datasets/plat/ingest"), play: first(pipeline{url: "@axiom@/"}, func(_ *lab, r request) string { return r.path })},
	{name: "the content type", source: measured, want: both("application/x-ndjson"), play: first(pipeline{}, header("Content-Type"))},
	{name: "the encoding", source: measured, want: both("zstd"), play: first(pipeline{}, header("Content-Encoding"))},
	{name: "the token", source: measured, want: both("Bearer tok-0123456789"), play: first(pipeline{}, header("Authorization"))},
	{name: "the organisation", source: reference("configuration/sinks/axiom"), want: both("org-1"), play: first(pipeline{sink: "    org_id: org-1\n"}, header("X-Axiom-Org-Id"))},
	{name: "the user agent begins with name and version", source: measured, want: want{"Vector/0.56", "Vector/0.58"}, play: first(pipeline{}, func(_ *lab, r request) string {
		agent := r.headers.Get("User-Agent")
		major, minor := 0, 0
		if _, err := fmt.Sscanf(agent, "Vector/%d.%d.", &major, &minor); err != nil {
			return agent
		}
		g, err := generationOf(fmt.Sprintf("vector %d.%d", major, minor))
		if err != nil {
			return agent
		}
		return "Vector/" + strings.TrimSuffix(g.name, ".0")
	})},
	{name: "the length is told, not chunked", source: measured, want: both("told"), play: first(pipeline{}, func(_ *lab, r request) string {
		if r.length < 0 {
			return "chunked"
		}
		return "told"
	})},
	{name: "the event", source: measured, want: both(shape), play: first(pipeline{}, func(_ *lab, r request) string { return strings.TrimSuffix(r.body, "\n") })},
	{name: "a batch is a line for each event", source: measured, want: both(`["line 0" "line 1" "line 2" "line 3" "line 4"] in 1 request of 5 lines`), play: func(l *lab) string {
		l.config(pipeline{batch: "\n"}.String())
		for i := range 5 {
			l.journal(fmt.Sprint("line ", i))
		}
		l.start()
		l.until(func() bool { return l.axiom.took("line 4") })
		requests := l.axiom.requests()
		return fmt.Sprintf("%q in %d request of %d lines", l.axiom.messages(), len(requests), len(requests[0].events()))
	}},
	{name: "a batch of so many events goes at once", source: reference("configuration/sinks/axiom"), want: both("2 2"), play: func(l *lab) string {
		l.config(pipeline{batch: "    batch: {max_events: 2, timeout_secs: 3600}\n"}.String())
		l.journal("a", "b", "c", "d")
		l.start()
		l.until(func() bool { return l.axiom.took("d") })
		var sizes []string
		for _, r := range l.axiom.requests() {
			sizes = append(sizes, fmt.Sprint(len(r.events())))
		}
		return strings.Join(sizes, " ")
	}},
	{name: "uncompressed when asked for", source: reference("configuration/sinks/axiom"), want: both(`encoding ""`), play: first(pipeline{sink: "    compression: none\n"}, func(_ *lab, r request) string {
		return fmt.Sprintf("encoding %q", r.headers.Get("Content-Encoding"))
	})},
	{name: "two sinks of one source each have all", source: reference("configuration/sinks/axiom"), want: both("/v1/datasets/other/ingest /v1/datasets/plat/ingest"), play: func(l *lab) string {
		l.config(pipeline{sink: "  q:\n    type: axiom\n    inputs: [j]\n    url: '@axiom@'\n    token: t\n    dataset: other\n    batch: {timeout_secs: 0.1}\n"}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return len(l.axiom.messages()) == 2 })
		var paths []string
		for _, r := range l.axiom.requests() {
			paths = append(paths, r.path)
		}
		slices.Sort(paths)
		return strings.Join(paths, " ")
	}},
	{name: "an empty token is sent, and the batch lost", source: measured, want: both(`"Bearer" 401, then of [a b]: [b]`), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		config := pipeline{token: " ", sink: disk}.String()
		l.config(strings.Replace(config, "' '", "''", 1))
		l.journal("a")
		p := l.start()
		l.until(func() bool { return p.log.has("Not retriable") })
		if p.stops() != "exit 0" {
			return "its end: " + p.alive()
		}
		seen := l.axiom.request(0)
		l.axiom.answer(nil)
		l.config(pipeline{sink: disk}.String())
		l.journal("b")
		l.start()
		l.until(func() bool { return l.axiom.took("b") })
		return fmt.Sprintf("%q %d, then of [a b]: %v", strings.TrimSpace(seen.headers.Get("Authorization")), seen.status, l.axiom.messages())
	}},
	{name: "a certificate that is not trusted", source: "measured: tls of behaviours.py, told in FINDINGS.md: retried", want: both("alive, retrying, nothing arrives"), play: func(l *lab) string {
		secure := l.secure()
		l.config(pipeline{url: secure.URL}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return p.log.has("Retrying after error.") })
		return fmt.Sprintf("%s, %s, %s", p.alive(), yes(p.log.has("Retrying after error."), "retrying"), yes(len(secure.requests()) == 0, "nothing arrives"))
	}},
	{name: "a certificate that SSL_CERT_FILE trusts", source: "measured: tls of behaviours.py, told in FINDINGS.md", want: both("[a]"), play: func(l *lab) string {
		secure := l.secure()
		l.set("SSL_CERT_FILE", l.path("ca.pem"))
		l.config(pipeline{url: secure.URL}.String())
		l.journal("a")
		l.start()
		l.until(func() bool { return secure.took("a") })
		return fmt.Sprint(secure.messages())
	}},
	{name: "what is in the data directory", source: measured, want: both("buffer/v2/p/buffer.lock j/checkpoint.txt, and a file of data"), play: first(pipeline{sink: disk}, func(l *lab, _ request) string {
		l.until(func() bool { return l.checkpoint() != "" })
		var names []string
		data := ""
		_ = filepath.WalkDir(l.path("data"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, _ := filepath.Rel(l.path("data"), path)
			switch { // its format is the program's own
			case name == "buffer/v2/p/buffer.lock" || !strings.HasPrefix(name, "buffer/v2/p/"):
				names = append(names, name)
			default:
				data = ", and a file of data"
			}
			return nil
		})
		return strings.Join(names, " ") + data
	})},
	{name: "who may read the checkpoint and the lock", source: measured, want: both("0644 0644"), play: first(pipeline{sink: disk}, func(l *lab, _ request) string {
		l.until(func() bool { return l.checkpoint() != "" })
		return fmt.Sprintf("%04o %04o", mode(l.path("data/j/checkpoint.txt")), mode(l.path("data/buffer/v2/p/buffer.lock")))
	})},
}

func mode(path string) fs.FileMode {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

// secure is an Axiom over TLS, whose certificate is in ca.pem.
func (l *lab) secure() *axiom {
	a := unstarted()
	a.StartTLS()
	l.t.Cleanup(a.stop)
	l.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})))
	return a
}

// answered is what becomes of a line that is answered so, twice if it comes again, and of one after it.
func answered(status int) func(*lab) string {
	return func(l *lab) string {
		l.axiom.answer(func(r request, times int) int {
			if times < 2 && strings.Contains(r.body, `"message":"a"`) {
				return status
			}
			return http.StatusOK
		})
		l.config(pipeline{}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return len(l.axiom.requests()) > 0 })
		l.journal("b")
		const retrying, dropped = "Retrying after response.", "Not retriable; dropping the request."
		l.until(func() bool {
			if p.log.has(retrying) {
				return l.axiom.took("a") && l.axiom.took("b")
			}
			// What it says may come later than what it sends.
			return l.axiom.took("b") && (status/100 == 2 || p.log.has(dropped))
		})
		fates := l.axiom.fates()
		seen := fmt.Sprintf("a %v, b %v", fates["a"], fates["b"])
		for _, said := range []string{retrying, dropped} {
			if p.log.has(said) {
				seen += ", " + said
				if m := reason.FindStringSubmatch(p.log.String()); m != nil {
					seen += " " + m[1]
				}
			}
		}
		return seen
	}
}

var reason = regexp.MustCompile(`(?:Not retriable; dropping the request|Retrying after response)\. reason="?([^"\n]*?)"?(?: internal_log_rate_limit=\w+)?(?:\n|$)`)

func droppedAtOnce(status int) string {
	return fmt.Sprintf("a [%d], b [200], Not retriable; dropping the request. Default retry strategy: %s", status, statusText(status))
}

func retriedUntilTaken(status int) string {
	return fmt.Sprintf("a [%d %d 200], b [200], Retrying after response. Default retry strategy: %s", status, status, statusText(status))
}

// statusText is the reason as the Rust library has it, which knows 413 by its older name.
func statusText(status int) string {
	if status == http.StatusRequestEntityTooLarge {
		return "Payload Too Large"
	}
	return http.StatusText(status)
}

var answers = func() (rows []row) {
	for _, status := range []int{307, 304, 400, 401, 403, 404, 413, 422, 501} {
		rows = append(rows, row{name: fmt.Sprint(status, " is dropped at once"), source: only56, want: both(droppedAtOnce(status)), play: answered(status)})
	}
	for _, status := range []int{408, 429, 500, 502, 503} {
		rows = append(rows, row{name: fmt.Sprint(status, " is tried again"), source: only56, want: both(retriedUntilTaken(status)), play: answered(status)})
	}
	return append(rows, row{name: "204 is as good as 200", source: only56, want: both("a [204], b [200]"), play: answered(204)})
}()
