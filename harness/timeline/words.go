package timeline

import (
	"regexp"
	"strconv"
	"strings"
)

// Words of PID 1 from 218 to 260, for logs that have no fields: message IDs and UNIT= are
// not in what people send. systemd's job.c, unit.c, service.c, transaction.c.

// unitSuffix are the kinds of units (systemd.unit(5)).
const unitSuffix = `service|socket|target|device|mount|automount|swap|timer|path|slice|scope`

var (
	// "a.service: …" since 219, "a.service …" before; a mark of a message with an ID since 258.
	ofUnit = regexp.MustCompile(`^(?:Unit )?([A-Za-z0-9:_.\\@-]+\.(?:` + unitSuffix + `)):? (.+)$`)
	// "a.service - What it is" since 248, what it is alone before.
	namedUnit = regexp.MustCompile(`^([A-Za-z0-9:_.\\@-]+\.(?:` + unitSuffix + `))(?: - (.*))?$`)
	markedID  = "[🡕] "
)

// rule is a row: words, what they mean, and what they add. The groups have names.
type rule struct {
	words *regexp.Regexp
	kind  Kind
	job   string // JobType
	how   string // JobResult; of Failed, Result
}

func r(words string, kind Kind, job, how string) rule {
	return rule{regexp.MustCompile(words), kind, job, how}
}

// ofUnits are what is said after a unit's name.
var ofUnits = []rule{
	r(`^Failed with result '(?P<result>[a-z-]+)'`, Failed, "", ""),
	r(`^entered failed state`, Failed, "", ""),
	r(`(?i)^(?P<which>main|control|mount|swap) process exited, code=(?P<code>[a-z]+),? status=(?P<status>\d+)(?:/(?P<name>[A-Z0-9a-z/_+-]+))?`, Exit, "", ""),
	r(`(?i)^start request repeated too quickly|^start-limit-hit`, Refused, "", ""),
	r(`^Scheduled restart job.*restart counter is at (?P<count>\d+)`, Restart, "", ""),
	r(`(?i)hold-?off time.*scheduling restart|expired, scheduling restart`, Restart, "", ""),
	r(`^(?:Deactivated successfully|Succeeded)\.`, Succeeded, "", ""),
	r(`^Job (?P<unit>\S+)/start failed with result '(?P<how>[a-z-]+)'`, StartFailed, "start", ""),
	r(`^Job (?P<unit>\S+)/start timed out`, StartFailed, "start", "timeout"),
	r(`(?i)requested but asserts failed|^Assertion failed`, StartFailed, "start", "assert"),
	r(`^Skipped due to|was skipped because |skipped, unmet condition|skipped, no trigger condition`, Skipped, "", ""),
}

// ofJobs are sentences that have the unit, or what it is, within.
var ofJobs = []rule{
	r(`^(?:Starting|Mounting|Activating swap|Activating|Setting up automount) (?P<what>.+?)(?:\.\.\.|…)$`, Starting, "start", ""),
	r(`^(?:Started|Finished|Reached target|Listening on|Mounted|Activated swap|Created slice|Set up automount|Found device) (?P<what>.+?)\.?$`, Started, "start", "done"),
	r(`^(?:Stopping|Unmounting|Deactivating swap|Deactivating) (?P<what>.+?)(?:\.\.\.|…)$`, Stopping, "stop", ""),
	r(`^(?:Failed|Timed out) (?:unmounting|deactivating swap|deactivating|to stop|stopping) (?P<what>.+?)\.?$`, Stopped, "stop", "failed"),
	r(`^(?:Stopped target|Stopped|Unmounted|Closed|Removed slice|Unset automount|Deactivated swap) (?P<what>.+?)\.?$`, Stopped, "stop", "done"),
	r(`^(?:Failed to (?:start|listen on|mount|set up automount|activate swap)) (?P<what>.+?)\.?$`, StartFailed, "start", "failed"),
	r(`^(?:Timed out (?:starting|mounting|activating swap|setting up automount)) (?P<what>.+?)\.?$`, StartFailed, "start", "timeout"),
	r(`^Timed out waiting for device (?P<device>.+?)\.?$`, StartFailed, "start", "timeout"),
	r(`^Dependency failed for (?P<what>.+?)\.?$`, StartFailed, "start", "dependency"),
	r(`^Assertion failed (?:on job )?for (?P<what>.+?)\.?$`, StartFailed, "start", "assert"),
	r(`^Starting of (?P<what>.+?) (?:not supported|unsupported)\.?$`, StartFailed, "start", "unsupported"),
	r(`(?i)^start request repeated too quickly for (?P<unit>\S+)$`, Refused, "", ""),
	r(`^Job (?P<unit>\S+)/start failed with result '(?P<how>[a-z-]+)'`, StartFailed, "start", ""),
	r(`^Job (?P<unit>\S+)/start timed out`, StartFailed, "start", "timeout"),
	r(`^Startup finished in `, Finished, "", ""),
	r(`^Condition check resulted in (?P<what>.+) being skipped\.?$`, Skipped, "", ""),
}

