package conformance

import (
	"fmt"
	"strings"
)

// allow is what makes Vector from 0.57 on put variables in (its upgrade guide).
const allow = "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=true"

// interpolated validates a configuration whose token is the text.
func interpolated(token, phrase string, environ ...string) func(*lab) string {
	return loaded("sources:\n  a: {type: journald}\nsinks:\n  b:\n    type: axiom\n    token: \""+token+"\"\n    dataset: d\n    inputs: [a]\n", phrase, environ...)
}

func loaded(config, phrase string, environ ...string) func(*lab) string {
	return func(l *lab) string {
		l.environ = append(l.environ, environ...)
		code, text := l.exits("validate", "--no-environment", l.config(config))
		if code == 0 {
			return "taken"
		}
		return fmt.Sprintf("exit %d, %s", code, says(text, phrase))
	}
}

// token tells what arrives as the token.
func token(text string, environ ...string) func(*lab) string {
	return func(l *lab) string {
		l.environ = append(l.environ, environ...)
		l.config(pipeline{token: text}.String())
		l.journal("a")
		p := l.start()
		l.until(func() bool { return l.axiom.took("a") })
		if !l.axiom.took("a") {
			return "nothing arrives: " + p.alive()
		}
		return l.axiom.request(0).headers.Get("Authorization")
	}
}

const (
	refused = "exit 78, says so"
	missing = `Missing environment variable in config. name = "NOPE"`
	needed  = `Non-empty environment variable required in config. name = "NOPE", error = "msg"`
	newline = `Environment variable contains newline character. name = "NL"`
	unclear = "did not find expected key at line 6 column 15, while parsing a block mapping at line 5 column 5"
)

// before057 is refused where variables are put in, and taken as it is written where they are not.
var before057 = want{refused, "taken"}

var interpolation = []row{
	{name: "a missing variable", source: measured, want: before057, play: interpolated("${NOPE}", missing)},
	{name: "a missing variable, allowed", source: measured, want: both(refused), play: interpolated("${NOPE}", missing, allow)},
	{name: "a missing variable without braces", source: measured, want: before057, play: interpolated("$NOPE", missing)},
	{name: "a missing variable without braces, allowed", source: measured, want: both(refused), play: interpolated("$NOPE", missing, allow)},
	{name: "an empty variable", source: measured, want: both("taken"), play: interpolated("${EMP}", "", "EMP=")},
	{name: "an empty variable, allowed", source: measured, want: both("taken"), play: interpolated("${EMP}", "", "EMP=", allow)},
	{name: "a default for a missing one", source: measured, want: both("taken"), play: interpolated("${NOPE:-x}", "")},
	{name: "a default for a missing one, allowed", source: measured, want: both("taken"), play: interpolated("${NOPE:-x}", "", allow)},
	{name: "a default for an unset one", source: measured, want: both("taken"), play: interpolated("${NOPE-x}", "")},
	{name: "a default for an unset one, allowed", source: measured, want: both("taken"), play: interpolated("${NOPE-x}", "", allow)},
	{name: "a required variable", source: measured, want: before057, play: interpolated("${NOPE:?msg}", needed)},
	{name: "a required variable, allowed", source: measured, want: both(refused), play: interpolated("${NOPE:?msg}", needed, allow)},
	{name: "two dollars", source: measured, want: both("taken"), play: interpolated("$$NOPE", "")},
	{name: "two dollars, allowed", source: measured, want: both("taken"), play: interpolated("$$NOPE", "", allow)},
	{name: "a newline in a variable", source: measured, want: before057, play: interpolated("${NL}", newline, "NL=a\nb")},
	{name: "a newline in a variable, allowed", source: measured, want: both(refused), play: interpolated("${NL}", newline, "NL=a\nb", allow)},
	{name: "a variable with a newline is missing as well", source: measured, want: before057, play: interpolated("${NL}", `Missing environment variable in config. name = "NL"`, "NL=a\nb")},
	{name: "a newline at the end of a variable", source: findings, want: both(refused), play: interpolated("${NL}", newline, "NL=a\n", allow)},
	{name: "a quote in a variable", source: measured, want: before057, left: left{want{v56: "exit 78, not says so"}, yaml}, play: interpolated("${Q}", unclear, `Q=a"b`)},
	{name: "a quote in a variable, allowed", source: measured, want: both(refused), left: left{both("exit 78, not says so"), yaml}, play: interpolated("${Q}", unclear, `Q=a"b`, allow)},
	{name: "a missing variable in a comment", source: measured, want: before057, play: loaded("# comment ${NOPE}\n"+sound, missing)},
	{name: "a start with a missing variable", source: measured, want: want{"78, says so", "runs, says nothing"}, play: func(l *lab) string {
		l.config(strings.Replace(sound, "token: t", "token: '${NOPE}'", 1))
		p := l.start()
		code := p.runs()
		if code == "runs" {
			return "runs, says nothing" + map[bool]string{true: ", no"}[p.log.has("ERROR")]
		}
		return code + ", " + says(p.log.String(), missing)
	}},
	{name: "a variable as the token", source: measured, want: want{"Bearer xyz", "Bearer ${TOKEN}"}, play: token("${TOKEN}", "TOKEN=xyz")},
	{name: "a variable as the token, allowed", source: measured, want: both("Bearer xyz"), play: token("${TOKEN}", "TOKEN=xyz", allow)},
	{name: "a variable without braces as the token", source: measured, want: want{"Bearer xyz", "Bearer $TOKEN"}, play: token("$TOKEN", "TOKEN=xyz")},
	{name: "two dollars as the token", source: findings, want: want{"Bearer $TOKEN", "Bearer $$TOKEN"}, play: token("$$TOKEN", "TOKEN=xyz")},
	{name: "the default as the token", source: findings, want: want{"Bearer x", "Bearer ${TOKEN:-x}"}, play: token("${TOKEN:-x}")},
	{name: "the default is for an empty one too", source: reference("environment_variables"), want: both("Bearer x"), play: token("${TOKEN:-x}", "TOKEN=", allow)},
	{name: "the default without a colon is not", source: reference("environment_variables"), want: both("Bearer"), play: token("${TOKEN-x}", "TOKEN=", allow)},
	{name: "allowed by anything but true is not allowed", source: reference("cli"), want: want{v58: "Bearer ${TOKEN}"}, play: token("${TOKEN}", "TOKEN=xyz", "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION=false")},
	{name: "a variable as the url", source: measured, want: want{"0 runs, says so", "78 78, says so"}, play: url("${URL}")},
	{name: "a variable as the url, allowed", source: measured, want: both("0 runs, says so"), play: url("${URL}", allow)},
	{name: "the default as the url", source: measured, want: want{"0 runs, says so", "78 78, says so"}, play: url("${NOPE:-@axiom@}")},
}

