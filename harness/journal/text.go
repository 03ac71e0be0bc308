package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// textReader reads lines, each by its own form: what people send has several in one file.
type textReader struct {
	*reader
	held     Entry // the entry before, which a line may go on
	raw      int   // its length as it was wrapped, in characters; 0: none is held
	spaced   bool  // it ended with a space
	mangled  bool  // a 3270 console: "[" is "¬", "]" is "|"
	verbose  bool
	unit     string            // of systemctl status
	block    statusBlock       // of unit
	result   string            // of the unit that systemctl show has next
	asUser   bool              // the last systemctl that was typed was for a user's manager
	listUser bool              // the list that is read is a user's manager's
	failing  bool              // a unit's name alone is of a list of those that failed
	pids     map[string]string // its processes
	arrived  time.Time
	logger   bool   // the line is of a record of a program's own
	from     string // the machine, as who carried the line calls it
	widths   []int  // where its lines may be wrapped
	widest   int    // its longest line, as far as it was looked at
	above    chainLink
	list     statusList
	unread   string // the line before, of which nothing was made
	prior    string // unread, as a line is read
}

// statusBlock is how far a status of systemctl has gone.
type statusBlock struct {
	unit          string // "": it is over
	blanks, lines int    // blank lines, and the journal's, since it began
	ofUser        bool   // of a user's manager
	listing       bool   // the line before is of a list of what triggers the unit, or what it triggers
	listed        string // the last in that list
	headed        bool   // nothing but its heading was read
	failed        bool   // as its state says
	disabled      bool   // as the line of its file says
}

func (r *reader) text(br *bufio.Reader) error {
	t := &textReader{reader: r}
	head, _ := br.Peek(16 << 10)
	t.widths, t.widest = append(slices.Clone(widths), wrappedAt(head)...), widestOf(head)
	read := t.line
	if quote := quotedBy(string(head)); quote != "" {
		read = func(n int, b []byte) { t.line(n, bytes.TrimPrefix(b, []byte(quote))) }
	}
	err := r.eachLine(br, read)
	t.held.Last = true
	t.flush()
	if t.mangled {
		r.fault(0, "mangled by a 3270 console: brackets and escapes are not what was sent")
	}
	return err
}

// repeated is how rsyslog says a line again.
var repeated = regexp.MustCompile(`^message repeated \d+ times: \[ (.*)\]$`)

// flush gives the held entry away.
func (t *textReader) flush() {
	if t.raw > 0 {
		if t.held.Form == Verbose {
			at := t.held.Wall
			if t.held = ofFields(t.held.Line, Verbose, t.held.Fields); t.held.Wall.IsZero() {
				t.held.Wall = at
			}
		}
		if m := repeated.FindStringSubmatch(t.held.Message); m != nil {
			t.held.Message = m[1]
		}
		if strings.HasSuffix(t.held.Message, "`") && strings.Count(t.held.Message, "`")%2 == 1 { // what it closes was before the line's head
			t.held.Message = strings.TrimSuffix(t.held.Message, "`")
		}
		t.held.Message = cut(t.held.Message)
		t.emit(t.held)
		t.raw = 0
	}
}

func (t *textReader) hold(e Entry, raw int) {
	t.flush()
	t.verbose = e.Form == Verbose
	if e.Arrived.IsZero() {
		e.Arrived = t.arrived
	}
	e.Host, e.Shown = cmp.Or(e.Host, t.from), t.block.unit
	if t.block.unit != "" && !e.Wall.IsZero() {
		t.block.lines++
	}
	t.held, t.raw = e, max(1, raw)
}

