package boot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/timeline"
)

// Word is something that was said, in our words, and where it stands.
type Word struct {
	Text     string
	Evidence timeline.Evidence
}

// reason is a row: what PID 1, or its child that is to become the service, says of why a
// unit failed, and what that is in plain words; $1 … are the groups.
type reason struct {
	says *regexp.Regexp
	is   string
	mild bool // units that are well have it said of them, too
}

var reasons = []reason{
	{regexp.MustCompile(`Ignoring invalid environment assignment 'export `), "systemd ignores the lines of its environment file that begin with export", false},
	{regexp.MustCompile(`Ignoring invalid environment assignment '`), "systemd ignores lines of its environment file that are no NAME=value", false},
	{regexp.MustCompile(`Failed to load environment files: (.*?)\.?$`), "a file of its EnvironmentFile= could not be read ($1)", false},
	{regexp.MustCompile(`(?:Unable to|Failed to) (?:locate|find) executable '?([^':]+)'?: (.*?)\.?$`), "its program $1 cannot be found ($2)", false},
	{regexp.MustCompile(`Failed at step EXEC spawning ([^:]+): (.*?)\.?$`), "its program $1 cannot be run ($2; 203/EXEC)", false},
	{regexp.MustCompile(`Failed to determine (user|group) credentials: (.*?)\.?$`), "its $1 does not exist ($2)", false},
	{regexp.MustCompile(`Failed at step (USER|GROUP) spawning ([^:]+): (No such .*?)\.?$`), "the user or group that $2 is to run as does not exist ($3; step $1)", false},
	{regexp.MustCompile(`Failed at step ([A-Z0-9_]+) spawning ([^:]+): (.*?)\.?$`), "$2 was not run: step $1 failed ($3)", false},
	{regexp.MustCompile(`[Ff]ailed to (?:run|spawn) '([a-z-]+)' task: (.*?)\.?$`), "its $1 command was not run ($2)", false},
	{regexp.MustCompile(`Failed to (?:fork|spawn) [^:]*: (.*?)\.?$|Failed to (?:fork|spawn): (.*?)\.?$`), "systemd could start no process of it ($1$2)", false},
	{regexp.MustCompile(`Failed to execute (?:command|\S+): (.*?)\.?$`), "its command could not be run ($1)", false},
	{regexp.MustCompile(`(?i)watchdog timeout(?: \((.*)\))?`), "it did not feed its watchdog in time ($1)", false},
	{regexp.MustCompile(`(?i)start[a-z-]* operation timed out`), "its start took longer than it may (TimeoutStartSec=)", false},
	{regexp.MustCompile(`(?i)(?:mounting|activation) timed out`), "its start took longer than it may (TimeoutSec=)", false},
	{regexp.MustCompile(`systemd-oomd killed`), "systemd-oomd killed it for the pressure on its memory", false},
	{regexp.MustCompile(`killed by the OOM killer|kernel OOM killer killed`), "the kernel killed a process of it for want of memory (OOM)", false},
	{regexp.MustCompile(`asserts failed|Assertion failed`), "what it asserts does not hold (Assert…=)", false},
	{regexp.MustCompile(`Path (\S+) is already a mount point, refusing start`), "something is mounted on $1 already", false},
	{regexp.MustCompile(`Mount process finished, but there is no mount`), "mount(8) ended well, and nothing is mounted there", false},
	{regexp.MustCompile(`Changing to the requested working directory failed: (.*?)\.?$`), "its working directory could not be changed to ($1; 200/CHDIR)", false},
	{regexp.MustCompile(`Failed to (?:read|parse) PID from file (\S+): (.*?)\.?$`), "its PID file $1 has no PID in it when it is read ($2)", true},
	{regexp.MustCompile(`Can't open PID file ([^ ]+)`), "its PID file $1 did not come", true},
	{regexp.MustCompile(`PID file (\S+) not readable`), "its PID file $1 did not come", true},
	{regexp.MustCompile(`[Nn]ever wrote its PID file`), "it never wrote its PID file (PIDFile=)", false},
	{regexp.MustCompile(`New main PID \d+ does not exist`), "it did not leave the process that its PID file names", true},
	{regexp.MustCompile(`Bound to unit ([^,]+), but unit isn't active`), "it is bound to $1, which is not active", false},
	{regexp.MustCompile(`(?:Unit configuration has fatal error|lacks (?:both )?ExecStart|has no ExecStart|bad unit file setting|Loaded: error |Refusing\.$)`), "its unit file is wrong, and systemd refuses it", false},
	{regexp.MustCompile(`Failed to set up special execution directory in (\S+): (.*?)\.?$`), "systemd could not make its directory in $1 ($2)", false},
	{regexp.MustCompile(`Failed to prepare AppArmor profile change to '([^']+)': (.*?)\.?$`), "its AppArmor profile $1 could not be changed to ($2)", false},
	{regexp.MustCompile(`Failed to (?:allocate|update) dynamic user(?: credentials)?: (.*?)\.?$`), "systemd could not give it its dynamic user ($1)", false},
	{regexp.MustCompile(`Failed to set up (mount namespacing|[a-z ]+): (.*?)\.?$`), "systemd could not set up its $1 ($2)", false},
	{regexp.MustCompile(`(?:Unit|unit) (\S+) is masked`), "$1, which it wants, is masked", true},
	{regexp.MustCompile(`(?:Unit|unit) (\S+) (?:not found|could not be found)`), "$1, which it wants, is not there", true},
	{regexp.MustCompile(`Failed to create listening socket \(([^)]+)\): (.*?)\.?$`), "it cannot listen on $1 ($2)", false},
	{regexp.MustCompile(`Socket service (\S+) not loaded`), "its service $1 is not there", false},
	{regexp.MustCompile(`[Ff]ailed to listen on sockets: (.*?)\.?$`), "it cannot listen on its sockets ($1)", false},
	{regexp.MustCompile(`Socket service (\S+) already active, refusing`), "its service $1 runs already, and no socket is opened for a service that runs", false},
	{regexp.MustCompile(`[Ff]ailed to queue unit startup job: (.*?)\.?$`), "what it triggers cannot be started ($1)", false},
	{regexp.MustCompile(`Refusing to start, unit (\S+) to trigger not loaded`), "$1, which it triggers, is not there", false},
	{regexp.MustCompile(`ransaction for \S+ is destructive \((\S+) has '(\w+)' job queued`), "systemd would not start it beside the $2 of $1, which is queued: something is being stopped, or the machine", false},
	{regexp.MustCompile(`Failed to queue service startup job[^:]*: (.*?)\.?$`), "its service cannot be started ($1)", false},
	{regexp.MustCompile(`[Gg]ot notification message from PID \d+, but reception (?:is disabled|only permitted for main PID)`), "what a process of it told systemd, READY=1 or the like, was not taken: NotifyAccess= lets another one only", true},
	{regexp.MustCompile(`Control process exited.*protocol`), "it did not say that it was ready", true},
}

