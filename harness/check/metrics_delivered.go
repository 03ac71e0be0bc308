package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bootrace/harness/boot"
	"bootrace/harness/pipeline"
	"bootrace/harness/timeline"
)

// part is what one part of logs-delivered came to.
type part struct {
	findings []Finding
	unjudged []string
	note     string
}

// metricsDelivered: what the configuration reads of metrics must come to the sink that
// it names. One that reads none owes none.
func metricsDelivered(b boot.Facts, e Expect) part {
	var out part
	p := b.Final.Pipeline
	if p == nil || b.Final.Unread != "" {
		return out
	}
	metrics := p.Metrics()
	somewhere := false
	var elsewhere []string
	for id, d := range metrics {
		somewhere = somewhere || len(d.Axiom)+len(d.Other) > 0
		if len(d.Axiom) == 0 && len(d.Other) > 0 {
			elsewhere = append(elsewhere, fmt.Sprintf("metrics of %s go to %s, where nobody looked", id, d.Other))
		}
	}
	if len(metrics) > 0 && !somewhere {
		ids := slices.Sorted(maps.Keys(metrics))
		out.findings = append(out.findings, Finding{Unit: boot.Vector, Intrinsic: true, Evidence: configEvidence(),
			Summary: fmt.Sprintf("Vector's configuration reads metrics (%s) and brings them to no sink", strings.Join(ids, ", "))})
		return out
	}
	slices.Sort(elsewhere)
	out.unjudged = elsewhere
	v, runs := b.RunningVector().First()
	if !runs || !e.Delivers() || len(b.Wanted(e.Setup).Differing(v.Vars)) > 0 {
		return out // vector-credentialed says so
	}
	for _, source := range p.Sources {
		d, is := metrics[source.ID]
		if !is || len(d.Axiom) == 0 || !d.Certain || len(b.Unplayed(d)) > 0 || !tokenSet(d.Axiom, v) {
			continue
		}
		out.add(arrived(b, v, source))
	}
	return out
}

func (p *part) add(f *Finding, note string) {
	if f != nil {
		p.findings = append(p.findings, *f)
	}
	if note != "" {
		p.note = strings.TrimPrefix(p.note+", "+note, ", ")
	}
}

// tokenSet: without the optional metrics token nothing arrives, by design.
func tokenSet(sinks pipeline.Components, v timeline.Process) bool {
	return slices.ContainsFunc(sinks, func(s pipeline.Component) bool {
		names, elsewhere := pipeline.Pipeline{Sinks: pipeline.Components{s}}.TokenVariables()
		return elsewhere || slices.ContainsFunc(names, func(n string) bool { return v.Vars[n] != "" && v.Vars[n] != "-" })
	})
}

// arrived judges one source of metrics. What of this host is scraped is the worker's,
// which serves from its registration on; all else need only be events with no line.
func arrived(b boot.Facts, v timeline.Process, source pipeline.Component) (*Finding, string) {
	ofWorker := source.ScrapesWorker()
	if !ofWorker && source.Type != "internal_metrics" {
		return nil, "" // of another host, or of a kind that the machine may have none of
	}
	since := v.Start
	if ofWorker {
		registered, ok := b.Registered().First()
		if !ok {
			return nil, ""
		}
		since = max(since, registered.At)
	}
	for _, ev := range b.Ingested().All {
		c := ev.Call
		if ev.At > v.Start && (c.Metrics > 0 || !ofWorker && c.Events > c.Numbered) {
			return nil, fmt.Sprintf("metrics of %s arrive", source.ID)
		}
	}
	limit := source.Interval() + deliveryGrace
	if due := since + limit; b.End < due {
		return nil, fmt.Sprintf("no metrics of %s were due yet", source.ID)
	}
	return &Finding{At: since + limit, Unit: boot.Vector, Absence: true, Over: b.End - since - limit, Limit: limit, Since: since, Evidence: configEvidence(),
		Summary: fmt.Sprintf("no metrics of %s came to Axiom, which Vector could read since %s and reads every %s", source, timeline.Since(since), source.Interval())}, ""
}
