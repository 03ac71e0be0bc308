package journal

import (
	"regexp"
	"strings"
)

// What was pasted into one line.

// statusKeys are how the lines of systemctl status begin, and the journal's below them.
var statusKeys = regexp.MustCompile(` (?:Loaded: [\w-]+ \(|(?:Active|Process|Main PID|Docs|Tasks|Memory|CPU|CGroup): |[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \S+ \S{1,40}\[\d+\]: )`)

// begun are PID 1's sentences that a line of journalctl -o cat may begin with, beside catWords.
var begun = regexp.MustCompile(`^(?:Starting|Started|Stopping|Stopped|Mounting|Mounted) \S.*?(?:\.\.\.|…|\.) `)

// leastTogether is how long two lines in one are at least.
const leastTogether = 80

// together reads the lines that stand in one: a status' lines, or PID 1's sentences, the first
// at its beginning. In between they are somebody's who quotes one.
func (t *textReader) together(n int, s string) bool {
	if len(s) < leastTogether {
		return false
	}
	var at []int
	switch {
	case strings.Contains(s, " Loaded: ") && strings.Contains(s, " Active: "):
		for _, m := range statusKeys.FindAllStringIndex(s, -1) {
			at = append(at, m[0]+1)
		}
		if len(at) == 0 || !statusHead.MatchString(s[:at[0]-1]) {
			return false
		}
	case catWords.MatchString(s) || begun.MatchString(s):
		for i := 1; i < len(s); i++ {
			if s[i-1] == ' ' && strings.IndexByte(".…/)ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", s[max(0, i-2)]) >= 0 && catWords.MatchString(s[i:]) {
				at = append(at, i)
			}
		}
	}
	if len(at) == 0 {
		return false
	}
	for from, i := 0, 0; i <= len(at); i++ {
		to := len(s)
		if i < len(at) {
			to = at[i]
		}
		t.one(n, []byte(strings.TrimSpace(s[from:to])))
		from = to
	}
	return true
}

// before every line of it somebody has put the same: a shell's or a script's comment, a mail's quote.
var quotes = []string{"# ", "> ", "| ", "// ", "* "}

// quoted is what is before every line, of two at least.
func quotedBy(head string) string {
	for _, quote := range quotes {
		n := 0
		all := true
		for line := range strings.Lines(head) {
			line = strings.TrimRight(line, " \r\n")
			if line == "" || line == strings.TrimSpace(quote) {
				continue
			}
			if n++; !strings.HasPrefix(line, quote) {
				all = false
				break
			}
		}
		if all && n > 1 {
			return quote
		}
	}
	return ""
}