// statuses are of systemd.exec(5), Process Exit Codes: the step that failed before the
// program was there.
var statuses = map[string]string{
	"200": "CHDIR: its working directory is not there, or not for its user", "203": "EXEC: its program could not be run", "208": "STDIN", "209": "STDOUT", "216": "GROUP: its group does not exist", "217": "USER: its user does not exist, or could not be changed to",
	"202": "FDS", "204": "MEMORY", "205": "LIMITS: a resource limit of it could not be set", "206": "OOM_ADJUST", "210": "CHROOT: its root directory could not be changed to", "219": "CGROUP", "224": "PAM: its PAM session was refused", "225": "NETWORK: its network namespace could not be set up",
	"227": "NO_NEW_PRIVILEGES", "229": "SELINUX_CONTEXT", "231": "APPARMOR: its AppArmor profile could not be changed to", "232": "ADDRESS_FAMILIES", "235": "CHOWN", "242": "NUMA_POLICY", "244": "BPF",
	"218": "CAPABILITIES", "226": "NAMESPACE: its mounts could not be set up", "228": "SECCOMP", "233": "RUNTIME_DIRECTORY", "238": "STATE_DIRECTORY", "239": "CACHE_DIRECTORY", "240": "LOGS_DIRECTORY", "241": "CONFIGURATION_DIRECTORY", "243": "CREDENTIALS: its credentials could not be set up",
	"126": "not executable", "127": "not found", "78": "CONFIG: its configuration is refused", "32": "as mount(8) does that could not mount",
}

