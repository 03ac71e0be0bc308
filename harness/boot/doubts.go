package boot

import (
	"regexp"
	"strings"

	"bootrace/harness/timeline"
)

// doubts are rows: words of what has failed and shows in no unit. The groups are in the text
// as $1 …. A boot may be well with them: they are told where nothing else is.
var doubts = []struct {
	says *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`Calling 'None' failed \[([1-9]\d*)/\d+s\]: request error \[.*?host='([^']+)'.*?url: (\S+)`), "cloud-init asked $2 ($3) in vain, for ${1}s so far"}, // before 24.1 of several at once
	{regexp.MustCompile(`Calling '(\S+)' failed \[([1-9]\d*)/\d+s\]`), "cloud-init asked $1 in vain, for ${2}s so far"},
	{regexp.MustCompile(`Calling '(\S+)' failed \[0/\d+s\].*` + noAnswer), "cloud-init asked $1 in vain"},
	{regexp.MustCompile(`UrlError\(.*Max retries exceeded with url: (\S+).*?` + noAnswer), "cloud-init asked $1 in vain ($2)"},
	{regexp.MustCompile(`(?i)no space left on device`), "a program says that no space is left on a device"},
	{regexp.MustCompile(`Invalid ((?:cloud|network)-config) provided`), "cloud-init says that the $1 is not valid, and goes on without what it cannot read (cloud-init schema --system)"},
	{regexp.MustCompile(`Cloud config schema errors: (.*)`), "the cloud-config is not valid: $1"},
	{regexp.MustCompile(`ERROR \S+ .*([Pp]rovisioning failed.*)`), "the Azure agent says: $1"},
	{regexp.MustCompile(`\[WARNING\]: Unhandled (?:non-multipart|unknown content-type) \(([^)]*)\) userdata`), "cloud-init left user data alone, for it knows no type $1: a script begins with #!, a cloud-config with #cloud-config"},
	{regexp.MustCompile(`\bERROR (?:\S.*: )?vector(?:_\w+)?(?:::\w+)*: (?:msg=")?(Healthcheck[^"]*)"?(.*)`), "a sink of Vector's is not answered as it should be: $1$2"},
	{regexp.MustCompile(`\bERROR (?:\S.*: )?vector(?:_\w+)?(?:::\w+)+: (.*)`), "Vector says: $1"},
	{regexp.MustCompile(`^sshd: no hostkeys available -- exiting`), "sshd ended, for there is no host key that it can read"},
	{regexp.MustCompile(`DHCP client not found: (\S+)`), "cloud-init found none of its DHCP clients, $1 neither"},
	{regexp.MustCompile(`^recoverable: (.*)`), "cloud-init got over an error: $1"},
	{regexp.MustCompile(`^(?:extended_)?status: degraded`), "cloud-init's status is degraded: it got over an error, which cloud-init status --long names"},
	{regexp.MustCompile(`^Process \d+ \(([^)]+)\) of user \d+ dumped core`), "$1 crashed (it dumped core)"},
	{regexp.MustCompile(`^Assertion '.*' failed (?:at )?\S*?([^/\s:]+):\d+, function (\w+)\(\)\. Aborting`), "a program crashed on an assertion of its own ($2 in $1)"},
	{searched, "cloud-init found nothing by its source $1"},
	{rootWait, "the kernel waits for its root device $1 (rootwait), and has not mounted it in what is there"},
	{regexp.MustCompile(`Timed out waiting for addresses: (\S+)`), "cloud-init asked $1 in vain"},
	{regexp.MustCompile(`(startup|shutdown)-script exit status ([1-9]\d*)`), "the metadata's $1-script exited with status $2"},
	{regexp.MustCompile(`Script "(startup|shutdown)-script" failed with error: (.*)`), "the metadata's $1-script failed: $2"},
	{regexp.MustCompile(`No journal files were opened due to insufficient permissions`), "journalctl says that it may open no journal: who runs it, as Vector does, gets nothing of it (the group systemd-journal may read it)"},
	{rebooting, "cloud-init rebooted the machine itself, after an upgrade that asks for it ($1)"},
	{regexp.MustCompile(`system-generators/(\S+) (failed with .*?|terminated by .*?)\.?$`), "systemd's generator $1, which makes units before the boot, $2"},
	{regexp.MustCompile(`type=1130 .*unit=(\S+) comm="systemd".*res=failed`), "the audit has that a start of $1 failed"},
}

// noAnswer is why, in the words of whoever asked.
const noAnswer = `(No route to host|Network is unreachable|Connection refused|[Tt]imed out)`

var asked = regexp.MustCompile(`Calling '\S+' failed .*(?:` + noAnswer + `|(bad status code \[\d{3}\]))`)

// unanswered is why cloud-init was not answered, as it said before it gave up.
func (b Facts) unanswered(line int) string {
	why := ""
	for _, ev := range b.Of(timeline.Log) {
		if m := asked.FindStringSubmatch(ev.Text); m != nil && ev.Evidence.Line < line {
			why = " (" + m[1] + m[2] + ")"
		}
	}
	return why
}

// Doubt is what a log says last of that kind, or that systemctl has a target as not reached.
func (b Facts) Doubt() (Word, bool) {
	var last Word
	goesOn := b.goesOn()
	for i, ev := range b.Events {
		for _, row := range doubts {
			if ev.Kind != timeline.Log {
				break
			}
			if m := row.says.FindStringSubmatchIndex(ev.Text); m != nil && b.Origin != nil && !(row.says == rootWait && goesOn >= i) {
				if last.Text != "" && (row.says == searched || strings.Contains(ev.Text, ": Events dropped ") || strings.HasPrefix(ev.Text, "status: degraded") || strings.HasPrefix(ev.Text, "extended_status:")) {
					break // what was said before says more
				}
				if last = (Word{shortened(string(row.says.ExpandString(nil, row.is, ev.Text, m))), ev.Evidence}); strings.HasPrefix(last.Text, "cloud-init asked") {
					last.Text += b.unanswered(ev.Evidence.Line + 1)
				}
				break
			}
		}
	}
	_, partly := b.Missing[timeline.Units]
	for _, name := range []string{MultiUser, "cloud-init.target", "basic.target", "sysinit.target", "local-fs.target"} {
		if u := b.Final.Units[name]; last.Text == "" && partly && b.Origin != nil && u.Active == "inactive" {
			last = Word{"systemctl has " + name + " as inactive: it was not reached, or was stopped", u.Evidence}
		}
	}
	return last, last.Text != ""
}
