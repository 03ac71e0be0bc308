package vrl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		set[w] = true
	}
	return set
}

// lexer cuts a program into tokens.
type lexer struct {
	source string
	at     int
	tokens []token
}

// lex cuts the whole source; the last token is tokEnd.
func lex(source string) ([]token, error) {
	l := &lexer{source: source}
	apart := true
	for l.at < len(source) {
		r, size := utf8.DecodeRuneInString(source[l.at:])
		switch {
		case r == '#':
			if end := strings.IndexByte(source[l.at:], '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(source)
			}
			apart = true
			continue
		case r != '\n' && unicode.IsSpace(r):
			l.at += size
			apart = true
			continue
		}
		if err := l.next(r); err != nil {
			return nil, err
		}
		l.tokens[len(l.tokens)-1].apart = apart
		apart = r == '\n'
	}
	l.tokens = append(l.tokens, token{kind: tokEnd, pos: len(source), end: len(source), apart: true})
	return l.tokens, nil
}

func (l *lexer) add(kind tokenKind, text string, end int) {
	l.tokens = append(l.tokens, token{kind: kind, text: text, pos: l.at, end: end})
	l.at = end
}

// peek is the byte after the one that is being looked at.
func (l *lexer) peek() byte {
	if l.at+1 < len(l.source) {
		return l.source[l.at+1]
	}
	return 0
}

// run is where the bytes end, from a place on, that are of a kind.
func (l *lexer) run(from int, of func(byte) bool) int {
	for from < len(l.source) && of(l.source[from]) {
		from++
	}
	return from
}

func (l *lexer) next(r rune) error {
	switch {
	case r == '\n':
		l.add(tokNewline, "\n", l.at+1)
	case r == '"':
		return l.quoted(tokString, 1, '"')
	case r == 'r' && l.peek() == '\'':
		return l.quoted(tokRegex, 2, '\'')
	case r == 's' && l.peek() == '\'':
		return l.quoted(tokRaw, 2, '\'')
	case r == 't' && l.peek() == '\'':
		return l.quoted(tokTime, 2, '\'')
	case r == '_' && !identRune(l.peek()):
		l.add(tokOp, "_", l.at+1)
	case r < utf8.RuneSelf && identRune(byte(r)) && !digit(byte(r)):
		l.identifier()
	case digit(byte(r)) && r < utf8.RuneSelf, r == '-' && digit(l.peek()):
		l.number()
	case strings.ContainsRune(";()[]{}.%:,", r):
		l.add(tokOp, string(r), l.at+1)
	case r == '-' && l.peek() == '>':
		l.add(tokOp, "->", l.at+2)
	case r == '!' && (l.peek() == '!' || !operatorRune(l.peek())):
		l.add(tokOp, "!", l.at+1)
	case r == '&' && l.peek() != '&':
		l.add(tokOp, "&", l.at+1)
	case r < utf8.RuneSelf && operatorRune(byte(r)):
		end := l.run(l.at, operatorRune)
		l.add(tokOp, l.source[l.at:end], end)
	default:
		return syntaxError(l.at, 203, `unexpected syntax token: "InvalidToken"`)
	}
	return nil
}

func (l *lexer) identifier() {
	end := l.run(l.at, identRune)
	word := l.source[l.at:end]
	kind := tokIdent
	switch {
	case end < len(l.source) && (l.source[end] == '(' || l.source[end] == '!'):
		kind = tokCall
	case keywords[word]:
		kind = tokKeyword
	case reserved[word]:
		kind = tokReserved
	case strings.Contains(word, "@"):
		kind = tokField
	}
	l.add(kind, word, end)
}

// number reads an integer or a float; digits that letters follow are an identifier (`.1st`).
func (l *lexer) number() {
	digits := func(c byte) bool { return digit(c) || c == '_' }
	end := l.run(l.at+1, digits)
	switch {
	case end < len(l.source) && identRune(l.source[end]) && l.source[l.at] != '-':
		l.identifier()
	case end < len(l.source) && l.source[end] == '.':
		end = l.run(end+1, digits)
		l.add(tokFloat, strings.ReplaceAll(l.source[l.at:end], "_", ""), end)
	default:
		l.add(tokInt, strings.ReplaceAll(l.source[l.at:end], "_", ""), end)
	}
}

// quoted reads a literal up to its closing quote; the text stays as it is written.
func (l *lexer) quoted(kind tokenKind, open int, quote byte) error {
	for i := l.at + open; i < len(l.source); i++ {
		switch l.source[i] {
		case '\\':
			i++
		case quote:
			text := l.source[l.at+open : i]
			if kind == tokString {
				if _, err := unescape(text); err != nil {
					return syntaxError(l.at, 202, err.Error())
				}
			}
			l.add(kind, text, i+1)
			return nil
		}
	}
	if kind == tokString {
		return syntaxError(l.at, 202, "unexpected error: invalid string literal")
	}
	return syntaxError(l.at, 202, "unexpected error: invalid literal")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func identRune(c byte) bool {
	return c == '_' || c == '@' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func operatorRune(c byte) bool { return c != 0 && strings.IndexByte("!%&*+-/<=>?|", c) >= 0 }