var (
	bootLine = regexp.MustCompile(`^(?:-- (?:Boot [0-9a-f]{32}|Reboot) --|-{12} .{20,40} -{12})$`) // journalctl's, and plymouth's in boot.log
	noise    = regexp.MustCompile(`^(?:-- (?:Logs begin|Journal begins|No entries|Subject:|Defined-By:|Support:|Documentation:)|░|---$|\x60\x60\x60|lines \d+-\d+)`)
	// journalctl -x on a unit that has failed, systemd's catalog/systemd.catalog.in.
	catalogued = regexp.MustCompile(`^(?:-- |░+ )The unit (\S+) has entered the 'failed' state with result '([a-z-]+)'\.`)
	redrawn    = []byte{'\r'}
	cutMarks   = regexp.MustCompile(`(?:[^ >]>|…)$`)
	embedded   = regexp.MustCompile(`\[ {0,4}\d{1,7}\.\d{6}\] |\[\s{0,4}(?:OK|FAILED|DEPEND|TIME|SKIP|INFO|ABORT|ASSERT|UNSUPP|WARN)\s{0,4}\] `)
	managerIn  = regexp.MustCompile(`(?:^|[\s|>)\].])(systemd|kernel|cloud-init|init)(?:\[(\d{1,9})\])?: `)
	statusIn   = regexp.MustCompile(`(?:^|[\s|>)\]:])\[\s{0,4}(OK|FAILED|DEPEND|TIME|SKIP|INFO|ABORT|ASSERT|UNSUPP|WARN|ERROR|!!)\s{0,4}\] +(\S.*)$`)
	waitsIn    = regexp.MustCompile(`(?:\(\d+ of \d+\) )?(A (?:start|stop) job is running for ?\S.*|Job \S+ running \(.*)$`)
	seeIn      = regexp.MustCompile(`^(?:\[.{0,12}\] )?See ['"` + "`" + `]?systemctl (?:status )?(?:-l )?['"]?([A-Za-z0-9:_.\\@…-]+\.[a-z]+)['"]?(?: for details)?`)
	couldNot   = regexp.MustCompile(`^Failed to (?:start|mount|listen on|activate swap) \S.{2,120}$`)
	begunIn    = regexp.MustCompile(`^(\s*)((?:Starting|Mounting|Activating|Stopping|Unmounting) \S.*\.\.\.)$`)
)

func (t *textReader) line(n int, b []byte) {
	if t.verbose && len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		t.field(b)
		return
	}
	if !bytes.HasPrefix(b, []byte("{")) {
		b = bytes.ReplaceAll(b, []byte("^M"), redrawn) // cat -v's
	}
	if bytes.Contains(b, redrawn) { // a bare CR redraws a line: each version of it was said
		for part := range bytes.SplitSeq(b, redrawn) {
			t.one(n, part)
		}
		return
	}
	t.one(n, b)
}

func (t *textReader) one(n int, b []byte) {
	b = bytes.TrimPrefix(b, []byte{0x1e})      // of journalctl -o json-seq
	if bytes.HasPrefix(b, []byte(`data: {`)) { // of json-sse
		b = b[len("data: "):]
	}
	if len(bytes.TrimSpace(b)) == 0 {
		t.block.listing = false
		if t.block.blanks++; t.block.blanks == 2 { // the first is before the status' own lines
			t.block.unit = ""
		}
		return
	}
	if b[0] == '{' && t.object(n, b) {
		return
	}
	width, spaced := utf8.RuneCount(b), b[len(b)-1] == ' '
	if bytes.HasSuffix(b, []byte("  ")) { // padded to the edge: what it says ends before
		width, spaced = utf8.RuneCount(bytes.TrimRight(b, " ")), false
	}
	defer func() { t.spaced = spaced }()
	if bytes.Contains(b, []byte("¬")) {
		t.mangled = true
		b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("¬"), []byte("[")), []byte("|"), []byte("]"))
	}
	s := Clean(b)
	if s == "" {
		return
	}
	if s = unframed(s); s == "" {
		return
	}
	first := s[0]
	t.prior, t.unread = t.unread, ""
	if !utf8.Valid(b) {
		t.fault(n, "bytes that are no UTF-8")
	}
	if first == '-' && bootLine.MatchString(strings.TrimSpace(s)) {
		t.flush()
		e := Entry{Line: n, NewBoot: true}
		if f := strings.Fields(s); len(f) == 4 && f[1] == "Boot" {
			e.Boot = f[2]
		}
		t.emit(e)
		return
	}
	if t.catalogue(n, s, width) {
		return
	}
	if (first == '-' || first == 'l' || first == '`' || first >= 0x80) && noise.MatchString(s) {
		return
	}
	e := Entry{Line: n}
	t.arrived, t.from = time.Time{}, ""
	if header(s, &e) || (first == ' ' || first == '>' || first == '*' || first == '\t') && header(strings.TrimLeft(s, " \t>*"), &e) {
		t.said(e, s, width)
		return
	}
	if strings.Count(s, `\n`) > 2 {
		t.fault(n, `a string whose line ends are spelt out (\n), of which one line is read: print it instead`)
	}
	whole := s
	for range 3 {
		if t.cloudInit(n, s, width) {
			return
		}
		rest, ok := t.peel(s)
		if !ok {
			break
		}
		if t.catalogue(n, rest, width) {
			return
		}
		if s = unframed(rest); header(s, &e) {
			t.said(e, s, width)
			return
		}
	}
	switch {
	case t.opens(n, whole):
	case t.cloudInit(n, s, width), t.job(n, s, width), t.status(n, s, width), t.waits(n, s, width), t.within(n, whole, width), t.found(n, whole, width), !shells.MatchString(strings.TrimSpace(s)) && t.goesOn(whole, width), t.bare(n, s, width):
	}
}