// Why says why a unit failed, as far as it was said: what systemd says first, then how its
// process ended, then its own last words.
func (b Facts) Why(unit string) []Word {
	var out []Word
	add := func(text string, ev timeline.Evidence) {
		text = strings.ReplaceAll(text, " ()", "")
		if files := b.Final.Units[unit].EnvFiles; len(files) > 0 {
			text = strings.Replace(text, "a file of its EnvironmentFile=", "its EnvironmentFile="+strings.Join(files, " or "), 1)
		}
		switch text {
		case unit + ", which it wants, is not there":
			text = "it is not there: systemd has no unit of that name"
		case unit + ", which it wants, is masked":
			text = "it is masked"
		}
		if !slices.ContainsFunc(out, func(w Word) bool { return w.Text == text }) && len(out) < 8 {
			out = append(out, Word{text, ev})
		}
	}
	said := func(events []timeline.Event) {
		for _, ev := range events {
			if ev.Unit != unit || !ev.Manager {
				continue
			}
			for _, r := range reasons {
				if m := r.says.FindStringSubmatchIndex(ev.Text); m != nil {
					add(string(r.says.ExpandString(nil, r.is, ev.Text, m)), ev.Evidence)
					break
				}
			}
		}
	}
	if b.Origin != nil { // a host's log goes back to what was mended since
		said(b.lastFailure(unit))
	}
	if len(out) == 0 {
		said(b.Events)
	}
	if b.heldBack(unit) { // how it ended before, and what it said then, is of another start
		return out
	}
	spawned := len(out) > 0
	var end *timeline.Event
	for i, ev := range b.Events {
		if ev.Unit == unit && ev.Kind == timeline.Exit && (end == nil || ev.Change.Command == "ExecStart" || end.Change.Command != "ExecStart") {
			end = &b.Events[i]
		}
	}
	if end != nil {
		if how := exited(end.Change); !spawned || len(end.Change.ExitStatus) < 3 && end.Change.ExitStatus != "0" {
			add(how, end.Evidence)
		}
	}
	for _, w := range b.lastWords(unit) {
		add(w.Text, w.Evidence)
	}
	return out
}

// heldBack: the last of the unit's failures is one of what it needs, so that nothing of its
// own ran.
func (b Facts) heldBack(unit string) (held bool) {
	alone := true // nothing else is said of a failure of it
	for _, ev := range b.Events {
		if ev.Unit == unit && (ev.Kind == timeline.Failed || ev.Kind == timeline.StartFailed) {
			held = ev.Kind == timeline.StartFailed && ev.Change.JobResult == "dependency"
			alone = false
		}
		if ev.Unit == unit && ev.Kind == timeline.OnConsole && ev.Status == "DEPEND" && alone { // before journald ran, or instead
			held = true
		}
	}
	return held
}

// ofOneStart is how long before a failure what led to it was said, far more than a start may
// take (DefaultTimeoutStartSec=).
const ofOneStart = 15 * time.Minute

// lastFailure are the events after the unit had failed for the last time but one, those of long
// before left out.
func (b Facts) lastFailure(unit string) []timeline.Event {
	last, before := -1, -1
	for i, ev := range b.Events {
		if ev.Unit == unit && ev.Kind == timeline.Failed {
			last, before = i, last
		}
	}
	if last < 0 {
		return nil
	}
	failed := b.Events[last]
	return slices.DeleteFunc(slices.Clone(b.Events[before+1:]), func(ev timeline.Event) bool {
		return !ev.Untimed && !failed.Untimed && failed.At-ev.At > ofOneStart
	})
}

func exited(c timeline.Change) string {
	who := "its process"
	switch {
	case c.Command == "ExecStart":
		who = "its main process"
	case c.Command != "" && c.Command != "n/a": // as a mount's is
		who = c.Command
	}
	switch {
	case c.ExitStatus == "": // cut off
		return who + " ended"
	case c.ExitCode == "dumped":
		return fmt.Sprintf("%s crashed (signal %s, core dumped)", who, c.ExitStatus)
	case c.ExitCode == "killed":
		return fmt.Sprintf("%s was killed by signal %s", who, c.ExitStatus)
	case statuses[c.ExitStatus] != "":
		return fmt.Sprintf("%s exited with status %s, %s", who, c.ExitStatus, statuses[c.ExitStatus])
	}
	return fmt.Sprintf("%s exited with status %s", who, c.ExitStatus)
}

// complaint is a line of a program that says what went wrong.
var complaint = regexp.MustCompile(`(?i)^[x✗✘×] |\b(error|fatal|panic(?:ked)?|failed|failure|cannot|can't|could not|couldn't|unable|refused|denied|invalid|no such|not found|does not exist|not supported|not permitted|timed? ?out|missing|undefined|unexpected|exception|already in use)\b`)

// wordOnly is how a script of before systemd ends a line that says what went wrong.
var wordOnly = regexp.MustCompile(`(?i)^\W*(?:failed|fail|error)\W*$|\[ *FAILED *\]$`)

// footnote is where a program that explains its error sends its reader, as Vector does for VRL.
var footnote = regexp.MustCompile(`^\W*(?:learn more|see |note: run with |dmesg\(1\) may have)`)

