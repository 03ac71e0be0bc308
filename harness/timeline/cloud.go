package timeline

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

type cloudLine struct {
	Mono       int64             `json:"mono"`
	Service    string            `json:"service"`
	Op         string            `json:"op"`
	Method     string            `json:"method"`
	Host       string            `json:"host"`
	Path       string            `json:"path"`
	Status     int               `json:"status"`
	DurationNS int64             `json:"duration_ns"`
	Secret     string            `json:"secret"`
	Error      string            `json:"error"`
	Auth       string            `json:"auth"`
	RetryS     float64           `json:"retry_after_s"`
	Dataset    string            `json:"dataset"`
	TokenName  string            `json:"token_name"`
	Events     int               `json:"events"`
	Lines      map[string]string `json:"lines"`
	Metrics    int               `json:"metrics"`
	Numbered   int               `json:"numbered"`
	Identity   map[string]int    `json:"identity"`
	Worker     string            `json:"worker"`
	UserAgent  string            `json:"user_agent"`
}

// readCloud reads the cloud's log: a line a request, times of CLOCK_MONOTONIC.
func readCloud(r io.Reader, zero time.Duration, d *damage) []Event {
	var events []Event
	ready := false
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		var l cloudLine
		if err := json.Unmarshal(line, &l); err != nil || l.Service == "" || l.Op == "" || l.Mono <= 0 {
			d.at(n, "not a request")
			return
		}
		c := &Call{
			Service: l.Service, Op: l.Op, Method: l.Method, Host: l.Host, Path: scrub(l.Path), Status: l.Status,
			Duration: time.Duration(l.DurationNS), Secret: l.Secret, Error: l.Error, Auth: l.Auth, Dataset: scrub(l.Dataset),
			TokenName: l.TokenName, Events: l.Events, Metrics: l.Metrics, Numbered: l.Numbered, Identity: l.Identity, Worker: l.Worker, UserAgent: l.UserAgent,
		}
		if l.RetryS > 0 && l.RetryS < 1e6 {
			c.RetryAfter = time.Duration(l.RetryS * float64(time.Second))
		}
		for source, s := range l.Lines {
			ranges, err := parseRanges(s)
			if err != nil {
				d.at(n, "lines that are not ranges")
			}
			if c.Lines == nil {
				c.Lines = map[string][]Range{}
			}
			c.Lines[source] = ranges
		}
		ready = ready || l.Op == "ready"
		events = append(events, Event{
			At: time.Duration(l.Mono) - zero, Kind: Request, Call: c, Text: c.String(),
			Secrets:  secretsIn(scrub(string(line))),
			Evidence: Evidence{File: Cloud, Line: n, Text: clip(c.String())},
		})
	})
	switch {
	case len(events) == 0:
		d.say("no line")
	case !ready:
		d.say("the cloud never said it is ready")
	}
	return events
}

// String is a request as evidence shows it.
func (c *Call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", c.Service, c.Op)
	for _, s := range []string{c.Secret, c.Dataset} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if c.Status != 0 {
		fmt.Fprintf(&b, " %d", c.Status)
	}
	if c.Error != "" {
		b.WriteString(" " + c.Error)
	}
	if c.Auth != "" && c.Auth != "ok" {
		b.WriteString(" auth=" + c.Auth)
	}
	if c.TokenName != "" {
		b.WriteString(" token=" + c.TokenName)
	}
	if c.Events > 0 {
		fmt.Fprintf(&b, " events=%d", c.Events)
	}
	for _, source := range sortedKeys(c.Lines) {
		fmt.Fprintf(&b, " %s=%s", source, rangesText(c.Lines[source]))
	}
	if c.Metrics > 0 {
		fmt.Fprintf(&b, " metrics=%d", c.Metrics)
	}
	if c.RetryAfter > 0 {
		fmt.Fprintf(&b, " retry-after=%s", c.RetryAfter)
	}
	return b.String()
}

func rangesText(ranges []Range) string {
	var parts []string
	for _, r := range ranges {
		if r.First == r.Last {
			parts = append(parts, strconv.Itoa(r.First))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return strings.Join(parts, ",")
}

// maxSeq bounds a range, so that a garbled one costs no memory downstream.
const maxSeq = 1_000_000

func parseRanges(s string) ([]Range, error) {
	var out []Range
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(first)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(last)
		}
		if err != nil || a < 1 || b < a || b > maxSeq {
			return out, fmt.Errorf("%q is no range", part)
		}
		out = append(out, Range{a, b})
	}
	return out, nil
}
