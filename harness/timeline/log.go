package timeline

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"bootrace/harness/journal"
)

// most bounds what is kept of one boot: what PID 1 says of a unit that is started for ever.
const (
	most      = 15_000
	mostHeard = 5_000 // of others that is worth keeping
	lastSaid  = 3     // of a program before it ends
	complains = 3     // of that before those, if it says what went wrong
	stillLast = 25    // lines back at most: an error that is explained takes some
)

// spoken is an event before the boot's clock is known.
type spoken struct {
	ev      Event
	src     int
	what    string // the description that stands for the unit's name
	mono    time.Duration
	hasMono bool
	wall    time.Time
	status  bool // of systemctl status, which says over again what the journal does
	child   bool // of a process that some manager has just forked
	quoted  bool // said earlier than what stands before it
	set     bool // the machine's clock was set right before it
}

// BootLog gathers what is said of one boot.
type BootLog struct {
	log     Origin
	said    []spoken
	managed map[managerKey]*manager
	last    map[string]*speaker // by who speaks
	heard   int
	lost    int             // of PID 1, above most
	ends    map[int]spoken  // the last entry of each file
	before  spoken          // the last that another than PID 1 said
	ended   map[string]bool // units of which a process has ended, or that have failed
	named   map[string]bool // units that PID 1 has spoken of
	orphan  *spoken         // "Failed at step EXEC …" of before 219, which names no unit
	set     map[int]bool    // files whose clock was set since the last that was kept
}

// managerKey tells managers of one file apart.
type managerKey struct{ src, pid int }

// manager is somebody called systemd whose PID is not 1: a user's, a child of PID 1 that
// is to become a service, or PID 1 with a forwarder's PID.
type manager struct {
	system, user bool
	others       map[string]bool // who else has this PID
	held         []int           // of BootLog.said
}

func newBootLog() *BootLog {
	return &BootLog{managed: map[managerKey]*manager{}, last: map[string]*speaker{}, ends: map[int]spoken{}, ended: map[string]bool{}, named: map[string]bool{}, set: map[int]bool{}}
}

var (
	systemMode = regexp.MustCompile(`^(?:\[🡕\] )?systemd \S+ running in system mode`)
	userMode   = regexp.MustCompile(`running in user mode|Main User Target|target as user\b|for default target default\.target`)
	// Units and words that a user's manager has not.
	systemOnly = regexp.MustCompile(`\b(?:multi-user|graphical|local-fs|remote-fs|sysinit|getty|network-online|network-pre|network|swap|cryptsetup|cloud-init|nss-lookup|emergency|rescue)\.target|Multi-User System|System Initialization|Local File Systems|` +
		`\bsystemd-(?:journald|udevd|networkd|logind|resolved|timesyncd|sysctl|fsck|tmpfiles-setup|udev-trigger)|Created slice (?:User and Session|system-)|Detected virtualization|Hostname set to|Queued start job for default target (?:Multi-User|Graphical|multi-user|graphical)`)
	// What a child of PID 1 says before it becomes the service.
	spawning = regexp.MustCompile(`^Failed to load environment files|Failed at step [A-Z0-9_]+ spawning |Failed to execute|Failed to (?:locate|find) executable|Unable to locate executable|Failed to determine (?:user|group) credentials|Failed to set up (?:mount namespacing|credentials|standard|special execution directory)|Failed to prepare AppArmor|Failed to (?:allocate|update) dynamic user|Changing to the requested working directory failed|Failed to drop capabilities`)
)

