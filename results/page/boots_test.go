package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bootrace/results"
)

// Boots as they are recorded, made small by hand: what each unit did, when.

const ms = time.Millisecond

// builder gathers the events of a boot.
type builder struct{ boot results.Boot }

func (b *builder) add(lane results.Lane, name string, at, until time.Duration, text string) {
	b.boot.Events = append(b.boot.Events, results.Event{At: at, Until: until, Lane: lane, Name: name, Text: text})
}

func (b *builder) bad(lane results.Lane, name string, at, until time.Duration, text string) {
	b.add(lane, name, at, until, text)
	b.boot.Events[len(b.boot.Events)-1].Bad = true
}

// unit waits, starts, and is active to the end.
func (b *builder) unit(name string, waits, starts, active time.Duration) {
	b.add(results.LaneWaiting, name, waits, starts, "")
	b.add(results.LaneStart, name, starts, active, "Starting "+name)
	b.add(results.LaneActive, name, active, b.boot.End, "")
}

// lines are logged every half second, and delivered from when on.
func (b *builder) lines(from, delivered time.Duration) {
	got, n := 0, 0
	for at := from; at < b.boot.End; at += 500 * ms {
		if n++; at >= delivered {
			got = n
		}
		b.boot.Lines = append(b.boot.Lines, results.LineCount{At: at, Logged: n, Delivered: got})
	}
}

func (b *builder) done(measures map[string]float64) *results.Boot {
	slices.SortStableFunc(b.boot.Events, func(x, y results.Event) int { return cmp.Compare(x.At, y.At) })
	b.boot.Measures = measures
	return &b.boot
}

// early are the units of any boot.
func (b *builder) early() {
	b.add(results.LaneMoment, "script", 10*ms, 0, "azure ready")
	for i, name := range []string{"systemd-journal-flush.service", "systemd-sysusers.service", "systemd-tmpfiles-setup-dev.service", "local-fs.target", "systemd-tmpfiles-setup.service",
		"cloud-init-main.service", "cloud-init-local.service", "network-pre.target", "cloud-init-network.service", "network-online.target", "sysinit.target", "timers.target",
		"sockets.target", "basic.target", "dbus.service", "systemd-logind.service", "systemd-user-sessions.service", "console-getty.service", "getty.target", "cloud-config.service"} {
		starts := 700*ms + time.Duration(i)*90*ms
		b.unit(name, 200*ms, starts, starts+60*ms+time.Duration(i%5)*20*ms)
	}
}

// goodBoot is a boot whose worker.env comes after delay.
func goodBoot(delay time.Duration) *results.Boot {
	wrote := 2800*ms + delay
	b := &builder{results.Boot{End: wrote + 11*time.Second}}
	b.early()
	b.unit("populate-vector-env.service", 200*ms, 989*ms, 1230*ms)
	b.add(results.LaneWaiting, vectorUnit, 200*ms, 2404*ms, "")
	b.add(results.LaneStart, vectorUnit, 2404*ms, 2494*ms, "Starting vector.service - Vector...")
	b.add(results.LaneActive, vectorUnit, 2494*ms, wrote+140*ms, "")
	b.add(results.LaneStop, vectorUnit, wrote+140*ms, wrote+1160*ms, "Stopping vector.service - Vector...")
	b.add(results.LaneStart, vectorUnit, wrote+1165*ms, wrote+1200*ms, "Starting vector.service - Vector...")
	b.add(results.LaneActive, vectorUnit, wrote+1200*ms, b.boot.End, "")
	b.unit("multi-user.target", 200*ms, 2590*ms, 2592*ms)
	b.unit("cloud-final.service", 200*ms, 2655*ms, wrote+60*ms)
	b.unit("opensandbox-worker.service", wrote, wrote+5*ms, wrote+8*ms)
	b.add(results.LaneFile, "vector.env", 1209*ms, 0, "rename mode=0600 size=387, the stub")
	b.add(results.LaneFile, "worker.env", wrote-15*ms, 0, "create size=0")
	b.add(results.LaneFile, "worker.env", wrote, 0, "rename size=279, whole")
	b.add(results.LaneFile, "worker.env", wrote+2*ms, 0, "complete")
	b.add(results.LaneMoment, "script", wrote+8*ms, 0, "worker-started")
	b.bad(results.LaneRequest, "keyvault", wrote+122*ms, wrote+123*ms, "secrets.get shared-axiom-platform-ingest-token 401 Unauthorized")
	b.add(results.LaneRequest, "imds", wrote+123*ms, wrote+124*ms, "token 200")
	for i := range 5 {
		b.add(results.LaneRequest, "keyvault", wrote+124*ms+time.Duration(i)*2*ms, wrote+126*ms+time.Duration(i)*2*ms, "secrets.get 200")
	}
	b.add(results.LaneFile, "vector.env", wrote+133*ms, 0, "rename mode=0600 size=395, with values")
	b.add(results.LaneRequest, "controlplane", wrote+85*ms, wrote+86*ms, "register 200")
	for at := wrote + 2280*ms; at < b.boot.End; at += 1250 * ms {
		b.add(results.LaneRequest, "axiom", at, at+3*ms, "ingest 200 events=6")
	}
	b.lines(545*ms, wrote+2280*ms)
	b.boot.Chain = []results.Link{
		{Unit: "multi-user.target", Began: 2592 * ms, Ended: 2592 * ms}, {Unit: vectorUnit, Began: 2404 * ms, Ended: 2494 * ms}, {Unit: "basic.target", Began: 2381 * ms, Ended: 2381 * ms},
		{Unit: "sysinit.target", Began: 2372 * ms, Ended: 2372 * ms}, {Unit: "cloud-init-network.service", Began: 2099 * ms, Ended: 2370 * ms},
		{Unit: "cloud-init-local.service", Began: 1768 * ms, Ended: 2087 * ms}, {Unit: "cloud-init-main.service", Began: 1018 * ms, Ended: 1765 * ms},
	}
	n := float64(len(b.boot.Lines))
	return b.done(map[string]float64{results.MeasureMultiUser: 2.592, results.MeasureControl: 2.288, results.MeasureCredentials: 1.201, results.MeasureRestarts: 1,
		results.MeasureHeadroom: 3, results.MeasureLines: n, results.MeasureDelivered: n, results.MeasureRequests: 7})
}

