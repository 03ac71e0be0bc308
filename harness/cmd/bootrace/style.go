package main

import (
	"fmt"
	"strings"
	"time"

	"bootrace/results"
	"bootrace/results/history"
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

// ofCase is a case's verdict. Green is for a pass that was expected.
func (s style) ofCase(c results.Case) string {
	if c.Verdict == "pass" && !c.AsExpected() {
		return s.paint("31;1", fmt.Sprintf("%-7s", c.Verdict))
	}
	return s.verdict(c.Verdict)
}

// outcome is a check's; not-applicable is the longest.
func (s style) outcome(o string) string { return s.word(o, 14) }

// change is what became of a measure or of a verdict; regressed is the longest.
func (s style) change(c string) string { return s.word(c, 9) }

func (s style) word(w string, width int) string {
	code := map[string]string{"pass": "32", "fail": "31;1", "flaky": "35;1", "invalid": "33", "no-evidence": "33", "not-judged": "33", "error": "33;1", "untestable": "33", "reproduced": "32", "not-reproduced": "31;1", "undecided": "33",
		"regressed": "31;1", "worse": "31;1", "improved": "32", "better": "32", "too-few": "33", "missing": "33", "vanished": "33"}[w]
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

// sparks are the heights of a sparkline.
var sparks = []rune("▁▂▃▄▅▆▇█")

// sparkRuns is how many runs a sparkline has room for.
const sparkRuns = 16

// spark draws the medians of the newest runs, from the least of them to the
// largest. It is for the eye: in a pipe there is none.
func (io streams) spark(points []history.Point) string {
	if io.width == 0 {
		return ""
	}
	points = points[max(0, len(points)-sparkRuns):]
	low, high := points[0].Median, points[0].Median
	for _, p := range points {
		low, high = min(low, p.Median), max(high, p.Median)
	}
	line := strings.Builder{}
	for _, p := range points {
		height := 0
		if high > low {
			height = int((p.Median - low) / (high - low) * float64(len(sparks)-1))
		}
		line.WriteRune(sparks[height])
	}
	return fmt.Sprintf("%-*s ", sparkRuns, line.String())
}