// said is what a sentence of PID 1 means; what it speaks of by its description only is in what.
func said(text string) (kind Kind, unit, what string, c Change) {
	text = strings.TrimPrefix(text, markedID)
	if cycleText.MatchString(text) {
		c.Dropped = droppedUnit(text)
		c.JobType = droppedType(text)
		if m := ofUnit.FindStringSubmatch(text); m != nil {
			unit = m[1]
		}
		return Cycle, unit, "", c
	}
	rules, rest := ofJobs, text
	if m := ofUnit.FindStringSubmatch(text); m != nil {
		unit, rest, rules = m[1], m[2], ofUnits
	}
	for _, rule := range rules {
		m := rule.words.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		c.JobType = rule.job
		if c.JobResult = rule.how; rule.kind == Failed {
			c.JobResult = ""
		}
		for i, name := range rule.words.SubexpNames() {
			if m[i] == "" {
				continue
			}
			switch name {
			case "result":
				c.Result = m[i]
			case "how":
				c.JobResult = m[i]
			case "code":
				c.ExitCode = m[i]
			case "status":
				c.ExitStatus = m[i]
			case "name":
				if c.ExitCode != "exited" {
					c.ExitStatus = m[i]
				}
			case "which":
				c.Command = commands[strings.ToLower(m[i])]
			case "count":
				c.Count, _ = strconv.Atoi(m[i])
			case "unit":
				unit = m[i]
			case "device":
				unit, what = deviceUnit(m[i]), ""
			case "what":
				unit, what = nameOf(m[i], rest)
			}
		}
		return rule.kind, unit, what, c
	}
	return Log, unit, "", c
}

// commands are which process of a unit it was: of the control process it is not said which.
var commands = map[string]string{"main": "ExecStart", "control": "a control process (ExecStartPre=, ExecStartPost=, …)", "mount": "mount", "swap": "swapon"}

// droppedType is the type of a job that a cycle goes through, or that was deleted for it.
func droppedType(text string) string {
	if m := deletedJob.FindStringSubmatch(text); m != nil {
		return m[1] + m[2] + m[3]
	}
	return ""
}

var deletedJob = regexp.MustCompile(`Job \S+/([\w-]+) deleted to break|by deleting job \S+/([\w-]+)|(?i:ordering cycle on|dependency on|cycle path to|ordering cycle:) \S+/([\w-]+)`)

// nameOf is the unit that a sentence names, or else what it says of it.
func nameOf(what, sentence string) (unit, description string) {
	what = strings.TrimSpace(what)
	if m := namedUnit.FindStringSubmatch(what); m != nil {
		return m[1], m[2]
	}
	if unit := wellKnown[what]; unit != "" {
		return unit, what
	}
	if strings.HasPrefix(what, "/") && !strings.Contains(what, " ") {
		if strings.Contains(sentence, "swap") {
			return escapePath(what) + ".swap", what
		}
		return escapePath(what) + ".mount", what
	}
	if path, ok := strings.CutPrefix(what, "File System Check on "); ok {
		return "systemd-fsck@" + escapePath(path) + ".service", what
	}
	return "", what
}

func deviceUnit(s string) string {
	if m := namedUnit.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	if strings.HasPrefix(s, "/") {
		return escapePath(s) + ".device"
	}
	return s
}

// escapePath is systemd-escape --path.
func escapePath(path string) string {
	path = strings.Trim(path, "/")
	if path == "" {
		return "-"
	}
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/':
			b.WriteByte('-')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == ':', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			b.WriteString(`\x` + strconv.FormatUint(uint64(c), 16))
		}
	}
	return b.String()
}

// wellKnown are units by what systemd's own files call them (systemd.special(7)).
var wellKnown = map[string]string{
	"Multi-User System": "multi-user.target", "Graphical Interface": "graphical.target", "Basic System": "basic.target", "System Initialization": "sysinit.target",
	"Local File Systems": "local-fs.target", "Local File Systems (Pre)": "local-fs-pre.target", "Preparation for Local File Systems": "local-fs-pre.target", "Remote File Systems": "remote-fs.target",
	"Network is Online": "network-online.target", "Network": "network.target", "Network (Pre)": "network-pre.target", "Preparation for Network": "network-pre.target",
	"Sockets": "sockets.target", "Socket Units": "sockets.target", "Timers": "timers.target", "Timer Units": "timers.target", "Paths": "paths.target", "Path Units": "paths.target",
	"Swap": "swap.target", "Swaps": "swap.target", "Slices": "slices.target", "Slice Units": "slices.target", "Login Prompts": "getty.target",
	"Emergency Mode": "emergency.target", "Emergency Shell": "emergency.service", "Rescue Mode": "rescue.target", "Rescue Shell": "rescue.service",
	"Reboot": "reboot.target", "System Reboot": "reboot.target", "Power-Off": "poweroff.target", "System Power Off": "poweroff.target", "Shutdown": "shutdown.target", "System Shutdown": "shutdown.target", "Halt": "halt.target",
	"Initrd Root Device": "initrd-root-device.target", "Initrd Root File System": "initrd-root-fs.target", "Initrd File Systems": "initrd-fs.target", "Initrd Default Target": "initrd.target", "Switch Root": "initrd-switch-root.target",
	"Cloud-init target": "cloud-init.target", "Cloud-config availability": "cloud-config.target", "Initial cloud-init job (metadata service crawler)": "cloud-init.service", "Initial cloud-init job (pre-networking)": "cloud-init-local.service",
	"Execute cloud user/final scripts": "cloud-final.service", "Apply the settings specified in cloud-config": "cloud-config.service",
	"Wait for Network to be Configured": "systemd-networkd-wait-online.service", "Network Manager Wait Online": "NetworkManager-wait-online.service", "Raise network interfaces": "networking.service",
	"/sysroot": "sysroot.mount", "Journal Service": "systemd-journald.service", "Vector": "vector.service",
}
