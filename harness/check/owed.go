package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/pipeline"
	"bootrace/harness/timeline"
)

// owed is what Vector's configuration promises of the numbered lines.
type owed struct {
	lines map[string]bool   // sources whose every line must come to Axiom
	doubt map[string]string // sources of which that cannot be said, and why
	// unjudged is what goes where nobody can look; wrong, what is promised to nobody.
	unjudged []string
	wrong    []Finding
	through  []pipeline.Component // the transforms that lines pass on their way
}

// owedBy reads it off the configuration that was recorded. Of a recording without one,
// all that was logged is owed.
func owedBy(b boot.Facts, logged map[string]map[int]timeline.Event) owed {
	o := owed{lines: map[string]bool{}, doubt: map[string]string{}}
	p := b.Final.Pipeline
	if p == nil {
		for source := range logged {
			o.lines[source] = true
		}
		return o
	}
	unplayed := standInUnjudged(b)
	for _, source := range []string{bootLogger, worker} {
		d := p.Lines(source + ".service")
		if source == worker {
			o.through = d.Through
		}
		switch {
		case b.Final.Unread != "":
			o.doubt[source] = "which it is not known whether they are owed (" + b.Final.Unread + ")"
		case len(d.Axiom) > 0 && len(among(d, unplayed)) > 0:
			o.doubt[source] = "which the stand-in cannot tell: " + strings.Join(among(d, unplayed), ", ")
		case len(d.Axiom) > 0 && d.Certain:
			o.lines[source] = true
		case len(d.Axiom) > 0:
			o.doubt[source] = "which may rightly be fewer or others: they pass " + names(d.Through)
		case source == worker:
			o.nothingOf(worker+".service", d, p)
		}
	}
	return o
}

// nothingOf says what it means that a unit's lines do not come to Axiom.
func (o *owed) nothingOf(unit string, d pipeline.Delivery, p *pipeline.Pipeline) {
	switch {
	case len(d.Other) > 0:
		o.unjudged = append(o.unjudged, fmt.Sprintf("lines of %s go to %s, where nobody looked", unit, names(d.Other)))
	case len(p.OtherLogs()) > 0 && len(d.Sources) == 0:
		o.unjudged = append(o.unjudged, fmt.Sprintf("lines of %s may come by %s, which is not followed", unit, names(p.OtherLogs())))
	case len(d.Sources) == 0:
		o.wrong = append(o.wrong, Finding{Unit: boot.Vector, Intrinsic: true, Evidence: configEvidence(),
			Summary: "Vector's configuration ships nothing of the worker: no journald source takes the lines of " + unit})
	default:
		where := "no sink takes them"
		if len(d.Nowhere) > 0 {
			where = "they go to " + names(d.Nowhere)
		}
		o.wrong = append(o.wrong, Finding{Unit: boot.Vector, Intrinsic: true, Evidence: configEvidence(),
			Summary: fmt.Sprintf("Vector's configuration ships nothing of the worker: %s reads the lines of %s, and %s", names(d.Sources), unit, where)})
	}
}

func configEvidence() []timeline.Evidence {
	return []timeline.Evidence{{File: timeline.Config, Line: 1, Text: "what Vector was made to read"}}
}

func names(components []pipeline.Component) string {
	var out []string
	for _, c := range components {
		out = append(out, c.String())
	}
	return strings.Join(out, ", ")
}

// among are the parts of a way that are not played as Vector does.
func among(d pipeline.Delivery, unplayed map[string]string) []string {
	var out []string
	for _, c := range slices.Concat(d.Sources, d.Through, d.Axiom) {
		if why, ok := unplayed[c.ID]; ok {
			out = append(out, fmt.Sprintf("%s: %s", c, why))
		}
	}
	return out
}

// otherToken: the configuration ships the worker's lines with another token than that
// for logs; Axiom takes it for its own dataset only.
func otherToken(b boot.Facts) bool {
	if b.Final.Pipeline == nil {
		return false
	}
	d := b.Final.Pipeline.Lines(worker + ".service")
	return len(d.Axiom) > 0 && !usedBy(d.Axiom, "AXIOM_PLATFORM_TOKEN")
}

// What the stand-in says of itself in the journal (images/vector).
const (
	standInPlays     = "bootrace stand-in plays: "
	standInUndecided = "bootrace stand-in cannot decide: "
)

// Undecided is the sentence in which the stand-in said that only a real Vector can tell
// what becomes of the configuration; empty: it did not.
func Undecided(b boot.Facts) string {
	for _, ev := range b.Of(timeline.Log) {
		if _, sentence, ok := strings.Cut(ev.Text, standInUndecided); ok {
			return "the stand-in cannot decide: " + sentence
		}
	}
	return ""
}

// standInUnjudged are the components of which the stand-in said that it does not do
// with events what Vector does, and what it does.
func standInUnjudged(b boot.Facts) map[string]string {
	out := map[string]string{}
	for _, ev := range b.Of(timeline.Log) {
		_, text, ok := strings.Cut(ev.Text, standInPlays)
		if !ok {
			continue
		}
		var said struct {
			Played []struct {
				ID, How, Why string
				Unjudged     bool
			}
		}
		if json.NewDecoder(strings.NewReader(text)).Decode(&said) != nil {
			continue
		}
		for _, p := range said.Played {
			if p.Unjudged {
				out[p.ID] = strings.TrimSuffix(p.How+", "+p.Why, ", ")
			}
		}
	}
	return out
}

// leftOut: the image has no boot logger, on purpose.
func leftOut(b boot.Facts) bool {
	if _, unknown := b.Missing[timeline.Units]; unknown || len(b.Final.Units) == 0 {
		return false
	}
	u, loaded := b.Final.Units[bootLogger+".service"]
	gone := !loaded || slices.Contains([]string{"masked", "not-found"}, u.Load) || slices.Contains([]string{"masked", "disabled"}, u.FileState)
	return gone && !slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
		return ev.Unit == bootLogger+".service" || ev.Kind == timeline.Line && ev.Line.Source == bootLogger
	})
}
