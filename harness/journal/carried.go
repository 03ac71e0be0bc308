package journal

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// carrier is what docker compose, NixOS's tests, kubectl, packer, Jenkins, mail, grep, Loki and CloudWatch put before a line.
var carrier = regexp.MustCompile(`^(?: +> |([\w./-]{1,80}) +\| |([\w.-]{1,80}) # |\[pod/\S+\] |==> \S+: | {4}(?:default|\w+-[\w-]{1,40}): |std(?:out|err) [FP] |> |[\w.-]*/[\w./-]+:\d+:|[\w.-]*/[\w./-]+\.log(?:\.\d+)?:|\{\w+="[^{}]*"\} |i-[0-9a-f]{8,17} |\[(\d{4}-\d\d-\d\dT[0-9:.]+Z?)\] )`)

// peel takes off what carried a line: a time, somebody's name.
func (t *textReader) peel(s string) (rest string, ok bool) {
	var at Entry
	if rest, kind := stamp(strings.TrimLeft(s, " \t"), &at); kind == wall && rest != "" && s[0] != '[' {
		if t.arrived.IsZero() {
			t.arrived = at.Wall
		}
		return rest, true
	}
	m := carrier.FindStringSubmatchIndex(s)
	if m == nil {
		return s, false
	}
	for i := 2; i+1 < len(m); i += 2 {
		switch {
		case m[i] < 0:
		case i == len(m)-2 && t.arrived.IsZero():
			t.arrived, _ = iso(s[m[i]:m[i+1]])
		case i < len(m)-2:
			t.from = s[m[i]:m[i+1]]
		}
	}
	return s[m[1]:], true
}

// inBrackets is such a prefix: a time, a guest's name.
var inBrackets = regexp.MustCompile(`^[\s>]*(?:\[[^\[\] ]{1,60}\] ){1,2}$`)

// found is a line of somebody we know after a prefix that we do not: a forwarder's, a CI
// runner's, docker logs'.
func (t *textReader) found(n int, s string, width int) bool {
	m := managerIn.FindStringSubmatchIndex(s)
	if m == nil || m[2] > 200 {
		if i := strings.IndexByte(s, '['); i >= 0 && i < 160 {
			at := embedded.FindStringIndex(s) // a kernel's line after a prefix, which may be in brackets itself
			if e := (Entry{Line: n}); at != nil && at[0] > 0 && (at[0] == i || inBrackets.MatchString(s[:at[0]])) && header(s[at[0]:], &e) {
				before(s[:at[0]], &e)
				t.said(e, s, width)
				return true
			}
		}
		return false
	}
	e := Entry{Line: n, Form: Bare, Ident: s[m[2]:m[3]], Message: strings.TrimSpace(s[m[1]:])}
	if m[4] >= 0 {
		e.PID, _ = strconv.Atoi(s[m[4]:m[5]])
	}
	if e.PID == 0 && (e.Ident == "init" || statusKey.MatchString(s[m[2]:])) {
		return false
	}
	before(s[:m[2]], &e)
	t.said(e, s, width)
	return true
}

// within is a whole line of a journal or of syslog, or an object, after what we do not know: a file's name, a stream's, a number.
func (t *textReader) within(n int, s string, width int) bool {
	for i := 1; i < min(len(s), 200); i++ {
		if before := rune(s[i-1]); unicode.IsLetter(before) || unicode.IsDigit(before) {
			continue
		}
		if strings.HasPrefix(s[i:], `{"`) && t.object(n, []byte(s[i:])) {
			return true
		}
		e := Entry{Line: n}
		if _, kind := stamp(s[i:], &Entry{}); kind != wall || !header(s[i:], &e) || ofDayOnly(e) {
			continue
		}
		if s[i-1] == '"' { // a string in a list
			e.Message = strings.TrimSuffix(strings.TrimSuffix(e.Message, ","), `"`)
		}
		t.said(e, s, width)
		return true
	}
	return false
}

// before looks for a time in what stands before: the one next to the message is the
// machine's. A time of day is one only where no date is before it.
func before(prefix string, e *Entry) {
	prefix = strings.TrimRight(prefix, " ")
	var found Entry
	kind := noTime
	for i := len(prefix) - 1; i >= 0; i-- {
		if i > 0 && prefix[i-1] != ' ' && prefix[i-1] != '[' && prefix[i-1] != '|' || prefix[i] == ' ' {
			continue
		}
		part := prefix[i:] + " "
		if prefix[i] != '[' {
			part = strings.NewReplacer("]", " ", "|", " ").Replace(part)
		}
		var at Entry
		_, k := stamp(part, &at)
		if k == noTime {
			continue
		}
		if found, kind = at, k; !ofDayOnly(at) {
			break
		}
	}
	switch {
	case kind == noTime:
		return
	case e.Wall.IsZero() && e.Form != Console:
		e.Wall = found.Wall
	default:
		e.Arrived = found.Wall
	}
	if found.HasMono && !e.HasMono {
		e.Mono, e.HasMono = found.Mono, true
	}
	if e.Form == Bare && (!e.Wall.IsZero() || e.HasMono) {
		e.Form = Text
	}
}

