package boot

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bootrace/harness/timeline"
)

// suffixes are the kinds of units (systemd.unit(5)).
var suffixes = []string{".service", ".socket", ".target", ".device", ".mount", ".automount", ".swap", ".timer", ".path", ".slice", ".scope"}

// Named: it is a unit's name, and not the description that stands for one in a log.
func Named(unit string) bool {
	return !strings.ContainsAny(unit, " /") && slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(unit, s) })
}

// Trouble is something that went wrong with the machine itself rather than with a unit.
type Trouble struct {
	Moment
	Text string
	Unit string
}

// machineTrouble is a row: words of the kernel, of PID 1 or of the initrd. The groups are
// in the text as $1 ….
type machineTrouble struct {
	says *regexp.Regexp
	is   string
	by   func(timeline.Event) bool
	// alone: a unit that failed says the same in its own last words.
	alone bool
	// early: it is of an initrd that has no systemd: where PID 1 speaks, the boot has gone on.
	early bool
}

func anybody(timeline.Event) bool { return true }

// systemSays: PID 1, its console, the kernel, or a service of systemd's or of dracut's.
func systemSays(ev timeline.Event) bool {
	who, _, said := strings.Cut(ev.Evidence.Text, ": ")
	return ev.Manager || strings.HasPrefix(ev.Unit, "systemd-") || ev.Unit == "" && (!said || who == "kernel" || strings.HasPrefix(who, "systemd") || strings.HasPrefix(who, "dracut-"))
}

// ofADisk: a virtual machine's floppy drive, its empty CD-ROM and the loop devices of snaps fail at every boot.
func ofADisk(ev timeline.Event) bool {
	return ev.Unit == "" && !strings.Contains(ev.Text, "dev fd") && !strings.Contains(ev.Text, "dev sr") && !strings.Contains(ev.Text, "dev loop")
}

