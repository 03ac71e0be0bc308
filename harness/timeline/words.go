package timeline

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/journal"
)

// Words of PID 1 from 218 to 260, for logs that have no fields: message IDs and UNIT= are
// not in what people send. systemd's job.c, unit.c, service.c, transaction.c.

// unitSuffix are the kinds of units (systemd.unit(5)).
const unitSuffix = `service|socket|target|device|mount|automount|swap|timer|path|slice|scope`

var (
	// "a.service - What it is" since 248, what it is alone before; systemctl says why after a colon.
	namedUnit = regexp.MustCompile(`^([A-Za-z0-9:_.\\@-]+\.(?:` + unitSuffix + `))(?: - (.*)|: .*)?$`)
)

// markedID is before a message with an ID since 258.
const markedID = "[🡕] "

// rule is a row: words, what they mean, and what they add. The groups have names.
type rule struct {
	first []string // the words that it begins with, in small letters: only then it is looked at closely; empty: any
	words *regexp.Regexp
	kind  Kind
	job   string // JobType
	how   string // JobResult
}

func r(first, words string, kind Kind, job, how string) rule {
	return rule{strings.Fields(first), regexp.MustCompile(words), kind, job, how}
}

// ofUnits are what is said after a unit's name.
var ofUnits = []rule{
	r("failed", `^Failed with result ['‘’“”](?P<result>[a-z-]+)`, Failed, "", ""),
	r("entered unit", `^(?:Unit )?entered failed state`, Failed, "", ""),
	r("main control mount swap", `(?i)^(?P<which>main|control|mount|swap) process exited, code=(?P<code>[a-z]+),? status=(?P<status>\d+)(?:/(?P<name>[A-Z0-9a-z/_+-]+))?`, Exit, "", ""),
	r("main control", `(?i)^(?P<which>main|control) process exited, code=(?P<code>killed|dumped), status=(?P<signal>[A-Z]+)$`, Exit, "", ""),                                                              // systemctl status
	r("main control mount swap", `(?i)^(?P<which>main|control|mount|swap) process exited, (?:> )?code=(?P<code>exited|killed|dumped)(?:, st?a?t?u?s?=?|>|…|,? status=(?P<status>\d+).*)?$`, Exit, "", ""), // cut or wrapped
	r("main control mount swap", `(?i)^(?P<which>main|control|mount|swap) process exited,(?: (?:c(?:o(?:de?)?)?|code=[a-z]{0,6}))?[>…]?$`, Exit, "", ""),                                                  // cut before
	r("start start-limit-hit", `(?i)^start request(?: repeated too q|(?: r[a-z]*(?: too)?)? ?[>…]$)|^start-limit-hit`, Refused, "", ""),
	r("scheduled", `^Scheduled restart job.*restart counter is at (?P<count>\d+)`, Restart, "", ""),
	r("service holdoff hold-off", `(?i)hold-?off time.*scheduling restart|expired, scheduling restart`, Restart, "", ""),
	r("has", `^has no hold-?off time, scheduling restart`, Restart, "", ""),
	r("stopping", `^stopping timed out`, Stopping, "stop", ""),
	r("deactivated succeeded.", `^(?:Deactivated successfully|Succeeded)\.`, Succeeded, "", ""),
	r("job", `^Job (?P<unit>\S+)/start failed with result '(?P<how>[a-z-]+)'`, StartFailed, "start", ""),
	r("job", `^Job (?P<unit>\S+)/start timed out`, StartFailed, "start", "timeout"),
	r("starting assertion", `(?i)requested but asserts failed|^Assertion failed`, StartFailed, "start", "assert"),
	r("", `^Skipped due to|was skipped because |skipped, unmet condition|skipped, no trigger condition`, Skipped, "", ""),
}

