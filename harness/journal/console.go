package journal

import (
	"regexp"
	"strings"
)

// status is a console's "[FAILED] Failed to start …", whatever stands before it.
func (t *textReader) status(n int, s string, width int) bool {
	m := statusIn.FindStringSubmatchIndex(s)
	if m == nil || m[2] > 160 {
		if tag := unbracketed.FindStringSubmatch(s); tag != nil {
			return t.status(n, "["+tag[1]+"] "+tag[2], width)
		}
		w := torn.FindStringSubmatch(s)
		return w != nil && t.status(n, "[FAILED] "+w[1], width)
	}
	e := Entry{Line: n, Form: Console, Status: s[m[2]:m[3]], Message: strings.Join(strings.Fields(s[m[4]:m[5]]), " ")}
	if at := strings.Index(e.Message, within[e.Status]); at > 0 && within[e.Status] != "" && strings.HasPrefix(e.Message, "[1]: ") { // two writers' words in one line
		e.Message = e.Message[at:]
	}
	before(s[:max(0, strings.LastIndexByte(s[:m[2]], '['))], &e)
	rest := ""
	if at := embedded.FindStringIndex(e.Message); at != nil {
		e.Message, rest = strings.TrimSpace(e.Message[:at[0]]), e.Message[at[0]:]
	}
	if said, see, ok := strings.Cut(e.Message, " See 'systemctl status "); ok { // line ends are lost
		e.Message, rest = said, "See 'systemctl status "+see+"\n"+rest
	}
	if at := strings.Index(e.Message, ".systemd[1]: "); at > 0 && rest == "" { // two writers' lines
		e.Message, rest = e.Message[:at+1], e.Message[at+1:]
	}
	if rest != "" {
		if e.Message != "" { // else another writer's words are where the sentence was
			t.hold(e, width)
		}
		for part := range strings.SplitSeq(rest, "\n") {
			t.one(n, []byte(part))
		}
		return true
	}
	t.hold(e, width)
	return true
}

// unbracketed is such a line whose brackets somebody's page has eaten.
var unbracketed = regexp.MustCompile(`^\s*(FAILED|DEPEND|TIME)\s+(Failed to (?:start|mount|listen on) .*|Dependency failed for .*|Timed out waiting for device .*)$`)

// within is how a console's sentence begins after the word in brackets.
var within = map[string]string{"FAILED": "Failed to ", "DEPEND": "Dependency failed for "}

// torn is that word with another writer's between it and its sentence.
var torn = regexp.MustCompile(`\[(?:FAILED|DEPEND)(?:systemd)?(?:\[1\])?: .*?\] ?((?:Failed to start|Failed to mount|Dependency failed for) .*)$`)

// waits is a console's "[***   ] A start job is running for …", and "Starting …" without a word in brackets.
func (t *textReader) waits(n int, s string, width int) bool {
	m := waitsIn.FindStringSubmatch(s)
	if begun := begunIn.FindStringSubmatch(s); m == nil && begun != nil && (len(begun[1]) >= 9 || !t.arrived.IsZero()) {
		m = begun[1:] // a carrier's time takes the spaces with it
	}
	if strings.Contains(s, "systemctl --user status") && strings.HasPrefix(t.held.Message, "Job for ") {
		t.raw = 0 // it was of a user's manager
		return true
	}
	if see := seeIn.FindStringSubmatch(strings.TrimSpace(s)); m == nil && see != nil {
		if couldNot.MatchString(t.prior) { // copied off a screen, without the word in brackets
			t.hold(Entry{Line: n - 1, Form: Console, Status: "FAILED", Message: strings.TrimSuffix(t.prior, ".") + "."}, 1)
		}
		t.hold(Entry{Line: n, Form: Console, Message: see[1] + ": see systemctl status"}, 1)
		if at := embedded.FindStringIndex(s); at != nil && at[0] > 0 { // another writer's line, right behind
			t.one(n, []byte(s[at[0]:]))
		}
		return true
	}
	if m == nil {
		return false
	}
	message, rest := m[1], ""
	if at := embedded.FindStringIndex(message); at != nil {
		message, rest = strings.TrimSpace(message[:at[0]]), message[at[0]:]
	}
	t.hold(Entry{Line: n, Form: Console, Message: message}, width)
	if rest != "" {
		t.one(n, []byte(rest))
	}
	return true
}
