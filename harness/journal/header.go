package journal

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
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

// statusKey is how a line of systemctl status begins: nobody of that name speaks.
var statusKey = regexp.MustCompile(`^(?:Active: [a-z]+ \(|Process: \d+ Exec|Failed: \d+ units?$|systemd: \d[\w.~+-]*$)`)

func (e *Entry) header(rest string) bool {
	if p, ok := priority(rest); ok {
		rest = p
		if strings.HasPrefix(rest, "1 ") {
			return rfc5424(rest[2:], e)
		}
	}
	rest, kind := stamp(rest, e)
	switch kind {
	case monotonic:
		return kernelOrTag(rest, e)
	case noTime:
		return tag(rest, e) && (e.PID > 0 || e.Ident == "kernel" || e.Ident == "systemd")
	}
	if e.cloudInit(rest) || tag(rest, e) {
		return e.inner()
	}
	host, after, ok := strings.Cut(rest, " ")
	if ok && hostName(host) && e.cloudInit(strings.TrimLeft(after, " ")) {
		e.Host = host
		return true
	}
	if !ok || !hostName(host) || !tag(strings.TrimLeft(after, " "), e) {
		return false
	}
	e.Host = host
	return e.inner()
}

// cloudInit reads what cloud-init before 17.1 sent to syslog, without its name as a tag, and
// what a shell says of one of its scripts.
func (e *Entry) cloudInit(s string) bool {
	message, ok := strings.CutPrefix(s, "[CLOUDINIT] ")
	if ok = ok || strings.HasPrefix(s, cloudScripts); ok {
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
	if e.Ident == "kernel" && strings.HasPrefix(e.Message, "systemd[1]: ") { // before journald runs
		e.Ident, e.PID, e.Message = "systemd", 1, strings.TrimPrefix(e.Message, "systemd[1]: ")
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

// clock is how a line says when.
type clock int

const (
	noTime clock = iota
	monotonic
	wall
)

// stamp reads a time in any of the forms of journalctl(1), syslog and dmesg, and gives what
// is after it.
func stamp(s string, e *Entry) (rest string, kind clock) {
	if s == "" {
		return s, noTime
	}
	e.Form = Bare
	switch c := s[0]; {
	case c == '[':
		end := strings.IndexByte(s, ']')
		if end < 2 || end > 40 || end+1 == len(s) {
			return s, noTime
		}
		in, _, _ := strings.Cut(strings.TrimSpace(s[1:end]), " <") // short-delta has how long after the line before
		if d, ok := seconds(in); ok {
			e.Mono, e.HasMono, e.Form = d, true, Text
			return strings.TrimPrefix(s[end+1:], " "), monotonic
		}
		if t, err := time.Parse("Mon Jan _2 15:04:05 2006", in); err == nil { // dmesg -T
			e.Wall, e.Form = t, Text
			return strings.TrimPrefix(s[end+1:], " "), monotonic // what follows is as in dmesg
		}
		return s, noTime
	case c >= '0' && c <= '9':
		if t, n := iso(s); n > 0 {
			e.Wall, e.Form = t, Text
			return strings.TrimLeft(s[n:], " "), wall
		}
		if d, n := ofDay(s); n > 0 && n < len(s) && s[n] == ' ' {
			e.Wall, e.Form = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).Add(d), Text
			return strings.TrimLeft(s[n:], " "), wall
		}
		if word, after, ok := strings.Cut(s, " "); ok {
			if d, ok := seconds(word); ok && len(word) >= 12 { // short-unix
				e.Wall, e.Form = time.Unix(0, int64(d)).UTC(), Text
				return strings.TrimLeft(after, " "), wall
			}
		}
	}
	if t, n := syslogTime(s); n > 0 {
		e.Wall, e.Form = t, Text
		return strings.TrimLeft(s[n:], " "), wall
	}
	if day, after, ok := strings.Cut(s, " "); ok && dayName(day) { // short-full: the day of the week
		if t, n := iso(after); n > 0 {
			if after = strings.TrimLeft(after[n:], " "); after != "" { // and the zone
				if zone, next, ok := strings.Cut(after, " "); ok && len(zone) <= 6 && strings.ToUpper(zone) == zone && !strings.ContainsAny(zone, "[:") {
					after = next
				}
			}
			e.Wall, e.Form = t, Text
			return after, wall
		}
	}
	return s, noTime
}

// dayName: letters alone, in any language.
func dayName(s string) bool {
	return s != "" && len(s) <= 20 && strings.TrimFunc(strings.TrimSuffix(s, "."), unicode.IsLetter) == ""
}

// seconds reads "12.345678".
func seconds(s string) (time.Duration, bool) {
	whole, frac, ok := strings.Cut(s, ".")
	if !ok || whole == "" || len(whole) > 10 || len(frac) < 3 || len(frac) > 9 {
		return 0, false
	}
	w, err := strconv.ParseUint(whole, 10, 63)
	f, err2 := strconv.ParseUint(frac, 10, 63)
	if err != nil || err2 != nil || w > 9_000_000_000 {
		return 0, false
	}
	for range 9 - len(frac) {
		f *= 10
	}
	return time.Duration(w)*time.Second + time.Duration(f), true
}

// digits reads exactly n of them.
func digits(s string, n int) (int, bool) {
	if len(s) < n {
		return 0, false
	}
	v := 0
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		v = v*10 + int(s[i]-'0')
	}
	return v, true
}

// ofDay reads "15:04:05", with a fraction or not, and how long it was.
func ofDay(s string) (d time.Duration, n int) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, 0
	}
	h, ok := digits(s, 2)
	m, ok2 := digits(s[3:], 2)
	sec, ok3 := digits(s[6:], 2)
	if !ok || !ok2 || !ok3 || h > 23 || m > 59 || sec > 60 {
		return 0, 0
	}
	d, n = time.Duration(h)*time.Hour+time.Duration(m)*time.Minute+time.Duration(sec)*time.Second, 8
	if len(s) > 9 && (s[8] == '.' || s[8] == ',') {
		frac, scale := 0, int(time.Second)
		i := 9
		for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			if scale >= 10 {
				frac, scale = frac*10+int(s[i]-'0'), scale/10
			}
		}
		if i > 9 {
			d, n = d+time.Duration(frac*scale), i
		}
	}
	return d, n
}

