package boot

import (
	"strings"

	"bootrace/harness/recording"
	"bootrace/harness/timeline"
)

// The cloud's services that give credentials.
const (
	IMDS     = "imds"
	KeyVault = "keyvault"
)

// NetworkCame is when the machine got its network, where that was late.
func (b Facts) NetworkCame() (Moment, bool) {
	for _, ev := range b.Of(timeline.Request) {
		if ev.Call.Op == recording.OpNetwork {
			return Moment{ev.At, ev.Evidence}, true
		}
	}
	return Moment{}, false
}

// Registered are the moments at which the control plane took the worker.
func (b Facts) Registered() Seen[Moment] {
	var out []Moment
	for _, ev := range b.Of(timeline.Request) {
		if Registration(ev.Call) {
			out = append(out, Moment{ev.At, ev.Evidence})
		}
	}
	return seen(b, out, timeline.Cloud)
}

// Registration: the request is the worker's, and was granted.
func Registration(c *timeline.Call) bool {
	return c.Service == "controlplane" && c.Op == "register" && c.Status == 200
}

// Ingested are the batches that Axiom took.
func (b Facts) Ingested() Seen[timeline.Event] {
	var out []timeline.Event
	for _, ev := range b.Of(timeline.Request) {
		if ingested(ev.Call) {
			out = append(out, ev)
		}
	}
	return seen(b, out, timeline.Cloud)
}

func ingested(c *timeline.Call) bool { return c.Op == "ingest" && c.Status == 200 }

// WithToken: the request has any value of the secret that logs are shipped with.
func (s Setup) WithToken(c *timeline.Call) bool {
	return strings.TrimSuffix(c.TokenName, recording.Rotated) == s.LogToken
}

// Challenge: Key Vault answers 401 to a request without a token, to say where one is had
// (authentication, requests and responses). That is no refusal.
func Challenge(c *timeline.Call) bool {
	return c.Service == KeyVault && c.Status == 401 && (c.Auth == "" || c.Auth == "none")
}

// Requests counts those to each service, scheduled events left out.
func (b Facts) Requests() map[string]int {
	n := map[string]int{}
	for _, ev := range b.Of(timeline.Request) {
		if !ScheduledEvents(ev.Call) {
			n[ev.Call.Service]++
		}
	}
	return n
}

// ScheduledEvents: an agent asks IMDS whether maintenance is planned, which has nothing to do
// with credentials and may be asked "as frequently or infrequently as you like" (Scheduled
// Events for Linux VMs, Polling frequency).
func ScheduledEvents(c *timeline.Call) bool { return c.Service == IMDS && c.Op == "scheduledevents" }

// ForCredentials: the request is to the services that credentials come from, and for nothing else.
func ForCredentials(c *timeline.Call) bool {
	return c.Service == KeyVault || c.Service == IMDS && !ScheduledEvents(c)
}
