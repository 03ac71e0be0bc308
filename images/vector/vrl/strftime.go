package vrl

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// directives are chrono's (docs.rs, chrono::format::strftime) as layouts of Go's.
var directives = map[string]string{
	"Y": "2006", "y": "06", "m": "01", "b": "Jan", "h": "Jan", "B": "January", "d": "02", "e": "_2", "a": "Mon", "A": "Monday",
	"H": "15", "I": "03", "M": "04", "S": "05", "p": "PM", "P": "pm", "z": "-0700", ":z": "-07:00", "#z": "Z07", "Z": "MST",
	"T": "15:04:05", "X": "15:04:05", "R": "15:04", "r": "03:04:05 PM", "D": "01/02/06", "x": "01/02/06", "F": "2006-01-02",
	"v": "_2-Jan-2006", "c": "Mon Jan _2 15:04:05 2006", "j": "002", "+": "2006-01-02T15:04:05.999999999Z07:00",
	"-d": "2", "-m": "1", "-I": "3", "-M": "4", "-S": "5", "n": "\n", "t": "\t", "%": "%",
}

// piece of a format: literal text, a Go layout, or digits of the second's fraction.
type piece struct {
	text     string
	layout   string
	fraction int  // how many digits; -1 as many as needed
	dot      bool // with a point before
	epoch    bool // %s
	nanos    bool // %f: nine digits, no point
}

func cutFormat(format string) []piece {
	var out []piece
	for format != "" {
		before, rest, found := strings.Cut(format, "%")
		if before != "" {
			out = append(out, piece{text: before})
		}
		if !found {
			break
		}
		p, size := directive(rest)
		if size == 0 {
			panic(errorf("invalid format"))
		}
		out, format = append(out, p), rest[size:]
	}
	return out
}

func directive(s string) (piece, int) {
	for _, f := range []struct {
		name string
		p    piece
	}{{".f", piece{fraction: -1, dot: true}}, {".3f", piece{fraction: 3, dot: true}}, {".6f", piece{fraction: 6, dot: true}},
		{".9f", piece{fraction: 9, dot: true}}, {"3f", piece{fraction: 3}}, {"6f", piece{fraction: 6}}, {"9f", piece{fraction: 9}},
		{"f", piece{nanos: true}}, {"s", piece{epoch: true}}} {
		if strings.HasPrefix(s, f.name) {
			return f.p, len(f.name)
		}
	}
	for n := 2; n > 0; n-- {
		if len(s) >= n {
			if layout, ok := directives[s[:n]]; ok {
				return piece{layout: layout}, n
			}
		}
	}
	return piece{}, 0
}

func strftime(t time.Time, format string) string {
	var b strings.Builder
	for _, p := range cutFormat(format) {
		nanos := fmt.Sprintf("%09d", t.Nanosecond())
		switch {
		case p.text != "":
			b.WriteString(p.text)
		case p.epoch:
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case p.nanos:
			b.WriteString(nanos)
		case p.fraction < 0:
			b.WriteString(chronoFraction(nanos))
		case p.fraction > 0:
			if p.dot {
				b.WriteByte('.')
			}
			b.WriteString(nanos[:p.fraction])
		case p.layout == directives["+"]:
			b.WriteString(t.Format("2006-01-02T15:04:05") + chronoFraction(nanos) + t.Format("-07:00"))
		default:
			b.WriteString(t.Format(p.layout))
		}
	}
	return b.String()
}

// chronoFraction has 0, 3, 6 or 9 digits, whichever is enough.
func chronoFraction(nanos string) string {
	trimmed := strings.TrimRight(nanos, "0")
	if trimmed == "" {
		return ""
	}
	return "." + nanos[:(len(trimmed)+2)/3*3]
}

// strptime reads what strftime writes. A format without a zone is read in the one given.
func strptime(s, format string, zone *time.Location) time.Time {
	pieces := cutFormat(format)
	var layout strings.Builder
	for _, p := range pieces {
		switch {
		case p.epoch && len(pieces) == 1:
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				panic(badTimestamp(s))
			}
			return time.Unix(n, 0).UTC()
		case p.text != "":
			layout.WriteString(p.text)
		case p.epoch:
			panic(errorf("unable to convert timestamp: %%s stands beside other directives"))
		case p.dot: // Go reads a fraction after the seconds by itself
		case p.nanos || p.fraction > 0:
			before := strings.TrimSuffix(layout.String(), ".")
			if before == layout.String() {
				panic(errorf("unable to convert timestamp: a fraction without a point"))
			}
			layout.Reset()
			layout.WriteString(before)
		default:
			layout.WriteString(p.layout)
		}
	}
	t, err := time.ParseInLocation(layout.String(), s, zone)
	if err != nil {
		t, err = parseWithGaps(layout.String(), s, zone)
	}
	if err != nil {
		panic(badTimestamp(s))
	}
	return t.UTC()
}

func badTimestamp(s string) stopped {
	return errorf("Invalid timestamp %q: input contains invalid characters", s)
}

var gaps = regexp.MustCompile(`\s+`)

// parseWithGaps: where the format has white space, the text may have any, or none (docs.rs, chrono::format::strftime).
func parseWithGaps(layout, s string, zone *time.Location) (t time.Time, err error) {
	parts := gaps.Split(layout, -1)
	s = gaps.ReplaceAllString(s, " ")
	for ways := range 1 << min(len(parts)-1, 6) {
		var tried strings.Builder
		for i, part := range parts {
			if i > 0 && ways>>(i-1)&1 == 0 {
				tried.WriteByte(' ')
			}
			tried.WriteString(part)
		}
		if t, err = time.ParseInLocation(tried.String(), s, zone); err == nil {
			return t, nil
		}
	}
	return t, err
}