// iso reads 2026-03-10T16:46:30.123456+01:00 and its kin.
func iso(s string) (t time.Time, n int) {
	if len(s) < 19 || s[4] != '-' && s[4] != '/' || s[7] != s[4] || s[10] != 'T' && s[10] != ' ' {
		return t, 0
	}
	y, ok := digits(s, 4)
	m, ok2 := digits(s[5:], 2)
	day, ok3 := digits(s[8:], 2)
	d, k := ofDay(s[11:])
	if !ok || !ok2 || !ok3 || k == 0 || m < 1 || m > 12 || day < 1 || day > 31 {
		return t, 0
	}
	n = 11 + k
	t = time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC).Add(d)
	if n == len(s) {
		return t, n
	}
	switch s[n] {
	case 'Z':
		n++
	case '+', '-':
		h, ok := digits(s[n+1:], 2)
		if !ok {
			return t, n
		}
		width := 3
		after := strings.TrimPrefix(s[n+3:], ":")
		width += len(s[n+3:]) - len(after)
		minutes, ok := digits(after, 2)
		if ok {
			width += 2
		}
		off := time.Duration(h)*time.Hour + time.Duration(minutes)*time.Minute
		if s[n] == '-' {
			off = -off
		}
		t, n = t.Add(-off), n+width
	}
	return t, n
}

// months are the beginnings of their names in the languages that journalctl's strftime(3)
// often speaks; one that is not here counts as January, which only matters from month to month.
var months = map[string]time.Month{
	"jan": 1, "ene": 1, "gen": 1, "janv": 1, "feb": 2, "fev": 2, "fév": 2, "févr": 2, "mar": 3, "mär": 3, "mrz": 3, "mars": 3, "mrt": 3, "apr": 4, "avr": 4, "avril": 4, "abr": 4,
	"may": 5, "mai": 5, "mag": 5, "mei": 5, "maj": 5, "jun": 6, "juin": 6, "giu": 6, "jul": 7, "juil": 7, "lug": 7, "aug": 8, "ago": 8, "août": 8, "aou": 8, "sep": 9, "sept": 9, "set": 9,
	"oct": 10, "okt": 10, "out": 10, "ott": 10, "nov": 11, "dec": 12, "dez": 12, "dic": 12, "déc": 12,
}

// syslogTime reads "Mar 10 16:46:30", with a fraction or a year or not, in the year 0. How
// long it was is 0 where it is none.
func syslogTime(s string) (t time.Time, n int) {
	trimmed := strings.TrimLeft(s, " ")
	word, rest, ok := strings.Cut(trimmed, " ")
	if !ok || len(word) < 2 || len(word) > 12 || strings.ContainsAny(word, "[]:<>=\"'/|") || strings.Trim(word, "0123456789") == "" {
		return t, 0
	}
	m := time.Month(1)
	if strings.HasSuffix(word, "월") || strings.HasSuffix(word, "月") {
		if v, err := strconv.Atoi(strings.TrimRight(word, "월月")); err == nil && v >= 1 && v <= 12 {
			m = time.Month(v)
		}
	} else if v, ok := months[strings.TrimSuffix(strings.ToLower(word), ".")]; ok {
		m = v
	} else if strings.ContainsAny(word, "0123456789") {
		return t, 0
	}
	rest = strings.TrimLeft(rest, " ")
	number, after, ok := strings.Cut(rest, " ")
	day, err := strconv.Atoi(number)
	if !ok || err != nil || day < 1 || day > 31 || len(number) > 2 {
		return t, 0
	}
	year := 0
	if y, ok := digits(after, 4); ok && len(after) > 5 && after[4] == ' ' {
		year, after = y, after[5:]
	}
	d, k := ofDay(after)
	if k == 0 || k < len(after) && after[k] != ' ' {
		return t, 0
	}
	return time.Date(year, m, day, 0, 0, 0, 0, time.UTC).Add(d), len(s) - len(after) + k
}
