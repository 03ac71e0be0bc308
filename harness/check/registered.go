package check

import (
	"fmt"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var registered = Check{
	Name: "registered",
	Why: "the worker did not register before pendingWorkerTTL: the control plane destroys it then; or its start, which takes no time in a boot " +
		"without the subject, was held; or it was stopped",
	Needs: []string{timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		if !e.Registered {
			return notAsked("the scenario expects no registration")
		}
		ready, ok := time.Duration(0), false
		out := held(b)
		var last []timeline.Evidence
		for _, ev := range b.Of(timeline.Request) {
			switch c := ev.Call; {
			case c.Op == "ready" && !ok:
				ready, ok = ev.At, true
			case c.Service != "controlplane":
			case c.Op == "destroyed":
				out = append(out, Finding{At: ev.At, Over: b.End - ev.At, Limit: e.PendingWorkerTTL, Since: ready, Evidence: []timeline.Evidence{ev.Evidence},
					Summary: "the control plane destroyed the worker: it had not registered in time"})
			case c.Op == "register" && c.Status == 200:
				if limit := ready + e.PendingWorkerTTL; e.PendingWorkerTTL > 0 && ev.At > limit {
					out = append(out, Finding{At: ev.At, Over: ev.At - limit, Limit: e.PendingWorkerTTL, Since: ready, Evidence: []timeline.Evidence{ev.Evidence},
						Summary: fmt.Sprintf("the worker registered %s after the cloud was ready, pendingWorkerTTL is %s", boot.Round(ev.At-ready), e.PendingWorkerTTL)})
				}
				if d, gone := b.DisplacedWorker(e.Setup); gone {
					out = append(out, Finding{At: d.At, Unit: d.Unit, Intrinsic: true, Evidence: d.Evidence,
						Summary: fmt.Sprintf("the worker registered, and %s %s", d.Unit, d.Why)})
				}
				return found(out, fmt.Sprintf("registered at %s", timeline.Since(ev.At)))
			case c.Op == "register":
				last = []timeline.Evidence{ev.Evidence}
			}
		}
		if len(out) == 0 {
			unwritten := ""
			if why := b.Unprovisioned(); why != "" { // the user data also starts the worker
				what := "the worker was never started"
				if e.RoleEnv == boot.Late {
					what = "worker.env was never written"
				}
				unwritten = fmt.Sprintf("%s: %s; ", what, why)
				last = append(evidence(b.Final.Units[cloudFinal].Evidence), last...)
			}
			if waits := asking(b, cloudFinal); waits != "" {
				at := " is at the user data"
				if len(b.Of(timeline.Script)) == 0 && strings.Contains(waits, "cloud-init runs") {
					at = " has not come to the user data, which writes worker.env and starts the worker: it is activating"
				}
				unwritten = cloudFinal + at + waits + "; "
			}
			out = append(out, Finding{At: b.End, Absence: true, Evidence: last,
				Summary: unwritten + fmt.Sprintf("the worker has not registered by the end, %s after the cloud was ready", boot.Round(b.End-ready))})
		}
		return found(out, "")
	},
}

// workerStart is how long a start of the worker may take: it is of Type=simple, and takes
// 0.1 s on an idle host.
const workerStart = 2 * time.Second

// The steps of the scenario's script around the worker's start.
const (
	stepStart         = "start"
	stepWorkerStarted = "worker-started"
)

// held finds that the worker was not started as soon as it was asked for.
func held(b boot.Facts) []Finding {
	asked, known := time.Duration(0), false
	for _, ev := range b.Of(timeline.Script) {
		switch ev.Step {
		case stepStart, boot.StepComplete:
			asked, known = ev.At, true
		case stepWorkerStarted:
			over := ev.At - asked - workerStart
			if !known || over <= 0 {
				return nil
			}
			unit := boot.Worker + ".service"
			return []Finding{{At: ev.At, Unit: unit, Over: over, Limit: workerStart, Since: asked,
				Evidence: append(evidence(b.Final.Units[unit].Evidence), ev.Evidence),
				Summary:  fmt.Sprintf("the start of %s was held for %s after it was asked for at %s", unit, boot.Round(ev.At-asked), timeline.Since(asked))}}
		}
	}
	return nil
}