// ofDayOnly: the time has no date; stamp puts it on the first day of the year 0.
func ofDayOnly(e Entry) bool { return !e.HasMono && e.Wall.Year() == 0 && e.Wall.YearDay() == 1 }

// jobIn is systemctl's word of a start that failed, within the words of what called it.
var jobIn = regexp.MustCompile(`(?:\(remote-exec\): |\b[Uu]nable to (?:re)?start service \S+: |\bSTDERR: |^msg: |["'])(Job for [A-Za-z0-9:_.\\@-]+\.[a-z]+ failed because .{3,90}?\.)(?:\\n|["'\s]|$)`)

// jobLabelled is it with systemd's own reasons (systemctl's start-unit code) behind any one word with a colon: Salt's, a test runner's.
var jobLabelled = regexp.MustCompile(`^\s*\S{1,120}: (Job for [A-Za-z0-9:_.\\@-]+\.[a-z]+ failed because (?:the (?:control process|service)|a (?:timeout|fatal signal|configured)|of unavailable|start of)[^.]*\.)`)

// goneIn is its word of a unit that there is not.
var goneIn = regexp.MustCompile(`\b[Uu]nable to (?:re)?start service \S+: (Failed to (?:re)?start \S+\.[a-z]+: Unit \S+ not found\.)`)

// jobBare is systemctl's of before 229, without a reason, as Chef and Ansible before 2 print it.
var jobBare = regexp.MustCompile(`(?:^|\s|["'])(?:STDERR|msg|Unable to (?:re)?start service \S+): (Job for [A-Za-z0-9:_.\\@-]+\.[a-z]+ failed\.)`)

// jobNamed is it from its beginning.
var jobNamed = regexp.MustCompile(`^Job for [A-Za-z0-9:_.\\@-]+\.[a-z]+ failed(?: because\b|\.)`)

// jobAside is it in somebody's sentence, which goes on: systemctl's own has only where to see more.
var jobAside = regexp.MustCompile(`^Job for \S+ failed(?: because [^.]*)?\. (?:[^S\s]|S[^e])`)

// startAside is somebody's sentence that begins as PID 1's: behind a unit's name PID 1 has what it is, systemctl why.
var startAside = regexp.MustCompile(`^Failed to (?:(?:re)?start|mount|listen on) ` + unitNamed + ` [^-]`)

// notGranted is systemctl's of a job that it was not given.
var notGranted = regexp.MustCompile(`^Failed to (?:re)?start ` + unitNamed + `: `)

// jobLate is PID 1's own within its console's word in brackets.
var jobLate = regexp.MustCompile(`\[(?:systemd )?TIME (?:\[1\]:? ?)?\]:? ([^\s/]+\.[a-z]+: Job [^\s/]+\.[a-z]+/start timed out)\.`)

// forUser is how what called systemctl tells that it was for a user's manager.
var forUser = regexp.MustCompile(`systemctl --user |"--user"|"scope": ?"user"`)

// jobOpen is its beginning within others' words, where a terminal has ended the line.
var jobOpen = regexp.MustCompile(`["':] ?Job for [A-Za-z0-9:_.\\@-]+\.[a-z]+$`)

func (t *textReader) job(n int, s string, width int) bool {
	if strings.HasPrefix(s, "failed") && jobOpen.MatchString(t.prior) {
		s = t.prior + " " + s
	}
	if !strings.Contains(s, "Job for ") && !strings.Contains(s, "nable to ") {
		return false
	}
	m := jobIn.FindStringSubmatch(s)
	for _, in := range []*regexp.Regexp{jobLabelled, goneIn, jobBare} {
		if m == nil {
			m = in.FindStringSubmatch(s)
		}
	}
	if m == nil || forUser.MatchString(s) || strings.Contains(s, "RETRYING") {
		return false
	}
	t.hold(Entry{Line: n, Form: Bare, Ident: "systemd", PID: 1, Message: m[1]}, width)
	return true
}
