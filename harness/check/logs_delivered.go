package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

const (
	bootLogger = "boot-logger"
	worker     = "opensandbox-worker"
	// silenceAllowed is what the journal may lack of the boot logger at the end
	// before its silence means a dead journal: it writes every 2 s at least.
	silenceAllowed = 5 * time.Second
)

var logsDelivered = Check{
	Name: "logs-delivered",
	Why: "a line logged since boot that Vector's configuration sends to Axiom is missing there, or a metric, or who sent them. Vector drops a " +
		"batch answered with 400, 401, 403, 404 or 501 at once, disk buffer or not, and retries all else, so a stub with an empty token loses what is logged meanwhile",
	Needs: []string{timeline.Journal, timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		logged := logged(b)
		owed := owedBy(b, logged)
		lost := slices.Concat(refusedBatches(b), rateLimited(b, logged, owed), owed.wrong)
		// The one check that can tell a journal that is whole from one that is not.
		if why := journalGaps(b, logged, owed); why != "" {
			r := noEvidence(why)
			r.Findings = lost
			return r
		}
		if !e.delivers() {
			return found(lost, "delivery is not judged: no credentials come, so nothing may be lost but nothing need arrive")
		}
		seen := delivered(b, e)
		limit := b.End - e.DeliveryGrace
		var note []string
		unjudged := owed.unjudged
		for _, source := range slices.Sorted(maps.Keys(logged)) {
			why, doubtful := owed.doubt[source]
			if !owed.lines[source] && !doubtful {
				continue
			}
			f, n := undelivered(source, logged[source], seen[source], limit, b)
			if doubtful && len(f) > 0 {
				unjudged = append(unjudged, fmt.Sprintf("%s of %s", strings.TrimPrefix(n, source+" "), why))
				continue
			}
			lost = append(lost, f...)
			note = append(note, n)
		}
		metrics := metricsDelivered(b, e)
		identity := identified(b, e, owed)
		lost = slices.Concat(lost, metrics.findings, identity.findings)
		note = slices.DeleteFunc(append(note, metrics.note, identity.note), func(n string) bool { return n == "" })
		unjudged = slices.Concat(unjudged, metrics.unjudged, identity.unjudged)
		if len(lost) == 0 && len(unjudged) > 0 {
			return notJudged(strings.Join(append(unjudged, note...), "; "))
		}
		return found(lost, strings.Join(note, "; "))
	},
}

// logged collects the numbered lines of the journal, by source and number.
func logged(b boot.Facts) map[string]map[int]timeline.Event {
	out := map[string]map[int]timeline.Event{}
	for _, ev := range b.Of(timeline.Line) {
		if out[ev.Line.Source] == nil {
			out[ev.Line.Source] = map[int]timeline.Event{}
		}
		if _, dup := out[ev.Line.Source][ev.Line.Seq]; !dup {
			out[ev.Line.Source][ev.Line.Seq] = ev
		}
	}
	return out
}

// journalGaps says what the journal itself lacks. A line that never got into it
// cannot be missed at Axiom, and is nothing Vector could have shipped. The boot logger
// is what speaks all the time; an image that leaves it out has the worker's lines.
func journalGaps(b boot.Facts, logged map[string]map[int]timeline.Event, owed owed) string {
	witness := bootLogger
	if leftOut(b) {
		witness = worker
		if len(logged[worker]) == 0 {
			return ""
		}
	}
	if len(logged[witness]) == 0 {
		return "the journal has no line of the boot logger"
	}
	last := time.Duration(0)
	for _, ev := range logged[witness] {
		last = max(last, ev.At)
	}
	if silent := b.End - last; silent > silenceAllowed {
		return fmt.Sprintf("the journal's last line of %s is %s old at the end", strings.Replace(witness, bootLogger, "the boot logger", 1), boot.Round(silent))
	}
	for _, source := range slices.Sorted(maps.Keys(logged)) {
		highest := slices.Max(slices.Collect(maps.Keys(logged[source])))
		if len(logged[source]) == highest || !owed.lines[source] && source != witness {
			continue
		}
		var gone []int
		for seq := 1; seq <= highest && len(gone) < highest-len(logged[source]); seq++ {
			if _, ok := logged[source][seq]; !ok {
				gone = append(gone, seq)
			}
		}
		return fmt.Sprintf("the journal itself lost %s %s%s", source, timeline.RangesText(timeline.Ranges(gone)), suppressed(b))
	}
	return ""
}

