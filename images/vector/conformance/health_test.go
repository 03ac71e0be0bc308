package conformance

import (
	"fmt"
	"net/http"
	"strings"
)

// checked is a pipeline whose sink has a health check.
var checked = pipeline{sink: "    healthcheck: {uri: '@axiom@/health'}\n"}.String()

// healthy is what validate, the start and a start that requires health make of a status.
func healthy(status int, phrase string) func(*lab) string {
	return func(l *lab) string {
		l.axiom.answer(always(status))
		validate, text := l.exits("validate", l.config(checked))
		p := l.start()
		start := p.runs()
		l.until(func() bool { return p.log.has("Healthcheck passed.") || p.log.has("Healthcheck failed.") })
		alive := p.alive()
		p.kill()
		required := l.start("--require-healthy", "true").runs()
		return fmt.Sprintf("validate %d, %s; start %s, %s; required %s", validate, says(text, phrase), start, alive, required)
	}
}

var health = []row{
	{name: "200", source: only56, want: both("validate 0, says so; start runs, alive; required runs"), play: healthy(200, `√ Health check "p"`)},
	{name: "401", source: only56, want: both("validate 78, says so; start runs, alive; required 78"), play: healthy(401, `x Health check for "p" failed: Unexpected status: 401 Unauthorized`)},
	{name: "500", source: only56, want: both("validate 78, says so; start runs, alive; required 78"), play: healthy(500, `x Health check for "p" failed: Unexpected status: 500 Internal Server Error`)},
	{name: "it asks with the token", source: only56, want: both("/health Bearer tok-0123456789"), play: func(l *lab) string {
		l.exits("validate", l.config(checked))
		r := l.axiom.request(0)
		return r.path + " " + r.headers.Get("Authorization")
	}},
	{name: "nobody listens", source: reference("configuration/sinks/axiom"), want: both("78"), play: func(l *lab) string {
		code, _ := l.exits("validate", l.config(strings.ReplaceAll(checked, "@axiom@/health", refusing)))
		return fmt.Sprint(code)
	}},
	{name: "without a uri nothing is asked, and a bad token not seen", source: measured, want: both("0, 0 requests"), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		code, _ := l.exits("validate", l.config(pipeline{}.String()))
		return fmt.Sprintf("%d, %d requests", code, len(l.axiom.requests()))
	}},
	{name: "validate leaves it out when told to", source: reference("cli"), want: both("0, 0 requests"), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		code, _ := l.exits("validate", "--skip-healthchecks", l.config(checked))
		return fmt.Sprintf("%d, %d requests", code, len(l.axiom.requests()))
	}},
	{name: "a sink can do without", source: reference("configuration/sinks/axiom"), want: both("0, 0 requests"), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		code, _ := l.exits("validate", l.config(strings.Replace(checked, "{uri:", "{enabled: false, uri:", 1)))
		return fmt.Sprintf("%d, %d requests", code, len(l.axiom.requests()))
	}},
	{name: "the configuration can require health", source: reference("configuration/global-options"), want: both("78"), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		l.config("healthchecks: {require_healthy: true}\n" + checked)
		return l.start().runs()
	}},
	{name: "VECTOR_REQUIRE_HEALTHY requires it", source: reference("cli"), want: both("78"), play: func(l *lab) string {
		l.axiom.answer(always(http.StatusUnauthorized))
		l.set("VECTOR_REQUIRE_HEALTHY", "true")
		l.config(checked)
		return l.start().runs()
	}},
	{name: "a failed one does not keep lines back", source: only56, want: both("[a]"), play: func(l *lab) string {
		l.axiom.answer(func(r request, _ int) int {
			if r.path == "/health" {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		})
		l.config(checked)
		l.journal("a")
		l.start()
		l.until(func() bool { return l.axiom.took("a") })
		return fmt.Sprint(l.axiom.messages())
	}},
}
