package judge

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"bootrace/harness/boot"
	"bootrace/harness/timeline"
	"bootrace/harness/verdict"
)

// cause is a row: words that mean the host, not the subject, is to blame, where those say
// them who know.
type cause struct {
	reason string
	text   *regexp.Regexp
	by     func(boot.Facts, timeline.Event) bool
}

func causes() []cause {
	return []cause{
		// inotify(7), fs.inotify.max_user_instances: PID 1 then exits or stays in
		// "initializing" with every job waiting, which looks like a blocked boot.
		{"the host's inotify instances are used up (fs.inotify.max_user_instances)",
			regexp.MustCompile(`(?i)inotify.*too many open files|too many open files.*inotify`), fromMachine},
		{"the host's inotify watches are used up (fs.inotify.max_user_watches)",
			regexp.MustCompile(`(?i)inotify.*no space left on device`), fromMachine},
		{"a process was killed for want of memory",
			regexp.MustCompile(`(?i)^out of memory: killed process|killed by the OOM killer|Failed with result 'oom-kill'|oom-kill:constraint=CONSTRAINT_(NONE|CPUSET|MEMORY_POLICY)`), ofAllMemory},
		{"no space left on device", regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`), ofTheDisk},
		{"PID 1 gave up", regexp.MustCompile(`Freezing execution|Failed to allocate manager object|Exiting PID 1`), fromSystem},
	}
}

// fromSystem: PID 1, also on its console, or the kernel. What a unit prints there, which
// journald marks with its name, is the unit's own.
func fromSystem(_ boot.Facts, ev timeline.Event) bool {
	if ev.Untimed {
		return !forwarded.MatchString(ev.Text)
	}
	return ev.Manager || ev.Unit == ""
}

// forwarded is a line of a unit on the console (systemd.exec(5), StandardOutput=journal+console).
var forwarded = regexp.MustCompile(`^\[ *[0-9]+\.[0-9]+\] [^ ]+\[[0-9]+\]: `)

// fromMachine: also the machine's own services.
func fromMachine(b boot.Facts, ev timeline.Event) bool {
	return fromSystem(b, ev) || strings.HasPrefix(ev.Unit, "systemd-") || ev.Unit == bootLogger
}

const bootLogger = "boot-logger.service"

// ofAllMemory: it is not that a unit, or the slice that it is in, has reached its own
// limit (systemd.resource-control(5), MemoryMax=).
func ofAllMemory(b boot.Facts, ev timeline.Event) bool {
	for unit := ev.Unit; unit != ""; unit = b.Final.Units[unit].Slice {
		if b.Final.Units[unit].MemoryLimited {
			return false
		}
	}
	return fromSystem(b, ev)
}

// ofTheDisk: the host's disk is full, and not a tmpfs. The console is believed where there
// is no journal: any unit can write there.
func ofTheDisk(b boot.Facts, ev timeline.Event) bool {
	if b.DiskHasRoom() {
		return false
	}
	return (fromSystem(b, ev) || ev.Unit == "systemd-journald.service") && (!ev.Untimed || b.Unknown(timeline.Journal) != "")
}

// disturbance measures what the host did to the boot.
func disturbance(b boot.Facts) verdict.Disturbance {
	d := verdict.Disturbance{Undecided: b.Undecided(), NoClock: b.NoClock}
	for _, ev := range b.Of(timeline.Line) {
		d.Measured = true
		late(&d, ev.Line.Late, ev.At)
		if ev.Line.HasLost {
			d.CPU = append(d.CPU, verdict.Loss{At: ev.At, Total: ev.Line.Lost})
		}
	}
	d.Booted = b.End
	if up, reached := b.Reached(boot.MultiUser).First(); reached {
		d.Booted = up.At
	}
	if !d.Measured {
		d.CPU = waited(b.Host)
	}
	for i, s := range b.Host {
		// What was before the boot has not disturbed it, nor what came after.
		if s.At < 0 || s.At > b.End {
			continue
		}
		d.Measured = true
		late(&d, s.Late, s.At)
		if i > 0 {
			last := b.Host[i-1]
			d.Lost += max(0, s.MemFull-last.MemFull) + max(0, s.IOFull-last.IOFull)
		}
		for j := i; j >= 0 && s.At-b.Host[j].At <= verdict.StallWindow; j-- {
			d.Stalled = max(d.Stalled, s.MemFull-b.Host[j].MemFull, s.IOFull-b.Host[j].IOFull)
		}
	}
	d.Causes = spoilt(b)
	return d
}

// waited is for how long tasks of the host waited for the CPU since the boot's
// start. A machine that has not said a word, for want of the CPU maybe, has lost no
// more than that.
func waited(host []timeline.HostSample) []verdict.Loss {
	var out []verdict.Loss
	var before time.Duration
	for i, s := range host {
		if s.At <= 0 || i == 0 {
			before = s.CPUSome
			continue
		}
		out = append(out, verdict.Loss{At: s.At, Total: s.CPUSome - before})
	}
	return out
}

// ordinary is the delay any tick has on a host that does other things as well.
const ordinary = 50 * time.Millisecond

func late(d *verdict.Disturbance, by, at time.Duration) {
	if by > d.Late {
		d.Late, d.LateAt = by, at
	}
	if by > ordinary {
		d.Lost += by
	}
}

func spoilt(b boot.Facts) []verdict.Cause {
	var out []verdict.Cause
	told := map[string]bool{}
	add := func(reason, detail string, at time.Duration) {
		if !told[reason] {
			told[reason] = true
			out = append(out, verdict.Cause{Reason: reason + detail, At: at})
		}
	}
	if end, told := b.Ending(nil); b.Exited != nil && (!told || end.Engine) {
		add("the machine exited by itself", fmt.Sprintf(" with status %d%s", *b.Exited, asked(end, told)), b.End)
	}
	for _, ev := range b.Events {
		if ev.Kind == timeline.Request || ev.Kind == timeline.Line {
			continue
		}
		for _, c := range causes() {
			if c.text.MatchString(ev.Text) && c.by(b, ev) {
				add(c.reason, fmt.Sprintf(": %s (%s:%d)", ev.Evidence.Text, ev.Evidence.File, ev.Evidence.Line), ev.At)
			}
		}
	}
	if b.Cut != "" {
		add(b.Cut, "", b.End)
	}
	return out
}

// asked tells a machine that was stopped from outside from one that broke.
func asked(end boot.Ending, told bool) string {
	if !told {
		return ""
	}
	return fmt.Sprintf(", %s as an engine stops it (%s:%d)", end.How, end.Evidence.File, end.Evidence.Line)
}
