package boot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// azureWords are what programs say that wait for what only Azure has around a machine.
var azureWords = []struct {
	text *regexp.Regexp
	what string
}{
	// The platform's address (Azure, "What is IP address 168.63.129.16?"), where nobody is here.
	{regexp.MustCompile(`\b168\.63\.129\.16\b.*(?i:fail|refused|unreachable|time[d ]?out|could ?n.t|unable|error|no route)|(?i:fail|refused|unreachable|time[d ]?out|could ?n.t|unable|error|no route).*\b168\.63\.129\.16\b`),
		"wants an answer of Azure's platform at 168.63.129.16, where nobody is here"},
	{regexp.MustCompile(`(?i)chassis.?asset.?tag|\bnot (?:running )?(?:an? )?(?:(?:virtual machine|vm|host|instance) )?(?:in|on|of) (?:microsoft )?azure\b|\bnot an azure\b`),
		"does not take this machine for one of Azure's, which it is by its firmware alone"},
}

// distrust is how clients tell that they do not know a certificate's authority: to the server
// (RFC 8446, 6.2; OpenSSL's alert comes in a record that Go's server cannot read), and to who
// reads their log.
var (
	distrustAlert = regexp.MustCompile(`remote error: tls: (?:unknown certificate authority|bad certificate)|local error: tls: bad record MAC`)
	distrustWords = regexp.MustCompile(`(?i)unable to get (?:local )?issuer|certificate verify failed|unknown authority|unknown CA\b|self.signed certificate`)
)

// azureOnly says what of Azure itself, and not of its machines, a unit of the subject lacks here:
// nobody came to ask the vault for anything, and it says why. Not ok: nothing shows it.
func (b Facts) azureOnly(unit string) (what string, ev timeline.Event, ok bool) {
	if b.Unknown(timeline.Cloud, timeline.Journal) != "" || b.Requests()[KeyVault] > 0 {
		return "", ev, false
	}
	var last []timeline.Event
	for _, ev := range b.Of(timeline.Log) {
		if ev.Unit == unit && !ev.Manager && strings.TrimSpace(ev.Text) != "" {
			last = append(last, ev)
		}
	}
	for i, ev := range last {
		for _, w := range azureWords {
			if i >= len(last)-3 && w.text.MatchString(ev.Text) {
				return fmt.Sprintf("%s %s: %q", unit, w.what, shortened(ev.Text)), ev, true
			}
		}
		if distrustWords.MatchString(ev.Text) && b.distrusted() {
			return fmt.Sprintf("%s trusts authorities of its own, and the certificates of the cloud here are bootrace's, which the machine's own store has: %q", unit, shortened(ev.Text)), ev, true
		}
	}
	return "", ev, false
}

// distrusted: a client hung up on the cloud for its certificate, in which nothing was wrong on purpose.
func (b Facts) distrusted() bool {
	calls := b.Of(timeline.Request)
	onPurpose := slices.ContainsFunc(calls, func(ev timeline.Event) bool { return strings.HasPrefix(ev.Call.Fault, "certificate") })
	return !onPurpose && slices.ContainsFunc(calls, func(ev timeline.Event) bool { return distrustAlert.MatchString(ev.Call.Error) })
}
