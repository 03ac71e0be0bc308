package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// deliveryGrace is how old a line must be at the end to be judged: Vector's axiom sink
// waits up to a second for a batch, and tries again what Axiom did not take.
const deliveryGrace = 5 * time.Second

var logsDelivered = Check{
	Name: "logs-delivered",
	Why: "a line logged since boot that Vector's configuration sends to Axiom is missing there, or a metric, or who sent them. Vector drops a " +
		"batch answered with 400, 401, 403, 404 or 501 at once, disk buffer or not, and retries all else, so a stub with an empty token loses what is logged meanwhile",
	Needs: []string{timeline.Journal, timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		owed := b.Owed()
		unjudged, wrong := elsewhere(b, owed)
		lost := slices.Concat(journalKept(b, owed), refusedBatches(b), rateLimited(b, owed), wrong)
		// The one check that can tell a journal that is whole from one that is not.
		if why := b.LinesLost(); why != "" {
			r := noEvidence(why)
			r.Findings = append(lost, keptOut(b, owed, why)...)
			return r
		}
		if !e.Delivers() {
			return found(lost, "delivery is not judged: no credentials come, so nothing may be lost but nothing need arrive")
		}
		arrivals := b.Arrivals(e.Setup)
		// Of a journal that Vector has from elsewhere, its lines arrive all the same.
		if f, silent := workerSilent(b); silent && (len(b.Logged[boot.Worker]) > 0 || len(arrivals[boot.Worker]) == 0) {
			if why, doubtful := owed.Doubt[boot.Worker]; owed.Lines[boot.Worker] {
				lost = append(lost, f)
			} else if doubtful {
				unjudged = append(unjudged, fmt.Sprintf("%s, of %s", f.Summary, why))
			}
		}
		lost = append(lost, stubsAddress(b, e)...)
		limit := b.End - deliveryGrace
		var note []string
		for _, source := range slices.Sorted(maps.Keys(b.Logged)) {
			why, doubtful := owed.Doubt[source]
			if !owed.Lines[source] && !doubtful {
				continue
			}
			f, n := undelivered(b, source, arrivals[source], limit)
			if doubtful && len(f) > 0 {
				unjudged = append(unjudged, fmt.Sprintf("%s of %s", strings.TrimPrefix(n, source+" "), why))
				continue
			}
			if why, ev := mayNotRead(b); len(arrivals) == 0 && why != "" {
				for i := range f {
					f[i].Summary, f[i].Evidence = why+": "+f[i].Summary, append(f[i].Evidence, ev)
				}
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

// workerSilent finds that the worker runs, which logs every two seconds at least, and that the
// journal has none of it: what never got there Vector cannot ship. The journal has what others
// say, or it is not judged.
func workerSilent(b boot.Facts) (f Finding, silent bool) {
	u := b.Final.Units[boot.Worker+".service"]
	up, registered := b.Registered().First()
	if !registered || u.Sub != "running" {
		return f, false
	}
	last, words := max(up.At, u.ActiveEnter), "no line"
	for _, ev := range b.Logged[boot.Worker] {
		last, words = max(last, ev.At), "no further line"
	}
	end := b.End
	if logger := b.Logged[boot.BootLogger]; len(logger) > 0 { // a busy host is slow to read the journal
		end = 0
		for _, ev := range logger {
			end = max(end, ev.At)
		}
	}
	if end-last <= deliveryGrace {
		return f, false
	}
	f = Finding{At: last, Unit: u.ID, Intrinsic: true, Evidence: append(evidence(u.Evidence), evidence(up.Evidence)...),
		Summary: fmt.Sprintf("%s runs, and %s of it is in the journal since %s: there is nothing that Vector could read", u.ID, words, timeline.Since(last))}
	why := slices.Clone(u.Output)
	if u.LogLevelMax < timeline.Info {
		why = append(why, "LogLevelMax="+u.LogLevelMax.String())
	}
	if len(why) > 0 {
		f.Summary += " (" + strings.Join(why, ", ") + ")"
	}
	return f, true
}

// stubsAddress finds that Vector has the vault's values, sends nothing to Axiom, and has an
// address besides that a stub gave it: of several environment files each variable has its last
// value, and what the last file leaves out stays (systemd.exec(5), EnvironmentFile=).
func stubsAddress(b boot.Facts, e Expect) []Finding {
	v, ok := b.RunningVector().First()
	sent := slices.ContainsFunc(b.Of(timeline.Request), func(ev timeline.Event) bool { return ev.Call.Op == "ingest" && ev.At > v.Start })
	if !ok || sent || b.End-v.Start < deliveryGrace || len(e.EnvDigests) == 0 || len(e.EnvDigests.Differing(v.Vars)) > 0 {
		return nil
	}
	for _, ev := range b.Of(timeline.EnvFile) {
		if slices.Contains(roleEnvs, ev.File.Path) { // no stub
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(ev.File.Vars)) {
			if _, ofVault := e.EnvDigests[name]; ofVault || !strings.HasSuffix(name, "_URL") || ev.File.Vars[name] != v.Vars[name] {
				continue
			}
			return []Finding{{At: v.Start, Unit: boot.Vector, Intrinsic: true, Evidence: []timeline.Evidence{v.Evidence, ev.Evidence},
				Summary: fmt.Sprintf("the Vector that runs since %s has the vault's values, and still the %s of the stub, and nothing came to Axiom", timeline.Since(v.Start), name)}}
		}
	}
	return nil
}

// journalctlEnded is what Vector's journald source says when journalctl ends by itself, as Vector's
// stop does not end it, and what journalctl says where it may open no journal.
var journalctlEnded = regexp.MustCompile(`(?i)journalctl process stopped.*exit status|journal files were opened due to insufficient permissions`)

// mayNotRead is why no line came: Vector runs as a user who may not read the journal. Root may,
// and the groups systemd-journal, adm and wheel (systemd-journald.service(8)).
func mayNotRead(b boot.Facts) (why string, said timeline.Evidence) {
	u := b.Final.Units[boot.Vector]
	if u.User == "" || u.User == "root" || u.User == "0" {
		return "", said
	}
	for _, ev := range b.Of(timeline.Log) {
		if ev.Unit == boot.Vector && journalctlEnded.MatchString(ev.Text) {
			return fmt.Sprintf("vector.service runs as %s, and the journalctl that it starts ends: that user may not read the journal", u.User), ev.Evidence
		}
	}
	return "", said
}

// rateLimited finds what journald kept out of the journal by its own limits
// (journald.conf(5), RateLimitBurst=; systemd.exec(5), LogRateLimitBurst=): what
// the image says is lost on every host.
func rateLimited(b boot.Facts, owed boot.Owed) []Finding {
	var out []Finding
	for _, ev := range b.Of(timeline.Suppressed) {
		if source := strings.TrimSuffix(ev.Unit, ".service"); len(b.Logged[source]) > 0 && owed.Lines[source] {
			out = append(out, Finding{At: ev.At, Unit: ev.Unit, Intrinsic: true, Evidence: []timeline.Evidence{ev.Evidence},
				Summary: fmt.Sprintf("journald suppressed %d lines of %s by its rate limit: they never got into the journal", ev.Change.Count, source)})
		}
	}
	return out
}

// readsWithin is how soon after its start Vector reads the journal, on a busy host too.
const readsWithin = 2 * time.Second

func undelivered(b boot.Facts, source string, arrivals map[int]boot.Arrival, limit time.Duration) ([]Finding, string) {
	logged := b.Logged[source]
	var gone []int
	due, twice := 0, 0
	for seq, ev := range logged {
		if arrivals[seq].Times > 1 {
			twice++
		}
		if ev.At > limit {
			continue
		}
		if due++; arrivals[seq].Times == 0 {
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
		Summary: fmt.Sprintf("%d of %d lines of %s are not at Axiom: %s", len(gone), due, source, timeline.Ranges(gone))}
	last := logged[gone[len(gone)-1]]
	if up, ok := b.Ended(boot.Vector); ok && last.At < up.At+readsWithin && b.SinceNow() {
		f.Summary += fmt.Sprintf("; they are from before Vector, which was started at %s, began to read, and its journald source has since_now: true", timeline.Since(up.At))
	}
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
