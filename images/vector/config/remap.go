package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"bootrace/images/vector/event"
)

// parseRemap reads the only programs the stand-in knows: comments and lines of the form `.path = "string literal"`.
// It is deliberately no VRL; whoever needs more needs a real Vector, and is told so.
func parseRemap(source string) ([]Assignment, []string) {
	var assignments []Assignment
	var problems []string
	for i, line := range strings.Split(source, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		a, err := parseAssignment(line)
		if err != nil {
			problems = append(problems, fmt.Sprintf("the bootrace stand-in has no VRL, only lines of the form `.path = \"text\"`: program line %d: %v", i+1, err))
			continue
		}
		assignments = append(assignments, a)
	}
	if len(assignments) == 0 && len(problems) == 0 {
		problems = append(problems, "the program is empty")
	}
	return assignments, problems
}

func parseAssignment(line string) (Assignment, error) {
	left, right, ok := strings.Cut(line, "=")
	if !ok {
		return Assignment{}, fmt.Errorf("no assignment")
	}
	path, err := event.ParsePath(strings.TrimSpace(left))
	if err != nil {
		return Assignment{}, err
	}
	value, rest, err := stringLiteral(strings.TrimSpace(right))
	if err != nil {
		return Assignment{}, err
	}
	if rest = strings.TrimSpace(rest); rest != "" && !strings.HasPrefix(rest, "#") {
		return Assignment{}, fmt.Errorf("something follows the string")
	}
	return Assignment{Path: path, Value: value}, nil
}

// stringLiteral reads a VRL string (VRL reference, "string": these escapes and no others).
func stringLiteral(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", fmt.Errorf("the right side is not a string in double quotes")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c != '\\':
			b.WriteByte(c)
		case i+1 == len(s):
			return "", "", fmt.Errorf("the string does not end")
		case s[i+1] == 'u':
			r, width, err := unicodeEscape(s[i:])
			if err != nil {
				return "", "", err
			}
			b.WriteRune(r)
			i += width - 1
		default:
			i++
			plain, ok := map[byte]byte{'"': '"', '\'': '\'', '\\': '\\', 'n': '\n', 'r': '\r', 't': '\t', '0': 0, '{': '{', '}': '}'}[s[i]]
			if !ok {
				return "", "", fmt.Errorf("invalid escape character")
			}
			b.WriteByte(plain)
		}
	}
	return "", "", fmt.Errorf("the string does not end")
}

// unicodeEscape reads `\u{1F600}` at the start of s.
func unicodeEscape(s string) (r rune, width int, err error) {
	end := strings.IndexByte(s, '}')
	if !strings.HasPrefix(s, `\u{`) || end < 0 {
		return 0, 0, fmt.Errorf("invalid unicode escape")
	}
	v, err := strconv.ParseUint(s[3:end], 16, 32)
	if err != nil || !utf8.ValidRune(rune(v)) {
		return 0, 0, fmt.Errorf("invalid unicode escape")
	}
	return rune(v), end + 1, nil
}