// unframed is a line without a terminal's box around it, or a forum's code line by line.
func unframed(s string) string {
	for _, frame := range []string{"│", "┃", "`"} {
		if in, ok := strings.CutPrefix(strings.TrimSpace(s), frame); ok && strings.HasSuffix(in, frame) {
			s = strings.TrimSpace(strings.TrimSuffix(in, frame))
		}
	}
	return s
}

// Its subject names the unit of the sentence above it, which before 248 has the description alone.
var (
	catalogueOf = regexp.MustCompile(`^(?:-- |░+ )Subject: (?:Unit (\S+) has (?:failed|begun|finished)|A start job for unit (\S+) has)\b`)
	describedIn = regexp.MustCompile(`^(?:Failed to start|Starting|Started) (\S.*?)(?:\.\.\.|…|\.)$`)
)

// catalogue is what journalctl -x adds to a line: it says over again what that does, and says
// it alone where the line was cut off.
func (t *textReader) catalogue(n int, s string, width int) bool {
	if s = strings.TrimLeft(s, " \t"); !strings.HasPrefix(s, "--") && !strings.HasPrefix(s, "░") {
		return false
	}
	if of := catalogueOf.FindStringSubmatch(s); of != nil && t.raw > 0 && t.held.Ident == "systemd" {
		if said := describedIn.FindStringSubmatch(t.held.Message); said != nil {
			t.describe(of[1]+of[2], said[1])
		}
	}
	m := catalogued.FindStringSubmatch(s)
	if m != nil && t.raw == 0 && t.report.Entries == 0 {
		t.hold(Entry{Line: n, Form: Bare, Ident: "systemd", PID: 1, Message: m[1] + ": Failed with result '" + m[2] + "'."}, width)
	}
	return m != nil || strings.HasPrefix(s, "-- ") || s == "--"
}

// beheaded is what is left of PID 1's name where lines are cut at the left.
var beheaded = regexp.MustCompile(`^\[?1?[\]|]: `)

// glued is the header of a second line in a line.
var glued = regexp.MustCompile(`[\w .,;)](?:[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT[0-9:.]{8,15}(?:Z|[+-][0-9:]{4,5})) (\S+) (?:\S{1,40}\[\d+\]|systemd): `)

// lostEnd is where PID 1's line begins right within another's word, whose end is lost.
var lostEnd = regexp.MustCompile(`[a-z.,;)](?:[A-Z][a-z]{2}|\d{1,2}月) +\d{1,2} \d\d:\d\d:\d\d (\S+) systemd\[1\]: `)