var machineTroubles = slices.Concat(initrdTroubles, []machineTrouble{
	{regexp.MustCompile(`(Kernel panic - not syncing: .*?)(?: \]---)?$`), "the kernel gave up: $1", systemSays, false, false},
	{regexp.MustCompile(`Initramfs unpacking failed: (.*)|rootfs image is not initramfs \((.*?)\)|RAMDISK: (EOF while reading compressed data|incomplete write .*)`), damaged + " ($1$2$3)", systemSays, false, false},
	{regexp.MustCompile(`VFS: (?:Unable to mount root fs|Cannot open root device) ?(.*)`), "the kernel cannot mount the root file system $1", systemSays, false, false},
	{regexp.MustCompile(`Failed to (?:isolate|start|load) default target(?:: |, )(.*)`), "PID 1 has no target to boot to: $1", systemSays, false, false},
	{regexp.MustCompile(`^(?:\[!!\] )?(?:Forcibly |Immediately )?(?:[Rr]eboot|[Pp]ower|[Ee]xit|[Hh]alt)[a-z -]*: ((?:unit|job) \S+ (?:failed|timed out).*)`), "PID 1 ended the machine, as it was told for that (FailureAction= and the like): $1", func(ev timeline.Event) bool { return ev.Manager }, false, false},
	{regexp.MustCompile(`^Failed: (\d+ units?)$`), "systemctl status counts $1 that failed, and does not name them (systemctl --failed does)", func(ev timeline.Event) bool { return ev.Manager }, false, false},
	{regexp.MustCompile(`Failed to load SELinux policy\b`), "PID 1 could not load the SELinux policy", systemSays, false, false},
	{regexp.MustCompile(`^Failed to mount (\w+) (?:\(type \w+\) )?(?:at|on) (/\S*)(?: \(.*\))?: (.*)`), "PID 1 could not mount $1 on $2 ($3)", systemSays, false, false},
	{regexp.MustCompile(`Failed to open executor binary '([^']+)': (.*)`), "PID 1 cannot open its executor $1 ($2)", systemSays, false, false},
	{regexp.MustCompile(`^Failed to (?:set up API bus|register name|connect to API bus): (.*)`), "PID 1 has no D-Bus ($1)", systemSays, false, false},
	{regexp.MustCompile(`Ignition failed: (.*)`), "Ignition failed: $1", anybody, true, false},
	{regexp.MustCompile(`^Ignition has failed\. Please ensure`), "Ignition failed, and asks for a configuration that is valid", anybody, true, false},
	{regexp.MustCompile(`Activation script snippet '([^']+)' failed \((\d+)\)`), "NixOS's activation script $1 failed (exit status $2)", anybody, false, false},
	{regexp.MustCompile(`An error occurred during the file system check`), "a file system's check failed, and a person is asked for", anybody, true, false},
	{regexp.MustCompile(`^fsck failed with (?:exit status|error code) (\d+)`), "a file system's check failed (fsck, status $1)", anybody, true, false},
	{regexp.MustCompile(`mount\.nfs4?: Failed to resolve server (\S+): (.*)`), "the NFS server $1 has no address ($2)", anybody, true, false},
	{regexp.MustCompile(`unknown filesystem type '(\S+?)'`), "the kernel knows no file system $1 (its module is not there)", anybody, true, false},
	{regexp.MustCompile(`EXT4-fs \(\S+\): Remounting filesystem read-only|XFS \(\S+\): (?:.*Shutting down filesystem|.*[Ff]ilesystem has been shut down)|BTRFS.*: forced readonly`), "the kernel took a file system out of use, for what is wrong with it: $0", ofADisk, false, false},
	{regexp.MustCompile(`^PANIC at (\S+\.c:\d+:\w+\(\))`), "the kernel's ZFS stopped on an assertion of its own ($1)", systemSays, false, false},
	{regexp.MustCompile(`Failed to create (\S+) control group: (.*)`), "PID 1 could not make its control group $1 ($2)", systemSays, false, false},
	{regexp.MustCompile(`^Failed to determine supported controllers: (.*)`), "PID 1 found no controllers for its control group ($1)", systemSays, false, false},
	{regexp.MustCompile(`Caught <([A-Z]+)>`), "PID 1 crashed (signal $1)", systemSays, false, false},
	{regexp.MustCompile(`^segfault at [0-9a-f]+ ip `), "PID 1 crashed", func(ev timeline.Event) bool { return ev.Manager }, false, false},
	{regexp.MustCompile(`(BUG: (?:kernel NULL pointer|unable to handle).*|Oops: [0-9a-f]{4}.*|Unable to handle kernel .*)`), "the kernel went wrong: $1", systemSays, false, false},
	{regexp.MustCompile(`task (\S+:\d+) blocked for more than \d+ seconds`), "the kernel says that a task is stuck: $1, for minutes", systemSays, false, false},
	{regexp.MustCompile(`soft lockup - CPU#\d+ stuck|rcu\S*:? .*detected stall`), "the kernel says that a processor is stuck", systemSays, false, false},
	{regexp.MustCompile(`\[?!!!!!!\]? (.*)`), "PID 1 gave up: $1", systemSays, false, false},
	{regexp.MustCompile(`Freezing execution|Failed to allocate manager object|Exiting PID 1`), "PID 1 gave up", systemSays, false, false},
	{regexp.MustCompile(`(\S+?) ?: UNEXPECTED INCONSISTENCY; RUN fsck (?i:MANUALLY)`), "the file system on $1 is broken: fsck must be run by hand", anybody, false, false},
	{regexp.MustCompile(`(?i)out of memory: kill(?:ed)? process \d+ \(([^)]*)\)`), "the kernel killed $1 for want of memory (OOM)", systemSays, false, false},
	{regexp.MustCompile(`oom-kill:constraint=.*\btask=([^,]+)`), "the kernel killed $1 for want of memory (OOM)", systemSays, false, false},
	{regexp.MustCompile(`oom-kill:constraint=`), "the kernel killed for want of memory (OOM)", systemSays, false, false},
	{regexp.MustCompile(`^saving (?:to \S*/var/crash\S*|vmcore complete)`), "the machine had crashed before: kdump saves its memory", func(ev timeline.Event) bool { return strings.HasPrefix(ev.Evidence.Text, "kdump") }, false, false},
	{regexp.MustCompile(`(?i)inotify.*too many open files|too many open files.*inotify|allocate directory watch: too many open files`), "the inotify instances are used up (fs.inotify.max_user_instances)", systemSays, false, false},
	{regexp.MustCompile(`(?i)inotify.*no space left`), "the inotify watches are used up (fs.inotify.max_user_watches)", systemSays, false, false},
	{regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`), "no space is left on a device", func(ev timeline.Event) bool {
		return systemSays(ev) && !strings.Contains(strings.ToLower(ev.Text), "inotify") // whose watches are not of a disk
	}, false, false},
	{regexp.MustCompile(`(?:EXT4-fs error|EXT4-fs \(\S+\): error loading journal|JBD2: recovery failed|XFS \(\S+\): (?:Corruption|Internal error|Metadata (?:corruption|CRC error)|log mount)|BTRFS(?: error|:? critical|: error)|Buffer I/O error|(?:blk_update_request: )?I/O error, dev).*`), "the kernel reports a broken disk or file system: $0", ofADisk, false, false},
})

// unescaped is what systemd-escape has made of a path in dracut's names of files.
var unescaped = strings.NewReplacer(`\x2f`, "/", `\x2d`, "-")

// Troubles are those of the machine, each once, of a log.
func (b Facts) Troubles() []Trouble {
	if b.Origin == nil {
		return nil
	}
	var out []Trouble
	goesOn := b.goesOn()
	for i, ev := range b.Events {
		if ev.Kind != timeline.Log && ev.Kind != timeline.OnConsole {
			continue
		}
		for _, row := range machineTroubles {
			m := row.says.FindStringSubmatchIndex(ev.Text)
			if m == nil || !row.by(ev) || row.alone && len(b.Failures().All) > 0 || row.early && goesOn >= i {
				continue
			}
			if n := count.FindStringSubmatch(ev.Text); n != nil && atMost(n[1], len(b.Failures().All)) {
				break // they are named in it
			}
			text := unescaped.Replace(strings.TrimSpace(string(row.says.ExpandString(nil, row.is, ev.Text, m))))
			if !slices.ContainsFunc(out, func(t Trouble) bool { return t.Text == text }) && len(out) < 10 {
				out = append(out, Trouble{Moment{ev.At, ev.Evidence}, text, ev.Unit})
			}
			break
		}
	}
	out = b.withoutRoot(out)
	all := slices.Clone(out)
	return slices.DeleteFunc(out, func(t Trouble) bool { // another says more of the same
		return slices.ContainsFunc(all, func(o Trouble) bool { return len(o.Text) > len(t.Text) && strings.HasPrefix(o.Text, t.Text) })
	})
}

var count = regexp.MustCompile(`^Failed: (\d+) units?$`)

func atMost(number string, most int) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n <= most
}

const statusOnly = "its status is error"

// cloudTroubles are cloud-init's own words for what it could not do, worst first; other
// warnings are not of the boot.
var cloudTroubles = []struct {
	says *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`^(?:finish: )?\S*?: ?FAIL: (.*)|finish: ([\w-]+(?:/[\w-]+)?): FAIL`), "$1$2"},
	{regexp.MustCompile(`(?:Failed (?:loading|to load) yaml|Failed at merging in cloud config).*`), "$0"},
	{regexp.MustCompile(`/var/lib/cloud/instance/scripts/\S+: (?:line )?\d+: .*`), "$0"},
	{regexp.MustCompile(`Job for (\S+) failed because (.*?)\.?$`), "$1, which it had systemctl start, failed ($2)"},
	{regexp.MustCompile(`E: (?:Unable to locate package|Failed to fetch|Package .* has no installation candidate).*|Error: Unable to find a match: .*`), "$0"},
	{regexp.MustCompile(`(?:\b[Ff]ailed (?:(?:run )?of )?stage [\w-]+|Can not apply stage \w+, no datasource found|No instance datasource found|Likely bad things to come|Could not find data source|DataSourceNotFound|failed getting metadata|Giving up on).*`), "$0"},
	{regexp.MustCompile(`(?:Running module (\S+).* failed|Failed running (\S+)|Failed to run module (\S+)|\d+ failed with exit code|Runparts: .* failed|(?:\]: .*)?Unexpected error while running command).*`), "$0"},
	{regexp.MustCompile(`Used fallback datasource|Datasource DataSourceNone|DataSourceNone\b.*`), "it found no data source and used its fallback (DataSourceNone): nothing of the cloud's configuration was applied"},
	{regexp.MustCompile(`\[WARNING\]: (Failed to install packages: .*)`), "$1"},
	{regexp.MustCompile(`\[(?:ERROR|CRITICAL)\]: .*`), "$0"},
	{regexp.MustCompile(`^- \('(\w+)', \w+\(['"]?(.*?)['"]?\)\)$`), "$1: $2"},
	{regexp.MustCompile(`^- \('(\w+)$`), "$1, which is cut off"},
	{regexp.MustCompile(`^- (.+)$`), "$1"}, // of its result in JSON
	{regexp.MustCompile(`status: error, errors: none`), "its status is error, and it names none: so it is where systemd has a unit of it as failed (systemctl --failed)"},
	{regexp.MustCompile(`status: error`), statusOnly},
}

// harmless: it tells people of the network, and nothing hangs on that.
var harmless = regexp.MustCompile(`(?:Route|Netdev) info failed`)

// searched: one of several data sources has nothing, which another may have.
var searched = regexp.MustCompile(`finish: [\w-]+/search-(\w+): FAIL`)

// CloudInit are cloud-init's troubles, each once, of a log.
func (b Facts) CloudInit() []Trouble {
	if b.Origin == nil {
		return nil
	}
	var out []Trouble
	// What asked for the upgrade fails for the reboot that it asks for.
	rebooted := slices.ContainsFunc(b.Of(timeline.Log), func(ev timeline.Event) bool { return rebooting.MatchString(ev.Text) })
	for _, row := range cloudTroubles {
		for _, ev := range b.Events {
			if ev.Kind != timeline.Log || ev.Manager || ev.Unit != "cloud-init" && !strings.HasPrefix(ev.Unit, "cloud-") {
				continue
			}
			m := row.says.FindStringSubmatchIndex(ev.Text)
			if m == nil || searched.MatchString(ev.Text) || harmless.MatchString(ev.Text) || rebooted && strings.Contains(ev.Text, "package_update_upgrade_install") {
				continue
			}
			text := shortened(strings.TrimPrefix(strings.TrimSpace(string(row.says.ExpandString(nil, row.is, ev.Text, m))), "]: "))
			if strings.HasPrefix(text, "Giving up on") {
				text += b.unanswered(ev.Evidence.Line)
			}
			if !slices.ContainsFunc(out, func(t Trouble) bool { return t.Text == text || t.Evidence == ev.Evidence }) && len(out) < 5 {
				out = append(out, Trouble{Moment{ev.At, ev.Evidence}, text, ev.Unit})
			}
		}
	}
	if slices.ContainsFunc(out, func(t Trouble) bool { return strings.Contains(t.Text, "had systemctl start") }) {
		out = slices.DeleteFunc(out, func(t Trouble) bool { return strings.Contains(t.Text, "rror while running command") })
	}
	if slices.ContainsFunc(out, func(t Trouble) bool { return yaml.MatchString(t.Text) }) { // it says where
		out = slices.DeleteFunc(out, func(t Trouble) bool { return strings.HasPrefix(t.Text, "Failed at merging") })
	}
	modules := map[string]bool{} // of each the first word is enough
	out = slices.DeleteFunc(out, func(t Trouble) bool {
		m := ofModule.FindStringSubmatch(t.Text)
		again := m != nil && modules[m[1]]
		if m != nil {
			modules[m[1]] = true
		}
		return again
	})
	if len(out) > 1 { // another says why
		out = slices.DeleteFunc(out, func(t Trouble) bool { return t.Text == statusOnly })
	}
	return out
}

var yaml = regexp.MustCompile(`^Failed (?:loading|to load) yaml`)

var rebooting = regexp.MustCompile(`Rebooting after upgrade or install per (\S+)`)

// ofModule is the module of cloud-init's that a trouble is of.
var ofModule = regexp.MustCompile(`(?:\bmodule |/config-)([a-z_-]+)`)

// Ailing are units of which a log says why they fail, or that a process of them ended badly,
// and not that they failed: what people send is cut off. By name.
func (b Facts) Ailing() []Failure {
	if b.Origin == nil {
		return nil
	}
	failed := map[string]bool{}
	for _, f := range b.Failures().All {
		failed[f.Unit] = true
	}
	alone := !slices.ContainsFunc(b.Events, func(ev timeline.Event) bool { return ev.Unit == Vector && ev.Manager }) // PID 1 says whether it ended
	byUnit := map[string]Failure{}
	down, starting := stopping{}, map[string]bool{}
	for _, ev := range b.Events {
		down.see(ev)
		switch ev.Kind {
		case timeline.Starting:
			starting[ev.Unit] = true
		case timeline.Started, timeline.Stopping, timeline.Stopped, timeline.Succeeded:
			delete(starting, ev.Unit)
		}
		if (!ev.Manager && !(alone && refuses.MatchString(ev.Evidence.Text))) || ev.Unit == "" || failed[ev.Unit] || down[ev.Unit] || byUnit[ev.Unit].Unit != "" && ev.Kind != timeline.Succeeded && ev.Kind != timeline.Stopped && ev.Kind != timeline.Started {
			continue
		}
		if ev.Kind == timeline.Succeeded || ev.Kind == timeline.Stopped || ev.Kind == timeline.Started && strings.HasSuffix(ev.Unit, ".mount") { // an end that its unit takes for a good one, or a stop's
			delete(byUnit, ev.Unit)
			continue
		}
		bad := !ev.Manager || ev.Kind == timeline.Exit && ev.Change.ExitStatus != "0" && (ev.Change.ExitStatus != "TERM" || b.complained(ev.Unit)) && (!strings.Contains(ev.Change.Command, "control") || notRun(ev.Change) || starting[ev.Unit])
		if bad || slices.ContainsFunc(reasons, func(r reason) bool { return !r.mild && r.says.MatchString(ev.Text) }) {
			byUnit[ev.Unit] = Failure{Unit: ev.Unit, At: ev.At, Evidence: []timeline.Evidence{ev.Evidence}}
		}
	}
	var out []Failure
	for _, unit := range slices.Sorted(maps.Keys(byUnit)) {
		out = append(out, byUnit[unit])
	}
	return out
}

// complained: what the unit's program said last is that something went wrong.
func (b Facts) complained(unit string) bool {
	return slices.ContainsFunc(b.lastWords(unit), func(w Word) bool { return complaint.MatchString(w.Text) })
}

// notRun: the process ended before its program was there (systemd.exec(5), Process Exit Codes).
func notRun(c timeline.Change) bool {
	status, err := strconv.Atoi(c.ExitStatus)
	return err == nil && c.ExitCode == "exited" && status >= 200
}

// refuses: Vector, as it does not take its configuration.
var refuses = regexp.MustCompile(`^vector: .*[Cc]onfiguration error`)

// CycleThrough are the units that systemd says an ordering cycle goes through, each after the
// next.
func (b Facts) CycleThrough() []string {
	var out []string
	var from string // whose ordering it is
	var by string   // the file: a console has the same once more
	for _, ev := range slices.DeleteFunc(b.Of(timeline.Cycle), b.ofStop) {
		text := ev.Text
		if strings.Contains(strings.ToLower(text), "found ordering cycle") && len(out) > 0 || by != "" && by != ev.Evidence.File {
			break // another one
		}
		if _, list, ok := strings.Cut(text, "ordering cycle: "); ok { // since 258
			for part := range strings.SplitSeq(list, " after ") {
				name, _, _ := strings.Cut(strings.TrimSpace(part), "/")
				if name, _, _ = strings.Cut(name, " "); name != "" {
					out = appendNew(out, name)
				}
			}
			continue
		}
		if m := inCycle.FindStringSubmatch(text); m != nil {
			out, by, from = appendNew(out, m[1]), ev.Evidence.File, cmp.Or(from, ev.Unit)
		}
	}
	if len(out) == 1 && from != "" { // of two, or the log has no more of them
		out = appendNew(out, from)
	}
	return out[:min(len(out), 20)]
}

var inCycle = regexp.MustCompile(`(?i)(?:found ordering cycle on|found dependency on|walked on cycle path to) (\S+)/[\w-]+`)

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Speaks reports whether the log has a word of, or about, one of those units.
func (b Facts) Speaks(units ...string) bool {
	return slices.ContainsFunc(b.Events, func(ev timeline.Event) bool {
		return slices.ContainsFunc(units, func(u string) bool {
			return ev.Unit == u || strings.HasPrefix(ev.Evidence.Text, strings.TrimSuffix(u, ".service")+": ")
		})
	})
}

// Up says what the log has of the boot's end.
func (b Facts) Up() string {
	for _, target := range []string{MultiUser, "graphical.target"} {
		up, ok := b.Reached(target).First()
		switch {
		case ok && b.Origin != nil && b.Origin.NoClock:
			return target + " was reached"
		case ok:
			return fmt.Sprintf("%s was reached at %s", target, timeline.Since(up.At))
		}
	}
	return ""
}