// blockedBoot is one whose populator waits within its start for a file that is
// written after multi-user.target.
func blockedBoot() *results.Boot {
	b := &builder{results.Boot{End: 61255 * ms}}
	b.early()
	b.add(results.LaneStart, "populate-vector-env.service", 217*ms, b.boot.End, "Starting populate-vector-env.service")
	for _, name := range []string{vectorUnit, "multi-user.target", "cloud-final.service", "cloud-init.target", "graphical.target"} {
		b.add(results.LaneWaiting, name, 217*ms, b.boot.End, "")
	}
	b.lines(325*ms, b.boot.End)
	n := float64(len(b.boot.Lines))
	b.boot.Chain = []results.Link{{Unit: "basic.target", Began: 2881 * ms, Ended: 2881 * ms}, {Unit: "network-wait.service", Began: 1099 * ms, Ended: 2870 * ms}, {Unit: "cloud-init-main.service", Began: 1018 * ms, Ended: 1065 * ms}}
	return b.done(map[string]float64{results.MeasureControl: 2.288, results.MeasureRestarts: 0, results.MeasureHeadroom: 5, results.MeasureLines: n, results.MeasureDelivered: 0, results.MeasureRequests: 0})
}

// stormBoot is one of events many, most of them starts that fail.
func stormBoot(events int) *results.Boot {
	b := &builder{results.Boot{End: 58507 * ms}}
	b.early()
	b.unit("multi-user.target", 200*ms, 2205*ms, 2207*ms)
	b.unit("cloud-final.service", 200*ms, 2210*ms, 47700*ms)
	b.add(results.LaneFile, "worker.env", 47600*ms, 0, "rename size=279, whole")
	for at := 2079 * ms; len(b.boot.Events) < events-2; at += 150 * ms {
		b.add(results.LaneStart, vectorUnit, at, at+40*ms, "Starting vector.service - Vector...")
		b.bad(results.LaneFailed, vectorUnit, at+40*ms, 0, "vector.service: Failed with result 'exit-code'.")
		b.bad(results.LaneRequest, "imds", at+10*ms, at+30*ms, "token 503 Service Unavailable")
	}
	b.bad(results.LaneFailed, vectorUnit, 33*time.Second, 0, "vector.service: Start request repeated too quickly.")
	b.lines(545*ms, b.boot.End)
	b.boot.Chain = goodBoot(0).Chain
	n := float64(len(b.boot.Lines))
	return b.done(map[string]float64{results.MeasureMultiUser: 2.207, results.MeasureControl: 2.243, results.MeasureRestarts: 92, results.MeasureHeadroom: 0, results.MeasureLines: n, results.MeasureDelivered: 0})
}

// checks are a case's, with findings where they fail.
func checks(fail ...string) []results.Check {
	var out []results.Check
	for _, name := range []string{"vector-active", "vector-credentialed", "no-unit-failed", "boot-unblocked", "no-ordering-cycle", "no-start-limit", "start-rate", "registered",
		"logs-delivered", "secrets-contained", "env-file-whole", "role-env-fresh", "cloud-politeness", "quiescent"} {
		c := results.Check{Name: name, Outcome: "pass", Note: "as it should be"}
		if slices.Contains(fail, name) {
			c.Outcome, c.Note = "fail", "5 of 3"
			c.Findings = []results.Finding{{Summary: vectorUnit + " started 5 times within 1.02s, allowed 3", At: 2079 * ms, Unit: vectorUnit, Evidence: []results.Evidence{
				{File: "journal.json.gz", Line: 93, Text: "systemd: Starting vector.service - Vector..."},
				{File: "journal.json.gz", Line: 214, Text: "systemd: vector.service: Start request repeated too quickly."},
			}}}
		}
		out = append(out, c)
	}
	return out
}

