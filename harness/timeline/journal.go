package timeline

import (
	"cmp"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"bootrace/harness/recording"
)

// kinds maps systemd's message IDs (sd-messages.h) to events.
var kinds = map[string]Kind{
	"7d4958e842da4a758f6c1cdc7b36dcc5": Starting,
	"39f53479d3a045ac8e11786248231fbf": Started,
	"be02cf6855d2428ba40df7e9d022f03d": StartFailed,
	"de5b426a63be47a7b6ac3eaac82e2f6f": Stopping,
	"9d1aaa27d60140bd96365438aad20286": Stopped,
	"d9b373ed55a64feb8242e02dbe79a49c": Failed,
	"7ad2d189f7e94e70a38c781354912448": Succeeded,
	"0e4284a0caca4bfc81c0bb6786972673": Skipped,
	"5eb03494b6584870a536b337290809b3": Restart,
	"98e322203f7a4ed290d09fe03c09fe15": Exit,
	"b07a249cd024414a82dd00cd181378ff": Finished,
	"eed00a68ffd84e31882105fd973abdd1": Finished, // in a container: no kernel time
	// since systemd 258
	"f27a3f94406a4783b946a9bc849e9452": Cycle,
	"5084367542f7472dbc6a94125d5debce": Cycle,
	"b3112ddad19045538c76685ba5918a80": Cycle,
}

// journaldDropped is SD_MESSAGE_JOURNAL_DROPPED: rate limiting.
const journaldDropped = "a596d6fe7bfa4994828e72309e95d61e"

var (
	// Up to 257: "Found ordering cycle on B/start", "Found dependency on …",
	// "Job A/start deleted to break ordering cycle starting with B/start",
	// "Unable to break cycle …"; on the console "Ordering cycle found, skipping A".
	// Since 258: "Found ordering cycle: A after B …", "… to break ordering cycle".
	cycleText = regexp.MustCompile(`(?i)(found ordering cycle|ordering cycle found|found dependency on \S+/[\w-]+|walked on cycle path to|break(ing)? (the )?(ordering )?cycle|transaction order is cyclic|job \S+ deleted to break)`)
	dropped   = regexp.MustCompile(`Job (\S+)/[\w-]+ deleted to break|Ordering cycle found, skipping (\S+)|by deleting job (\S+)/`)
	// A unit whose condition failed gets the message ID of a started one, with
	// JOB_RESULT=done; only the text differs (seen with 252 and 257).
	skippedText = regexp.MustCompile(`was skipped because |skipped, unmet condition|skipped, no trigger condition|^Condition check resulted in .* being skipped|: Skipped due to '`)
	refusedText = regexp.MustCompile(`(?i)Start request repeated too quickly|start of the service was attempted too often|but not starting since we tried this too often|Transaction for \S+ is destructive|may be requested by dependency only`)
	// Without a MESSAGE_ID: until 229 "Unit x.service entered failed state.", until 239
	// "x.service: Failed with result 'exit-code'." beside "Unit entered failed state.".
	failedText  = regexp.MustCompile(`(?:^|\] )Unit (\S+) entered failed state|(?:^|\] )\S+: Failed with result '([a-z-]+)'`)
	cyclicCall  = regexp.MustCompile(`^Failed to \w+ \S+: .*Transaction order is cyclic`)
	refusedUnit = regexp.MustCompile(`(?:Job for|Transaction for|Operation refused, unit) ([^\s/]+)`)
)

// readJournal reads `journalctl -o json` lines: journalctl(1), and the "Journal
// JSON Format" for fields that are arrays or null. It also counts the entries that were
// removed.
func readJournal(r io.Reader, zero time.Duration, d *damage) (events []Event, removed int) {
	manager, written := false, numbers{}
	eachLine(r, d, func(n int, line []byte) {
		if len(line) == 0 {
			return
		}
		var raw map[string]json.RawMessage
		if err := json.Unmarshal(line, &raw); err != nil {
			d.at(n, "not a JSON object")
			return
		}
		en := entry{raw: raw}
		written.add(raw["__CURSOR"])
		us, err := strconv.ParseInt(en.get("__MONOTONIC_TIMESTAMP"), 10, 64)
		if err != nil || us < 0 || us > maxMicro {
			d.at(n, "no __MONOTONIC_TIMESTAMP")
			return
		}
		e := en.event(time.Duration(us)*time.Microsecond - zero)
		e.Evidence = Evidence{File: Journal, Line: n, Text: clip(en.prefix() + e.Text)}
		e.Secrets = en.secrets(line)
		if en.oversized {
			d.at(n, "a field was left out for its size (journalctl without --all)")
		}
		if en.wrong != "" {
			d.at(n, en.wrong)
		}
		manager = manager || en.fromManager()
		// journald drops by sender; when the sender is PID 1 itself, every
		// other conclusion from its silence is void.
		if e.Kind == Suppressed && e.Unit == "init.scope" {
			d.at(n, "journald dropped messages of PID 1")
		}
		events = append(events, e)
	})
	switch {
	case len(events) == 0:
		d.say(NoEntry)
	case !manager:
		d.say(noManager)
	}
	return events, written.removed()
}

