package journal

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// header reads what stands before a message: time, host, who speaks. Each part may be
// missing but the last. Not ok: the line is of another kind.
func header(s string, e *Entry) bool {
	read := Entry{Line: e.Line}
	ok := read.header(s)
	if ok {
		*e = read
	}
	return ok
}

var (
	// printkCaller is whose processor or thread it was (CONFIG_PRINTK_CALLER).
	printkCaller = regexp.MustCompile(`^\[ *[CT]\d+(?:/\d+)?\] ?`)
	// severity is what busybox puts before who speaks.
	severity = regexp.MustCompile(`^(?:kern|user|daemon|auth|authpriv|syslog|cron|local\d)\.(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug) +`)
	// kmsg is a line of /dev/kmsg: priority, number, microseconds, flags.
	kmsg = regexp.MustCompile(`^\d{1,3},\d{1,10},(\d{1,15}),[^;]{1,40};(.+)$`)
)

// unrated is a line without its severity.
func unrated(s string) string {
	if word, _, _ := strings.Cut(s, " "); strings.IndexByte(word, '.') < 0 { // as nearly always
		return s
	}
	return severity.ReplaceAllString(s, "")
}

// statusKey is how a line of systemctl status begins: nobody of that name speaks.
var statusKey = regexp.MustCompile(`^(?:Active: \**[a-z]+\** \(|(?:Main PID|Tasks): \d+|(?:TriggeredBy|Triggers): [●×○*↻x] |(?:Docs|Loaded|Memory|CPU|IO|IP|CGroup|Drop-In|Duration|Invocation|Mem peak): |Process: \d+ Exec|Failed: \d+ units?$|Status: "|systemd: \d[\w.~+-]*$)`)

func (e *Entry) header(rest string) bool {
	if p, ok := priority(rest); ok {
		rest = p
		if strings.HasPrefix(rest, "1 ") {
			return rfc5424(rest[2:], e)
		}
	}
	if m := kmsg.FindStringSubmatch(rest); m != nil {
		us, _ := strconv.ParseInt(m[1], 10, 64)
		e.Mono, e.HasMono = time.Duration(us)*time.Microsecond, true
		return kernelOrTag(printkCaller.ReplaceAllString(m[2], ""), e)
	}
	rest, kind := stamp(rest, e)
	if rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' && statusKey.MatchString(rest) {
		return false
	}
	switch kind {
	case monotonic:
		rest, _ = priority(rest) // PID 1's own, in /dev/kmsg
		return kernelOrTag(rest, e)
	case noTime:
		return tag(rest, e) && (e.PID > 0 || e.Ident == "kernel" || e.Ident == "systemd")
	}
	if e.cloudInit(rest) || tag(rest, e) || tag(unrated(rest), e) {
		return e.inner()
	}
	host, after, ok := strings.Cut(rest, " ")
	if ok && hostName(host) && e.cloudInit(strings.TrimLeft(after, " ")) {
		e.Host = host
		return true
	}
	if !ok || !hostName(host) {
		return false
	}
	if !tag(unrated(strings.TrimLeft(after, " ")), e) {
		return false
	}
	e.Host = host
	return e.inner()
}

// cloudInit reads what cloud-init before 17.1 sent to syslog, without its name as a tag, and
// what a shell says of one of its scripts.
func (e *Entry) cloudInit(s string) bool {
	message, ok := strings.CutPrefix(s, "[CLOUDINIT] ")
	if ok = ok || strings.HasPrefix(s, cloudScripts) || cloudInitStatus.MatchString(s); ok {
		e.Form, e.Ident, e.Message = CloudInit, "cloud-init", strings.TrimSpace(message)
	}
	return ok
}

// inner takes the kernel's own clock from a line that syslog has stamped.
func (e *Entry) inner() bool {
	if e.Ident == "kernel" && strings.HasPrefix(e.Message, "[") {
		var k Entry
		if rest, kind := stamp(e.Message, &k); kind == monotonic {
			e.Mono, e.HasMono, e.Message = k.Mono, k.HasMono, rest
		}
	}
	if k := (Entry{Line: e.Line}); e.Ident == "login" && k.header(e.Message) && k.HasMono { // a console's prompt
		*e = k
	}
	if said, ok := strings.CutPrefix(e.Message, "systemd[1]:"); ok && e.Ident == "kernel" { // before journald runs
		e.Ident, e.PID, e.Message = "systemd", 1, strings.TrimSpace(said)
	}
	return true
}

// kernelOrTag is dmesg's "[ 1.2] usb 1-1: …" and short-monotonic's "[ 1.2] host systemd[1]: …".
func kernelOrTag(rest string, e *Entry) bool {
	e.Form = Text
	k := *e
	if tag(rest, e) && (e.PID > 0 || e.Ident == "kernel") {
		return e.inner()
	}
	*e = k
	if host, after, ok := strings.Cut(rest, " "); ok && hostName(host) && tag(after, e) && (e.PID > 0 || e.Ident == "kernel") {
		e.Host = host
		return e.inner()
	}
	*e = k
	e.Form, e.Ident, e.Message = Kernel, "kernel", rest
	return true
}

// tag reads "ident[pid]: message".
func tag(s string, e *Entry) bool {
	i := 0
	for i < len(s) && i < 64 && s[i] > ' ' && s[i] != '[' && s[i] != ':' && s[i] != ']' {
		i++
	}
	if i == 0 || i == len(s) {
		return false
	}
	ident, rest, pid := s[:i], s[i:], 0
	if rest[0] == '[' {
		end := strings.IndexByte(rest, ']')
		if end < 2 || end > 11 {
			return false
		}
		n, err := strconv.Atoi(rest[1:end])
		if err != nil || n < 0 {
			return false
		}
		pid, rest = n, rest[end+1:]
	}
	if rest == "" || rest[0] != ':' || len(rest) > 1 && rest[1] != ' ' || pid == 0 && statusKey.MatchString(s) {
		return false
	}
	e.Ident, e.PID, e.Message = ident, pid, strings.TrimSpace(rest[1:])
	return true
}

func hostName(s string) bool {
	if s == "" || len(s) > 253 || s[0] == '-' {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != ':' {
			return false
		}
	}
	return true
}

// priority takes off syslog's <30>.
func priority(s string) (string, bool) {
	if len(s) < 3 || s[0] != '<' {
		return s, false
	}
	end := strings.IndexByte(s, '>')
	if end < 2 || end > 4 {
		return s, false
	}
	if _, err := strconv.Atoi(s[1:end]); err != nil {
		return s, false
	}
	return s[end+1:], true
}

// rfc5424 reads "TIME HOST APP PROCID MSGID [data] message".
func rfc5424(s string, e *Entry) bool {
	parts := strings.SplitN(s, " ", 6)
	if len(parts) < 6 {
		return false
	}
	if _, kind := stamp(parts[0]+" ", e); kind == noTime && parts[0] != "-" {
		return false
	}
	e.Form, e.Host, e.Ident = Text, nonNil(parts[1]), nonNil(parts[2])
	e.PID, _ = strconv.Atoi(parts[3])
	msg := parts[5]
	if strings.HasPrefix(msg, "- ") {
		msg = msg[2:]
	} else if end := strings.Index(msg, "] "); strings.HasPrefix(msg, "[") && end > 0 {
		msg = msg[end+2:]
	}
	e.Message = strings.TrimSpace(strings.TrimPrefix(msg, "\uFEFF"))
	return e.Ident != ""
}

func nonNil(s string) string {
	if s == "-" {
		return ""
	}
	return s
}
