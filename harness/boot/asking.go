package boot

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"bootrace/harness/timeline"
)

// cloudMain is where cloud-init's stages run since 24.3, whichever unit waits for one of them.
const cloudMain = "cloud-init-main.service"

// Asking is a systemctl or a systemd-run in the unit's start that waits for the job of another
// unit: nothing says so but its arguments.
func (b Facts) Asking(unit string) (p timeline.Process, awaited string, ok bool) {
	in := []string{unit}
	if strings.HasPrefix(unit, "cloud-") {
		in = append(in, cloudMain)
	}
	for _, p := range b.Final.Processes {
		words := strings.Fields(p.Cmdline)
		if len(words) < 2 || !slices.Contains(in, p.Unit) || slices.Contains(words, "--no-block") {
			continue
		}
		var names []string
		switch path.Base(words[0]) {
		case "systemctl":
			names = words[2:]
		case "systemd-run":
			names = b.transient(words[1:])
		}
		for _, name := range names {
			if !strings.Contains(name, ".") {
				name += ".service"
			}
			if _, queued := b.Job(name); queued && name != unit {
				return p, name, true
			}
		}
	}
	return p, "", false
}

// cloudInits are processes of cloud-init's own, which do nothing but pass on what is to be done.
var cloudInits = regexp.MustCompile(`/cloud-init --all-stages|/cloud-init (?:init|modules)|^(?:/bin/)?sh -c (?:echo "start"|tee -a /var/log)|^tee -a /var/log/cloud|^nc -Uu|^sh$`)

// CloudRuns is what cloud-init runs for a stage of its own that does not come to an end; empty:
// nothing, as far as can be seen.
func (b Facts) CloudRuns(unit string) string {
	if !strings.HasPrefix(unit, "cloud-") {
		return ""
	}
	var first timeline.Process
	for _, p := range b.Final.Processes {
		if (p.Unit == unit || p.Unit == cloudMain) && p.Cmdline != "" && !cloudInits.MatchString(p.Cmdline) && (first.PID == 0 || p.PID < first.PID) {
			first = p
		}
	}
	if strings.Contains(first.Cmdline, "/run/cloud-init/tmp/") { // cc_bootcmd writes it to a file
		return "bootcmd"
	}
	return first.Cmdline
}

// unnamed is what systemd-run calls a service that it was given no name for, since 254 and
// before.
var unnamed = regexp.MustCompile(`^run-(?:p\d+-i\d+|u\d+|r[0-9a-f]{32})\.service$`)

// transient are the units that such a systemd-run may have made: the one that it names, else
// those that have names of its own making (systemd-run(1), --unit=).
func (b Facts) transient(args []string) []string {
	for i, arg := range args {
		switch name, long := strings.CutPrefix(arg, "--unit="); {
		case long:
			return []string{name}
		case (arg == "--unit" || arg == "-u") && i+1 < len(args):
			return []string{args[i+1]}
		}
	}
	var out []string
	for _, j := range b.Final.Jobs {
		if unnamed.MatchString(j.Unit) {
			out = append(out, j.Unit)
		}
	}
	return out
}
