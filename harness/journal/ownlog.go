package journal

import (
	"regexp"
	"strings"
)

// ownLogs are programs' own logs, from a terminal, a container or a file: nobody's name is before a
// line. What says that something went wrong is read of them, for it is what a boot ends with.
var ownLogs = []struct {
	says *regexp.Regexp
	who  string
}{
	{regexp.MustCompile(`^(?:\d{4}-\S+Z +)?ERROR vector(?:::\w+)*: (Configuration error.*)$`), "vector"},
	{regexp.MustCompile(`^(?:\d{4}-\S+Z +)?(ERROR (?:\S.*: )?vector(?:_\w+)?(?:::\w+)+: .*)$`), "vector"},
	{regexp.MustCompile(`^(?:\d{4}[-/]\d\d[-/]\d\d\S* +(?:[0-9:.]+ +)?)?(ERROR .*\bProvisioning failed: .*)$`), "waagent"},
}

// ownLog takes such a line.
func (t *textReader) ownLog(n int, s string, width int) bool {
	if !strings.Contains(s, "ERROR ") {
		return false
	}
	for _, own := range ownLogs {
		if m := own.says.FindStringSubmatch(s); m != nil {
			t.hold(Entry{Line: n, Form: Bare, Ident: own.who, Message: m[1]}, width)
			return true
		}
	}
	return false
}