// url is what `validate` and the start make of one. Whether `validate --no-environment` sees it was not asked of 0.58.
func url(text string, environ ...string) func(*lab) string {
	return func(l *lab) string {
		l.set("URL", l.axiom.URL)
		l.environ = append(l.environ, environ...)
		phrase := "Validated"
		if l.gen.literal && len(environ) == 0 {
			phrase = "invalid uri character"
		}
		code, said := l.exits("validate", l.config(pipeline{url: text}.String()))
		return fmt.Sprintf("%d %s, %s", code, l.start().runs(), says(said, phrase))
	}
}

// secret is a token from a backend.
func secret(backend, key string, prepare func(*lab)) func(*lab) string {
	return func(l *lab) string {
		prepare(l)
		p := pipeline{global: strings.ReplaceAll("secret:\n  vault: "+backend+"\n", "@dir@", l.dir), token: "SECRET[vault." + key + "]"}
		l.config(p.String())
		l.journal("a")
		run := l.start()
		l.until(func() bool { return l.axiom.took("a") || run.ended() })
		if !l.axiom.took("a") {
			return "nothing arrives: " + run.alive()
		}
		return l.axiom.request(0).headers.Get("Authorization")
	}
}

// Recommended instead of variables by the upgrade guide of 0.57.
var secrets = []row{
	{name: "a file", source: reference("configuration/secrets"), want: both("Bearer of-the-file"), play: secret("{type: file, path: '@dir@/s.json'}", "token", func(l *lab) {
		l.write("s.json", `{"token": "of-the-file", "other": "x"}`)
	})},
	{name: "a directory", source: reference("configuration/secrets"), want: both("Bearer of-the-directory"), play: secret("{type: directory, path: '@dir@/s', remove_trailing_whitespace: true}", "token", func(l *lab) {
		l.write("s/token", "of-the-directory\n")
	})},
	{name: "an empty file of a directory", source: reference("configuration/secrets"), want: both("nothing arrives: exit 78"), play: secret("{type: directory, path: '@dir@/s', remove_trailing_whitespace: true}", "token", func(l *lab) {
		l.write("s/token", "\n")
	})},
	{name: "a command", source: reference("configuration/secrets"), want: both("Bearer of-the-command"), play: secret("{type: exec, command: ['@dir@/bin/ask']}", "token", func(l *lab) {
		l.script("ask", `grep -q '"token"' && echo '{"token": {"value": "of-the-command", "error": null}}'`)
	})},
	{name: "a file that is not there", source: reference("configuration/secrets"), want: both("nothing arrives: exit 78"), play: secret("{type: file, path: '@dir@/s.json'}", "token", func(*lab) {})},
	{name: "a name that the file lacks", source: reference("configuration/secrets"), want: both("nothing arrives: exit 78"), play: secret("{type: file, path: '@dir@/s.json'}", "token", func(l *lab) {
		l.write("s.json", `{"other": "x"}`)
	})},
	{name: "a name that the directory lacks", source: reference("configuration/secrets"), want: both("nothing arrives: exit 78"), play: secret("{type: directory, path: '@dir@/s'}", "token", func(l *lab) {
		l.write("s/other", "x")
	})},
	{name: "a command that answers with an error", source: reference("configuration/secrets"), want: both("nothing arrives: exit 78"), play: secret("{type: exec, command: ['@dir@/bin/ask']}", "token", func(l *lab) {
		l.script("ask", `cat >/dev/null; echo '{"token": {"value": null, "error": "no such secret"}}'`)
	})},
	{name: "a backend that is not configured", source: reference("configuration/secrets"), want: both("78"), play: func(l *lab) string {
		l.config(pipeline{token: "SECRET[nosuch.token]"}.String())
		return l.start().runs()
	}},
}