// said takes a line with a header. A console may have put a kernel's line, or a word in
// brackets, into the middle of it.
func (t *textReader) said(e Entry, s string, width int) {
	if last := s[len(s)-1]; (last == '>' && strings.Count(s, "<") < strings.Count(s, ">") || last >= 0x80) && len(s) > 60 && cutMarks.MatchString(s) {
		t.fault(e.Line, "cut at the right, as a pager cuts (less -S, journalctl without --full)")
	}
	if e.Ident == "login" && cloudAtLogin.MatchString(e.Message) { // the prompt has no line end
		e.Ident, e.PID = "cloud-init", 0
	}
	if e.PID == 0 && strings.Contains(e.Ident, ".") && catWords.MatchString(e.Ident+": "+e.Message) { // a container's own console: its unit stands where a speaker does
		e.Ident, e.PID, e.Message = "systemd", 1, e.Ident+": "+e.Message
	}
	if e.PID == 0 && e.Ident != "cloud-init" && t.job(e.Line, e.Ident+": "+e.Message, width) {
		return
	}
	if e.PID > 1 {
		e.Of = t.pids[strconv.Itoa(e.PID)]
	}
	if at := lostEnd.FindStringSubmatchIndex(e.Message); at != nil && e.Ident != "systemd" && e.Message[at[2]:at[3]] == e.Host {
		rest := Entry{Line: e.Line, Form: e.Form, Host: e.Host, Wall: e.Wall, Mono: e.Mono, HasMono: e.HasMono, Ident: "systemd", PID: 1, Message: e.Message[at[1]:]}
		e.Message = e.Message[:at[0]+1]
		t.hold(e, width)
		t.hold(rest, width)
		return
	}
	if e.Host != "" && strings.Contains(e.Message, e.Host) {
		if at := glued.FindStringSubmatchIndex(e.Message); at != nil && e.Message[at[2]:at[3]] == e.Host { // line ends are lost
			rest := e.Message[at[0]+1:]
			e.Message = strings.TrimSuffix(e.Message[:at[0]+1], " ")
			t.hold(e, width)
			t.one(e.Line, []byte(rest))
			return
		}
	}
	if (e.Form == Kernel || e.Form == Text && e.HasMono) && (strings.IndexByte(e.Message, '[') >= 0 || e.Form == Kernel && strings.Contains(e.Message, "systemd")) {
		if m := statusIn.FindStringSubmatch(e.Message); m != nil && strings.HasPrefix(strings.TrimSpace(e.Message), "[") {
			e.Status, e.Form, e.Ident, e.PID, e.Message = m[1], Console, "", 0, m[2]
		} else if w := torn.FindStringSubmatch(e.Message); w != nil {
			e.Status, e.Form, e.Ident, e.PID, e.Message = "FAILED", Console, "", 0, w[1]
		} else if late := jobLate.FindStringSubmatch(e.Message); late != nil {
			e.Form, e.Ident, e.PID, e.Message = Text, "systemd", 1, late[1]
		} else if at := embedded.FindStringIndex(e.Message); at != nil && at[0] > 0 {
			rest := e.Message[at[0]:]
			e.Message = strings.TrimSpace(e.Message[:at[0]])
			t.hold(e, width)
			t.one(e.Line, []byte(rest))
			return
		} else if m := managerIn.FindStringIndex(e.Message); m != nil && e.Form == Kernel {
			inner := Entry{Line: e.Line}
			if header(strings.TrimLeft(e.Message[m[0]:], " ])>|."), &inner) {
				inner.Form, inner.Mono, inner.HasMono = Text, e.Mono, e.HasMono
				e = inner
			}
		}
	}
	t.hold(e, width)
}

// bare is PID 1's own words without anybody's name before them, as journalctl -o cat and
// consoles have them, and the words of those who have the console when a boot has failed.
func (t *textReader) bare(n int, s string, width int) bool {
	whole := s
	s = beheaded.ReplaceAllString(strings.TrimSpace(s), "")
	if jobHead.MatchString(t.prior) {
		for _, between := range []string{" ", ""} { // the terminal's edge was between two words, or within the name
			if both := t.prior + between + s; jobNamed.MatchString(both) {
				s = both
				break
			}
		}
	}
	if t.together(n, s) {
		return true
	}
	switch {
	case t.statusOf(n, s):
	case shells.MatchString(s):
		t.hold(Entry{Line: n, Form: Console, Message: s}, width)
	case cloudAtLogin.MatchString(s):
		t.hold(Entry{Line: n, Form: Bare, Ident: "cloud-init", Message: cloudAtLogin.FindString(s)}, width)
	case lostDevice.MatchString(s):
		t.hold(Entry{Line: n, Form: Console, Status: "TIME", Message: "Timed out waiting for device " + lostDevice.FindStringSubmatch(s)[1] + "."}, width)
	case t.ownLog(n, s, width):
	case strings.Contains(s, "systemctl ") && shellTyped.MatchString(s):
		t.hold(Entry{Line: n, Form: Bare, Ident: "shell", Message: s}, width)
	case strings.Contains(t.prior, "systemctl --user ") && (strings.Contains(s, "ob for ") || notGranted.MatchString(s)): // of a user's manager
	case jobAside.MatchString(s), startAside.MatchString(s):
		return false
	case !t.logger && catWords.MatchString(s):
		t.hold(Entry{Line: n, Form: Bare, Ident: "systemd", PID: 1, Message: s}, width)
	case t.chain(n, whole), t.listed(n, s), t.flows(whole, width):
	default:
		if t.unread = s; t.block.lines > 0 { // a prompt, or what somebody says of it
			t.block.unit = ""
		}
		return false
	}
	return true
}

