package likeness

import (
	"cmp"
	"strings"

	"bootrace/harness/boot"
)

// tries are what makes boots differ from a host's, by a word of what differs: a check, a key
// event, a unit.
var tries = []struct{ word, try string }{
	{"no-start-limit", "compare StartLimitBurst=, StartLimitIntervalSec= and RestartSec= of the subject's units with the host's (systemctl show)"},
	{"start-rate", "compare Restart=, RestartSec= and the .path and .timer units of the subject with the host's (systemctl cat)"},
	{"no-ordering-cycle", "compare After= and Before= with the host's (systemctl cat), or boot its systemd: --base"},
	{"boot-unblocked", "compare Before=, Type= and TimeoutStartSec= of the populator with the host's (systemctl cat)"},
	{"refused", "compare StartLimitBurst=, StartLimitIntervalSec= and RestartSec= of the subject's units with the host's (systemctl show)"},
	{"worker", "another delay of worker.env: bootrace scenario --from the journal, change it, and bootrace run that file"},
	{"vector.env", "another delay of worker.env, or a fault of the cloud that the journal does not tell of: bootrace scenario --from the journal, change it, and bootrace run that file"},
	{"Vector", "the host's own Vector: --vector real:VERSION; then the subject as the host had it, drop-ins of vector.service included"},
	{"vector", "the host's own Vector: --vector real:VERSION; then the subject as the host had it, drop-ins of vector.service included"},
	{"", "the subject as the host had it (systemctl cat of its units), then the host's systemd: --base"},
}

// try is what may make alike what is not; first of all a delay that is only assumed.
func (c comparison) try(what string) string {
	out := ""
	for _, t := range tries {
		if strings.Contains(what, t.word) {
			out = t.try
			break
		}
	}
	if c.assumed() {
		out = "worker.env's delay is an assumption, for the journal does not say when it came: bootrace scenario --from the journal, change it, and bootrace run that file; " + out
	}
	return cmp.Or(out, tries[len(tries)-1].try)
}

// assumed: the journal does not say when worker.env came.
func (c comparison) assumed() bool {
	b := c.journal.Boot
	_, before := b.RoleEnvThere()
	_, written := b.RoleEnvWritten()
	_, begun := b.FirstStart(boot.CloudFinal)
	return !before && (!written || !begun)
}