// add takes an entry of file src.
func (b *BootLog) add(src int, file string, e journal.Entry) {
	if namesHost(e) {
		b.log.Host = cmp.Or(hostOf(e.Host), b.log.Host)
	}
	b.log.Boot = cmp.Or(b.log.Boot, e.Boot)
	b.log.Kernel = b.log.Kernel || begins(e)
	if setsClock(e.Message) {
		b.set[src] = true
	}
	s := spoken{src: src, mono: e.Mono, hasMono: e.HasMono, wall: e.Wall, status: e.Form == journal.Status}
	if s.hasMono || !s.wall.IsZero() {
		b.ends[src] = s
	}
	s.ev = Event{Kind: Log, Text: scrub(strings.TrimPrefix(e.Message, markedID)), Evidence: Evidence{File: file, Line: e.Line}}
	if strings.IndexByte(s.ev.Text, '[') >= 0 {
		s.ev.Secrets = secretsIn(s.ev.Text)
	}
	switch {
	case e.Form == journal.Console:
		b.console(e, s)
	case e.Fields != nil:
		b.fields(e, s)
	case e.Ident == "systemd" || e.PID == 1 && (e.Ident == "init" || e.Ident == "init.scope"): // -o with-unit
		b.manager(e, s)
	case strings.HasPrefix(e.Ident, "(") && spawning.MatchString(e.Message):
		b.child(e, s)
	default:
		b.other(e, s)
	}
}

func hostOf(h string) string {
	if h == "localhost" {
		return ""
	}
	return h
}

// ofServices: a process of a slice below system.slice was killed, and so of a service in it.
func ofServices(s spoken) bool {
	return strings.HasPrefix(s.ev.Unit, "system-") && strings.Contains(s.ev.Text, "OOM killer")
}

func (b *BootLog) keep(s spoken, ident string) {
	if s.ev.Kind != Failed && s.ev.Kind != StartFailed && s.ev.Kind != Suppressed && s.ev.Status != "FAILED" && s.ev.Status != "DEPEND" && !ofServices(s) && (strings.HasSuffix(s.ev.Unit, ".scope") || strings.HasSuffix(s.ev.Unit, ".slice")) {
		return // sessions, and what only groups: a host has them by the thousand
	}
	limit := most
	switch s.ev.Kind {
	case Failed, StartFailed, Refused, Cycle, Finished: // that all is well is what fills a journal
		limit = 2 * most
	}
	if len(b.said) >= limit {
		b.lost++
		return
	}
	text := s.ev.Text
	if ident != "" {
		text = ident + ": " + text
	}
	s.ev.Evidence.Text = clip(text)
	if !s.quoted {
		s.set, b.set[s.src] = b.set[s.src], false
	}
	if s.ev.Kind == Exit || s.ev.Kind == Failed {
		b.ended[s.ev.Unit] = true
	}
	if s.ev.Manager && s.ev.Unit != "" {
		b.named[s.ev.Unit] = true
	}
	b.said = append(b.said, s)
}

// console is PID 1's words on a console.
func (b *BootLog) console(e journal.Entry, s spoken) {
	b.log.Said++
	if m, ok := strings.CutSuffix(e.Message, " ."); ok { // a colour ended there
		e.Message = m + "."
	}
	text := e.Message
	if e.Status != "" {
		text = "[" + e.Status + "] " + text
	}
	s.ev.Manager = true
	kind, unit, what, change := meant(e)
	s.ev.Kind, s.ev.Status, s.ev.Text, s.ev.Unit, s.what, s.ev.Change = OnConsole, e.Status, scrub(text), unit, what, change
	switch {
	case strings.HasPrefix(e.Message, "Ordering cycle found, skipping "):
		s.ev.Kind = Cycle
		if s.ev.Unit, s.what = nameOf(strings.Trim(strings.TrimPrefix(e.Message, "Ordering cycle found, skipping "), " ."), ""); s.ev.Unit == "" {
			s.ev.Unit = s.what
		}
		s.ev.Change = Change{Dropped: s.ev.Unit, JobType: "start"}
	case kind == Cycle:
		s.ev.Kind = Cycle
	case kind != Log:
		s.ev.Kind = kind
	}
	if kind == StartFailed && change.JobResult == "failed" { // how its process ended a console does not say
		b.words(s)
	}
	b.keep(s, "")
}