// NoEntry is what a journal lacks that was read and is empty.
const NoEntry = "no entry"

const noManager = "no entry of PID 1"

// maxMicro keeps microseconds within time.Duration.
const maxMicro = int64(1<<63-1) / 1000 / 2

// fromManager: PID 1 says it, on the kernel's log before journald runs.
func (en *entry) fromManager() bool {
	return en.get("_PID") == "1" || en.get("SYSLOG_IDENTIFIER") == "systemd" && en.get("_TRANSPORT") == "kernel"
}

// fromUsers: a user's manager says it, of units that are not the machine's, whatever
// their names (systemd.journal-fields(7), USER_UNIT=).
func (en *entry) fromUsers() bool { return en.has("USER_UNIT") && !en.fromManager() }

func (en *entry) prefix() string {
	id := en.get("SYSLOG_IDENTIFIER")
	if id == "" {
		return ""
	}
	return id + ": "
}

// unit is the one whose process says it. Of a child of PID 1's that has not run its program yet,
// "(program)", journald may not know it any more, or not yet; the child says it itself.
func (en *entry) unit() string {
	if u := en.get("UNIT"); u != "" && strings.HasPrefix(en.get("SYSLOG_IDENTIFIER"), "(") && !en.fromManager() {
		return u
	}
	return en.get("_SYSTEMD_UNIT")
}

func (en *entry) event(at time.Duration) Event {
	e := Event{At: at, Kind: Log, Text: scrub(en.get("MESSAGE")), Unit: en.unit()}
	if event := en.get("BOOTRACE_EVENT"); event != "" {
		en.ours(event, &e)
		return e
	}
	if l := en.numbered(e); l != nil {
		e.Kind, e.Line = Line, l
		return e
	}
	if en.get("MESSAGE_ID") == journaldDropped {
		e.Kind, e.Change.Count = Suppressed, en.number("N_DROPPED")
		if _, from, ok := strings.Cut(e.Text, " messages from "); ok {
			e.Unit = strings.TrimSpace(from)
		}
		return e
	}
	if en.fromUsers() {
		return e
	}
	if !en.fromManager() {
		// What systemctl prints in a script names the unit.
		if m := refusedUnit.FindStringSubmatch(e.Text); m != nil && refusedText.MatchString(e.Text) {
			e.Kind, e.Unit = Refused, m[1]
		} else if cyclicCall.MatchString(e.Text) {
			e.Kind = Cycle
		}
		return e
	}
	en.manager(&e)
	return e
}

// manager reads what PID 1 says.
func (en *entry) manager(e *Event) {
	e.Manager = true
	if u := en.get("UNIT"); u != "" {
		e.Unit = u
	}
	e.Change = Change{
		JobType: en.get("JOB_TYPE"), JobResult: en.get("JOB_RESULT"),
		Result: en.get("UNIT_RESULT"), Invocation: en.get("INVOCATION_ID"),
		ExitCode: en.get("EXIT_CODE"), ExitStatus: en.get("EXIT_STATUS"),
		Command: en.get("COMMAND"), Count: en.number("N_RESTARTS"),
	}
	kind, known := kinds[en.get("MESSAGE_ID")]
	switch {
	case saysCycle(e.Text):
		e.Kind = Cycle
	case strings.Contains(e.Text, "/restart is destructive ("): // an automatic one, as the unit or the machine goes down
	case containsAny(e.Text, []string{"too quickly", "too often", "destructive", "dependency only"}) && refusedText.MatchString(e.Text):
		e.Kind = Refused
	case strings.Contains(e.Text, "kipped") && skippedText.MatchString(e.Text):
		e.Kind = Skipped
	case known:
		e.Kind = kind
	case failedText.MatchString(e.Text):
		e.Kind = Failed
		m := failedText.FindStringSubmatch(e.Text)
		e.Change.Result = cmp.Or(e.Change.Result, m[2])
		e.Unit = cmp.Or(m[1], e.Unit)
	}
	if e.Kind == Cycle {
		e.Change.Dropped = droppedUnit(e.Text)
		e.Change.JobType = cmp.Or(droppedType(e.Text), e.Change.JobType)
	}
}

// saysCycle looks for a word first: PID 1 says a hundred thousand other things.
func saysCycle(text string) bool {
	return containsAny(text, []string{"cycl", "ound dependency", "deleted to break"}) && cycleText.MatchString(text)
}

func droppedUnit(text string) string {
	m := dropped.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1] + m[2] + m[3]
}

func (en *entry) numbered(e Event) *Numbered {
	if !strings.HasPrefix(e.Text, "{") {
		return nil
	}
	var l recording.Line
	if json.Unmarshal([]byte(e.Text), &l) != nil || l.Source == "" || l.Seq <= 0 || l.Seq > recording.MaxSeq {
		return nil
	}
	// Somebody else repeating a line has not logged it.
	if e.Unit != l.Source+".service" && en.get("SYSLOG_IDENTIFIER") != l.Source {
		return nil
	}
	return &Numbered{Source: l.Source, Seq: l.Seq, Late: micro(&l.LateUS), Lost: micro(l.LostUS), HasLost: l.LostUS != nil}
}