// rateLimited finds what journald kept out of the journal by its own limits
// (journald.conf(5), RateLimitBurst=; systemd.exec(5), LogRateLimitBurst=): what
// the image says is lost on every host.
func rateLimited(b boot.Facts, logged map[string]map[int]timeline.Event, owed owed) []Finding {
	var out []Finding
	for _, ev := range b.Of(timeline.Suppressed) {
		if source := strings.TrimSuffix(ev.Unit, ".service"); len(logged[source]) > 0 && owed.lines[source] {
			out = append(out, Finding{At: ev.At, Unit: ev.Unit, Intrinsic: true, Evidence: []timeline.Evidence{ev.Evidence},
				Summary: fmt.Sprintf("journald suppressed %d lines of %s by its rate limit: they never got into the journal", ev.Change.Count, source)})
		}
	}
	return out
}

func suppressed(b boot.Facts) string {
	var out []string
	for _, ev := range b.Of(timeline.Suppressed) {
		out = append(out, fmt.Sprintf("%d of %s at %s", ev.Change.Count, ev.Unit, timeline.Since(ev.At)))
	}
	if len(out) == 0 {
		return ""
	}
	return "; journald suppressed " + strings.Join(out, ", ")
}

// arrival is a line at Axiom: how often, and when first.
type arrival struct {
	times int
	first time.Duration
}

// delivered tells of each line that Axiom accepted with the token that the
// configuration names for it.
func delivered(b boot.Facts, e Expect) map[string]map[int]arrival {
	out := map[string]map[int]arrival{}
	named := !otherToken(b)
	for _, ev := range b.Of(timeline.Request) {
		if ev.Call.Op != "ingest" || ev.Call.Status != 200 || named && strings.TrimSuffix(ev.Call.TokenName, recording.Rotated) != e.LogToken {
			continue
		}
		for source, ranges := range ev.Call.Lines {
			if out[source] == nil {
				out[source] = map[int]arrival{}
			}
			for _, r := range ranges {
				for seq := r.First; seq <= r.Last; seq++ {
					a, before := out[source][seq]
					if !before {
						a.first = ev.At + ev.Call.Duration
					}
					a.times++
					out[source][seq] = a
				}
			}
		}
	}
	return out
}

// Line is a numbered line on its way from the journal to Axiom.
type Line struct {
	Logged    time.Duration
	Arrived   bool          // it was accepted with the right token
	Delivered time.Duration // when that was first answered; not before Logged
}

// Lines are the numbered lines of the journal, by when they were logged. A line
// counts once, however often it was logged or delivered.
func Lines(b boot.Facts, e Expect) []Line {
	seen := delivered(b, e.withDefaults())
	var out []Line
	for source, lines := range logged(b) {
		for seq, ev := range lines {
			l := Line{Logged: ev.At}
			if a, ok := seen[source][seq]; ok {
				l.Arrived, l.Delivered = true, max(a.first, ev.At)
			}
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Logged, b.Logged), b2i(b.Arrived)-b2i(a.Arrived), cmp.Compare(a.Delivered, b.Delivered))
	})
	return out
}

func undelivered(source string, logged map[int]timeline.Event, seen map[int]arrival, limit time.Duration, b boot.Facts) ([]Finding, string) {
	var gone []int
	due, twice := 0, 0
	for seq, ev := range logged {
		if seen[seq].times > 1 {
			twice++
		}
		if ev.At > limit {
			continue
		}
		if due++; seen[seq].times == 0 {
			gone = append(gone, seq)
		}
	}
	note := fmt.Sprintf("%s %d of %d lines", source, due-len(gone), due)
	if twice > 0 {
		note += fmt.Sprintf(", %d more than once", twice)
	}
	if len(gone) == 0 {
		return nil, note
	}
	slices.Sort(gone)
	first := logged[gone[0]]
	f := Finding{At: first.At, Unit: source + ".service", Absence: true, Over: limit - first.At, Limit: b.End - limit, Since: first.At, Evidence: []timeline.Evidence{first.Evidence},
		Summary: fmt.Sprintf("%d of %d lines of %s are not at Axiom: %s", len(gone), due, source, timeline.RangesText(timeline.Ranges(gone)))}
	if ev, ok := otherwise(b, source, gone[0]); ok {
		f.Summary += fmt.Sprintf("; %s %d was answered %d at %s", source, gone[0], ev.Call.Status, timeline.Since(ev.At))
		f.Evidence = append(f.Evidence, ev.Evidence)
	}
	return []Finding{f}, note
}

// otherwise finds the request that carried the line and does not count.
func otherwise(b boot.Facts, source string, seq int) (timeline.Event, bool) {
	for _, ev := range b.Of(timeline.Request) {
		for _, r := range ev.Call.Lines[source] {
			if ev.Call.Op == "ingest" && r.First <= seq && seq <= r.Last {
				return ev, true
			}
		}
	}
	return timeline.Event{}, false
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