// ofJobs are sentences that have the unit, or what it is, within.
var ofJobs = []rule{
	r("starting mounting activating setting", `^(?:Starting|Mounting|Activating swap|Activating|Setting up automount) (?P<what>.+?)(?:\.\.\.|…)$`, Starting, "start", ""),
	r("started finished reached listening mounted activated created set found", `^(?:Started|Finished|Reached target|Listening on|Mounted|Activated swap|Created slice|Set up automount|Found device) (?P<what>.+?)\.?$`, Started, "start", "done"),
	r("stopping unmounting deactivating", `^(?:Stopping|Unmounting|Deactivating swap|Deactivating) (?P<what>.+?)(?:\.\.\.|…)$`, Stopping, "stop", ""),
	r("failed timed", `^(?:Failed|Timed out) (?:unmounting|deactivating swap|deactivating|to stop|stopping) (?P<what>.+?)\.?$`, Stopped, "stop", "failed"),
	r("stopped unmounted closed removed unset deactivated", `^(?:Stopped target|Stopped|Unmounted|Closed|Removed slice|Unset automount|Deactivated swap) (?P<what>.+?)\.?$`, Stopped, "stop", "done"),
	r("failed", `^(?:Failed to (?:start|listen on|mount|set up automount|activate swap)) (?P<what>.+?)\.?$`, StartFailed, "start", "failed"),
	r("failed", `^Failed to restart (?P<unit>[^\s/]+\.(?:`+unitSuffix+`)): Unit \S+ `, StartFailed, "start", "failed"), // systemctl's
	r("timed", `^(?:Timed out (?:starting|mounting|activating swap|setting up automount)) (?P<what>.+?)\.?$`, StartFailed, "start", "timeout"),
	r("timed", `^(?i:timed) out waiting for device (?P<device>.+?)\.?$`, StartFailed, "start", "timeout"),
	r("dependency", `^Dependency failed for (?P<what>.+?)\.?$`, StartFailed, "start", "dependency"),
	r("assertion", `^Assertion failed (?:on job )?for (?P<what>.+?)\.?$`, StartFailed, "start", "assert"),
	r("starting", `^Starting of (?P<what>.+?) (?:not supported|unsupported)\.?$`, StartFailed, "start", "unsupported"),
	r("start", `(?i)^start request repeated too quickly for (?P<unit>\S+)$`, Refused, "", ""),
	r("job", `^Job (?P<unit>\S+)/start failed with result '(?P<how>[a-z-]+)'`, StartFailed, "start", ""),
	r("job", `^Job (?P<unit>\S+)/start timed out`, StartFailed, "start", "timeout"),
	// systemctl's, in which before 229 there is no reason.
	r("job", `^Job for (?P<unit>\S+) failed because a timeout was exceeded`, StartFailed, "start", "timeout"),
	r("job", `^Job for (?P<unit>[^\s/]+\.(?:`+unitSuffix+`)) failed(?: because\b|\.)`, StartFailed, "start", "failed"),
	r("a", `^A dependency job for (?P<unit>[^\s/]+\.(?:`+unitSuffix+`)) failed\.`, StartFailed, "start", "dependency"),
	r("startup", `^Startup finished in `, Finished, "", ""),
	r("condition", `^Condition check resulted in (?P<what>.+) being skipped\.?$`, Skipped, "", ""),
}

// said is what a sentence of PID 1 means; what it speaks of by its description only is in what.
func said(text string) (kind Kind, unit, what string, c Change) {
	text = strings.TrimPrefix(text, markedID)
	if saysCycle(text) {
		c.Dropped = droppedUnit(text)
		c.JobType = droppedType(text)
		unit, _, _ = cutUnit(text)
		return Cycle, unit, "", c
	}
	if notOfAUnit.MatchString(text) {
		return Log, "", "", c
	}
	rules, rest := ofJobs, text
	if name, after, ok := cutUnit(text); ok {
		unit, rest, rules = name, after, ofUnits
	}
	first, _, _ := strings.Cut(strings.ToLower(rest[:min(len(rest), 20)]), " ")
	for _, rule := range rules {
		if len(rule.first) > 0 && !slices.Contains(rule.first, first) {
			continue
		}
		m := rule.words.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		if strings.HasPrefix(rest, "Unit entered failed") && strings.HasSuffix(unit, ".service") {
			break // 229 to 232 say so of all units, and of a service its result right after
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
				c.Result = wholeResult(m[i])
			case "how":
				c.JobResult = m[i]
			case "code":
				c.ExitCode = m[i]
			case "status":
				c.ExitStatus = m[i]
			case "name":
				if c.ExitCode != "exited" {
					c.ExitStatus = cmp.Or(signals[c.ExitStatus], m[i]) // a name may be cut
				}
			case "signal":
				c.ExitStatus = m[i]
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
				if rule.kind == StartFailed && rule.how == "failed" && strings.HasSuffix(unit, ".target") && !strings.Contains(rest, unit) {
					unit = "" // nothing of a target can fail: it is a service that is called alike
				}
			}
		}
		return rule.kind, unit, what, c
	}
	return Log, unit, "", c
}