// booted is a case with one boot.
func booted(id, expected, verdict, reason string, boot *results.Boot, fail ...string) results.Case {
	recording := "/root/.local/state/bootrace/runs/20260102-030405-aaaa/" + id
	return results.Case{ID: id + "@trixie#1", Scenario: id, Base: "trixie", Subject: "populator", Backend: "container", Repetition: 1, Expected: expected, Verdict: verdict, Reason: reason,
		Vector: standIn, Started: began, Duration: 62 * time.Second, Waited: 45 * time.Second, Recording: recording,
		Attempts: []results.Attempt{{Verdict: verdict, Reason: reason, Recording: recording, Checks: checks(fail...), Boot: boot}}}
}

const standIn = "vector 0.56.0 (bootrace stand-in, not Vector)"

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// nightly is a run in which everything happened that can.
func nightly() Page {
	spoilt := booted("pre", "pass", "invalid", "the host was busy: PSI 61% in 10 s", nil)
	spoilt.Attempts = append(spoilt.Attempts, results.Attempt{Verdict: "invalid", Reason: "the journal could not be read", Recording: "/spoilt.2"})
	shaky := booted("delay-90s", "pass", "flaky", "pass, then fail of registered", goodBoot(90*time.Second), "registered")
	shaky.Attempts = append(shaky.Attempts, results.Attempt{Verdict: "pass", Recording: "/shaky.2"})
	p := Page{
		Run: results.Run{ID: "20260102-030405-aaaa", Subject: "populator", Vector: "stand-in", Started: began, Ended: began.Add(258 * time.Second), Planned: 12,
			Dir: "/root/.local/state/bootrace/runs/20260102-030405-aaaa", Cases: []results.Case{
				booted("delay-45s", "pass", "pass", "credentials 1.20s after worker.env was complete", goodBoot(45*time.Second)),
				booted("delay-4m", "pass", "pass", "credentials 1.21s after worker.env was complete", goodBoot(4*time.Minute)),
				booted("delay-0s", "pass", "fail", "boot-unblocked: multi-user.target not reached", blockedBoot(), "boot-unblocked", "vector-active", "logs-delivered"),
				booted("imds-503", "pass", "fail", "no-start-limit: a start of vector.service was refused", stormBoot(300), "no-start-limit", "start-rate", "vector-active"),
				booted("vault-403", "fail", "fail", "vector-credentialed: the vault refuses", goodBoot(45*time.Second), "vector-credentialed"),
				booted("museum-pr254", "fail", "pass", "nothing was wrong", goodBoot(0)),
				spoilt, shaky,
				booted("never", "pass", "error", "the machine could not be created: no space left on device", nil),
			}},
		Explained: map[string]Why{
			"delay-0s@trixie#1": {Check: "boot-unblocked", Saw: "multi-user.target not reached at +61.255s: it waits for vector.service, which waits for populate-vector-env.service (start job running since +0.217s, activating)",
				Then:   []string{"registered: the worker has not registered by the end", "logs-delivered: 112 of 112 lines of boot-logger are not at Axiom: 1-112"},
				Change: "let the unit's start end before worker.env exists: READY (Type=notify) with a stub, and the waiting after it"},
			"imds-503@trixie#1": {Check: "no-start-limit", Saw: "a start of vector.service was refused: Start request repeated too quickly.",
				More:   []string{"vector.service was started 92 times from +2.079s to +32.1s and failed 92 times; its limit is 5 starts in 10s"},
				Change: "do not fail while worker.env is not there yet, or take the limit away (StartLimitIntervalSec=0)"},
		},
	}
	for i := range 30 {
		for _, c := range p.Run.Cases[:4] {
			s := results.Sample{Run: fmt.Sprintf("202512%02d-030000-bbbb", i+1), Case: c.ID, Started: began.AddDate(0, 0, i-31), Scenario: c.Scenario, Base: c.Base, Subject: c.Subject, Backend: c.Backend,
				Vector: standIn, Expected: "pass", Verdict: "pass", Attempts: 1, Measures: map[string]float64{results.MeasureMultiUser: 2.3 + float64(i%5)/20, results.MeasureCredentials: 1.2 + float64(i%7)/50,
					results.MeasureRestarts: 1, results.MeasureHeadroom: 3}}
			if i == 11 {
				s.Verdict = "fail"
				delete(s.Measures, results.MeasureCredentials)
			}
			p.Trends = append(p.Trends, s)
		}
	}
	return p
}

// forty is a page of forty cases with events many each.
func forty(events int) Page {
	p := nightly()
	cases := slices.Clone(p.Run.Cases)
	p.Run.Cases, p.Run.Planned = nil, 40
	for i := range 40 {
		c := cases[i%len(cases)]
		c.ID = fmt.Sprintf("%s@trixie#%d", c.Scenario, i+1)
		a := c.Attempts[0]
		a.Boot = stormBoot(events)
		c.Attempts = []results.Attempt{a}
		p.Run.Cases = append(p.Run.Cases, c)
	}
	return p
}
