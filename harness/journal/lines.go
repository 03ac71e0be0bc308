package journal

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine bounds what one line may take in memory; journald takes 48 kB of a stdout line
// (LineMax= of journald.conf(5)), a native field may be larger.
const maxLine = 4 << 20

// maxMessage bounds a message: nobody decides by more.
const maxMessage = 16 << 10

// eachLine calls f for every line, without its end. The last line may have none: cut.
func (r *reader) eachLine(br *bufio.Reader, f func(n int, line []byte)) error {
	var buf []byte
	long := false
	for n := 1; ; {
		part, err := br.ReadSlice('\n')
		r.report.Bytes += int64(len(part))
		switch {
		case long:
		case len(buf)+len(part) > maxLine:
			long = true
			buf = append(buf, part[:max(0, min(len(part), maxMessage-len(buf)))]...)
			buf = buf[:min(len(buf), maxMessage)]
			r.fault(n, fmt.Sprintf("longer than %d bytes", maxLine))
		case len(buf) == 0 && err == nil: // as it nearly always is: no copy
			f(n, trimEnd(part))
			r.report.Lines = n
			n++
			continue
		default:
			buf = append(buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil || len(buf) > 0 {
			f(n, trimEnd(buf))
			r.report.Lines = n
		}
		if errors.Is(err, io.EOF) && len(buf) > 0 {
			r.fault(n, "the file ends without a line end: it may be cut")
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			r.fault(0, fmt.Sprintf("cut short after line %d: %v", n, err))
			return nil
		}
		n, long, buf = n+1, false, buf[:0]
	}
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

var (
	// CSI and OSC sequences, and the two-byte escapes that systemd sends on a terminal.
	escape = regexp.MustCompile("\x1b(?:\\[[0-9;:?!<=>]*[ -/]*[@-~]|[\\]P_^X][^\a\x1b]*(?:\a|\x1b\\\\)?|[()*+#%][0-9A-Za-z]|[0-Z\\\\-_a-z])")
	// What is left of a colour where ESC was lost on the way, or printed as a symbol.
	remnant = regexp.MustCompile(`(?:␛|ESC|\^\[|\\x1b|\\033|\\e)?\[(?:[0-9]{1,3}(?:;[0-9]{1,3}|:5:[0-9]{1,3})*)?m`)
	// Erasing a line, before a word in brackets: "ESC M, ESC [K" without ESC.
	erased = regexp.MustCompile(`M?\[[0-2]?K(\s*\[)`)
	// EC2 and others print what they cannot show as "?".
	question = regexp.MustCompile(`\?\[[0-9;:]*[mK]`)
	bbcode   = regexp.MustCompile(`(?i)\[/?(?:color|font|size|b|i|u|code|quote)(?:=[^\]]*)?\]`)
	entity   = regexp.MustCompile(`&(?:#39|#x27|apos|quot|lt|gt|amp|nbsp|#34|#x22);`)
	symbols  = regexp.MustCompile(`(?:␛|ESC|\^\[)\[[0-9;:?]*[A-Za-z]`)
)

// spelt are systemd's own signs as JSON spells them.
var spelt = strings.NewReplacer(`\u2026`, "…", `\u25cf`, "●", `\u2192`, "→")

// misread are its signs, UTF-8 that somebody took for Latin-1 or for Windows' own.
var misread = strings.NewReplacer("â\u0080¦", "…", "â€¦", "…", "â¦", "…", "â\u0097\u008f", "●", "â—\u008f", "●", "â—", "●", "â\u0086\u0092", "→", "â\u0080\u0098", "'", "â\u0080\u0099", "'", "â€˜", "'", "â€™", "'")

// Clean makes text of bytes that may be anything: valid UTF-8 without escape sequences and
// without control or formatting characters, which a terminal would obey.
func Clean(b []byte) string {
	if plainASCII(b) {
		return string(b)
	}
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = escape.ReplaceAllString(s, "")
	}
	if strings.Contains(s, "?[") { // a console that shows ESC so
		s = question.ReplaceAllString(s, "")
	}
	if strings.Contains(s, "m") && strings.Contains(s, "[") {
		s = remnant.ReplaceAllString(s, "")
	}
	if strings.Contains(s, "K[") || strings.Contains(s, "K [") {
		s = erased.ReplaceAllString(s, "$1")
	}
	if strings.Contains(s, "â") {
		s = misread.Replace(s)
	}
	if strings.Contains(s, "&") && entity.MatchString(s) { // a page's source
		s = html.UnescapeString(s)
	}
	if strings.Contains(s, `\u2`) { // somebody's JSON
		s = spelt.Replace(s)
	}
	if strings.Contains(s, "[/") || strings.Contains(s, "[COLOR=") { // a forum's
		s = strings.ReplaceAll(bbcode.ReplaceAllString(s, ""), "**", "")
	}
	if strings.ContainsAny(s, "␛^") || strings.Contains(s, "ESC[") {
		s = symbols.ReplaceAllString(s, "")
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return c
		case c == '\n':
			return ' '
		case unicode.In(c, unicode.Cc, unicode.Cf), c == '\u2028', c == '\u2029':
			return -1
		}
		return c
	}, s)
}

// plainASCII: nothing in it needs a look. What begins like the rest of a colour does.
func plainASCII(b []byte) bool {
	for i, c := range b {
		if c >= utf8.RuneSelf || c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
		if c == '[' && i+1 < len(b) && (b[i+1] == 'K' || (b[i+1] >= '0' && b[i+1] <= '9' || b[i+1] == 'm') && mark(b[i+1:])) {
			return false
		}
		if c == '?' && i+1 < len(b) && b[i+1] == '[' {
			return false
		}
		if c == '&' && i+3 < len(b) && b[i+1] != ' ' && b[i+1] != '&' {
			return false
		}
		if c == '[' && i+1 < len(b) && (b[i+1] == '/' || b[i+1] == 'C') {
			return false
		}
		if c == '\\' && i+1 < len(b) && (b[i+1] == 'x' || b[i+1] == '0' || b[i+1] == 'e' || b[i+1] == 'u') {
			return false
		}
	}
	return true
}

// mark: digits, with semicolons or the colons of 256 colours (0;1;38:5:185) between, then m.
func mark(b []byte) bool {
	for i := 0; i < len(b) && i < 20; i++ {
		switch c := b[i]; {
		case c == 'm':
			return true
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return false
		}
	}
	return false
}

func cut(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + " …"
}