// gravest is how programs mark what ends them (syslog's levels as nginx writes them,
// PostgreSQL's), and consequence what says nothing but that it did.
var (
	gravest     = regexp.MustCompile(`\[emerg\]|\b(?:FATAL|PANIC):`)
	consequence = regexp.MustCompile(`(?i)\btest\b.{0,80}\bfailed\W*$|\bcould not start (?:the )?server\W*$|\baborting startup\b|\bdatabase system is shut down\W*$|\b(?:exiting|aborting|giving up)\W*$`)
	saysNoMore  = regexp.MustCompile(`(?i)^\W*(?:failed to start(?: up)?|startup failed|exiting|aborting|giving up)\W*$`)
)

// soonAfter is how soon a program says what comes of it.
const soonAfter = 2 * time.Second

// lastWords are what the unit's program said last before it ended the last time.
func (b Facts) lastWords(unit string) []Word {
	var last []timeline.Event
	begun := 0               // in last: the words of its last start
	var told *timeline.Event // what it told PID 1 of how it is, which is no line of its log
	for i, ev := range b.Events {
		if ev.Unit == unit && ev.Kind == timeline.Log && strings.HasPrefix(ev.Text, timeline.StatusSays) {
			if complaint.MatchString(ev.Text) {
				told = &b.Events[i]
			}
			continue
		}
		if ev.Unit == unit && ev.Manager && (ev.Kind == timeline.Starting || ev.Kind == timeline.Started || ev.Kind == timeline.Restart) {
			begun = len(last)
		}
		if ev.Unit == unit && ev.Kind == timeline.Log && !ev.Manager && strings.TrimSpace(ev.Text) != "" && !strings.HasPrefix(ev.Text, "ci-info: ") { // its tables of the network
			last = append(last, ev)
		}
	}
	if told != nil {
		return []Word{{shortened(told.Text), told.Evidence}}
	}
	all := last
	if others := slices.DeleteFunc(slices.Clone(last), func(ev timeline.Event) bool { return wordOnly.MatchString(ev.Text) }); len(others) > 0 {
		last = others
	}
	if complaints := slices.DeleteFunc(slices.Clone(last), func(ev timeline.Event) bool {
		return !complaint.MatchString(ev.Text) || footnote.MatchString(ev.Text)
	}); len(complaints) > 0 {
		last = complaints
	}
	if len(last) == 0 {
		return nil
	}
	ev, how := last[len(last)-1], "it said last: "
	if consequence.MatchString(ev.Text) {
		end := ev
		for _, o := range all[min(begun, len(all)):] {
			if gravest.MatchString(o.Text) && o.At <= end.At && end.At-o.At < soonAfter {
				ev, how = o, "it said: "
			}
		}
	}
	if n := len(last); n > 1 && saysNoMore.MatchString(ev.Text) && ev.At-last[n-2].At < soonAfter {
		ev, how = last[n-2], "it said: "
	}
	i := slices.IndexFunc(all, func(o timeline.Event) bool { return o.Evidence == ev.Evidence })
	text := ev.Text
	if i > 0 && strings.HasPrefix(all[i-1].Text, "mount: ") && strings.HasSuffix(all[i-1].Text, ",") { // one sentence on lines
		text = all[i-1].Text + " " + text
	}
	for j := i - 1; j > 0 && (j == i-1 || causeNo.MatchString(all[j+1].Text)); j-- { // Rust's errors: the outermost, and below it what it came of
		if all[j].Text == "Caused by:" && strings.HasPrefix(all[j-1].Text, "Error: ") && j >= begun {
			text = all[j-1].Text + "; caused by: " + causeNo.ReplaceAllString(text, "")
			break
		}
	}
	if i+1 < len(all) && strings.HasPrefix(all[i+1].Text, "Caused by:") {
		i++
		text += "; " + all[i].Text
	}
	if strings.HasSuffix(text, ":") && i+1 < len(all) {
		text += " " + all[i+1].Text // which only announces it
	}
	return []Word{{how + shortened(text), ev.Evidence}}
}

// Complaints are what the unit's own program said after a moment of what it cannot do, in order.
func (b Facts) Complaints(unit string, after time.Duration) []string {
	var out []string
	for _, ev := range b.Of(timeline.Log) {
		if ev.Unit == unit && !ev.Manager && !ev.Untimed && ev.At >= after && complaint.MatchString(ev.Text) && !footnote.MatchString(ev.Text) {
			out = append(out, shortened(ev.Text))
		}
	}
	return out
}

// causeNo is before one of several causes of an error, of which the last is the innermost.
var causeNo = regexp.MustCompile(`^\s*\d+: `)

func shortened(s string) string {
	const most = 200
	s = strings.TrimLeft(strings.Join(strings.Fields(s), " "), "│┌├└─ ")
	if r := []rune(s); len(r) > most { // what went wrong stands at the end
		return string(r[:most/2]) + " … " + string(r[len(r)-most/2:])
	}
	return s
}
