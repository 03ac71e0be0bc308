package likeness

import (
	"slices"
	"strings"

	"bootrace/harness/boot"
)

const (
	otherSubject = "the subject as the host had it (systemctl cat of its units), then the host's systemd: --base"
	otherLimits  = "compare StartLimitBurst=, StartLimitIntervalSec= and RestartSec= of the subject's units with the host's (systemctl show)"
	otherVector  = "the host's own Vector: --vector real:VERSION; then the subject as the host had it, drop-ins of vector.service included"
	otherDelay   = "another delay of worker.env, or a fault of the cloud that the journal does not tell of: bootrace scenario --from the journal, change it, and bootrace run that file"
)

// tries are what makes boots differ from a host's, by a word of what differs: a check, a key
// event, a unit. The first that fits holds.
var tries = []struct{ word, try string }{
	{"no-start-limit", otherLimits},
	{"refused", otherLimits},
	{"start-rate", "compare Restart=, RestartSec= and the .path and .timer units of the subject with the host's (systemctl cat)"},
	{"no-ordering-cycle", "compare After= and Before= with the host's (systemctl cat), or boot its systemd: --base"},
	{"boot-unblocked", "compare Before=, Type= and TimeoutStartSec= of the populator with the host's (systemctl cat)"},
	{"populat", otherSubject},
	{"worker", otherDelay},
	{"vector.env", otherDelay},
	{"ector", otherVector},
	{"", otherSubject},
}

// try is what may make alike what is not; first of all a delay that is only assumed.
func (c comparison) try(what string) string {
	out := tries[slices.IndexFunc(tries, func(t struct{ word, try string }) bool { return strings.Contains(what, t.word) })].try
	if c.assumed() {
		out = "worker.env's delay is an assumption, for the journal does not say when it came: bootrace scenario --from the journal, change it, and bootrace run that file; " + out
	}
	return out
}

// assumed: the journal does not say when worker.env came.
func (c comparison) assumed() bool {
	b := c.journal.Boot
	_, before := b.RoleEnvThere()
	_, written := b.RoleEnvWritten()
	_, begun := b.FirstStart(boot.CloudFinal)
	return !before && (!written || !begun)
}
