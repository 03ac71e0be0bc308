package check

import (
	"fmt"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

var registered = Check{
	Name:  "registered",
	Why:   "the worker did not register before pendingWorkerTTL: the control plane destroys it then",
	Needs: []string{timeline.Cloud},
	Judge: func(b boot.Facts, e Expect) Result {
		if !e.Registered {
			return notAsked("the scenario expects no registration")
		}
		ready, ok := time.Duration(0), false
		var out []Finding
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
				return found(out, fmt.Sprintf("registered at %s", timeline.Since(ev.At)))
			case c.Op == "register":
				last = []timeline.Evidence{ev.Evidence}
			}
		}
		if len(out) == 0 {
			out = append(out, Finding{At: b.End, Absence: true, Evidence: last,
				Summary: fmt.Sprintf("the worker has not registered by the end, %s after the cloud was ready", boot.Round(b.End-ready))})
		}
		return found(out, "")
	},
}
