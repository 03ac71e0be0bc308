package timeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"bootrace/harness/recording"
)

// readCloud reads the cloud's log: a line a request, times of CLOCK_MONOTONIC.
func readCloud(r io.Reader, zero time.Duration, d *damage) []Event {
	var events []Event
	ready := false
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		e, err := RequestLine(line)
		if err != nil {
			d.at(n, err.Error())
		}
		if e.Call == nil {
			return
		}
		ready = ready || e.Call.Op == recording.OpReady
		e.At -= zero
		e.Evidence = Evidence{File: Cloud, Line: n, Text: clip(e.Text)}
		events = append(events, e)
	})
	switch {
	case len(events) == 0:
		d.say("no line")
	case !ready:
		d.say("the cloud never said it is ready")
	}
	return events
}

// RequestLine is one line of the cloud's log; its time is that of CLOCK_MONOTONIC. With
// an error there is a Call if the line is a request all the same.
func RequestLine(line []byte) (Event, error) {
	var l recording.Request
	if err := json.Unmarshal(line, &l); err != nil || l.Service == "" || l.Op == "" || l.Mono <= 0 {
		return Event{}, errors.New("not a request")
	}
	c := &Call{
		Service: l.Service, Op: l.Op, Host: l.Host, Status: l.Status,
		Duration: l.Duration, Secret: l.Secret, Error: l.Error, Auth: l.Auth, Dataset: scrub(l.Dataset),
		TokenName: l.TokenName, Events: l.Events, Metrics: l.Metrics, Numbered: l.Numbered, Identity: l.Identity, UserAgent: l.UserAgent,
		Fault: string(l.Fault),
	}
	if l.RetryAfterS > 0 && l.RetryAfterS < 1e6 {
		c.RetryAfter = time.Duration(l.RetryAfterS) * time.Second
	}
	var damaged error
	for source, s := range l.Lines {
		ranges, err := recording.ParseRanges(s)
		if err != nil {
			damaged = errors.New("lines that are not ranges")
		}
		if c.Lines == nil {
			c.Lines = map[string][]recording.Range{}
		}
		c.Lines[source] = ranges
	}
	return Event{At: time.Duration(l.Mono), Kind: Request, Call: c, Text: c.String(), Secrets: secretsIn(scrub(string(line)))}, damaged
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
		fmt.Fprintf(&b, " %s=%s", source, recording.RangesText(c.Lines[source]))
	}
	if c.Metrics > 0 {
		fmt.Fprintf(&b, " metrics=%d", c.Metrics)
	}
	if c.RetryAfter > 0 {
		fmt.Fprintf(&b, " retry-after=%s", c.RetryAfter)
	}
	return b.String()
}
