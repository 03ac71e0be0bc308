package journal

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// widths are where consoles wrap.
var widths = []int{80, 132}

// wrappedAt is where a file's lines seem to be wrapped: many are of one length, and none is
// longer.
func wrappedAt(head []byte) []int {
	most, n, all := 0, 0, 0
	for line := range bytes.Lines(head) {
		all++
		switch w := utf8.RuneCount(bytes.TrimRight(line, "\r\n")); {
		case w > most:
			most, n = w, 1
		case w == most:
			n++
		}
	}
	if most < 30 || most > 250 || n < 3 || n*5 < all {
		return nil
	}
	return []int{most}
}

// widestOf is the length of the longest line, where more than one has it.
func widestOf(head []byte) int {
	most, n := 0, 0
	for line := range bytes.Lines(head) {
		switch w := utf8.RuneCount(bytes.TrimRight(line, "\r\n")); {
		case w > most:
			most, n = w, 1
		case w == most:
			n++
		}
	}
	if n < 2 {
		return 0
	}
	return most
}

// goesOn joins a line to the one before that was wrapped at the console's edge.
func (t *textReader) goesOn(s string, width int) bool {
	if t.raw == 0 || strings.HasPrefix(s, "[") || s == "" || strings.Trim(s, ".") == "" && strings.HasSuffix(t.held.Message, ".") { // somebody left something out
		return false
	}
	if _, kind := stamp(s, &Entry{}); kind != noTime || t.held.Ident == "systemd" && strings.HasSuffix(t.held.Message, ".") && s[0] >= 'A' && s[0] <= 'Z' { // PID 1's sentence is whole, as long as that by chance
		return false
	}
	for _, w := range t.widths {
		switch t.raw {
		case w - 1:
			s = " " + s
		case w:
			if t.spaced {
				s = " " + s
			}
		default:
			continue
		}
		if len(t.held.Message) < maxMessage {
			t.held.Message += s
			t.held.Message = strings.Join(strings.Fields(t.held.Message), " ")
		}
		t.raw = max(1, width)
		t.fault(t.held.Line, "wrapped at the console's edge")
		return true
	}
	return false
}

// flows joins a line to PID 1's sentence before it, which a mail program has wrapped between
// two words, or a terminal at its edge in the middle of one.
func (t *textReader) flows(s string, width int) bool {
	held := t.held
	if t.raw > 0 && held.Form == Bare && jobHalf.MatchString(held.Message) {
		t.held.Message += " " + s
		return true
	}
	if t.raw > 0 && inCycle.MatchString(held.Message) && cyclePart.MatchString(s) {
		t.held.Message += " " + strings.TrimSpace(s)
		return true
	}
	if t.raw == 0 || held.Form != Text || held.Ident != "systemd" || strings.HasSuffix(held.Message, ".") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, " ") || strings.HasPrefix(s, ".") {
		return false
	}
	word, _, _ := strings.Cut(s, " ")
	switch next := t.raw + 1 + utf8.RuneCountInString(word); {
	case held.Message == "": // the first word was too long for what was left after PID 1's name
	case t.raw >= 60 && t.raw == t.widest:
	case halfSaid.MatchString(held.Message):
		s = " " + s
	case t.raw >= 50 && t.raw <= mailWidth && next > mailLeast:
		s = " " + s
	default:
		return false
	}
	t.held.Message += s
	t.raw = max(1, width)
	t.fault(held.Line, "wrapped at the edge of a terminal or of a mail")
	return true
}

// A cycle is one sentence since 258; somebody has put each unit of it on a line.
var (
	inCycle   = regexp.MustCompile(`Found ordering cycle:(?:$| .*(?: after|/[\w-]+)$)`)
	cyclePart = regexp.MustCompile(`^\s*(?:- )?(?:after )?` + unitNamed + `(?:/[\w-]+)?(?: after)?$`)
)

// halfSaid are PID 1's sentences whose end stands on another line, however short this one is.
var halfSaid = regexp.MustCompile(`(?:repeated too|Failed with result)$`)

// jobHalf is systemctl's word of which the end stands on the next line, or on the line
// after its unit's name.
var (
	jobHalf = regexp.MustCompile(`^Job for \S+ failed because(?: [^.]*)?$`)
	jobHead = regexp.MustCompile(`^Job for [A-Za-z0-9:_.\\@-]+$`)
)

// Where mail programs wrap (RFC 3676, 4.2: at 78 characters or before).
const (
	mailLeast = 71
	mailWidth = 78
)
