package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The classes of characters of systemd's src/basic/string-util.h and
// env-file.c. A carriage return ends a line, as a line feed does.
const (
	newline          = "\n\r"
	whitespace       = " \t\n\r"
	comment          = "#;"
	shellNeedsEscape = "\"\\`$"
)

// ErrInvalid is wrapped by Parse's errors: systemd would load nothing from
// this file.
var ErrInvalid = errors.New("not an environment file")

// Parse returns the variables systemd takes from data. The last assignment of
// a name wins, and an assignment to what is no variable's name is dropped. A
// file that systemd drops as a whole is an error, which names the line and
// never its contents.
func Parse(data []byte) (map[string]string, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, fmt.Errorf("%w: a NUL at byte %d", ErrInvalid, i)
	}
	p := parser{env: map[string]string{}, line: 1}
	for _, c := range data {
		p.next(c)
		if p.err != nil {
			return nil, p.err
		}
	}
	p.end()
	return p.env, p.err
}

type state int

const (
	preKey state = iota
	inKey
	preValue
	inValue
	valueEscape
	singleQuote
	doubleQuote
	doubleQuoteEscape
	inComment
	commentEscape
)

// parser is parse_env_file_internal() of systemd's src/basic/env-file.c.
type parser struct {
	state state
	line  int
	key   []byte
	value []byte
	// keep is the length of value that trailing white space is stripped
	// down to: white space that was quoted or escaped stays.
	keep int
	env  map[string]string
	err  error
}

func (p *parser) next(c byte) {
	switch p.state {
	case preKey:
		switch {
		case is(c, comment):
			p.state = inComment
		case !is(c, whitespace):
			p.state = inKey
			p.key = append(p.key[:0], c)
		}
	case inKey:
		switch {
		case is(c, newline): // no assignment: the line is ignored
			p.state = preKey
		case c == '=':
			p.state, p.value, p.keep = preValue, p.value[:0], 0
		default:
			p.key = append(p.key, c)
		}
	case preValue:
		switch {
		case is(c, newline):
			p.push()
		case c == '\'':
			p.state = singleQuote
		case c == '"':
			p.state = doubleQuote
		case c == '\\':
			p.state = valueEscape
		case !is(c, whitespace):
			p.state = inValue
			p.solid(c)
		}
	case inValue:
		switch {
		case is(c, newline):
			p.value = p.value[:p.keep]
			p.push()
		case c == '\\':
			p.state, p.keep = valueEscape, len(p.value)
		case is(c, whitespace):
			p.value = append(p.value, c)
		default:
			p.solid(c)
		}
	case valueEscape:
		p.state = inValue
		if !is(c, newline) { // an escaped newline continues the line
			p.solid(c)
		}
	case singleQuote:
		if c == '\'' {
			p.state = preValue
		} else {
			p.solid(c)
		}
	case doubleQuote:
		switch c {
		case '"':
			p.state = preValue
		case '\\':
			p.state = doubleQuoteEscape
		default:
			p.solid(c)
		}
	case doubleQuoteEscape:
		p.state = doubleQuote
		switch {
		case is(c, shellNeedsEscape):
			p.solid(c)
		case c != '\n':
			p.solid('\\')
			p.solid(c)
		}
	case inComment:
		switch {
		case c == '\\':
			p.state = commentEscape
		case is(c, newline):
			p.state = preKey
		}
	case commentEscape:
		// Since systemd 254 a comment cannot be continued (its NEWS);
		// before, the line after it was a comment too.
		p.state = inComment
		if is(c, newline) {
			p.state = preKey
		}
	}
	if c == '\n' {
		p.line++
	}
}

// solid adds a byte that is not stripped from the value's end.
func (p *parser) solid(c byte) {
	p.value = append(p.value, c)
	p.keep = len(p.value)
}

// end takes what a missing last newline, or a quote that never ends, leaves.
func (p *parser) end() {
	switch p.state {
	case inValue:
		p.value = p.value[:p.keep]
		p.push()
	case preValue, valueEscape, singleQuote, doubleQuote, doubleQuoteEscape:
		p.push()
	}
}

func (p *parser) push() {
	p.state = preKey
	name := strings.TrimRight(string(p.key), whitespace)
	value := string(p.value)
	if !validUTF8(name) || !validUTF8(value) {
		p.err = fmt.Errorf("%w: line %d is not valid UTF-8", ErrInvalid, p.line)
		return
	}
	if validName(name) {
		p.env[name] = value
	}
}

func validUTF8(s string) bool {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !validRune(r) {
			return false
		}
		i += size
	}
	return true
}

func is(c byte, class string) bool { return strings.IndexByte(class, c) >= 0 }