// wholeSentence: PID 1 ends it with a full stop, a narrow console has shortened it before that,
// or the unit's name is whole.
var wholeSentence = regexp.MustCompile(`[.…?]\W*$|\.(?:` + unitSuffix + `)(?: - |$)`)

// signals are those that end programs, by number (signal(7)).
var signals = map[string]string{"1": "HUP", "2": "INT", "3": "QUIT", "4": "ILL", "6": "ABRT", "7": "BUS", "8": "FPE", "9": "KILL", "11": "SEGV", "13": "PIPE", "14": "ALRM", "15": "TERM"}

// meant is what an entry's sentence means. Of the last in a file that may be cut the unit's name
// would be one that there is not.
func meant(e journal.Entry) (kind Kind, unit, what string, c Change) {
	if kind, unit, what, c = said(e.Message); kind == StartFailed && e.Last && !wholeSentence.MatchString(e.Message) {
		return Log, "", "", Change{}
	}
	return kind, unit, what, c
}

// notOfAUnit is of what PID 1 mounts itself, before there are units, and of what initrds without
// systemd mount or wait for.
var notOfAUnit = regexp.MustCompile(`^Failed to mount (?:\w+ (?:\(type \w+\) )?(?:at|on) /|\S+ as root file system)|^Timed out waiting for device \S+, trying to mount anyway`)

// cutUnit takes "a.service: …" and "Unit a.service …" apart.
func cutUnit(text string) (unit, rest string, ok bool) {
	text = strings.TrimPrefix(text, "Unit ")
	name, rest, ok := strings.Cut(text, " ")
	name = strings.TrimSuffix(name, ":")
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot <= 0 || rest == "" || !strings.Contains("|"+unitSuffix+"|", "|"+name[dot+1:]+"|") {
		return "", "", false
	}
	return name, rest, true
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
	if path, ok := describedPath(what, ".mount"); ok {
		return escapePath(path) + ".mount", path
	}
	if strings.HasPrefix(what, "/") && !strings.Contains(what, " ") {
		if strings.Contains(sentence, "swap") || strings.HasPrefix(what, "/dev/") { // a swap is described by its device
			return escapePath(what) + ".swap", what
		}
		return escapePath(what) + ".mount", what
	}
	if path, ok := strings.CutPrefix(what, "File System Check on "); ok && strings.HasPrefix(path, "/") {
		return "systemd-fsck@" + escapePath(path) + ".service", what
	}
	return "", what
}

func deviceUnit(s string) string {
	if m := namedUnit.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	if path, ok := describedPath(s, ".device"); ok {
		s = path
	}
	if strings.HasPrefix(s, "/") {
		return escapePath(s) + ".device"
	}
	return s
}

// describedPath is the path that describes a unit of that kind, whose name a console has shortened.
func describedPath(s, kind string) (path string, ok bool) {
	name, path, ok := strings.Cut(s, kind+" - ")
	return path, ok && strings.Contains(name, "…") && strings.HasPrefix(path, "/") && !strings.ContainsAny(path, " …")
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
	"File System Check on Root Device": "systemd-fsck-root.service", "/sysroot": "sysroot.mount", "Journal Service": "systemd-journald.service", "Vector": "vector.service",
	"Ignition (fetch)": "ignition-fetch.service", "Ignition (fetch-offline)": "ignition-fetch-offline.service", "Ignition (kargs)": "ignition-kargs.service", "Ignition (disks)": "ignition-disks.service", "Ignition (mount)": "ignition-mount.service", "Ignition (files)": "ignition-files.service",
}

// results are those of units (systemd.exec(5), $SERVICE_RESULT).
var results = []string{"success", "protocol", "timeout", "exit-code", "signal", "core-dump", "watchdog", "exec-condition", "oom-kill", "start-limit-hit", "start-limit", "resources", "dependency", "unmounted", "condition"}

// wholeResult is the only result that begins so, for a line may be cut.
func wholeResult(s string) string {
	if len(s) < 2 || slices.Contains(results, s) {
		return s
	}
	found := slices.DeleteFunc(slices.Clone(results), func(r string) bool { return !strings.HasPrefix(r, s) })
	if len(found) == 1 {
		return found[0]
	}
	return s
}