// shellTyped is what somebody types who wants a shell instead of what runs.
var shellTyped = regexp.MustCompile(`^(?:\S*[#$]|\[[^]]+\][#$]|[\w.-]+@\S+ ?[#$]) ?(?:sudo )?systemctl (?:isolate |start )?(?:rescue|emergency)(?:\.target)?$`)

// cloudAtLogin is cloud-init's own word on a console that a login prompt is on.
var cloudAtLogin = regexp.MustCompile(`Can not apply stage \w+, no datasource found! Likely bad things to come!`)

// lostDevice is PID 1's sentence within another's word in brackets.
var lostDevice = regexp.MustCompile(`^\[ *(?:OK|FAILED|DEPEND|TIME) +Timed out waiting for device (/dev/[^\s\]]+?)\.? ?\]`)

var (
	// Of sulogin, dracut, initramfs-tools and the kernel.
	shells = regexp.MustCompile(`^(?:Welcome to (?:emergency|rescue) mode|You are in (?:emergency|rescue) mode|Entering emergency mode|Activation script snippet '|Give root password for maintenance|Cannot open access to console, the root account is locked|` +
		`Kernel panic - not syncing|dracut-initqueue|dracut:? (?:Warning|FATAL)|dracut: Refusing to continue|Warning: +/dev/\S+ does not exist|ALERT!  ?\S+ does not exist|Gave up waiting for (?:root|suspend)|Begin: |BusyBox v|\(initramfs\)|` +
		`Generating "/run/initramfs/rdsosreport|UNEXPECTED INCONSISTENCY|` +
		`mount: mounting \S+ on (?:/root|/mnt-root\S*) failed: |ERROR: (?:[Dd]evice|Unable to find root device) \S+|(?:ERROR: )?Failed to mount \S+ (?:on real root|as root file system)|ERROR: Root device mounted successfully, but |Target filesystem doesn't have requested |No init found\. Try passing init=|You are (?:now )?being dropped (?:into an emergency|to a recovery) shell|The root filesystem on \S+ requires a manual fsck|Timed out waiting for device \S+, trying to mount anyway|stage 2 init script \(\S+\) not found|An error occurred in stage 1 of the boot process|<<< NixOS Stage 2 >>>|Message: cannot import '|Failed to import pool '|(?i:unable to find a (?:live )?medium containing)|initramfs emergency recovery shell|(?:/bin/)?[Ss]h: can't access tty; job control turned off|grub rescue>|error: you need to load the kernel first|` +
		`\S+ ?: UNEXPECTED INCONSISTENCY|Ordering cycle found, skipping|\[?!!!!!!\]? |CRITICAL : Ignition failed: |Ignition has failed\. Please ensure |\*\*\* An error occurred during the file system check|Freezing execution|Caught <[A-Z]+>|Failed to (?:mount \w+ (?:\(type \w+\) )?(?:at|on) /|(?:isolate|load) default target|create \S+ control group|determine supported controllers: |allocate manager object|load SELinux policy))`)
	catWords = regexp.MustCompile(`^(?:\[🡕\] )?(?:[A-Za-z0-9:_.\\@<>-]+\.(?:service|socket|target|device|mount|automount|swap|timer|path|slice|scope): (?:Failed with result|(?i:main process exited)|(?i:control process exited)|Start request repeated|Scheduled restart|Job \S+ deleted|Job \S+/start (?:failed with result|timed out)|Unit configuration has fatal error|Found ordering cycle|Found dependency on|Failed (?:to|at step)|Unable to locate executable|Changing to the requested working directory failed|(?i:start[a-z-]* operation timed out)|Unit entered failed|Service hold-off|Watchdog timeout|A process of this unit|Path \S+ is already a mount point)|` +
		`[Ss]tart request repeated too quickly for \S+|\S+\.service holdoff time over|Dependency failed for |Job for \S+ failed(?: because\b|\.)|A dependency job for \S+ failed\.|Timed out waiting for device |Failed to (?:re)?start \S.*\.$|Failed to (?:start|mount|listen on) ` + unitNamed + `$|Failed to mount \S.*\.$|Unit \S+ entered failed state|Reached target \S.*\.$|Startup finished in \d|Bootup is not yet finished|Found ordering cycle |Job \S+/\w+ (?:deleted to break|failed with result|timed out)|systemd \d+\S* running in system mode)`)
)
