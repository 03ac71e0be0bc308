package picture

import (
	"cmp"
	"fmt"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/results"
)

// services have a group each; what else the cloud's log has shares one.
var services = []string{boot.IMDS, boot.KeyVault, "axiom", "controlplane", resolver}

// resolver is the cloud's name server, whose requests have a host instead of a path.
const resolver = "resolver"

// maxCalls is how many requests for the same thing are drawn one by one; of more,
// those that follow each other with the same answer are drawn together.
const maxCalls = 24

// stream is what is asked for again and again.
type stream struct{ service, op, secret, token, name string }

func streamOf(c *timeline.Call) stream {
	return stream{c.Service, c.Op, c.Secret, c.TokenName, nameAsked(c)}
}

// nameAsked is the name that a name server was asked for.
func nameAsked(c *timeline.Call) string {
	if c.Service == resolver {
		return c.Host
	}
	return ""
}

// run are requests of a stream that are drawn as one.
type run struct {
	first         *timeline.Call
	event         results.Event
	calls, events int
}

// requests are what the machine asked of its cloud, a group a service.
func requests(b boot.Facts) []group {
	var calls []timeline.Event
	total := map[stream]int{}
	for _, ev := range b.Of(timeline.Request) {
		if c := ev.Call; c.Op != "ready" && c.Op != "destroyed" { // the cloud's own words
			calls = append(calls, ev)
			total[streamOf(c)]++
		}
	}
	var runs []*run
	last := map[stream]*run{}
	for _, ev := range calls {
		key := streamOf(ev.Call)
		most := (total[key] + maxCalls - 1) / maxCalls
		r := last[key]
		if r == nil || r.calls >= most || r.first.Status != ev.Call.Status || r.first.Error != ev.Call.Error {
			r = &run{first: ev.Call, event: results.Event{At: ev.At, Lane: results.LaneRequest, Name: ev.Call.Service, Bad: bad(ev.Call)}}
			runs, last[key] = append(runs, r), r
		}
		r.calls++
		r.events += ev.Call.Events
		r.event = span(r.event, ev.At+ev.Call.Duration)
	}
	byService := map[string][]results.Event{}
	for _, r := range runs {
		r.event.Text = r.text()
		byService[r.event.Name] = append(byService[r.event.Name], r.event)
	}
	var out []group
	for _, s := range services {
		out = append(out, group{s, byService[s]})
		delete(byService, s)
	}
	other := group{name: "cloud"}
	for _, r := range runs {
		if _, left := byService[r.event.Name]; left {
			other.events = append(other.events, r.event)
		}
	}
	return append(out, other)
}

// bad: the request was not granted.
func bad(c *timeline.Call) bool {
	if c.Service == resolver {
		return c.Error != "" // a name server answers without a status
	}
	if c.Op == "network" { // it came, late as the scenario wants it
		return false
	}
	return (c.Status < 200 || c.Status > 299) && !boot.Challenge(c)
}

// text has names of secrets and never a value: nothing of a path, a query or a body.
func (r *run) text() string {
	c := r.first
	parts := []string{c.Op, cmp.Or(c.Secret, c.TokenName, nameAsked(c))}
	if c.Status != 0 {
		parts = append(parts, fmt.Sprint(c.Status))
	}
	parts = append(parts, c.Error)
	if c.Auth != "" && c.Auth != "ok" {
		parts = append(parts, "auth="+c.Auth)
	}
	if c.RetryAfter > 0 {
		parts = append(parts, "retry-after="+c.RetryAfter.String())
	}
	if r.events > 0 {
		parts = append(parts, fmt.Sprintf("events=%d", r.events))
	}
	if r.calls > 1 {
		parts = append(parts, fmt.Sprintf("%d times", r.calls))
	}
	return clip(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
}
