// Package timespan reads and writes time spans as systemd does: 5min 20s, 1d,
// infinity (systemd.time(7), "Parsing time spans" and "Displaying time spans").
//
//	limit, err := timespan.Parse("1d 2h")  // 26h0m0s
//	text := timespan.Format(90 * time.Second)  // 1min 30s
package timespan

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Infinity is for ever.
const Infinity time.Duration = math.MaxInt64

// Units beyond time's own, as systemd.time(7) has them.
const (
	day   = 24 * time.Hour
	week  = 7 * day
	month = 2629800 * time.Second  // 30.44 days
	year  = 31557600 * time.Second // 365.25 days
)

// units are all names of all units. A small m is minutes, a capital one months.
var units = map[string]time.Duration{
	"usec": time.Microsecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond, // U+00B5, U+03BC
	"msec": time.Millisecond, "ms": time.Millisecond,
	"seconds": time.Second, "second": time.Second, "sec": time.Second, "s": time.Second,
	"minutes": time.Minute, "minute": time.Minute, "min": time.Minute, "m": time.Minute,
	"hours": time.Hour, "hour": time.Hour, "hr": time.Hour, "h": time.Hour,
	"days": day, "day": day, "d": day,
	"weeks": week, "week": week, "w": week,
	"months": month, "month": month, "M": month,
	"years": year, "year": year, "y": year,
}

// value is one number, and its unit if it has one; blanks are systemd's.
var value = regexp.MustCompile(`^([0-9]*)(?:[.]([0-9]+))?([ \t\n\r]*)([a-zA-Zµμ]*)[ \t\n\r]*`)

var errTooLong = errors.New("it is more than 292 years")

// Parse reads a time span. A number without a unit is of seconds, values that
// follow each other are added, with or without space between, and a value may have
// a fraction. More than 292 years are too much for a time.Duration.
func Parse(text string) (time.Duration, error) {
	rest := strings.Trim(text, " \t\n\r")
	if rest == "infinity" {
		return Infinity, nil
	}
	var sum time.Duration
	for first := true; first || rest != ""; first = false {
		one, length, err := leading(rest)
		if sum += one; err == nil && (sum < 0 || sum == Infinity) {
			err = errTooLong
		}
		if err != nil {
			return 0, fmt.Errorf("%q is no time span such as 5min 20s (systemd.time(7)): %w", text, err)
		}
		rest = rest[length:]
	}
	return sum, nil
}

// leading is the value that a text begins with, and the length of it in bytes.
func leading(text string) (d time.Duration, length int, err error) {
	m := value.FindStringSubmatch(text)
	whole, fraction, blank, name := m[1], m[2], m[3], m[4]
	unit, known := units[name]
	if name == "" {
		unit, known = time.Second, blank != "" || len(m[0]) == len(text)
	}
	switch {
	case whole+fraction == "":
		return 0, 0, fmt.Errorf("expected a number at %q", text)
	case !known:
		return 0, 0, fmt.Errorf("there is no unit %q", text[len(m[0])-len(name):])
	}
	n, err := strconv.ParseInt("0"+whole, 10, 64)
	if err != nil || time.Duration(n) > Infinity/unit {
		return 0, 0, errTooLong
	}
	d = time.Duration(n) * unit
	for _, digit := range fraction {
		unit /= 10
		d += time.Duration(digit-'0') * unit
	}
	if d < 0 {
		return 0, 0, errTooLong
	}
	return d, len(m[0]), nil
}

// Micro is a time span as systemd has it on the bus, in microseconds; what is longer
// than a time.Duration can be is for ever, as systemd's own UINT64_MAX.
func Micro(n uint64) time.Duration {
	if n > uint64(Infinity/time.Microsecond) {
		return Infinity
	}
	return time.Duration(n) * time.Microsecond
}

// Format writes a time span as systemd's tools do, the largest unit first; less
// than a minute is one value, with a fraction where there is one.
func Format(d time.Duration) string {
	switch {
	case d == Infinity:
		return "infinity"
	case d < time.Minute:
		return d.String()
	}
	var parts []string
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"y", year}, {"month", month}, {"w", week}, {"d", day}, {"h", time.Hour}, {"min", time.Minute}} {
		if n := d / u.of; n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, u.name))
			d %= u.of
		}
	}
	if d > 0 {
		parts = append(parts, d.String())
	}
	return strings.Join(parts, " ")
}