// fields is an entry with journald's fields.
func (b *BootLog) fields(e journal.Entry, s spoken) {
	en := entry{text: e.Fields}
	if en.fromManager() {
		b.log.Said++
		ev := en.event(0)
		ev.Evidence, ev.Secrets = s.ev.Evidence, s.ev.Secrets
		kind, unit, what, c := said(ev.Text)
		if ev.Unit == "" || ev.Unit == "init.scope" { // PID 1's own: UNIT= was not kept
			ev.Unit = unit
		}
		if ev.Unit == "" && spawning.MatchString(ev.Text) { // of before 219, which names no unit
			b.child(e, s)
			return
		}
		if ev.Kind == Log || ev.Kind == Failed && ev.Change.Result == "" { // an old systemd has fewer fields
			if ev.Kind, ev.Unit, s.what = kind, cmp.Or(ev.Unit, unit), what; kind != Log {
				ev.Change = c
			}
		} else {
			if s.what = what; unit != "" && unit != ev.Unit && ev.Kind != Cycle {
				s.what = ""
			}
			ev.Change.JobType = cmp.Or(ev.Change.JobType, c.JobType)
		}
		s.ev = ev
		b.speaks(e, s)
		return
	}
	unit := cmp.Or(e.Fields["_SYSTEMD_UNIT"], e.Fields["UNIT"])
	switch {
	case e.Fields["USER_UNIT"] != "" || e.Fields["_SYSTEMD_USER_UNIT"] != "" || strings.HasPrefix(unit, "user@"):
		if e.Ident == "systemd" {
			b.ofUser(e.Message)
		}
	case strings.HasPrefix(e.Ident, "(") && e.Fields["UNIT"] == "" && spawning.MatchString(e.Message):
		b.child(e, s)
		return
	case spawning.MatchString(e.Message) && e.Fields["UNIT"] != "":
		s.ev.Unit, s.ev.Manager = e.Fields["UNIT"], true
		b.keep(s, e.Ident)
	case e.Fields["BOOTRACE_EVENT"] != "" || strings.HasPrefix(e.Message, "{"):
		ev := en.event(0)
		if ev.Kind == Log {
			break
		}
		ev.Evidence, ev.Secrets = s.ev.Evidence, s.ev.Secrets
		s.ev = ev
		b.keep(s, e.Ident)
		return
	}
	s.ev.Unit = unit
	b.other(e, s)
}

// speaks keeps what PID 1 says.
func (b *BootLog) speaks(e journal.Entry, s spoken) {
	s.ev.Manager = true
	switch text := s.ev.Text; {
	case strings.Contains(text, "system mode") && systemMode.MatchString(text):
		b.log.Begins = true
	case s.ev.Kind == Finished:
		b.log.Finished = text
	case s.ev.Kind == Exit || s.ev.Kind == Failed || b.orphan != nil && (strings.Contains(text, " failed to run '") || strings.Contains(text, "resource limit was exceeded")):
		if s.ev.Kind != Log {
			b.words(s)
		}
		if b.orphan != nil {
			o := *b.orphan
			o.ev.Unit, b.orphan = s.ev.Unit, nil
			b.keep(o, "systemd")
		}
	case s.ev.Kind == StartFailed && s.ev.Change.JobResult == "failed" && s.ev.Unit != "" && !b.ended[s.ev.Unit]: // how its process ended is not in it
		b.words(s)
	}
	b.keep(s, e.Ident)
}

// manager is an entry without fields of somebody who is called systemd.
func (b *BootLog) manager(e journal.Entry, s spoken) {
	kind, unit, what, change := meant(e)
	s.ev.Kind, s.ev.Unit, s.what, s.ev.Change = kind, unit, what, change
	if unit == "" && spawning.MatchString(e.Message) {
		b.child(e, s)
		return
	}
	if e.PID <= 1 {
		b.log.Said++
		b.speaks(e, s)
		return
	}
	if spawning.MatchString(e.Message) {
		b.child(e, s)
		return
	}
	if managerEnds.MatchString(e.Message) {
		b.heardOf(usersManager, e.Ident, s)
	}
	key := managerKey{s.src, e.PID}
	m := b.managed[key]
	if m == nil {
		if len(b.managed) > 1000 {
			return
		}
		m = &manager{others: map[string]bool{}}
		b.managed[key] = m
	}
	switch {
	case systemMode.MatchString(e.Message):
		m.system, b.log.Begins = true, true
	case e.PID == journal.UsersManager, userMode.MatchString(e.Message):
		m.user = true
	case systemOnly.MatchString(e.Message):
		m.system = true
	}
	if kind == Exit || kind == Failed {
		b.words(s)
	}
	s.ev.Manager = true
	at := len(b.said)
	if b.keep(s, e.Ident); len(b.said) > at {
		m.held = append(m.held, at)
	}
}

