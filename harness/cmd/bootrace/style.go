package main

import (
	"fmt"
	"time"
)

// style colours words, or not.
type style struct{ color bool }

func (s style) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) verdict(v string) string { return s.word(v, 7) }

// outcome is a check's; not-applicable is the longest.
func (s style) outcome(o string) string { return s.word(o, 14) }

func (s style) word(w string, width int) string {
	code := map[string]string{"pass": "32", "fail": "31;1", "flaky": "35;1", "invalid": "33", "no-evidence": "33", "error": "33;1"}[w]
	text := fmt.Sprintf("%-*s", width, w)
	if code == "" {
		return text
	}
	return s.paint(code, text)
}

func (s style) dim(text string) string { return s.paint("2", text) }

// seconds prints a duration as people compare them.
func seconds(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	default:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
}
