package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
)

// bound is how often a service may be asked.
type bound struct {
	service string
	ops     []string // empty: all
	most    int
	window  time.Duration
	source  string
}

// bounds are what the services' own guidance allows a machine. Where it speaks
// of a vault and not of a client, the share is ours and is named so.
func bounds() []bound {
	return []bound{
		{boot.IMDS, []string{"token"}, 20, time.Second,
			"Azure Instance Metadata Service, Rate limiting: managed identity, 20 requests a second and VM"},
		{boot.IMDS, []string{"instance"}, 5, time.Second,
			"Azure Instance Metadata Service, Rate limiting: 5 requests a second and VM"},
		{boot.KeyVault, nil, 40, 10 * time.Second,
			"Azure Key Vault service limits: 4,000 transactions in 10 s a vault and region; ours: 1 % of it, so that 100 workers may boot at once"},
		// The throttling guidance of both (back off exponentially, cache what was
		// read) excludes asking once a second for minutes.
		{boot.IMDS, nil, 60, time.Minute, "managed identity, Retry guidance: exponential back-off from 2 s; ours: one a second sustained"},
		{boot.KeyVault, nil, 60, time.Minute, "Azure Key Vault throttling guidance: exponential back-off from 1 s; ours: one a second sustained"},
	}
}

var cloudPoliteness = Check{
	Name:  "cloud-politeness",
	Why:   "more requests to IMDS or Key Vault than their guidance allows, or Retry-After not kept (RFC 9110, 10.2.3)",
	Needs: []string{timeline.Cloud},
	Judge: func(b boot.Facts, _ Expect) Result {
		calls := b.Of(timeline.Request)
		var out []Finding
		told := map[string]bool{} // one storm breaks several bounds
		for _, b := range bounds() {
			if f, ok := b.judge(calls); ok && !told[b.service] {
				told[b.service] = true
				out = append(out, f)
			}
		}
		out = append(out, impatient(calls)...)
		n := b.Requests()
		return found(out, fmt.Sprintf("imds %d requests, keyvault %d", n[boot.IMDS], n[boot.KeyVault]))
	},
}

func (b bound) judge(calls []timeline.Event) (Finding, bool) {
	var s []boot.Moment
	for _, ev := range calls {
		if ev.Call.Service == b.service && !boot.ScheduledEvents(ev.Call) && (len(b.ops) == 0 || slices.Contains(b.ops, ev.Call.Op)) {
			s = append(s, boot.Moment{At: ev.At, Evidence: ev.Evidence})
		}
	}
	n, first := boot.Busiest(s, b.window)
	if n <= b.most {
		return Finding{}, false
	}
	run := s[first : first+n]
	return Finding{At: run[0].At, Evidence: []timeline.Evidence{run[0].Evidence, run[n-1].Evidence},
		Summary: fmt.Sprintf("%s was asked %d times within %s, allowed %d (%s)", strings.TrimSpace(b.service+" "+strings.Join(b.ops, " ")), n, b.window, b.most, b.source)}, true
}

// impatient finds a request repeated before the time the service asked for.
// Another request under way at the same moment does not know of it yet, so only
// the same one counts. Vector's sinks are not the subject's.
func impatient(calls []timeline.Event) []Finding {
	type key struct{ service, op, secret string }
	until := map[key]timeline.Event{}
	var out []Finding
	for _, ev := range calls {
		c := ev.Call
		if c.Service != boot.IMDS && c.Service != boot.KeyVault {
			continue
		}
		k := key{c.Service, c.Op, c.Secret}
		if before, asked := until[k]; asked {
			allowed := before.At + before.Call.Duration + before.Call.RetryAfter
			// A request that came before the answer was out could not heed it.
			if ev.At >= before.At+before.Call.Duration && ev.At < allowed {
				out = append(out, Finding{At: ev.At, Evidence: []timeline.Evidence{before.Evidence, ev.Evidence}, Intrinsic: true,
					Summary: fmt.Sprintf("%s %s %s was repeated %s before its Retry-After of %s was over", c.Service, c.Op, c.Secret, boot.Round(allowed-ev.At), before.Call.RetryAfter)})
			}
			if ev.At >= allowed {
				delete(until, k)
			}
		}
		if c.RetryAfter > 0 && c.Status >= 400 {
			until[k] = ev
		}
	}
	return limit(out, 10)
}