// child is what PID 1's child says that is to become a service.
func (b *BootLog) child(e journal.Entry, s spoken) {
	s.ev.Kind, s.ev.Manager, s.child = Log, true, e.PID > 1
	if unit, _, ok := cutUnit(s.ev.Text); ok {
		s.ev.Unit = unit
		b.keep(s, e.Ident)
		return
	}
	b.orphan = &s
}

// ofUser notes what went wrong for a user's manager: no trouble of the machine's boot.
func (b *BootLog) ofUser(text string) {
	kind, _, _, _ := said(text)
	switch kind {
	case Cycle, Failed, StartFailed, Refused:
		if len(b.log.Users) < 20 && !slices.Contains(b.log.Users, clip(text)) {
			b.log.Users = append(b.log.Users, clip(text))
		}
	}
}

// other is somebody else: what is worth it is kept, and of the rest the last words.
func (b *BootLog) other(e journal.Entry, s spoken) {
	if e.PID > 1 {
		if m := b.managed[managerKey{s.src, e.PID}]; m != nil && len(m.others) < 4 {
			m.others[e.Ident] = true
		}
	}
	if n := len(b.said); strings.Contains(s.ev.Text, "systemctl --user ") && n > 0 && strings.HasPrefix(b.said[n-1].ev.Text, "Job for ") && !b.said[n-1].ev.Manager {
		b.said = b.said[:n-1] // it was of a user's manager
	}
	s.ev.Unit = cmp.Or(s.ev.Unit, e.Of)
	worth := containsAny(s.ev.Text, ofMany) || len(s.ev.Secrets) > 0
	switch {
	case e.Ident == "kernel" || e.Form == journal.Kernel:
		worth = worth || containsAny(s.ev.Text, ofKernel)
	case e.Ident == "cloud-init":
		s.ev.Unit = cmp.Or(s.ev.Unit, "cloud-init")
		worth = worth || containsAny(s.ev.Text, ofCloud) || strings.HasPrefix(s.ev.Text, "- ")
	case strings.Contains(s.ev.Text, "systemctl --user "): // of a user's manager
	case strings.HasPrefix(s.ev.Text, "Job for "), strings.HasPrefix(s.ev.Text, "A dependency job for "): // systemctl's, which a program ran
		if kind, unit, what, c := said(s.ev.Text); kind == StartFailed {
			s.ev.Kind, s.ev.Unit, s.what, s.ev.Change = kind, unit, what, c
			b.keep(s, e.Ident)
			return
		}
	case e.Ident == "vector" && strings.Contains(s.ev.Text, "onfiguration error"):
		s.ev.Unit, worth = cmp.Or(s.ev.Unit, "vector.service"), true
	case e.Ident == "systemd-journald":
		if m := suppressedText.FindStringSubmatch(s.ev.Text); m != nil {
			s.ev.Kind, s.ev.Unit, s.ev.Change.Count = Suppressed, m[2], atoi(m[1])
			worth = true
		}
	}
	worth = worth || e.Of != "" && strings.HasPrefix(s.ev.Text, StatusSays)
	if worth && b.heard < mostHeard {
		b.heard++
		b.keep(s, e.Ident)
	}
	b.before = s
	b.before.ev.Evidence.Text = e.Ident
	if who := cmp.Or(s.ev.Unit, e.Ident); who != "" && e.Ident != "kernel" {
		b.heardOf(who, e.Ident, s)
	}
}

// heardOf keeps what somebody says until it is known whether he ends.
func (b *BootLog) heardOf(who, ident string, s spoken) {
	spoke := b.last[who]
	if spoke == nil {
		if len(b.last) > 2000 {
			return
		}
		spoke = &speaker{}
		b.last[who] = spoke
	}
	s.ev.Evidence.Text = ident
	spoke.speak(s)
}

var suppressedText = regexp.MustCompile(`Suppressed (\d+) messages from (\S+)`)

// note adds what a file was.
func (b *BootLog) note(r journal.Report) { b.log.Files = append(b.log.Files, r) }
