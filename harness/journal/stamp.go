package journal

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

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
			return printkCaller.ReplaceAllString(strings.TrimPrefix(s[end+1:], " "), ""), monotonic
		}
		if t, err := time.Parse("Mon Jan _2 15:04:05 2006", in); err == nil { // dmesg -T
			e.Wall, e.Form = t, Text
			return strings.TrimPrefix(s[end+1:], " "), monotonic // what follows is as in dmesg
		}
		after, relative := strings.CutPrefix(in, "+") // dmesg --human: since the line before, or to the minute
		_, isSeconds := seconds(after)
		if _, err := time.Parse("Jan_2 15:04", in); err == nil || relative && isSeconds {
			return strings.TrimPrefix(s[end+1:], " "), monotonic
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
		rest := strings.TrimLeft(s[n:], " ")
		e.Wall, e.Form = t, Text
		for half, later := range map[string]int{"AM ": 0, "PM ": 12} {
			if after, ok := strings.CutPrefix(rest, half); ok {
				e.Wall, rest = t.Add(time.Duration(t.Hour()%12+later-t.Hour())*time.Hour), after
			}
		}
		return rest, wall
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
	} else if strings.ContainsAny(word, "0123456789_") || strings.IndexFunc(word, unicode.IsUpper) > 0 && strings.ToUpper(word) != word {
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
