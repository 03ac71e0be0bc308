package boot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/pipeline"
	"bootrace/harness/timeline"
)

// Owed is what Vector's configuration promises of the numbered lines.
type Owed struct {
	Lines map[string]bool   // sources whose every line must come to Axiom
	Doubt map[string]string // sources of which that cannot be said, and why
	// Through are the transforms that the worker's lines pass on their way.
	Through pipeline.Components
	// Elsewhere is the worker's lines' way where it is known not to end at Axiom.
	Elsewhere *pipeline.Delivery
}

// Owed is read off the configuration that was recorded. Of a recording without one, all
// that was logged is owed.
func (b Facts) Owed() Owed {
	o := Owed{Lines: map[string]bool{}, Doubt: map[string]string{}}
	p := b.Final.Pipeline
	if p == nil {
		for source := range b.Logged {
			o.Lines[source] = true
		}
		return o
	}
	for _, source := range []string{BootLogger, Worker} {
		d := p.Lines(source + ".service")
		if source == Worker {
			o.Through = d.Through
		}
		unplayed := b.Unplayed(d)
		switch {
		case b.Final.Unread != "":
			o.Doubt[source] = "which it is not known whether they are owed (" + b.Final.Unread + ")"
		case len(d.Axiom) > 0 && len(unplayed) > 0:
			o.Doubt[source] = "which the stand-in cannot tell: " + strings.Join(unplayed, ", ")
		case len(d.Axiom) > 0 && d.Certain:
			o.Lines[source] = true
		case len(d.Axiom) > 0:
			o.Doubt[source] = "which may rightly be fewer or others: they pass " + d.Through.String()
		case source == Worker:
			o.Elsewhere = &d
		}
	}
	return o
}

// SinceNow: a journald source of Vector's begins with what is logged from its start on.
func (b Facts) SinceNow() bool {
	return b.Final.Pipeline != nil && slices.ContainsFunc(b.Final.Pipeline.Sources, func(c pipeline.Component) bool {
		return c.Type == "journald" && c.Options["since_now"] == true
	})
}

// otherToken: the configuration ships the worker's lines with another token than that
// for logs; Axiom takes it for its own dataset only.
func (b Facts) otherToken() bool {
	if b.Final.Pipeline == nil {
		return false
	}
	d := b.Final.Pipeline.Lines(Worker + ".service")
	return len(d.Axiom) > 0 && !d.Axiom.Use("AXIOM_PLATFORM_TOKEN")
}

// What the stand-in says of itself in the journal (images/vector).
const (
	standInPlays     = "bootrace stand-in plays: "
	standInUndecided = "bootrace stand-in cannot decide: "
)

// Undecided is the sentence in which the stand-in said that only a real Vector can tell
// what becomes of the configuration; empty: it did not.
func (b Facts) Undecided() string {
	for _, ev := range b.Of(timeline.Log) {
		if _, sentence, ok := strings.Cut(ev.Text, standInUndecided); ok {
			return "the stand-in cannot decide: " + sentence
		}
	}
	return ""
}

// Unplayed are the parts of a way of which the stand-in said that it does not do with
// events what Vector does, and what it does.
func (b Facts) Unplayed(d pipeline.Delivery) []string {
	said := map[string]string{}
	for _, ev := range b.Of(timeline.Log) {
		_, text, ok := strings.Cut(ev.Text, standInPlays)
		if !ok {
			continue
		}
		var plays struct {
			Played []struct {
				ID, How, Why string
				Unjudged     bool
			}
		}
		if json.NewDecoder(strings.NewReader(text)).Decode(&plays) != nil {
			continue
		}
		for _, p := range plays.Played {
			if p.Unjudged {
				said[p.ID] = strings.TrimSuffix(p.How+", "+p.Why, ", ")
			}
		}
	}
	var out []string
	for _, c := range slices.Concat(d.Sources, d.Through, d.Axiom) {
		if why, ok := said[c.ID]; ok {
			out = append(out, fmt.Sprintf("%s: %s", c, why))
		}
	}
	return out
}
